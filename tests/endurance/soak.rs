//! Memory stays where it is, however long a job goes on.

use std::{collections::BTreeMap, fs};

use crate::{
    ROUNDS_PER_EPOCH,
    house::eventually,
    household::{Household, PARTIES, has_ended},
    number, specification,
};

/// What a process may grow by after a quarter of the job, in KiB: allocators
/// and caches settle late, and a leak of a kilobyte a round over two thousand
/// rounds shows.
const GROWTH_KIB: u64 = 6 << 10;

/// Resident memory, in KiB.
fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|text| text.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

#[test]
fn memory_stays_flat() {
    let rounds = number("ENTENTE_SOAK_ROUNDS", 200);
    let household = Household::start(2, 4);
    let id = household.submit(&specification(
        PARTIES[1],
        rounds.div_ceil(ROUNDS_PER_EPOCH),
    ));
    let mut settled: BTreeMap<String, u64> = BTreeMap::new();
    let mut goal = 0;
    // However many rounds there are, each tenth of them is waited for by itself.
    while !eventually("a tenth of the job is done", || {
        let job = household.show(&id)?;
        let progress = &job["sides"]["active"]["progress"];
        let [done, of] = ["rounds_done", "rounds"].map(|key| progress[key].as_u64());
        let (done, of) = (done.unwrap_or_default(), of.unwrap_or_default());
        let now: BTreeMap<String, u64> = household
            .ids()
            .into_iter()
            .map(|(name, id)| (name, resident_kib(id)))
            .collect();
        if of > 0 && done >= of / 4 && settled.is_empty() {
            settled.clone_from(&now);
        }
        for (name, before) in &settled {
            let grown = now[name].saturating_sub(*before);
            assert!(grown <= GROWTH_KIB, "{name} has grown by {grown} KiB");
        }
        let ended = has_ended(&job);
        if done < goal && !ended {
            return None;
        }
        println!("round {done} of {of}: resident KiB {now:?}");
        goal = done + rounds / 10;
        Some(ended)
    }) {}
    household.succeeds(&id);
    assert!(!settled.is_empty(), "nothing was measured");
}
