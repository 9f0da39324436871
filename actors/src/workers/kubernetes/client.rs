//! Two clients of one cluster: what is asked is answered soon or not at all, and what
//! is watched may be silent.

use std::time::Duration;

use kube::{Client, Config};

use super::KubernetesError;

/// How long the cluster may take to be reached, and how long it may be silent after a
/// request. Whoever looks again finds what was done nevertheless.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A client that neither tries again by itself nor waits for long: whoever looks again
/// does, and no worker waits for another one's request.
pub(super) fn asks_once(mut config: Config) -> Result<Client, KubernetesError> {
    config.default_retry = false;
    config.read_timeout = Some(ANSWERS_WITHIN);
    // A connection that was not needed for a while is none that is silent.
    config.reset_reader_on_write = true;
    streams(config)
}

/// A client for watches, which are silent while nothing changes. They begin anew by
/// themselves after some minutes.
pub(super) fn streams(mut config: Config) -> Result<Client, KubernetesError> {
    config.connect_timeout = Some(ANSWERS_WITHIN);
    config.write_timeout = Some(ANSWERS_WITHIN);
    Client::try_from(config).map_err(|error| KubernetesError::Client(error.to_string()))
}
