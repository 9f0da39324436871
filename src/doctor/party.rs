//! A party, examined.

use std::{net::SocketAddr, path::Path};

use entente_actors::{
    PartyConfig,
    sealing::{SealingError, SealingKeys},
};
use entente_tls::{Credentials, Identity, IdentityKind};

use super::{PATIENCE, configuration, finding::Finding, machine, own, peer, service, speed};
use crate::line::{self, Deadline};

/// All that is found at a party.
pub(super) fn examine(path: &Path) -> Vec<Finding> {
    let (config, good) = match configuration(path, PartyConfig::check) {
        Ok(good) => good,
        Err(bad) => return vec![bad],
    };
    let mut findings = vec![good];
    let out = &mut findings;
    let credentials = own::certificate(&config.tls, out);
    if let Some(credentials) = &credentials {
        name(&config, credentials, out);
    }
    policy(&config, out);
    sealing(&config, out);
    machine::disk(&config.party.state_dir, "[party] state_dir", out);
    machine::memory(config.party.job_memory_bytes, out);
    speed::examine(out);
    // Nobody is called without a certificate to show.
    if let Some(credentials) = credentials {
        running(&config, &credentials, out);
        let coordinator = Identity::coordinator(config.coordinator.name.clone());
        for url in config.coordinator.url.iter() {
            service::examine(url, &credentials, &coordinator, out);
        }
        peer::examine(&config, &credentials, out);
    }
    findings
}

fn name(config: &PartyConfig, credentials: &Credentials, out: &mut Vec<Finding>) {
    let of = credentials.identity();
    let named = config.party.name.as_ref().map(|name| name.as_str());
    let right = named.is_none_or(|name| name == of.name.as_ref());
    if of.kind != IdentityKind::Party || !right {
        out.push(Finding::failure(
            "name",
            format!("the certificate is {of}'s"),
            "name a certificate of this party in [tls] certificate, or correct [party] name",
        ));
    }
}

fn policy(config: &PartyConfig, out: &mut Vec<Finding>) {
    out.push(match config.policy() {
        Ok(_) => Finding::ok(
            "policy",
            match &config.party.policy {
                Some(path) => path.display().to_string(),
                None => "none: a person decides on every job".to_owned(),
            },
        ),
        Err(error) => Finding::failure(
            "policy",
            error,
            "correct the file that [party] policy names",
        ),
    });
}

fn sealing(config: &PartyConfig, out: &mut Vec<Finding>) {
    const CHECK: &str = "sealing key";
    out.push(match SealingKeys::read(&config.party) {
        Ok(keys) => {
            let ids: Vec<_> = keys.ids().map(|id| id.to_string()).collect();
            Finding::ok(CHECK, ids.join(", then "))
        }
        Err(SealingError::Missing { path }) if config.party.sealing_key.is_none() => {
            Finding::warning(
                CHECK,
                format!("{} is not there", path.display()),
                "it is made when the party starts for the first time; if it was there before, \
                 put it back",
            )
        }
        Err(error @ SealingError::Exposed { .. }) => Finding::failure(
            CHECK,
            error,
            "chmod 600 it; if others were there, take a new one",
        ),
        Err(error) => Finding::failure(
            CHECK,
            error,
            "entente party sealing-key new FILE, or put back the one that was there",
        ),
    });
}

/// Whether the party runs, where it listens. To take its lock would be to keep
/// it from starting.
fn running(config: &PartyConfig, credentials: &Credentials, out: &mut Vec<Finding>) {
    let listen = config.metrics.listen.unwrap_or(config.party.listen);
    out.push(service_at(listen, credentials));
}

/// Whether this very service answers at `listen`.
pub(super) fn service_at(listen: SocketAddr, credentials: &Credentials) -> Finding {
    const CHECK: &str = "running";
    if listen.port() == 0 {
        return Finding::ok(
            CHECK,
            "not to be seen: it listens at another port each time",
        );
    }
    let address = line::from_here(listen).to_string();
    let deadline = Deadline::within(PATIENCE);
    match line::open(&address, credentials, credentials.identity(), deadline) {
        Ok((_, agreed)) => Finding::ok(CHECK, format!("at {address}: {}", agreed.seen())),
        Err(line::NoLine::Unreachable(error)) => {
            Finding::ok(CHECK, format!("not at {address}: {error}"))
        }
        Err(line::NoLine::Refused(error)) => Finding::failure(
            CHECK,
            format!("{address}: {error}"),
            "another program has this port, or this service runs with another certificate: \
             end it, or choose another port",
        ),
    }
}
