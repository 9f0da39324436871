//! Whatever a network, a disk and deaths do, the transcript is that of an
//! undisturbed run.

#![allow(clippy::unwrap_used, clippy::panic)]

mod pair;
mod side;
mod store;

use proptest::prelude::*;

use self::{
    pair::Pair,
    store::{OnDisk, Store},
};
use super::*;

/// What happens next. `side` is 0 or 1; `pick` chooses among the frames that
/// are on their way to it.
#[derive(Debug, Clone)]
enum Op {
    Deliver {
        side: usize,
        pick: usize,
    },
    Duplicate {
        side: usize,
        pick: usize,
    },
    Drop {
        side: usize,
        pick: usize,
    },
    Compute {
        side: usize,
    },
    Wait {
        seconds: u64,
    },
    Cut {
        side: usize,
    },
    Link {
        side: usize,
    },
    Grant {
        side: usize,
        more: u64,
    },
    Hold {
        side: usize,
        hold: bool,
    },
    /// The disk takes nothing, or takes again.
    Full {
        side: usize,
        full: bool,
    },
    /// The process dies, now or in the midst of its next event, and another
    /// one goes on from the journal.
    Die {
        side: usize,
        moment: Moment,
    },
    /// The same, and its newest checkpoint cannot be read.
    Damage {
        side: usize,
    },
}

#[derive(Debug, Clone, Copy)]
enum Moment {
    Now,
    BeforeItIsKept,
    OnceItIsKept,
}

fn op() -> impl Strategy<Value = Op> {
    let side = || 0_usize..2;
    let picked = || (0_usize..2, any::<usize>());
    let moment = prop_oneof![
        Just(Moment::Now),
        Just(Moment::BeforeItIsKept),
        Just(Moment::OnceItIsKept)
    ];
    prop_oneof![
        12 => picked().prop_map(|(side, pick)| Op::Deliver { side, pick }),
        4 => picked().prop_map(|(side, pick)| Op::Duplicate { side, pick }),
        3 => picked().prop_map(|(side, pick)| Op::Drop { side, pick }),
        12 => side().prop_map(|side| Op::Compute { side }),
        2 => (0_u64..40).prop_map(|seconds| Op::Wait { seconds }),
        2 => side().prop_map(|side| Op::Cut { side }),
        4 => side().prop_map(|side| Op::Link { side }),
        4 => (side(), 0_u64..3).prop_map(|(side, more)| Op::Grant { side, more }),
        2 => (side(), any::<bool>()).prop_map(|(side, hold)| Op::Hold { side, hold }),
        2 => (side(), any::<bool>()).prop_map(|(side, full)| Op::Full { side, full }),
        4 => (side(), moment).prop_map(|(side, moment)| Op::Die { side, moment }),
        1 => side().prop_map(|side| Op::Damage { side }),
    ]
}

/// Both sides' transcripts after these ops and a time without faults.
fn disturbed<S: Store>(rounds: usize, ops: &[Op]) -> [Vec<u8>; 2] {
    let mut pair = Pair::<S>::new(rounds);
    for op in ops {
        pair.apply(op);
    }
    pair.settle();
    pair.ended_well();
    pair.transcripts()
}

fn undisturbed(rounds: usize) -> [Vec<u8>; 2] {
    disturbed::<MemoryJournal>(rounds, &[])
}

proptest! {
    #[test]
    fn any_network_and_any_deaths_lead_to_the_same_transcript(
        rounds in 0_usize..5,
        ops in prop::collection::vec(op(), 0..160),
    ) {
        prop_assert_eq!(disturbed::<MemoryJournal>(rounds, &ops), undisturbed(rounds));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn so_they_do_on_a_real_disk(
        rounds in 0_usize..4,
        ops in prop::collection::vec(op(), 0..80),
    ) {
        prop_assert_eq!(disturbed::<OnDisk>(rounds, &ops), undisturbed(rounds));
    }
}

#[test]
fn each_side_heard_what_the_other_said() {
    let [server, returner] = undisturbed(2);
    assert_eq!(server, returner);
    assert_eq!(server.len(), 3 * 4 * 8, "3 exchanges of 4 numbers");
}

/// One run for each event of an undisturbed one: it is the last of its process.
#[test]
fn there_is_no_moment_that_must_not_be_the_last() {
    for moment in [Moment::BeforeItIsKept, Moment::OnceItIsKept] {
        for side in 0..2 {
            let deaths = (0..).take_while(|event| {
                let mut pair = Pair::<MemoryJournal>::new(2);
                pair.dies_in(side, *event, moment);
                pair.settle();
                pair.ended_well();
                assert_eq!(pair.transcripts(), undisturbed(2));
                pair.deaths() > 0
            });
            let deaths = deaths.count();
            assert!(deaths > 20, "{moment:?}: {deaths} events");
        }
    }
}
