//! Whatever happens to the processes and to the wires between them, a job ends
//! with the weights that it would have had.
//!
//! Faults are drawn from a seed and befall a job at moments that nobody has
//! chosen: kill -9 of the coordinator, of either party, of everything; links
//! that are cut, reset, held back, half open, and lose, double or shorten what
//! passes. Then there is peace, and the job must end, with every weight equal,
//! bit for bit, to those of a run to which nothing happened.

use std::{collections::BTreeMap, thread, time::Instant};

use crate::{
    fault::Dice,
    house::eventually,
    household::{Household, PARTIES, has_ended},
    number, specification,
};

#[test]
fn whatever_happens_the_weights_are_those_of_an_undisturbed_run() {
    let faults = number("ENTENTE_FAULTS", 50);
    let seed = number("ENTENTE_FAULTS_SEED", 1);
    let mut dice = Dice::new(seed, 2);
    let mut household = Household::start(2, 4);
    let text = specification(PARTIES[1], 10);
    let first = household.submit(&text);
    household.succeeds(&first);
    let undisturbed = household.model(&first, &text, PARTIES[1]);

    let mut survived: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut jobs, mut count) = (0, 0);
    let begun = Instant::now();
    while count < faults {
        let id = household.submit(&text);
        while count < faults && !household.show(&id).is_some_and(|job| has_ended(&job)) {
            thread::sleep(dice.moment());
            let fault = dice.fault();
            println!("{:6.1} s: {fault:?}", begun.elapsed().as_secs_f64());
            household.suffer(fault);
            *survived.entry(fault.kind()).or_default() += 1;
            count += 1;
        }
        household.calm();
        household.succeeds(&id);
        let model = household.model(&id, &text, PARTIES[1]);
        assert!(
            model.is_bit_identical(&undisturbed),
            "other weights: seed {seed}, after {count} faults, job {id}"
        );
        jobs += 1;
    }
    eventually("nothing is left of the jobs at the parties", || {
        household.left_behind().is_empty().then_some(())
    });
    println!("{count} faults survived by {jobs} jobs, seed {seed}: {survived:?}");
    household.stops_and_leaves_no_listener();
}
