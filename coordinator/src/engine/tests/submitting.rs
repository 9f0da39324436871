//! A submission that is sent twice.

use entente_tls::Identity;

use super::*;
use crate::{
    job::{Priority, Submission},
    testbed::job_between,
};

fn submission(key: &str, digest: &str) -> Option<Submission> {
    Some(Submission {
        key: key.parse().unwrap(),
        digest: digest.into(),
    })
}

impl World {
    fn submit_as(
        &mut self,
        number: u128,
        by: &str,
        key: &str,
        digest: &str,
    ) -> Result<Vec<Command>, EngineError> {
        let event = Event::Submit {
            id: id(number),
            task: Box::new(job_between("bank-a", "bank-b")),
            by: by.parse().unwrap(),
            submission: submission(key, digest),
            priority: Priority::Normal,
        };
        self.engine.handle(event, self.now)
    }

    fn submitted_as(&self, by: &str, key: &str) -> Option<u128> {
        let by: Identity = by.parse().unwrap();
        let id = self.engine.submitted_as(&by, &key.parse().unwrap());
        id.map(number)
    }
}

#[test]
fn the_same_again_makes_no_second_job() {
    let mut world = World::new();
    let first = world.submit_as(1, "user/alice", "k", "d").unwrap();
    assert_eq!(short(&first), ["insert 1 awaiting_approval"]);
    assert_eq!(world.submit_as(2, "user/alice", "k", "d"), Ok(vec![]));
    assert_eq!(world.submitted_as("user/alice", "k"), Some(1));
    // An ended job is the answer as well.
    world.cancel(1).unwrap();
    assert_eq!(world.submit_as(2, "user/alice", "k", "d"), Ok(vec![]));
    assert_eq!(world.engine.jobs.len(), 1);
}

#[test]
fn something_else_under_the_same_key_is_refused() {
    let mut world = World::new();
    world.submit_as(1, "user/alice", "k", "d").unwrap();
    let refused = EngineError::KeyReused { id: id(1) };
    assert_eq!(world.submit_as(2, "user/alice", "k", "e"), Err(refused));
    assert_eq!(world.engine.jobs.len(), 1);
}

#[test]
fn keys_are_each_submitters_own_and_outlive_a_restart() {
    let mut world = World::new();
    world.submit_as(1, "user/alice", "k", "d").unwrap();
    world.submit_as(2, "user/bob", "k", "d").unwrap();
    world.submit_as(3, "user/bob", "l", "d").unwrap();
    world.submit(4, job());
    world.submit(5, job());
    let records: Vec<_> = world.engine.jobs.values().cloned().collect();
    assert_eq!(records.len(), 5);
    let mut world = World::with(records);
    assert_eq!(world.submit_as(6, "user/bob", "l", "d"), Ok(vec![]));
    assert_eq!(world.submitted_as("user/bob", "k"), Some(2));
    assert_eq!(world.submitted_as("user/bob", "m"), None);
}
