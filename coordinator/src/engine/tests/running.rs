use super::*;

#[test]
fn a_change_of_phase_is_kept_and_counts_are_not() {
    let mut world = World::new();
    world.connect();
    world.submit(1, job());
    assert_eq!(
        short(&world.sync("bank-a", vec![report(1, Phase::Preparing, 0)])),
        ["write 1 reserved@1 to reserved@2 granted 0"]
    );
    assert_eq!(
        short(&world.sync("bank-a", vec![running(1, 0)])),
        ["write 1 reserved@2 to reserved@3 granted 0"]
    );
    assert_eq!(short(&world.sync("bank-a", vec![running(1, 2)])), [""; 0]);
    assert_eq!(world.view(1).sides.active.progress.exchanges_done, 2);
}

#[test]
fn grants_follow_the_slower_party_in_half_windows() {
    let mut world = running_world();
    assert_eq!(short(&world.sync("bank-a", vec![running(1, 8)])), [""; 0]);
    assert_eq!(short(&world.sync("bank-b", vec![running(1, 3)])), [""; 0]);
    assert_eq!(
        short(&world.sync("bank-b", vec![running(1, 4)])),
        [
            "write 1 running@4 to running@5 granted 12",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    assert_eq!(world.wish("bank-a"), [(id(1), 12)]);
    // A party that starts over does not take back what was granted.
    assert_eq!(short(&world.sync("bank-b", vec![running(1, 0)])), [""; 0]);
    assert_eq!(world.wish("bank-b"), [(id(1), 12)]);
}

#[test]
fn a_window_of_one_goes_on_too() {
    let mut world = running_world();
    world.engine.settings.window = 1;
    for done in 1..40 {
        world.sync("bank-a", vec![running(1, done)]);
        world.sync("bank-b", vec![running(1, done)]);
        let (_, granted) = world.wish("bank-a")[0];
        assert!(granted > done, "{granted} {done}");
    }
}

#[test]
fn numbers_without_bounds_do_no_harm() {
    let mut world = running_world();
    world.sync("bank-a", vec![running(1, u64::MAX)]);
    world.sync("bank-b", vec![running(1, u64::MAX)]);
    assert_eq!(world.wish("bank-a"), [(id(1), i64::MAX as u64)]);
}

#[test]
fn revisions_grow_with_changes_alone_and_over_restarts() {
    let mut world = running_world();
    let revision = |world: &World| world.engine.wish(&party("bank-a")).revision;
    let first = revision(&world);
    world.sync("bank-a", vec![running(1, 1)]);
    assert_eq!(revision(&world), first);
    world.sync("bank-a", vec![running(1, 4)]);
    world.sync("bank-b", vec![running(1, 4)]);
    let second = revision(&world);
    assert!(second > first);

    let records = world.engine.jobs.values().cloned().collect();
    let mut restarted = World::with(records);
    restarted.now.0 += 5000;
    restarted.sync("bank-a", vec![]);
    assert!(revision(&restarted) > second);
    assert_eq!(restarted.wish("bank-a"), world.wish("bank-a"));
}

#[test]
fn what_a_party_says_of_others_jobs_is_passed_over() {
    let mut world = running_world();
    let mut attempt = failed(1, "disk");
    attempt.attempt = 2;
    for (name, report) in [
        ("bank-c", failed(1, "disk")),
        ("bank-a", attempt),
        ("bank-a", failed(77, "disk")),
    ] {
        assert_eq!(short(&world.sync(name, vec![report])), [""; 0]);
    }
    assert_eq!(world.state(1), JobState::Running);
    assert_eq!(world.wish("bank-c"), []);
}

#[test]
fn a_running_job_says_what_it_waits_for() {
    let mut world = running_world();
    assert_eq!(world.view(1).waiting_for, None);
    let waiting = Phase::Waiting {
        what: "bank-b".into(),
        for_ms: 4000,
    };
    world.pass(Span::seconds(31));
    world.sync("bank-a", vec![report(1, waiting, 0)]);
    assert_eq!(
        world.view(1).waiting_for.as_deref(),
        Some("bank-a, which waits for bank-b for 4 s; bank-b, which is away for 31 s")
    );
}

#[test]
fn running_jobs_go_on_after_a_restart() {
    let mut world = running_world();
    world.sync("bank-a", vec![running(1, 4)]);
    world.sync("bank-b", vec![running(1, 4)]);
    let records: Vec<_> = world.engine.jobs.values().cloned().collect();

    let mut world = World::with(records);
    assert_eq!(world.pass(Span(0)), []);
    assert_eq!(world.state(1), JobState::Running);
    // Nobody has told yet: nobody is away yet.
    assert_eq!(world.view(1).waiting_for, None);
    assert_eq!(
        short(&world.sync("bank-a", vec![running(1, 9)])),
        ["wake bank-a"]
    );
    assert_eq!(world.wish("bank-a"), [(id(1), 12)]);
    assert_eq!(
        short(&world.sync("bank-b", vec![running(1, 9)])),
        [
            "write 1 running@5 to running@6 granted 17",
            "wake bank-a",
            "wake bank-b"
        ]
    );
}
