//! Exact commands for exact events.

#![allow(clippy::unwrap_used, clippy::panic)]

pub(crate) mod pingpong;
mod restored;
mod undisturbed;
mod unkept;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entente_protocol::{
    control::FailureClass,
    rows::{Common, RowsDiffer},
};
use entente_wire::{Digest, Envelope, Frame, Position, Refusal, Session, WireVersion};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use self::pingpong::Player;
use super::*;
use crate::delivery::{Journal, JournalError, Leaving, MemoryJournal, Packet, Received, Record};

const STALL_BUDGET: Duration = Duration::from_secs(600);

fn session() -> Session {
    Session::new(Digest::of("test session", &[]), WireVersion::NEWEST)
}

fn setting() -> Setting {
    Setting {
        session: session(),
        peer: "bank-b".parse().unwrap(),
        stall_budget: STALL_BUDGET,
        jitter: ChaCha20Rng::seed_from_u64(7),
    }
}

/// A journal on a disk without room.
struct Full;

impl Journal for Full {
    fn commit(&mut self, _: &[Record]) -> Result<(), JournalError> {
        Err(JournalError::NoSpace)
    }
}

/// What a command is, in a word that a test can compare.
fn word(command: &Command<Player>) -> String {
    match command {
        Command::Compute(work) => format!("compute {}", work.state()),
        Command::Send(Leaving { packet, again }) => {
            format!(
                "send {}{}",
                packet.position,
                if *again { " again" } else { "" }
            )
        }
        Command::Answer(Frame::Ack { position, .. }) => format!("ack {position}"),
        Command::Answer(Frame::Refused {
            position, reason, ..
        }) => format!("refuse {position} {}", reason.label()),
        Command::Answer(frame) => format!("answer {frame:?}"),
        Command::Save(_) => "save".to_owned(),
        Command::Tell(status) => match &status.standing {
            Standing::Preparing => "tell preparing".to_owned(),
            Standing::Running => "tell running".to_owned(),
            Standing::Waiting { what, .. } => format!("tell waiting for {what}"),
            Standing::Held => "tell held".to_owned(),
            Standing::Finished => "tell finished".to_owned(),
            Standing::Failed(failure) => format!("tell failed {}", failure.label),
        },
    }
}

/// A driver with its journal, a clock, and the computation that is under way.
struct Desk {
    driver: Driver<Player>,
    journal: MemoryJournal,
    now: Instant,
    work: Option<Work<Player>>,
    sent: Vec<Packet>,
    status: Option<Status>,
}

impl Desk {
    fn new(player: Player) -> Self {
        let now = Instant::now();
        Self {
            driver: Driver::new(now, player, setting()),
            journal: MemoryJournal::new(),
            now,
            work: None,
            sent: Vec::new(),
            status: None,
        }
    }

    /// Linked, granted, and with the first exchange begun.
    fn begun(player: Player) -> Self {
        let mut desk = Self::new(player);
        desk.on(Event::Linked);
        desk.on(Event::Granted(u64::MAX));
        desk.compute();
        desk
    }

    fn on(&mut self, event: Event<Player>) -> Vec<String> {
        let effects = self.driver.on(self.now, event);
        let commands = effects.commit(&mut self.journal).unwrap();
        let words = commands.iter().map(word).collect();
        for command in commands {
            match command {
                Command::Compute(work) => assert!(self.work.replace(work).is_none()),
                Command::Send(Leaving { packet, .. }) => self.sent.push(packet),
                Command::Tell(status) => self.status = Some(*status),
                _ => {}
            }
        }
        words
    }

    fn compute(&mut self) -> Vec<String> {
        let computed = self.work.take().unwrap().run();
        self.on(Event::Computed(computed))
    }

    fn arrive(&mut self, message: &Arc<Received>) -> Vec<String> {
        self.on(Event::Arrived(message.clone()))
    }

    fn failure(&self) -> Failure {
        match &self.status {
            Some(Status {
                standing: Standing::Failed(failure),
                ..
            }) => failure.clone(),
            other => panic!("not failed: {other:?}"),
        }
    }
}

fn at(exchange: u64, step: u8) -> Position {
    Position { exchange, step }
}

/// A ball of the dummy protocol.
fn ball(position: Position, number: u64) -> Arc<Received> {
    let mut payload = vec![900_u16.to_be_bytes()[0], 900_u16.to_be_bytes()[1]];
    payload.extend_from_slice(&number.to_be_bytes());
    payload.extend_from_slice(&0_u64.to_be_bytes());
    Arc::new(Received::from(Envelope::new(session(), position, payload)))
}

#[test]
fn an_exchange_begins_within_its_grant_alone() {
    let mut desk = Desk::new(Player::new(true, 1, 1));
    assert_eq!(
        desk.on(Event::Linked),
        ["tell waiting for a grant of rounds"]
    );
    assert_eq!(desk.on(Event::Granted(0)), [""; 0]);
    assert_eq!(
        desk.on(Event::Granted(1)),
        ["compute begin", "tell running"]
    );
    assert_eq!(desk.compute(), ["send 0.0", "send 0.1"]);
    assert_eq!(
        desk.arrive(&ball(at(0, 0), 5)),
        ["ack 0.0", "compute expect_return"]
    );
    assert_eq!(
        desk.compute(),
        ["send 0.2", "tell waiting for a grant of rounds"]
    );
    assert_eq!(desk.journal.kept().checkpoints.len(), 2);
    assert_eq!(
        desk.on(Event::Granted(2)),
        ["compute begin", "tell running"]
    );
}

#[test]
fn the_last_exchange_is_followed_by_saving_and_then_by_the_end() {
    let mut desk = Desk::begun(Player::new(true, 0, 1));
    desk.arrive(&ball(at(0, 0), 5));
    assert_eq!(desk.compute(), ["send 0.2", "save", "tell running"]);
    assert_eq!(desk.on(Event::Saved), ["tell finished"]);
    // The peer may still need the last message.
    assert_eq!(
        desk.on(Event::Linked),
        ["send 0.0 again", "send 0.1 again", "send 0.2 again"]
    );
}

#[test]
fn a_half_that_cannot_be_saved_is_a_failure() {
    let mut desk = Desk::begun(Player::new(true, 0, 1));
    desk.arrive(&ball(at(0, 0), 5));
    desk.compute();
    assert_eq!(
        desk.on(Event::CannotSave("no space left".to_owned())),
        ["refuse 1.0 ended", "tell failed save"]
    );
    assert_eq!(desk.failure().class, FailureClass::Operator);
}

#[test]
fn a_duplicate_is_acknowledged_again_and_has_no_effect() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    let message = ball(at(0, 0), 5);
    desk.arrive(&message);
    assert_eq!(desk.arrive(&message), ["ack 0.0"]);
    desk.compute();
    desk.compute();
    assert_eq!(desk.arrive(&message), ["ack 0.0"]);
    assert!(desk.work.is_none());
}

#[test]
fn early_and_swapped_messages_wait_for_their_turn() {
    let mut desk = Desk::begun(Player::new(false, 1, 1));
    assert_eq!(desk.arrive(&ball(at(0, 2), 3)), ["ack 0.2"]);
    assert_eq!(desk.arrive(&ball(at(1, 0), 4)), ["ack 1.0"]);
    assert_eq!(desk.arrive(&ball(at(0, 1), 2)), ["ack 0.1"]);
    assert_eq!(
        desk.arrive(&ball(at(0, 0), 1)),
        ["ack 0.0", "compute expect_first"]
    );
    assert_eq!(desk.compute(), ["compute expect_second"]);
    assert_eq!(desk.compute(), ["send 0.0", "compute expect_last"]);
    assert_eq!(desk.compute(), ["compute begin", "tell running"]);
    assert_eq!(desk.compute(), ["compute expect_first"]);
    assert_eq!(desk.arrive(&ball(at(3, 0), 9)), ["refuse 3.0 busy"]);
}

#[test]
fn equivocation_ends_the_job_with_both_digests_in_the_record() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    let (first, second) = (ball(at(0, 0), 5), ball(at(0, 0), 6));
    desk.arrive(&first);
    assert_eq!(
        desk.arrive(&second),
        [
            "refuse 0.0 equivocation",
            "refuse 0.1 ended",
            "tell failed equivocation"
        ]
    );
    let failure = desk.failure();
    assert_eq!(failure.class, FailureClass::Abort);
    assert!(failure.message.contains(&first.digest.to_string()));
    assert!(failure.message.contains(&second.digest.to_string()));
    // The computation that was under way comes back to nobody.
    assert_eq!(desk.compute(), [""; 0]);
    assert_eq!(desk.arrive(&ball(at(0, 1), 7)), ["refuse 0.1 ended"]);
}

#[test]
fn a_message_beyond_the_exchange_ends_the_job() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    desk.arrive(&ball(at(0, 1), 9));
    desk.arrive(&ball(at(0, 0), 5));
    desk.compute();
    assert_eq!(desk.failure().label, "extra_message");
}

#[test]
fn a_machines_refusal_names_its_state_and_tells_the_peer_nothing() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    let envelope = Envelope::new(session(), at(0, 0), vec![0, 1, 2]);
    let garbage = Arc::new(Received::from(envelope));
    desk.arrive(&garbage);
    assert_eq!(
        desk.compute(),
        ["refuse 0.1 ended", "tell failed wrong_kind"]
    );
    let failure = desk.failure();
    assert_eq!(failure.state.as_deref(), Some("expect_return"));
    assert_eq!((failure.exchange, failure.class), (0, FailureClass::Abort));
}

#[test]
fn a_panic_ends_the_job_as_a_defect() {
    let mut desk = Desk::new(Player::new(true, 1, 1));
    desk.on(Event::Granted(1));
    desk.on(Event::Panicked);
    let failure = desk.failure();
    assert_eq!(
        (failure.class, failure.label.as_str()),
        (FailureClass::Bug, "panicked")
    );
}

#[test]
fn the_peers_end_is_this_sides_end_without_an_answer() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    let refused = |reason| Event::Refused {
        position: at(0, 0),
        reason,
    };
    assert_eq!(desk.on(refused(Refusal::UnknownSession)), [""; 0]);
    assert_eq!(desk.on(refused(Refusal::Ended)), ["tell failed peer_ended"]);
    assert_eq!(desk.failure().class, FailureClass::Retry);
}

#[test]
fn a_side_that_knows_the_reason_says_it_when_the_peer_ends_first() {
    let mut player = Player::new(true, 1, 1);
    player.certain = Some(RowsDiffer {
        here: 3,
        there: 4,
        common: Common::ByPosition,
    });
    let mut desk = Desk::begun(player);
    desk.on(Event::Refused {
        position: at(0, 0),
        reason: Refusal::Ended,
    });
    let failure = desk.failure();
    assert_eq!(failure.label, "rows_differ");
    assert_eq!(failure.state.as_deref(), Some("expect_return"));
    assert_eq!(failure.class, FailureClass::Operator);
}

#[test]
fn acknowledged_messages_are_not_sent_again() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    let first = desk.sent[0].clone();
    desk.on(Event::Acknowledged {
        position: first.position,
        digest: first.digest,
    });
    assert_eq!(desk.journal.kept().messages.sent.len(), 1);
    assert_eq!(desk.on(Event::Unlinked), ["tell waiting for bank-b"]);
    assert_eq!(desk.on(Event::Linked), ["send 0.1 again", "tell running"]);
    assert_eq!(desk.sent[1], desk.sent[2], "the same bytes");
}

#[test]
fn an_acknowledgement_of_other_bytes_ends_the_job() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    desk.on(Event::Acknowledged {
        position: at(0, 0),
        digest: Digest::of("other", &[]),
    });
    assert_eq!(desk.failure().label, "other_bytes");
}

#[test]
fn a_peer_that_was_revoked_ends_the_job_with_the_reason() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    desk.on(Event::Unlinked);
    desk.on(Event::PeerRevoked(
        "its certificate was revoked: why".to_owned(),
    ));
    let failure = desk.failure();
    assert_eq!(failure.label, "peer_revoked");
    assert_eq!(failure.class, FailureClass::Abort);
    let said = "bank-b was cut off: its certificate was revoked: why";
    assert!(failure.message.starts_with(said), "{}", failure.message);
    // Once is enough.
    assert_eq!(desk.on(Event::PeerRevoked(String::new())), [""; 0]);
}

#[test]
fn silence_ends_the_job_after_its_stall_budget_and_not_before() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    desk.on(Event::Unlinked);
    assert_eq!(desk.driver.next_tick(), Some(desk.now + STALL_BUDGET));
    desk.now += STALL_BUDGET - Duration::from_secs(1);
    assert_eq!(desk.on(Event::Tick), [""; 0]);
    desk.now += Duration::from_secs(1);
    desk.on(Event::Tick);
    assert_eq!(desk.failure().label, "stalled");
}

#[test]
fn a_peer_without_the_sessions_version_is_waited_for_and_then_named() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    let said = "tell waiting for bank-b to speak wire version 2, in which this attempt began (it \
                speaks 4, 3)";
    assert_eq!(desk.on(Event::OtherVersions(vec![4, 3])), [said]);
    // The release before is put back.
    assert_eq!(
        desk.on(Event::Linked),
        ["send 0.0 again", "send 0.1 again", "tell running"]
    );
    desk.on(Event::OtherVersions(vec![4, 3]));
    desk.now += STALL_BUDGET;
    desk.on(Event::Tick);
    let failure = desk.failure();
    assert_eq!(failure.label, "wire_version");
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(
        failure.message.contains("bank-b now speaks 4, 3"),
        "{failure:?}"
    );
}

#[test]
fn a_session_below_what_both_speak_ends_unless_it_has_begun() {
    let mut desk = Desk::new(Player::new(true, 2, 1));
    desk.on(Event::Granted(u64::MAX));
    desk.compute();
    assert!(!desk.driver.has_begun());
    desk.on(Event::Downgraded(WireVersion::NEWEST));
    let failure = desk.failure();
    assert_eq!(failure.label, "wire_downgrade");
    assert_eq!(failure.class, FailureClass::Retry);

    let mut desk = Desk::begun(Player::new(true, 2, 1));
    desk.arrive(&ball(at(0, 0), 5));
    assert!(desk.driver.has_begun());
}

#[test]
fn waiting_for_a_grant_is_no_stall() {
    let mut desk = Desk::new(Player::new(true, 1, 1));
    desk.on(Event::Linked);
    desk.now += 2 * STALL_BUDGET;
    assert_eq!(desk.on(Event::Tick), [""; 0]);
    assert_eq!(desk.driver.next_tick(), None);
}
