//! Every order of a small world, gone through moment by moment, so that what is
//! asserted holds in all of them and not in those that chance found.
//!
//! Two moments are the same when the engine, store and parties cannot tell them
//! apart: of clocks it counts whether a limit has passed, of revisions whether a
//! party has seen the one that withdrew a job. That makes the world finite.
//!
//! What must hold of every step stands in [`moment`]. Of the whole it must hold
//! that from every moment peace leads to an end of every job: its parties
//! speaking and finishing, time passing, and somebody resuming what was paused.
//! That somebody could cancel it would be no answer.

mod essence;
mod moment;
mod peer;

use std::collections::{HashMap, VecDeque};

use entente_protocol::job::Side;

use self::moment::{
    Happening::{self, *},
    Moment,
};

/// What leads to an end without anybody's giving up.
fn is_peace(happening: Happening) -> bool {
    matches!(
        happening,
        Submit(_) | Propose(_) | Approve(..) | Resume(_) | Sync(_) | Finish(..) | Pass
    )
}

/// Goes through all moments that a world can come to, each with every
/// happening; the number of moments, and of those from which no peace leads to
/// an end.
fn walk(first: Moment, happenings: &[Happening]) -> (usize, usize) {
    let mut numbers = HashMap::from([(first.essence(), 0)]);
    // Of every moment those that peace leads to it from.
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut ended = Vec::new();
    let mut to_do = VecDeque::from([(0, first)]);
    while let Some((number, moment)) = to_do.pop_front() {
        if moment.is_ended() {
            ended.push(number);
        }
        for happening in happenings {
            let Some(next) = moment.after(*happening) else {
                continue;
            };
            let next_number = *numbers.entry(next.essence()).or_insert_with(|| {
                before.push(Vec::new());
                to_do.push_back((before.len() - 1, next));
                before.len() - 1
            });
            if is_peace(*happening) {
                before[next_number].push(number);
            }
        }
    }
    // From the ends back: whatever is not met can come to none.
    let mut leads_to_an_end = vec![false; before.len()];
    while let Some(number) = ended.pop() {
        if !core::mem::replace(&mut leads_to_an_end[number], true) {
            ended.extend(&before[number]);
        }
    }
    let lost = leads_to_an_end.iter().filter(|leads| !**leads).count();
    (before.len(), lost)
}

fn assert_peace_leads_to_an_end(first: Moment, happenings: &[Happening], least: usize) {
    let (moments, lost) = walk(first, happenings);
    println!("{moments} moments");
    assert!(moments > least, "only {moments} moments");
    assert_eq!(lost, 0, "of {moments} moments");
}

/// One job, its two parties, of which one fails and has a message that is held
/// back and may come any time and any number of times; no time passes.
#[test]
fn no_late_message_leaves_a_job_without_an_end_or_with_two() {
    let happenings = [
        Submit(1),
        Cancel(1),
        Sync(Side::Active),
        Sync(Side::Passive),
        Hold,
        Arrive,
        Finish(1, Side::Active),
        Finish(1, Side::Passive),
        Fail(1),
    ];
    assert_peace_leads_to_an_end(Moment::first(1, 0), &happenings, 500);
}

/// Parties that approve in any order, or do not, with somebody who cancels: no place
/// is taken without both signatures.
#[test]
fn no_order_of_answers_runs_a_job_that_was_not_signed_by_both() {
    let happenings = [
        Propose(1),
        Approve(1, Side::Active),
        Approve(1, Side::Passive),
        Reject(1),
        Cancel(1),
        Sync(Side::Active),
        Sync(Side::Passive),
        Finish(1, Side::Active),
        Finish(1, Side::Passive),
        RestartCoordinator,
    ];
    assert_peace_leads_to_an_end(Moment::first(1, 0), &happenings, 100);
}

/// Of a party that fails and begins anew, and a second attempt.
#[test]
fn no_order_of_attempts_leaves_a_job_without_an_end() {
    let happenings = [
        Submit(1),
        Sync(Side::Active),
        Sync(Side::Passive),
        Finish(1, Side::Active),
        Finish(1, Side::Passive),
        Fail(1),
        RestartParty,
        Pass,
    ];
    assert_peace_leads_to_an_end(Moment::first(1, 1), &happenings, 500);
}

/// Of somebody who pauses, resumes and cancels, and of a coordinator that begins
/// anew.
#[test]
fn a_coordinator_that_begins_anew_among_pauses_loses_no_job() {
    let happenings = [
        Submit(1),
        Cancel(1),
        Pause(1),
        Resume(1),
        Sync(Side::Active),
        Sync(Side::Passive),
        Finish(1, Side::Active),
        Finish(1, Side::Passive),
        RestartCoordinator,
        Pass,
    ];
    assert_peace_leads_to_an_end(Moment::first(1, 0), &happenings, 500);
}

/// The message again, among pauses; no time passes.
#[test]
fn no_late_message_undoes_a_pause_or_its_end() {
    let happenings = [
        Submit(1),
        Pause(1),
        Resume(1),
        Sync(Side::Active),
        Sync(Side::Passive),
        Hold,
        Arrive,
        Finish(1, Side::Active),
        Finish(1, Side::Passive),
    ];
    assert_peace_leads_to_an_end(Moment::first(1, 0), &happenings, 500);
}

/// Two jobs and one place at either party; the second comes of itself, or does
/// the first one again. No time passes.
#[test]
fn no_order_of_two_jobs_gives_one_place_to_both() {
    let happenings = [
        Submit(1),
        Submit(2),
        Retry,
        Cancel(1),
        Pause(1),
        Resume(1),
        Sync(Side::Active),
        Sync(Side::Passive),
        Finish(1, Side::Active),
        Finish(1, Side::Passive),
        Finish(2, Side::Active),
        Finish(2, Side::Passive),
    ];
    assert_peace_leads_to_an_end(Moment::first(2, 0), &happenings, 500);
}

/// The same, in which either party may be away; nobody pauses.
#[test]
fn no_order_of_absences_gives_one_place_to_both() {
    let happenings = [
        Submit(1),
        Submit(2),
        Sync(Side::Active),
        Sync(Side::Passive),
        Finish(1, Side::Active),
        Finish(1, Side::Passive),
        Finish(2, Side::Active),
        Finish(2, Side::Passive),
        Pass,
    ];
    assert_peace_leads_to_an_end(Moment::first(2, 0), &happenings, 500);
}
