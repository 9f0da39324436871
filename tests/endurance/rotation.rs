//! A job whose key changes every ten rounds, through kill -9 of its parties: the
//! weights of a job that has one key and rests undisturbed, and one key at the end.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    fault::{Dice, Fault},
    house::{PATIENCE, succeed},
    household::{Household, PARTIES, has_ended},
    number,
};

/// 120 rows in batches of six: twenty rounds an epoch.
const EPOCHS: u64 = 15;
const ROUNDS: u64 = 300;
const EVERY: u64 = 10;

fn specification(keys: &str) -> String {
    include_str!("../../deploy/iris.toml")
        .replace("epochs = 30", &format!("epochs = {EPOCHS}"))
        .replace("batch_size = 16", "batch_size = 6")
        + keys
}

/// Waits for the end of a job for as long as it goes on.
fn end_of(household: &Household, id: &str) -> Value {
    let (mut done, mut since) = (0, Instant::now());
    loop {
        if let Some(job) = household.show(id) {
            if has_ended(&job) {
                return job;
            }
            let now = rounds_done(&job);
            if now != done {
                (done, since) = (now, Instant::now());
            }
        }
        assert!(
            since.elapsed() < PATIENCE,
            "no round for {PATIENCE:?}\n{}",
            household.last_words()
        );
        thread::sleep(Duration::from_millis(50));
    }
}

fn rounds_done(job: &Value) -> u64 {
    let progress = &job["sides"]["passive"]["progress"];
    progress["rounds_done"].as_u64().unwrap_or_default()
}

fn epoch(job: &Value, side: &str) -> u64 {
    let key = &job["sides"][side]["progress"]["key"];
    key["epoch"].as_u64().unwrap_or_default()
}

#[test]
fn keys_change_through_kills_and_the_weights_do_not() {
    let kills = number("ENTENTE_ROTATION_KILLS", 10);
    let mut household = Household::start(2, 4);
    let text = specification("");
    let first = household.submit(&text);
    let job = end_of(&household, &first);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!([epoch(&job, "active"), epoch(&job, "passive")], [1, 1]);
    assert_eq!(rounds_done(&job), ROUNDS);
    let undisturbed = household.model(&first, &text, PARTIES[1]);

    let rotating = specification(&format!("\n[keys]\nrotate_every_rounds = {EVERY}\n"));
    let id = household.submit(&rotating);
    let mut dice = Dice::new(7, 2);
    for kill in 0..kills {
        // One in each part of the job, at a moment of it that nobody chose.
        let from = kill * ROUNDS / kills;
        let begun = Instant::now();
        let over = loop {
            let job = household.show(&id);
            match job.filter(|job| has_ended(job) || rounds_done(job) >= from) {
                Some(job) => break has_ended(&job),
                None => thread::sleep(Duration::from_millis(20)),
            }
            assert!(
                begun.elapsed() < 2 * PATIENCE,
                "round {from} does not come\n{}",
                household.last_words()
            );
        };
        assert!(!over, "it has ended before its time");
        thread::sleep(dice.moment() / 4);
        match dice.below(3) {
            2 => household.suffer(Fault::KillParties),
            party => household.suffer(Fault::KillParty(party as usize)),
        }
    }
    let job = end_of(&household, &id);
    assert_eq!(
        job["state"],
        "succeeded",
        "{job:#}\n{}",
        household.last_words()
    );
    assert_eq!(
        (rounds_done(&job), &job["attempt"]),
        (ROUNDS, &Value::from(1))
    );
    // No key serves more than twice its rounds, and a late one does not put off
    // the next: 30 if all were in time, 29 if the last was late.
    let at = [epoch(&job, "active"), epoch(&job, "passive")];
    let last = ROUNDS / EVERY;
    assert!(at == [last; 2] || at == [last - 1; 2], "{at:?} {job:#}");
    let model = household.model(&id, &rotating, PARTIES[1]);
    assert!(model.is_bit_identical(&undisturbed), "other weights: {id}");
    household.stops_and_leaves_no_listener();
}

#[test]
fn a_key_changes_when_somebody_asks() {
    let household = Household::start(2, 4);
    let text = specification("").replace("epochs = 15", "epochs = 300");
    let id = household.submit(&text);
    crate::house::eventually("it runs", || {
        let job = household.show(&id)?;
        (epoch(&job, "active") == 1).then_some(())
    });
    succeed(household.path(), &["job", "rotate-key", &id]);
    let job = crate::house::eventually("both are at the next key", || {
        let job = household.show(&id)?;
        (epoch(&job, "active") >= 2 && epoch(&job, "passive") >= 2).then_some(job)
    });
    assert_eq!(job["key_wished"], 2, "{job:#}");
    let shown = succeed(household.path(), &["job", "show", &id]);
    assert!(shown.contains("encryption key"), "{shown}");
    succeed(household.path(), &["job", "cancel", &id]);
    household.stops_and_leaves_no_listener();
}
