//! A party's peers.

use entente_actors::PartyConfig;
use entente_protocol::job::PartyName;
use entente_tls::{Credentials, Identity};
use entente_wire::{Frame, Hello, Spoken, decode_exactly, listed_versions};

use super::{PATIENCE, finding::Finding, refused, throughput};
use crate::line::{self, Deadline};

/// A greeting is no longer than this.
const MAX_GREETING_BYTES: usize = 1 << 10;

/// Calls every peer that has an address.
pub(super) fn examine(config: &PartyConfig, credentials: &Credentials, out: &mut Vec<Finding>) {
    if config.peers.is_empty() {
        out.push(Finding::warning(
            "peers",
            "none",
            "name the parties that may reach this one under [peers.NAME]",
        ));
    }
    for (peer, section) in &config.peers {
        let check = format!("peer {peer}");
        match &section.address {
            None => out.push(Finding::ok(
                check,
                "has no address here, and calls by itself",
            )),
            Some(address) => {
                let spoken = config.party.spoken;
                call(check, (peer, address), credentials, spoken, out);
            }
        }
    }
}

fn call(
    check: String,
    (peer, address): (&PartyName, &str),
    credentials: &Credentials,
    spoken: Spoken,
    out: &mut Vec<Finding>,
) {
    let name = match peer.as_str().parse() {
        Ok(name) => name,
        Err(error) => {
            return out.push(Finding::failure(check, error, "correct [peers]"));
        }
    };
    let whom = Identity::party(name);
    let open = line::open(address, credentials, &whom, Deadline::within(PATIENCE));
    let heard = open.and_then(|(mut line, agreed)| {
        let deadline = Deadline::within(PATIENCE);
        let length = line::read(&mut line, 4, deadline)?;
        let length = length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let greeting = line::read(&mut line, length.min(MAX_GREETING_BYTES), deadline)?;
        Ok((agreed, greeting))
    });
    let (agreed, greeting) = match heard {
        Ok(heard) => heard,
        Err(error) => {
            let whom = format!("party {peer}");
            return out.push(refused::finding(&error, check, &whom, address));
        }
    };
    out.push(Finding::ok(
        check.clone(),
        format!("{address}: {}", agreed.seen()),
    ));
    let versions = format!("{check}, versions");
    let Ok(Frame::Hello(hello)) = decode_exactly(&(), &greeting) else {
        return out.push(Finding::failure(
            versions,
            "it does not greet as a party",
            "see that the address is the one of [party] listen there",
        ));
    };
    out.push(judge_versions(versions, spoken, &hello));
    let check = format!("{check}, throughput");
    out.push(throughput::examine(check, address, credentials, &whom));
}

/// Whether both sides understand each other.
pub(super) fn judge_versions(check: String, spoken: Spoken, theirs: &Hello) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    let seen = format!(
        "entente {} there, {ours} here; wire versions {} there, {spoken} here",
        theirs.software,
        listed_versions(&theirs.versions)
    );
    match theirs.agree(spoken) {
        Ok(common) => Finding::ok(check, format!("{seen}: {} is taken", common.newest())),
        Err(_) if theirs.agree(Spoken::ALL).is_ok() => Finding::failure(
            check,
            seen,
            "no version in common while this party holds some back: take out [party] \
             newest_wire_version",
        ),
        Err(_) => Finding::failure(
            check,
            seen,
            "no version in common: bring both sides to releases that share one",
        ),
    }
}
