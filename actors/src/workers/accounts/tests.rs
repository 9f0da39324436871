//! What a party makes of tellings of workers that come, end and come again.

#![allow(clippy::unwrap_used)]

use entente_metrics::{HE_ITEMS, OUTBOX, Registry, Sight};
use entente_wire::Encode;

use super::{
    super::tests::{World, id},
    *,
};

/// What a process has counted so far, with one message in its outbox.
fn counted(items: u64) -> Vec<u8> {
    let own = Registry::new().unwrap();
    own.family(&HE_ITEMS).with(["forward"]).add(items);
    own.family(&OUTBOX).with([]).set(1);
    Counted(own.counts()).encoded()
}

fn nothing() -> Vec<u8> {
    Counted::default().encoded()
}

/// What the party shows: items, and messages in outboxes.
fn shown(world: &World) -> (u64, u64) {
    let text = world.registry.render(Sight::Everything).unwrap();
    let value = |series: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(series));
        value.map_or(0, |value| value.trim().parse().unwrap())
    };
    (
        value("entente_he_items_total{operation=\"forward\"} "),
        value("entente_outbox_messages "),
    )
}

#[actix_rt::test]
async fn a_worker_counts_once_however_often_it_comes() {
    let world = World::new();
    let _handle = world.take_on(1);
    let account = |process, connection| Account::new(&world.workers, id(1), process, connection);

    let first = account(7, 1);
    first.hears(&nothing());
    assert_eq!(shown(&world), (0, 0));
    for _ in 0..2 {
        first.hears(&counted(5));
        assert_eq!(shown(&world), (5, 1));
    }
    first.hears(b"not that");
    assert_eq!(shown(&world), (5, 1));
    drop(first);
    assert_eq!(shown(&world), (5, 0), "it may be gone");

    // What was told over a connection that broke off is in the next telling.
    let again = account(7, 2);
    again.hears(&counted(8));
    again.hears(&counted(9));
    assert_eq!(shown(&world), (9, 1));

    // It is killed, and made again before its connection is seen to be dead.
    let next = account(8, 3);
    next.hears(&nothing());
    next.hears(&counted(3));
    assert_eq!(shown(&world), (12, 1));
    again.hears(&counted(9));
    drop(again);
    assert_eq!(shown(&world), (12, 1), "an old connection changes nothing");
    drop(next);
    assert_eq!(shown(&world), (12, 0));
}

#[actix_rt::test]
async fn what_another_party_has_shown_is_not_shown_again() {
    let world = World::new();
    let _handle = world.take_on(1);
    let account = Account::new(&world.workers, id(1), 7, 1);
    account.hears(&counted(100));
    assert_eq!(shown(&world), (0, 0));
    account.hears(&counted(104));
    assert_eq!(shown(&world), (4, 1));
}

#[actix_rt::test]
async fn a_worker_that_is_not_wanted_is_heard_to_its_end_and_forgotten() {
    let world = World::new();
    let account = Account::new(&world.workers, id(1), 7, 1);
    account.hears(&nothing());
    account.hears(&counted(5));
    let open = || world.workers.accounts();
    assert_eq!((shown(&world), open()), ((5, 1), 1));
    drop(account);
    assert_eq!((shown(&world), open()), ((5, 0), 0));

    // Wanted while it is there, and dismissed when it has gone, or before it goes.
    for gone_first in [true, false] {
        let handle = world.take_on(2);
        let account = Account::new(&world.workers, id(2), 8, 2);
        account.hears(&nothing());
        let dismissed = async {
            handle.say(crate::party::JobEvent::Leave);
            while !world.workers.wanted().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        if gone_first {
            drop(account);
            assert_eq!(open(), 1);
            crate::testbed::soon("its dismissal", dismissed).await;
        } else {
            crate::testbed::soon("its dismissal", dismissed).await;
            assert_eq!(open(), 1);
            drop(account);
        }
        assert_eq!(open(), 0);
    }
}
