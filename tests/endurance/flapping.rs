//! Ten jobs at once between three parties, one of which comes and goes.

use std::thread;

use crate::{
    fault::Dice,
    household::{Household, PARTIES, has_ended},
    specification,
};

/// Of [`PARTIES`], by number.
const FLAPPING: usize = 2;

/// bank-a has room for four jobs and is in all of them; five that cannot run,
/// since bank-c is not there, stand in front of five that can. Those end, while
/// bank-c is away; and all end when it comes and goes.
#[test]
fn no_job_waits_behind_one_that_cannot_run() {
    let mut household = Household::start(3, 4);
    let mut dice = Dice::new(3, 3);
    let [steady, flapping] = [PARTIES[1], PARTIES[FLAPPING]].map(|at| specification(at, 2));
    let submit = |text: &String, household: &Household| -> Vec<String> {
        (0..5).map(|_| household.submit(text)).collect()
    };
    household.kill(FLAPPING);
    let waiting = submit(&flapping, &household);
    let running = submit(&steady, &household);
    for id in &running {
        household.succeeds(id);
    }
    for id in &waiting {
        let job = household.show(id).unwrap();
        assert!(!has_ended(&job), "{job:#}");
    }
    household.revive();
    for _ in 0..8 {
        thread::sleep(dice.moment());
        household.kill(FLAPPING);
        thread::sleep(dice.moment());
        household.revive();
    }
    for (ids, text, passive) in [
        (&running, &steady, PARTIES[1]),
        (&waiting, &flapping, PARTIES[FLAPPING]),
    ] {
        for id in ids {
            household.succeeds(id);
        }
        let first = household.model(&ids[0], text, passive);
        for id in ids {
            let model = household.model(id, text, passive);
            assert!(model.is_bit_identical(&first), "{id}");
        }
    }
}
