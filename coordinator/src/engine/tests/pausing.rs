use super::*;

fn held(number: u128, exchanges_done: u64) -> JobReport {
    report(number, Phase::Held, exchanges_done)
}

fn not_now(state: JobState, order: Order) -> EngineError {
    EngineError::NotNow {
        id: id(1),
        state,
        order,
    }
}

/// What the job waits for, in words.
fn waits(world: &World) -> Vec<String> {
    let why = world.engine.why(id(1), None, world.now).unwrap();
    why.reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn a_paused_job_gives_its_places_back_as_its_parties_come_to_rest() {
    let mut world = running_world();
    world.sync("bank-a", vec![running(1, 5)]);
    assert_eq!(
        short(&world.pause(1).unwrap()),
        [
            "write 1 running@4 to paused@5 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    assert_eq!(short(&world.pause(1).unwrap()), [""; 0]);
    assert_eq!(
        (world.wish("bank-a"), world.holds("bank-a")),
        (vec![(id(1), 8)], vec![true])
    );
    assert_eq!(
        waits(&world),
        [
            "bank-a to come to rest",
            "bank-b to come to rest",
            "somebody to resume it (entente job resume)"
        ]
    );
    let jobs = |world: &World| -> Vec<u32> {
        let parties = world.engine.parties(world.now);
        parties.iter().map(|party| party.jobs).collect()
    };
    assert_eq!(jobs(&world), [1, 1]);
    world.sync("bank-a", vec![held(1, 6)]);
    assert_eq!(jobs(&world), [0, 1]);
    world.sync("bank-b", vec![held(1, 6)]);
    assert_eq!(jobs(&world), [0, 0]);
    assert_eq!(
        waits(&world),
        ["somebody to resume it (entente job resume)"]
    );
    // It rests for as long as it likes.
    world.pass(Span::seconds(100_000));
    assert_eq!(world.state(1), JobState::Paused);
    assert_eq!(world.view(1).fails_at, None);
}

#[test]
fn a_resumed_job_goes_on_with_its_attempt_when_there_is_room() {
    let mut world = running_world();
    world.sync("bank-a", vec![running(1, 6)]);
    world.sync("bank-b", vec![running(1, 6)]);
    world.pause(1).unwrap();
    world.sync("bank-a", vec![held(1, 6)]);
    world.sync("bank-b", vec![held(1, 6)]);
    world.submit(2, job());
    world.submit(3, job());
    assert_eq!(
        (world.state(2), world.state(3)),
        (JobState::Reserved, JobState::Reserved)
    );
    assert_eq!(
        short(&world.resume(1).unwrap()),
        ["write 1 paused@8 to queued@9 granted 14"]
    );
    assert_eq!(short(&world.resume(1).unwrap()), [""; 0]);
    // Until it has its places its checkpoint is not to be forgotten.
    assert_eq!(world.holds("bank-a"), [true, false, false]);
    assert_eq!(
        world.view(1).waiting_for.as_deref(),
        Some("room at bank-a, which runs 2 jobs at most")
    );
    world.cancel(2).unwrap();
    let left = || vec![held(1, 6), report(3, Phase::Preparing, 0)];
    world.sync("bank-a", left());
    assert_eq!(
        short(&world.sync("bank-b", left()))[..3],
        [
            "write 3 reserved@2 to reserved@3 granted 0",
            "write 2 cancelling@2 to cancelled@3 granted 0",
            "write 1 queued@9 to reserved@10 granted 14",
        ]
    );
    let wish = world.engine.wish(&party("bank-a"));
    let assignment = wish.jobs.iter().find(|other| other.job == id(1)).unwrap();
    assert_eq!((assignment.attempt, assignment.exchanges_done), (1, 6));
    assert_eq!((assignment.granted, assignment.hold), (0, false));
    let ready = || vec![running(1, 6), running(3, 0)];
    world.sync("bank-a", ready());
    world.sync("bank-b", ready());
    assert_eq!(world.state(1), JobState::Running);
    assert_eq!(world.wish("bank-a")[0], (id(1), 14));
    assert_eq!(world.view(1).attempts.len(), 1);
}

#[test]
fn a_pause_that_is_taken_back_at_once_costs_no_place() {
    let mut world = running_world();
    world.submit(2, job());
    world.submit(3, job());
    world.pause(1).unwrap();
    assert_eq!(world.state(3), JobState::Queued);
    world.resume(1).unwrap();
    assert_eq!(
        (world.state(1), world.state(3)),
        (JobState::Reserved, JobState::Queued)
    );
    // Neither had stopped: both are prepared.
    world.pass(Span(1));
    assert_eq!(world.state(1), JobState::Running);
}

#[test]
fn a_party_that_may_have_been_told_to_go_on_is_not_free() {
    let mut world = running_world();
    world.pause(1).unwrap();
    world.sync("bank-a", vec![held(1, 0)]);
    world.sync("bank-b", vec![held(1, 0)]);
    world.resume(1).unwrap();
    assert_eq!(world.state(1), JobState::Reserved);
    world.pause(1).unwrap();
    // It said Held before it was told to go on, and has not heard the rest.
    let occupied: Vec<u32> = world
        .engine
        .parties(world.now)
        .iter()
        .map(|p| p.jobs)
        .collect();
    assert_eq!(occupied, [1, 1]);
    world.sync("bank-a", vec![held(1, 0)]);
    world.sync("bank-b", vec![held(1, 0)]);
    let free: Vec<u32> = world
        .engine
        .parties(world.now)
        .iter()
        .map(|p| p.jobs)
        .collect();
    assert_eq!(free, [0, 0]);
}

#[test]
fn a_queued_job_is_paused_and_its_parties_hear_nothing_of_it() {
    let mut world = World::new();
    world.submit(1, job());
    assert_eq!(
        short(&world.pause(1).unwrap()),
        ["write 1 queued@0 to paused@1 granted 0"]
    );
    world.connect();
    assert_eq!(world.state(1), JobState::Paused);
    assert_eq!(world.wish("bank-a"), []);
    world.resume(1).unwrap();
    assert_eq!(world.state(1), JobState::Reserved);
    world.pause(1).unwrap();
    assert_eq!(
        short(&world.cancel(1).unwrap()),
        [
            "write 1 paused@4 to cancelling@5 granted 0",
            "wake bank-a",
            "wake bank-b"
        ]
    );

    let mut world = World::new();
    world.submit(1, job());
    world.pause(1).unwrap();
    assert_eq!(
        short(&world.cancel(1).unwrap()),
        ["write 1 paused@1 to cancelled@2 granted 0"]
    );
}

#[test]
fn what_ends_before_it_hears_of_a_pause_has_ended() {
    let mut world = running_world();
    world.pause(1).unwrap();
    world.sync("bank-a", vec![report(1, Phase::Finished, 100)]);
    let commands = world.sync("bank-b", vec![report(1, Phase::Finished, 100)]);
    assert_eq!(
        short(&commands)[0],
        "write 1 paused@6 to succeeded@7 granted 8"
    );

    // One half was done, the other finds out when it goes on.
    let mut world = running_world();
    world.sync("bank-a", vec![report(1, Phase::Finished, 100)]);
    world.pause(1).unwrap();
    world.resume(1).unwrap();
    world.sync("bank-b", vec![report(1, Phase::Finished, 100)]);
    assert_eq!(world.state(1), JobState::Succeeded);
}

#[test]
fn a_failure_counts_when_the_job_goes_on() {
    let mut world = running_world();
    world.pause(1).unwrap();
    world.sync("bank-a", vec![failed(1, "disk")]);
    world.sync("bank-b", vec![held(1, 0)]);
    assert_eq!(world.state(1), JobState::Paused);
    world.resume(1).unwrap();
    assert_eq!(world.state(1), JobState::Reserved);
    world.sync("bank-a", vec![failed(1, "disk")]);
    assert_eq!(world.state(1), JobState::Failed);
}

#[test]
fn what_ends_or_has_ended_is_neither_paused_nor_resumed() {
    let mut world = running_world();
    world.sync("bank-a", vec![failed(1, "disk")]);
    assert_eq!(
        world.pause(1),
        Err(not_now(JobState::Failing, Order::Pause))
    );
    assert_eq!(short(&world.resume(1).unwrap()), [""; 0]);
    world.cancel(1).unwrap();
    for order in [Order::Pause, Order::Resume] {
        let refused = Err(not_now(JobState::Cancelling, order));
        assert_eq!(world.order(1, order), refused);
    }
    world.connect();
    let ended = EngineError::Ended {
        id: id(1),
        state: JobState::Cancelled,
    };
    assert_eq!(world.pause(1), Err(ended.clone()));
    assert_eq!(world.resume(1), Err(ended));
    assert_eq!(world.pause(2), Err(EngineError::Unknown(id(2))));
}

#[test]
fn a_pause_outlives_a_restart_and_its_checkpoints_too() {
    let mut world = running_world();
    world.pause(1).unwrap();
    let records: Vec<_> = world.engine.jobs.values().cloned().collect();
    let mut world = World::with(records);
    world.sync("bank-a", vec![held(1, 0)]);
    world.sync("bank-b", vec![held(1, 0)]);
    assert_eq!(world.state(1), JobState::Paused);
    assert_eq!(
        (world.wish("bank-a").len(), world.holds("bank-a")),
        (1, vec![true])
    );
}
