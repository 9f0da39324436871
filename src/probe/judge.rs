//! From what was heard to yes or no.

use entente_tls::{Refusal, TlsError};
use serde::Deserialize;

use super::{answer::Answer, service::Role};
use crate::cli::Question;

/// What was heard of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// It answered.
    Answer(Answer),
    /// It speaks TLS, and it comes to no answer.
    Refused(String),
    /// Somebody listens; there is no certificate to ask with.
    WithoutUs(String),
    /// Nobody answers, or nobody that this could be.
    Nobody(String),
}

impl Heard {
    /// A line that was refused.
    pub(super) fn refused(error: &TlsError) -> Self {
        let text = error.to_string();
        match error {
            TlsError::Handshake {
                refusal: Refusal::NotTls | Refusal::Connection | Refusal::Protocol,
                ..
            } => Self::Nobody(text),
            _ => Self::Refused(text),
        }
    }
}

/// What a coordinator that does not lead says (RFC 9457).
#[derive(Deserialize)]
struct Standby {
    #[serde(rename = "type")]
    kind: String,
    leader: Option<String>,
}

const STANDBY: &str = "urn:entente:problem:standby";

/// Yes, or no, with what is said of it.
pub(super) fn judge(question: Question, role: Role, heard: Heard) -> Result<String, String> {
    let answer = match heard {
        Heard::Answer(answer) => answer,
        Heard::Refused(why) | Heard::WithoutUs(why) if question == Question::Live => {
            return Ok(format!("live, and cannot be asked more: {why}"));
        }
        Heard::Refused(why) | Heard::WithoutUs(why) => return Err(why),
        Heard::Nobody(why) => return Err(why),
    };
    let fine = answer.status == 200;
    match (question, role) {
        // What answers is alive, unless it says that it is not.
        (Question::Live, _) if answer.status != 503 => Ok("live".to_owned()),
        (Question::Started, _) if fine => Ok("started".to_owned()),
        (Question::Serving, Role::Party) if fine || is_lacking(&answer) => {
            Ok(format!("serving: {}", answer.text))
        }
        (Question::Serving, Role::Coordinator) if fine => Ok(format!("serving: {}", answer.text)),
        (Question::Serving, Role::Coordinator) => match led_by(&answer.text) {
            Some(leader) => Ok(format!("serving: stands by, {leader} leads")),
            None => Err(detail(&answer)),
        },
        (Question::Ready, _) if fine && answer.text == "ready" => Ok("ready".to_owned()),
        _ => Err(detail(&answer)),
    }
}

/// Of a party that is not ready: whether its peers are answered all the same.
fn is_lacking(answer: &Answer) -> bool {
    let why = answer.text.split(':').next().unwrap_or_default();
    answer.status == 503 && ["drained", "no coordinator"].contains(&why)
}

fn led_by(text: &str) -> Option<String> {
    let said: Standby = serde_json::from_str(text).ok()?;
    said.leader.filter(|_| said.kind == STANDBY)
}

/// On one line: what a problem says of itself, or the text.
fn detail(answer: &Answer) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(&answer.text).ok();
    let detail = problem.and_then(|problem| Some(problem.get("detail")?.as_str()?.to_owned()));
    let text = detail.unwrap_or_else(|| answer.text.clone());
    match text.lines().next() {
        Some(line) if !line.is_empty() => line.to_owned(),
        _ => format!("it answers {}", answer.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, text: &str) -> Heard {
        Heard::Answer(Answer {
            status,
            text: text.to_owned(),
        })
    }

    /// Which of live, started, serving and ready are true.
    fn truths(role: Role, health: &Heard, readiness: &Heard) -> [bool; 4] {
        [
            (Question::Live, health),
            (Question::Started, health),
            (Question::Serving, readiness),
            (Question::Ready, readiness),
        ]
        .map(|(question, heard)| judge(question, role, heard.clone()).is_ok())
    }

    #[test]
    fn each_word_means_what_it_says() {
        let (yes, no) = (true, false);
        let alive = said(200, "ok");
        let led = r#"{"type": "urn:entente:problem:standby", "leader": "https://c1:7400/"}"#;
        let lost = r#"{"type": "urn:entente:problem:standby", "detail": "nobody"}"#;
        let ending = r#"{"type": "urn:entente:problem:unavailable", "detail": "it ends"}"#;
        use Role::{Coordinator, Party};
        for (role, health, readiness, expected) in [
            (
                Party,
                alive.clone(),
                said(200, "ready"),
                [yes, yes, yes, yes],
            ),
            (
                Party,
                alive.clone(),
                said(503, "drained: nothing new begins here"),
                [yes, yes, yes, no],
            ),
            (
                Party,
                alive.clone(),
                said(503, "no coordinator: it has not answered"),
                [yes, yes, yes, no],
            ),
            (
                Party,
                alive.clone(),
                said(503, "ending: it was told to"),
                [yes, yes, no, no],
            ),
            (
                Party,
                said(503, "hung: its mailbox does not answer"),
                said(503, "hung: its mailbox does not answer"),
                [no, no, no, no],
            ),
            (
                Coordinator,
                alive.clone(),
                said(200, "ready"),
                [yes, yes, yes, yes],
            ),
            (
                Coordinator,
                alive.clone(),
                said(200, "ready, drained: nothing new begins"),
                [yes, yes, yes, no],
            ),
            (
                Coordinator,
                alive.clone(),
                said(503, led),
                [yes, yes, yes, no],
            ),
            (
                Coordinator,
                alive.clone(),
                said(503, lost),
                [yes, yes, no, no],
            ),
            (Coordinator, alive, said(503, ending), [yes, yes, no, no]),
            // Revoked: turned away by itself.
            (
                Party,
                said(403, "you are turned away"),
                said(403, "you are turned away"),
                [yes, no, no, no],
            ),
        ] {
            let found = truths(role, &health, &readiness);
            assert_eq!(found, expected, "{role:?}: {readiness:?}");
        }
    }

    #[test]
    fn what_cannot_be_asked_lives_if_it_speaks_and_is_neither_ready_nor_serving() {
        for (heard, live) in [
            (Heard::Refused("revoked".to_owned()), true),
            (Heard::WithoutUs("expired".to_owned()), true),
            (Heard::Nobody("refused".to_owned()), false),
        ] {
            for role in [Role::Party, Role::Coordinator] {
                assert_eq!(truths(role, &heard, &heard), [live, false, false, false]);
            }
        }
    }

    #[test]
    fn what_is_said_is_one_line_without_json() {
        let ending = r#"{"detail": "it ends", "status": 503}"#;
        let no = judge(Question::Ready, Role::Coordinator, said(503, ending));
        assert_eq!(no, Err("it ends".to_owned()));
        let no = judge(Question::Started, Role::Party, said(500, ""));
        assert_eq!(no, Err("it answers 500".to_owned()));
        let yes = judge(Question::Live, Role::Party, Heard::Refused("x".to_owned()));
        assert_eq!(yes.map(|line| line.lines().count()), Ok(1));
    }
}
