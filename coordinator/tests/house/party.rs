//! A party as the coordinator sees one.

use std::{
    collections::BTreeMap,
    time::{Instant, UNIX_EPOCH},
};

use entente_coordinator::{client::Client, job::JobView};
use entente_protocol::{
    contract::{Signed, Terms},
    control::{
        Answer, Assignment, Decision, Failure, JobReport, Phase, Progress, Proposal, Sync, Wish,
    },
    job::{JobId, Task},
};
use entente_tls::Credentials;

use super::{Caller, DEADLINE, VALIDATION};

/// A party that computes nothing: every job goes as far as it is granted, at
/// every sync.
pub struct FakeParty {
    pub caller: Caller,
    /// Signs whatever is proposed.
    pub credentials: Credentials,
    pub answers: Vec<Answer>,
    pub seen_revision: u64,
    pub wait_ms: u64,
    pub jobs: BTreeMap<JobId, (Assignment, Phase, u64)>,
    /// Of every job.
    pub exchanges: u64,
    /// The exchange in which every job fails.
    pub fails_at: Option<Failure>,
}

impl FakeParty {
    pub fn new(caller: Caller, credentials: Credentials) -> Self {
        Self {
            caller,
            credentials,
            answers: Vec::new(),
            seen_revision: 0,
            wait_ms: 200,
            jobs: BTreeMap::new(),
            exchanges: 50,
            fails_at: None,
        }
    }

    pub fn truth(&self) -> Sync {
        let report = |(id, (assignment, phase, done)): (&JobId, &(Assignment, Phase, u64))| {
            let loss = Some(1.0 / (1.0 + *done as f64));
            JobReport {
                job: *id,
                attempt: assignment.attempt,
                phase: phase.clone(),
                progress: Progress {
                    exchanges_done: *done,
                    exchanges: self.exchanges,
                    rounds_done: *done,
                    rounds: self.exchanges,
                    loss: loss.filter(|_| assignment.side.label() == "passive"),
                    validation: (assignment.side.label() == "passive").then_some(VALIDATION),
                    best: (assignment.side.label() == "passive").then_some(VALIDATION),
                    stopped_early: *phase == Phase::Finished,
                    test_accuracy: (*phase == Phase::Finished).then_some(0.96),
                    ..Progress::default()
                },
            }
        };
        Sync {
            software: "fake".into(),
            datasets: vec!["iris".into()],
            capacity: 2,
            threads: None,
            memory_bytes: None,
            draining: false,
            wire: vec![2, 1],
            jobs: self.jobs.iter().map(report).collect(),
            answers: self.answers.clone(),
            seen_revision: self.seen_revision,
            wait_ms: self.wait_ms,
        }
    }

    /// Has signed what is proposed.
    pub fn sign(&self, proposal: &Proposal) -> Answer {
        let task = Task::try_from(proposal.spec.clone()).unwrap();
        let at_ms = UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
        let text = Terms::of(proposal.job, &task).text(proposal.side, at_ms);
        let signature = self.credentials.sign(text.as_bytes()).unwrap().to_string();
        Answer {
            job: proposal.job,
            decision: Decision::Approved(Signed { at_ms, signature }),
        }
    }

    /// Asks for the wish and does nothing about it.
    pub async fn ask(&self) -> Wish {
        let request = self.caller.request("POST", "/v1/sync");
        let mut response = request.send_json(&self.truth()).await.unwrap();
        assert!(response.status().is_success(), "{response:?}");
        response.json().limit(16 << 20).await.unwrap()
    }

    /// Asks for the wish and follows it.
    pub async fn step(&mut self) {
        let wish = self.ask().await;
        self.seen_revision = wish.revision;
        self.answers = wish
            .proposals
            .iter()
            .map(|proposal| self.sign(proposal))
            .collect();
        let wished: Vec<JobId> = wish.jobs.iter().map(|job| job.job).collect();
        self.jobs.retain(|id, _| wished.contains(id));
        for assignment in wish.jobs {
            let before = self.jobs.get(&assignment.job);
            let before = before.filter(|(known, ..)| known.attempt == assignment.attempt);
            let done = before.map_or(0, |(_, _, done)| *done);
            if assignment.hold && done < self.exchanges {
                self.jobs
                    .insert(assignment.job, (assignment, Phase::Held, done));
                continue;
            }
            let done = assignment.granted.min(self.exchanges).max(done);
            let phase = match &self.fails_at {
                Some(failure) if done > failure.exchange => Phase::Failed {
                    failure: failure.clone(),
                },
                _ if done == self.exchanges => Phase::Finished,
                _ => Phase::Running,
            };
            self.jobs.insert(assignment.job, (assignment, phase, done));
        }
    }
}

/// Lets parties go on until a job is as it should be.
pub async fn go_on(
    client: &Client,
    id: JobId,
    parties: &mut [&mut FakeParty],
    until: impl Fn(&JobView) -> bool,
) -> JobView {
    let deadline = Instant::now() + DEADLINE;
    loop {
        for party in parties.iter_mut() {
            party.step().await;
        }
        let view = client.show(id).await.unwrap();
        if until(&view) {
            return view;
        }
        assert!(Instant::now() < deadline, "{view:#?}");
    }
}
