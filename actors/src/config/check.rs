//! What is wrong with a configuration that can be read: numbers out of their range,
//! addresses that are none, settings that contradict each other.

use thiserror::Error;
use url::Url;

use super::{LauncherSection, PartyConfig};

/// A setting out of its range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("configuration, {key}: {problem}")]
pub struct ConfigError {
    /// The setting, as `section.key`.
    pub key: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

/// A GiB of them at the longest key.
const MOST_POOL_VALUES: usize = 1 << 20;

impl PartyConfig {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first setting that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let check = |ok: bool, key: &str, problem: &str| {
            ok.then_some(()).ok_or_else(|| ConfigError {
                key: key.to_owned(),
                problem: problem.to_owned(),
            })
        };
        check(
            (1..=1000).contains(&self.party.capacity),
            "party.capacity",
            "must be from 1 to 1000",
        )?;
        check(
            self.party
                .job_threads
                .is_none_or(|threads| (1..=1024).contains(&threads)),
            "party.job_threads",
            "must be from 1 to 1024, or be left out",
        )?;
        check(
            self.party
                .job_memory_bytes
                .is_none_or(|bytes| bytes >= 1 << 20),
            "party.job_memory_bytes",
            "must be at least 1048576 (1 MiB), or be left out",
        )?;
        let usable = |url: &Url| url.scheme() == "https" && url.has_host() && url.query().is_none();
        check(
            self.coordinator.url.iter().all(usable),
            "coordinator.url",
            "must be of the form https://host:port/; nothing here speaks without TLS",
        )?;
        check(
            (1..=1024).contains(&self.compute.threads()),
            "compute.threads",
            "must be from 1 to 1024",
        )?;
        check(
            self.compute.pool_values <= MOST_POOL_VALUES,
            "compute.pool_values",
            "must be from 0 to 1048576; 0 makes none ahead",
        )?;
        if let Some(LauncherSection::Kubernetes(section)) = &self.launcher {
            check(
                cfg!(feature = "kubernetes"),
                "launcher.kind",
                "must be process, or be left out: this software was built without \
                 --features kubernetes",
            )?;
            check(
                is_address(&section.party),
                "launcher.party",
                "must be host:port, such as entente-party-workers:7405",
            )?;
            check(
                self.party.sealing_key.is_some(),
                "party.sealing_key",
                "must be set where workers run elsewhere: they do not see a key beside the \
                 state directory",
            )?;
            check(
                section.storage_bytes >= 64 << 20,
                "launcher.storage_bytes",
                "must be at least 67108864 (64 MiB)",
            )?;
            check(
                (1..=1024).contains(&section.least_threads),
                "launcher.least_threads",
                "must be from 1 to 1024",
            )?;
        }
        self.datasets.check().map_err(|error| ConfigError {
            key: format!("datasets.{}", error.dataset),
            problem: error.fault.to_string(),
        })?;
        for (peer, section) in &self.peers {
            let address = section.address.as_deref();
            check(
                address.is_none_or(is_address),
                &format!("peers.{peer}.address"),
                "must be host:port, such as bank-b.example:7101 or [::1]:7101",
            )?;
            check(
                self.party.name.as_ref() != Some(peer),
                &format!("peers.{peer}"),
                "is this party itself; list the others",
            )?;
        }
        Ok(())
    }
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = !host.is_empty() && !host.contains([':', '/', ' ', '@']);
        let bracketed = host.starts_with('[') && host.ends_with(']');
        (plain || bracketed) && port.parse::<u16>().is_ok_and(|port| port != 0)
    })
}
