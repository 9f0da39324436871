//! `entente probe`: one question to the service beside it, yes or no.
//!
//! A supervisor that could ask by itself would need a certificate, for everything here
//! is mutual TLS; a port without it, for health alone, would be one more door and tell
//! the network which services run and how they are. So the supervisor runs this in
//! the service's place, with the service's own certificate.
//!
//! ```text
//!   configuration ─▶ who, where ─▶ own certificate ─▶ GET /healthz, /readyz ─▶ yes, no
//!                                        │                    │
//!                                        └ of no use any more └ handshake refused
//!                                              └────────┬───────────┘
//!                             live: somebody is there, which is all that is asked
//! ```
//!
//! What makes a service dead is that it does not answer, and nothing else: a probe that
//! is false because the certificate has ended would have the supervisor kill, again and
//! again, a process whose links stand and whose jobs go on.
//!
//! On the thread that it begins on, without a runtime: a probe runs every few seconds
//! in the service's own share of the processor.

mod answer;
mod judge;
mod service;

use std::time::Duration;

use entente_tls::Credentials;

use self::{
    answer::{Answer, get},
    judge::{Heard, judge},
    service::Service,
};
use crate::{
    cli::{ProbeArgs, Question},
    exit::Failure,
    line::{self, Deadline, NoLine},
};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks, and says what was found.
pub(crate) fn run(args: &ProbeArgs) -> Result<(), Failure> {
    let deadline = Deadline::within(PATIENCE);
    let service = Service::of(&args.config)?;
    let heard = hear(&service, args.question, deadline);
    match judge(args.question, service.role, heard) {
        Ok(yes) => {
            println!("{yes}");
            Ok(())
        }
        Err(no) => Err(Failure::Runtime(no)),
    }
}

fn hear(service: &Service, question: Question, deadline: Deadline) -> Heard {
    let address = service.at.to_string();
    let credentials = match Credentials::load(&service.tls) {
        Ok(credentials) => credentials,
        Err(error) => {
            return match line::connect(&address, deadline) {
                Ok(_) => Heard::WithoutUs(error.to_string()),
                Err(error) => Heard::Nobody(format!("{address}: {error}")),
            };
        }
    };
    let path = match question {
        Question::Live | Question::Started => "/healthz",
        Question::Serving | Question::Ready => "/readyz",
    };
    match ask(&address, &credentials, path, deadline) {
        Ok(answer) => Heard::Answer(answer),
        Err(NoLine::Unreachable(error)) => Heard::Nobody(format!("{address}: {error}")),
        Err(NoLine::Refused(error)) => Heard::refused(&error),
    }
}

fn ask(
    address: &str,
    credentials: &Credentials,
    path: &str,
    deadline: Deadline,
) -> Result<Answer, NoLine> {
    // The service's certificate is ours.
    let (mut line, _) = line::open(address, credentials, credentials.identity(), deadline)?;
    get(&mut line, path, deadline)
}
