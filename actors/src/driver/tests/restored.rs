//! Drivers that go on from what another one has kept.

use super::{super::Over, *};
use crate::delivery::Left;

impl Desk {
    /// Another process goes on from the journal.
    fn reborn(self) -> Self {
        let Left::AtRest(restored) = self.journal.kept().clone().left() else {
            panic!("at rest")
        };
        let player = Player::new(true, 1, 0).resume(&restored.checkpoint.role);
        let driver = Driver::restore(self.now, player, setting(), restored);
        Self {
            driver,
            work: None,
            sent: Vec::new(),
            status: None,
            ..self
        }
    }

    fn over(&self) -> Driver<Over> {
        let Left::Ended(ended, messages) = self.journal.kept().clone().left() else {
            panic!("ended")
        };
        Driver::ended(self.now, setting(), *ended, messages)
    }
}

#[test]
fn the_stored_bytes_win_over_those_of_a_second_computation() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    let first = desk.sent.clone();
    let taken = Event::Acknowledged {
        position: first[0].position,
        digest: first[0].digest,
    };
    desk.on(taken);
    let mut desk = desk.reborn();
    assert_eq!(
        desk.on(Event::Linked),
        ["send 0.1 again", "tell waiting for a grant of rounds"]
    );
    assert_eq!(
        desk.on(Event::Granted(2)),
        ["compute begin", "tell running"]
    );
    // Written again in other bytes, which are dropped: the acknowledged ones
    // too.
    assert_eq!(desk.compute(), [""; 0]);
    assert_eq!(desk.sent, first[1..]);
    assert_eq!(
        desk.arrive(&ball(at(0, 0), 5)),
        ["ack 0.0", "compute expect_return"]
    );
    assert_eq!(
        desk.compute(),
        ["send 0.2", "compute begin", "tell running"]
    );
}

#[test]
fn messages_that_were_taken_are_handed_in_again_without_the_peer() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    desk.arrive(&ball(at(0, 0), 5));
    let mut desk = desk.reborn();
    assert_eq!(
        desk.on(Event::Granted(1)),
        ["compute begin", "tell running"]
    );
    assert_eq!(desk.compute(), ["compute expect_return"]);
    assert_eq!(desk.compute(), ["tell waiting for a grant of rounds"]);
    let kept = desk.journal.kept();
    assert_eq!(kept.messages.sent.len(), 3, "nothing was sent twice");
    assert_eq!(desk.driver.progress().exchanges_done, 1);
    // Other bytes at a place that was filled before the restart.
    desk.arrive(&ball(at(0, 0), 6));
    assert_eq!(desk.failure().label, "equivocation");
}

#[test]
fn counters_go_on_where_they_were() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    desk.arrive(&ball(at(0, 0), 5));
    desk.compute();
    desk.compute();
    let before = desk.driver.progress();
    assert_eq!((before.exchanges_done, before.exchanges), (1, 2));
    assert_eq!(desk.reborn().driver.progress(), before);
}

#[test]
fn a_session_that_had_finished_sends_its_last_message_until_it_is_there() {
    let mut desk = Desk::begun(Player::new(true, 0, 1));
    desk.arrive(&ball(at(0, 0), 5));
    desk.compute();
    desk.on(Event::Saved);
    let mut over = desk.over();
    let effects = over.on(desk.now, Event::Linked);
    assert!(effects.keeps_nothing());
    let commands = effects.commit(&mut desk.journal).unwrap();
    let [
        Command::Send(_),
        Command::Send(_),
        Command::Send(last),
        Command::Tell(status),
    ] = commands.as_slice()
    else {
        panic!("{commands:?}")
    };
    assert_eq!(last.packet.position, at(0, 2));
    assert_eq!(status.standing, Standing::Finished);
    assert_eq!(status.progress, desk.driver.progress());
}

#[test]
fn a_session_that_had_failed_says_so_to_both_again() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    desk.arrive(&ball(at(0, 0), 5));
    desk.arrive(&ball(at(0, 0), 6));
    let failure = desk.failure();
    let mut over = desk.over();
    let effects = over.on(desk.now, Event::Linked);
    let commands = effects.commit(&mut desk.journal).unwrap();
    let [Command::Answer(refused), Command::Tell(status)] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    let ended = Refusal::Ended;
    assert!(matches!(refused, Frame::Refused { reason, .. } if *reason == ended));
    assert_eq!(status.standing, Standing::Failed(failure));
}

#[test]
fn a_paused_job_is_held_once_nothing_is_left_to_compute() {
    let mut desk = Desk::new(Player::new(true, 1, 1));
    desk.on(Event::Linked);
    desk.on(Event::Granted(2));
    assert_eq!(desk.on(Event::Hold(true)), [""; 0], "it computes");
    assert_eq!(desk.compute(), ["send 0.0", "send 0.1", "tell held"]);
    assert!(desk.driver.is_held());
    assert_eq!(desk.driver.next_tick(), desk.driver.outbound.next_due());
    let mut desk = desk.reborn();
    assert_eq!(
        desk.on(Event::Granted(2)),
        ["compute begin", "tell running"]
    );
}

#[test]
fn a_pause_that_is_over_soon_costs_nothing() {
    let mut desk = Desk::begun(Player::new(true, 1, 1));
    assert_eq!(desk.on(Event::Hold(true)), ["tell held"]);
    assert_eq!(desk.on(Event::Hold(false)), ["tell running"]);
    desk.arrive(&ball(at(0, 0), 5));
    assert_eq!(
        desk.compute(),
        ["send 0.2", "compute begin", "tell running"]
    );
}
