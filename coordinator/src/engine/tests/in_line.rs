//! Who starts next, as the engine has it: its own queue stands in
//! `scheduling/tests`.

use entente_protocol::job::Task;

use super::*;
use crate::{
    job::{Behind, Reason, RoomKind, Tenure},
    testbed::{SPEC, job_between},
};

const PATIENCE: Span = SETTINGS.patience;

fn submit_as(
    world: &mut World,
    number: u128,
    by: &str,
    priority: Priority,
) -> Result<Vec<Command>, EngineError> {
    let mut commands = world.take(Event::Submit {
        id: id(number),
        task: Box::new(job()),
        by: by.parse().unwrap(),
        submission: None,
        priority,
    })?;
    commands.extend(world.agree(number));
    Ok(commands)
}

fn heavy(threads: u32) -> Task {
    Task::from_toml(&format!("{SPEC}\n[resources]\nthreads = {threads}\n")).unwrap()
}

fn offer(world: &mut World, capacity: u32, threads: Option<u32>) {
    for name in ["bank-a", "bank-b"] {
        let name = party(name);
        let jobs = world.engine.board.at(&name);
        let jobs = jobs.map(|id| running(number(id), 0)).collect();
        world.handle(Event::Sync {
            party: name.clone(),
            sync: Sync {
                capacity,
                threads,
                jobs,
                seen_revision: world.engine.wish(&name).revision,
                ..truth()
            },
        });
    }
}

fn behind(jobs: &[u128]) -> Behind {
    Behind {
        jobs: jobs.iter().map(|number| id(*number)).collect(),
        others: 0,
    }
}

#[test]
fn operators_alone_are_in_more_of_a_hurry_than_others() {
    let mut world = World::new();
    let by = "user/alice".parse().unwrap();
    let priority = Priority::High;
    assert_eq!(
        submit_as(&mut world, 1, "user/alice", priority),
        Err(EngineError::TooUrgent { by, priority })
    );
    submit_as(&mut world, 1, "user/alice", Priority::Low).unwrap();
    submit_as(&mut world, 2, "operator/olga", priority).unwrap();
    let why = |number| world.engine.why(id(number), None, world.now).unwrap();
    // Away parties or not, it has its place in the line.
    assert_eq!(why(2).line.unwrap().position, 1);
    let line = why(1).line.unwrap();
    assert_eq!((line.position, line.of), (2, 2));
    assert_eq!(line.before, behind(&[2]));
    assert_eq!(line.priority, Priority::Low);
    let at = Millis(world.now.0 + 4 * PATIENCE.0);
    assert_eq!(line.goes_first_at, Some(at.into()));
}

#[test]
fn a_key_with_another_priority_is_another_submission() {
    let mut world = World::new();
    let submission = crate::job::Submission {
        key: "k".parse().unwrap(),
        digest: "d".into(),
    };
    let mut submit = |number, priority| {
        world.take(Event::Submit {
            id: id(number),
            task: Box::new(job()),
            by: "user/alice".parse().unwrap(),
            submission: Some(submission.clone()),
            priority,
        })
    };
    submit(1, Priority::Low).unwrap();
    assert_eq!(submit(2, Priority::Low), Ok(vec![]));
    let reused = EngineError::KeyReused { id: id(1) };
    assert_eq!(submit(2, Priority::Normal), Err(reused));
}

#[test]
fn who_has_had_less_comes_first_and_a_restart_forgets_nothing() {
    let mut world = World::new();
    offer(&mut world, 1, None);
    submit_as(&mut world, 1, "user/alice", Priority::Normal).unwrap();
    assert_eq!(world.state(1), JobState::Reserved);
    submit_as(&mut world, 2, "user/alice", Priority::Normal).unwrap();
    submit_as(&mut world, 3, "user/bob", Priority::Normal).unwrap();
    world.pass(Span::seconds(10));
    let line = |world: &World, number| {
        let why = world.engine.why(id(number), None, world.now).unwrap();
        let line = why.line.unwrap();
        (line.position, line.had_ms)
    };
    assert_eq!(line(&world, 3), (1, 0));
    assert_eq!(line(&world, 2), (2, Tenure::LEAST.0));
    let jobs = world.engine.jobs.values().cloned().collect();
    let again = Engine::new(SETTINGS, jobs, jitter(), world.now);
    assert_eq!(again.share, world.engine.share);
    let mut world = World {
        engine: again,
        now: world.now,
        thorough: true,
    };
    world.pass(Span(0));
    assert_eq!(line(&world, 2), (2, Tenure::LEAST.0));
    assert_eq!(line(&world, 3), (1, 0));
}

#[test]
fn threads_are_room_too_and_what_never_fits_says_so() {
    let mut world = World::new();
    offer(&mut world, 4, Some(4));
    world.submit(1, heavy(3));
    world.submit(2, heavy(2));
    world.submit(3, heavy(1));
    world.submit(4, heavy(5));
    let states = [1, 2, 3, 4].map(|number| world.state(number));
    use JobState::{Queued, Reserved};
    assert_eq!(states, [Reserved, Queued, Reserved, Queued]);
    assert_eq!(
        world.view(2).waiting_for.as_deref(),
        Some("room at bank-a, which has 4 threads, 4 of them taken, of 2 that are needed")
    );
    let why = world.engine.why(id(4), None, world.now).unwrap();
    let Reason::NoRoom { lack, .. } = &why.reasons[0] else {
        panic!("{why:?}");
    };
    assert_eq!((lack.kind, lack.for_good()), (RoomKind::Threads, true));
    let views = world.engine.parties(world.now);
    assert_eq!((views[0].threads, views[0].jobs), (Some(4), 2));
}

#[test]
fn after_its_patience_room_is_kept_for_a_large_job_and_why_says_for_which() {
    let mut world = World::new();
    offer(&mut world, 4, Some(4));
    world.submit(1, heavy(2));
    world.submit(2, heavy(4));
    // The parties speak meanwhile: jobs that stand still would fail.
    for _ in 0..PATIENCE.0 / 20_000 {
        world.pass(Span::seconds(20));
        let pace = world.engine.live.get_mut(&id(1)).unwrap();
        pace.grown_at = world.now;
        offer(&mut world, 4, Some(4));
    }
    world.submit(3, heavy(1));
    assert_eq!(world.state(3), JobState::Queued);
    assert_eq!(
        world.view(3).waiting_for.as_deref(),
        Some("room at bank-a, which is kept for a job that waits longer")
    );
    let why = |number| world.engine.why(id(number), None, world.now).unwrap();
    let kept = Reason::Kept {
        party: party("bank-a"),
        job: behind(&[2]),
    };
    assert_eq!(why(3).reasons[0], kept);
    let line = why(2).line.unwrap();
    assert_eq!(line.kept_at, [party("bank-a"), party("bank-b")]);
    assert_eq!(line.before, behind(&[]));
    // Elsewhere nothing is kept.
    world.sync("bank-c", vec![]);
    world.sync("bank-d", vec![]);
    world.submit(4, job_between("bank-c", "bank-d"));
    assert_eq!(world.state(4), JobState::Reserved);
}
