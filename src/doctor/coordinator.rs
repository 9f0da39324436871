//! A coordinator, examined.

use std::path::Path;

use entente_coordinator::CoordinatorConfig;
use entente_tls::{Identity, IdentityKind};
use url::Url;

use super::{configuration, finding::Finding, machine, own, party::service_at, service};

/// All that is found at a coordinator.
pub(super) fn examine(path: &Path) -> Vec<Finding> {
    let (config, good) = match configuration(path, CoordinatorConfig::check) {
        Ok(good) => good,
        Err(bad) => return vec![bad],
    };
    let mut findings = vec![good];
    let out = &mut findings;
    let credentials = own::certificate(&config.tls, out);
    store(&config, out);
    machine::disk(
        &config.coordinator.state_dir,
        "[coordinator] state_dir",
        out,
    );
    machine::memory(None, out);
    let Some(credentials) = credentials else {
        return findings;
    };
    let of = credentials.identity();
    let named = config.coordinator.name.as_ref();
    if of.kind != IdentityKind::Coordinator || named.is_some_and(|name| *name != of.name) {
        out.push(Finding::failure(
            "name",
            format!("the certificate is {of}'s"),
            "name the coordinator's certificate in [tls] certificate, or correct \
             [coordinator] name",
        ));
    }
    out.push(service_at(config.coordinator.listen, &credentials));
    if let Some(url) = &config.coordinator.advertise {
        advertised(url, &credentials, of, out);
    }
    findings
}

/// As parties and users reach it.
fn advertised(
    url: &Url,
    credentials: &entente_tls::Credentials,
    of: &Identity,
    out: &mut Vec<Finding>,
) {
    service::examine(url, credentials, of, out);
}

fn store(config: &CoordinatorConfig, out: &mut Vec<Finding>) {
    // Its password is in no message of its.
    out.push(match config.store() {
        Ok(location) => Finding::ok("store", location),
        Err(error) => Finding::failure("store", error, "see to [coordinator] store_password_file"),
    });
}
