//! A disk that does not take what must be kept.

use super::*;

/// Does what an actor does with effects, over a disk that is full or not.
struct Pending {
    desk: Desk,
    pending: Effects<Player>,
}

impl Pending {
    /// With a first exchange computed that cannot be kept.
    fn new() -> Self {
        let mut desk = Desk::new(Player::new(true, 1, 1));
        desk.on(Event::Linked);
        desk.on(Event::Granted(1));
        let pending = Effects::new();
        Self { desk, pending }
    }

    fn on(&mut self, event: Event<Player>) -> Vec<String> {
        let effects = self.desk.driver.on(self.desk.now, event);
        let at_once = self.pending.append(effects);
        at_once.iter().map(word).collect()
    }

    fn commit(&mut self, journal: Option<&mut dyn Journal>) -> Result<Vec<String>, JournalError> {
        let pending = std::mem::replace(&mut self.pending, Effects::new());
        let outcome = match journal {
            Some(journal) => pending.commit(journal),
            None => pending.commit(&mut self.desk.journal),
        };
        match outcome {
            Ok(commands) => Ok(commands.iter().map(word).collect()),
            Err(Unkept { effects, error }) => {
                self.pending = effects;
                Err(error)
            }
        }
    }
}

#[test]
fn what_cannot_be_kept_does_not_leave_until_there_is_room() {
    let mut party = Pending::new();
    let computed = party.desk.work.take().unwrap().run();
    assert_eq!(party.on(Event::Computed(computed)), [""; 0]);
    let error = party.commit(Some(&mut Full)).unwrap_err();
    assert_eq!(
        party.on(Event::CannotKeep(error)),
        ["tell waiting for space in [party] state_dir"]
    );
    // What comes meanwhile waits behind it, and nothing is computed.
    assert_eq!(party.on(Event::Arrived(ball(at(0, 0), 5))), [""; 0]);
    let error = party.commit(Some(&mut Full)).unwrap_err();
    assert_eq!(party.on(Event::CannotKeep(error)), [""; 0], "told already");
    assert!(party.pending.take_work().is_none());

    assert_eq!(
        party.commit(None).unwrap(),
        ["send 0.0", "send 0.1", "ack 0.0"]
    );
    assert_eq!(party.on(Event::KeptAgain), [""; 0]);
    assert_eq!(
        party.commit(None).unwrap(),
        ["compute expect_return", "tell running"]
    );
    let kept = party.desk.journal.kept();
    assert_eq!(kept.messages.sent.len(), 2);
    assert_eq!(kept.messages.accepted.len(), 1);
}

#[test]
fn a_disk_without_room_ends_the_job_after_its_stall_budget() {
    let mut party = Pending::new();
    let computed = party.desk.work.take().unwrap().run();
    let _ = party.on(Event::Computed(computed));
    let error = party.commit(Some(&mut Full)).unwrap_err();
    let _ = party.on(Event::CannotKeep(error));
    assert_eq!(
        party.desk.driver.stall_deadline(),
        Some(party.desk.now + STALL_BUDGET)
    );
    party.desk.now += STALL_BUDGET;
    assert_eq!(
        party.on(Event::Tick),
        ["refuse 0.0 ended", "tell failed journal"]
    );
    assert!(party.pending.is_empty(), "nothing of it leaves any more");
    // On the disk everything is as it was: the job could go on from there.
    assert!(party.desk.journal.kept().ended.is_none());
    assert_eq!(party.on(Event::Linked), [""; 0]);
    assert_eq!(party.commit(None).unwrap(), ["refuse 0.0 ended"]);
}

#[test]
fn a_damaged_journal_ends_the_job_at_once() {
    let mut party = Pending::new();
    let damaged = JournalError::Damaged("no page where one should be".to_owned());
    assert_eq!(
        party.on(Event::CannotKeep(damaged)),
        ["refuse 0.0 ended", "tell failed checkpoint_damaged"]
    );
}

#[test]
fn an_end_that_cannot_be_kept_is_told_all_the_same() {
    let mut party = Pending::new();
    let refused = Event::Refused {
        position: at(0, 0),
        reason: Refusal::Ended,
    };
    assert_eq!(party.on(refused), [""; 0]);
    let error = party.commit(Some(&mut Full)).unwrap_err();
    assert_eq!(
        party.on(Event::CannotKeep(error)),
        ["tell failed peer_ended"]
    );
    assert!(party.pending.is_empty());
}
