//! The actor of a job over a disk that is full for a while.

use std::time::Instant;

use actix::{Actor, Context, Handler};
use entente_metrics::{JOURNAL_COMMITS, KEPT, Registry, UNKEPT};
use entente_protocol::job::Task;
use entente_wire::{Digest, Session, WireVersion};
use tokio::sync::mpsc;

use super::super::{
    job::{Seat, seat},
    messages::{JobEvent, JobTold},
};
use crate::{
    compute::ComputePool,
    delivery::{Journal, JournalError, MemoryJournal, Record},
    driver::{Driver, Standing, Status, tests::pingpong::Player},
    keeping::{Keeper, Keeps},
    launch::Plan,
    rotation::KeyWish,
    telemetry::Meters,
    testbed::{assignment, soon},
};

/// Who hears where a job stands.
struct Ear(mpsc::UnboundedSender<Status>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<JobTold> for Ear {
    type Result = ();

    fn handle(&mut self, told: JobTold, _: &mut Context<Self>) {
        self.0.send(told.status).unwrap();
    }
}

/// Takes the first records, then none for so many times.
struct FullFor {
    times: u32,
    memory: MemoryJournal,
}

impl Journal for FullFor {
    fn commit(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let begun = !self.memory.kept().checkpoints.is_empty();
        if begun && self.times > 0 {
            self.times -= 1;
            return Err(JournalError::NoSpace);
        }
        self.memory.commit(records)
    }
}

#[actix_rt::test]
async fn a_job_waits_for_room_and_goes_on_by_itself() {
    let assignment = assignment(1, "bank-a", "bank-b");
    let plan = Plan {
        id: assignment.job,
        attempt: 1,
        task: Task::try_from(assignment.spec).unwrap(),
        side: assignment.side,
        peer: "bank-b".parse().unwrap(),
        session: Session::new(Digest::of("test", &[]), WireVersion::NEWEST),
    };
    let registry = Registry::new().unwrap();
    let (told, mut hears) = mpsc::unbounded_channel();
    let at = Seat {
        plan,
        pool: ComputePool::new(1).unwrap(),
        journal: Box::new(FullFor {
            times: 2,
            memory: MemoryJournal::new(),
        }),
        restored: None,
        told: Ear(told).start().recipient(),
        meters: Meters::new(registry.clone()),
    };
    let keeper = Keeper {
        state_dir: "/nowhere".into(),
        job: at.plan.id,
        of: Keeps::Nothing,
    };
    let driver = Driver::new(Instant::now(), Player::new(true, 0, 1), at.setting());
    let job = seat(driver, keeper, KeyWish::default(), at);
    job.say(JobEvent::Granted(1));
    let mut waited_for = Vec::new();
    while waited_for.last().map(String::as_str) != Some("bank-b") {
        let status = soon("a word of the job", hears.recv()).await.unwrap();
        match status.standing {
            Standing::Waiting { what, .. } => waited_for.push(what.to_string()),
            Standing::Running => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waited_for, ["space in [party] state_dir", "bank-b"]);
    let commits = registry.family(&JOURNAL_COMMITS);
    assert_eq!(commits.with([UNKEPT]).value(), 2);
    assert_eq!(commits.with([KEPT]).value(), 2);
    job.say(JobEvent::Leave);
}
