//! A service's own certificate.

use std::time::UNIX_EPOCH;

use entente_tls::{Credentials, Identity, TlsError, TlsFiles};
use rustls::{ClientConnection, ServerConnection, pki_types::ServerName};

use super::finding::Finding;

const DAY_S: i64 = 86_400;

/// Reads certificate and key; the credentials if they can be used.
pub(super) fn certificate(files: &TlsFiles, findings: &mut Vec<Finding>) -> Option<Credentials> {
    let credentials = match Credentials::load(files) {
        Ok(credentials) => credentials,
        Err(error) => {
            findings.push(Finding::failure("certificate", &error, remedy(&error)));
            return None;
        }
    };
    findings.push(judge_expiry(
        credentials.identity(),
        credentials.not_after_unix_s(),
        credentials.is_nearly_over(now_unix_s()),
        now_unix_s(),
    ));
    let lists_end = credentials.lists_end_unix_s();
    findings.extend(lists_end.map(|end| judge_lists(end, now_unix_s())));
    findings.push(match leads_to_own_roots(&credentials) {
        Ok(()) => Finding::ok("certificate chain", "leads to an authority in [tls] ca"),
        Err(error) => Finding::warning(
            "certificate chain",
            format!("members with this [tls] ca would refuse this certificate: {error}"),
            "if all members share one authority, have the certificate issued by it, and put \
             intermediate certificates behind the own one in [tls] certificate",
        ),
    });
    Some(credentials)
}

/// What to do, where the message does not say it already.
fn remedy(error: &TlsError) -> &'static str {
    match error {
        TlsError::Expired { .. } => {
            "have the certificate reissued, or for development: entente cert issue"
        }
        TlsError::NotYetValid { .. } => "set this machine's clock (NTP)",
        TlsError::KeyExposed { .. } => "chmod 600 the key; if others were there, a new key",
        _ => "see [tls] ca, certificate and key",
    }
}

pub(super) fn now_unix_s() -> i64 {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// How long a certificate will speak.
pub(super) fn judge_expiry(
    of: &Identity,
    not_after_unix_s: i64,
    nearly_over: bool,
    now_unix_s: i64,
) -> Finding {
    let days = (not_after_unix_s - now_unix_s).div_euclid(DAY_S);
    let seen = format!("{of}, ends in {days} days");
    match (days, nearly_over) {
        (..0, _) => Finding::failure(
            "certificate",
            format!("{of}, has ended"),
            "have it reissued",
        ),
        (_, true) => Finding::warning(
            "certificate",
            format!("{seen}: less than a third of its life"),
            "entente cert renew",
        ),
        (_, false) => Finding::ok("certificate", seen),
    }
}

/// How long revocation lists will be taken.
pub(super) fn judge_lists(end_unix_s: i64, now_unix_s: i64) -> Finding {
    let days = (end_unix_s - now_unix_s).div_euclid(DAY_S);
    match days {
        ..0 => Finding::failure(
            "revocation lists",
            "one has ended: no certificate of its authority is taken",
            "entente ca crl at the authority, and the new list to where [tls] crls says",
        ),
        _ => Finding::ok("revocation lists", format!("the first ends in {days} days")),
    }
}

/// Shakes hands with oneself, in memory: what another member that trusts the
/// same authorities would say.
fn leads_to_own_roots(credentials: &Credentials) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let own = credentials.identity();
    let client = credentials.client_config(own).map_err(|e| text(&e))?;
    let server = credentials.server_config().map_err(|e| text(&e))?;
    let name = ServerName::try_from("localhost").map_err(|e| text(&e))?;
    let mut client = ClientConnection::new(client, name).map_err(|e| text(&e))?;
    let mut server = ServerConnection::new(server).map_err(|e| text(&e))?;
    let mut wire = Vec::new();
    while client.is_handshaking() || server.is_handshaking() {
        let before = (client.is_handshaking(), server.is_handshaking());
        wire.clear();
        let mut moved = client.write_tls(&mut wire).map_err(|e| text(&e))?;
        server
            .read_tls(&mut wire.as_slice())
            .map_err(|e| text(&e))?;
        server.process_new_packets().map_err(|e| text(&e))?;
        wire.clear();
        moved += server.write_tls(&mut wire).map_err(|e| text(&e))?;
        client
            .read_tls(&mut wire.as_slice())
            .map_err(|e| text(&e))?;
        client.process_new_packets().map_err(|e| text(&e))?;
        if moved == 0 && before == (client.is_handshaking(), server.is_handshaking()) {
            return Err("the handshake stands still".to_owned());
        }
    }
    Ok(())
}
