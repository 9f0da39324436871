//! Whatever happens, what starts is what starts by the rules alone.

use proptest::prelude::*;

use super::{Hall, Job, hall::PATIENCE};
use crate::job::Priority;

const PARTIES: usize = 4;

#[derive(Debug, Clone)]
enum Op {
    Submit(Job),
    /// One that runs ends.
    End(usize),
    Park(usize, bool),
    LetGo(usize),
    /// One that waits is cancelled.
    Cancel(usize),
    Come {
        party: usize,
        jobs: u32,
        threads: Option<u32>,
        datasets: usize,
    },
    Drain(usize, bool),
    Go(usize),
    Pass(u64),
}

fn job() -> impl Strategy<Value = Job> {
    let between = (0..PARTIES, 1..PARTIES).prop_map(|(one, on)| (one, (one + on) % PARTIES));
    let priority = prop::sample::select(Priority::ALL.to_vec());
    (between, 0..3_usize, priority, 1..5_u32, 0..2_usize).prop_map(
        |(between, by, priority, threads, dataset)| Job {
            between,
            by,
            priority,
            threads,
            dataset,
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let come = (0..PARTIES, 0..4_u32, prop::option::of(1..8_u32), 1..3_usize);
    prop_oneof![
        6 => job().prop_map(Op::Submit),
        4 => (0..8_usize).prop_map(Op::End),
        1 => (0..8_usize, any::<bool>()).prop_map(|(index, lingers)| Op::Park(index, lingers)),
        1 => (0..4_usize).prop_map(Op::LetGo),
        1 => (0..20_usize).prop_map(Op::Cancel),
        3 => come.prop_map(|(party, jobs, threads, datasets)| Op::Come {
            party, jobs, threads, datasets,
        }),
        1 => (0..PARTIES, any::<bool>()).prop_map(|(party, drain)| Op::Drain(party, drain)),
        1 => (0..PARTIES).prop_map(Op::Go),
        3 => (1..2 * PATIENCE.0).prop_map(Op::Pass),
    ]
}

fn perform(hall: &mut Hall, op: Op) {
    match op {
        Op::Submit(job) => {
            hall.submit(job);
        }
        Op::End(index) => {
            let id = hall.world.running.keys().nth(index).copied();
            id.and_then(|id| hall.end(id));
        }
        Op::Park(index, lingers) => {
            if let Some(id) = hall.world.running.keys().nth(index).copied() {
                hall.park(id, lingers);
            }
        }
        Op::LetGo(index) => hall.let_go(index),
        Op::Cancel(index) => {
            let id = hall.queue.entries().nth(index).map(|entry| entry.id);
            id.and_then(|id| hall.queue.remove(id));
        }
        Op::Come {
            party,
            jobs,
            threads,
            datasets,
        } => hall.come(party, jobs, threads, datasets),
        Op::Drain(party, draining) => hall.drain(party, draining),
        Op::Go(party) => hall.go(party),
        Op::Pass(time) => hall.now.0 += time,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_starts_is_what_starts_by_the_rules(ops in prop::collection::vec(op(), 0..80)) {
        let mut hall = Hall::new();
        for party in 0..PARTIES {
            hall.come(party, 2, Some(4), 2);
        }
        for op in ops {
            perform(&mut hall, op);
            let naively = hall.clone().settle_naively();
            prop_assert_eq!(hall.settle(), naively);
        }
    }
}
