//! What to do about a line that there is not.

use entente_tls::{Refusal, TlsError};

use super::finding::Finding;
use crate::line::NoLine;

/// As a failure to reach `whom` at `address`.
pub(super) fn finding(no_line: &NoLine, check: String, whom: &str, address: &str) -> Finding {
    match no_line {
        NoLine::Unreachable(error) => Finding::failure(
            check,
            format!("{address}: {error}"),
            format!(
                "see that {whom} runs, that {address} is its address, and that no firewall \
                 stands between"
            ),
        ),
        NoLine::Refused(error) => {
            let remedy = match error {
                TlsError::Handshake { refusal, .. } => remedy(*refusal),
                _ => "have it reissued",
            };
            Finding::failure(check, format!("{address}: {error}"), remedy)
        }
    }
}

fn remedy(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownAuthority => {
            "its certificate is of an authority that [tls] ca does not have: exchange authorities"
        }
        Refusal::Expired => "its certificate has ended: tell its operator; or this clock is fast",
        Refusal::NotYetValid => "its certificate begins later: see to both machines' clocks",
        Refusal::WrongPeer => "another one answers there: see to the address and the name",
        Refusal::NotTls => "something else answers there: see to the address and to proxies",
        Refusal::ByPeer => {
            "it does not take our certificate: its log says why; its [tls] ca must have our \
             authority, and our certificate must be in date by its clock"
        }
        _ => "see the message, and its log",
    }
}
