//! What a running party says to proposals, and what it does not run.

use entente_protocol::{
    contract::Signatures,
    control::{Answer, Decision, Phase, Proposal, Sync},
    job::Side,
};

use super::{
    coordinator::FakeCoordinator,
    world::{Balls, Party},
};
use crate::{
    approval::Ledger,
    testbed::{Consortium, assignment},
};

fn answer(truth: &Sync) -> Option<&Decision> {
    let [Answer { decision, .. }] = truth.answers.as_slice() else {
        return None;
    };
    Some(decision)
}

#[actix_rt::test]
async fn a_person_at_a_running_party_is_asked_and_heard() {
    let consortium = Consortium::new();
    let coordinator = FakeCoordinator::start(&consortium);
    let peer = ("bank-b", None);
    let hub = coordinator.address;
    let party = Party::start(&consortium, "bank-a", peer, hub, Balls::default()).await;
    let job = assignment(1, "bank-a", "bank-b");
    let proposal = Proposal {
        job: job.job,
        side: Side::Active,
        spec: job.spec.clone(),
    };
    coordinator.propose("bank-a", Some(proposal));
    let asks = |truth: &Sync| answer(truth) == Some(&Decision::NeedsPerson);
    coordinator
        .hears("bank-a", "a person is needed", asks)
        .await;

    let ledger = Ledger::below(&party.state_dir);
    let by = "alice".to_owned();
    ledger.decide(job.job, true, by, 1, None).unwrap();
    let approves = |truth: &Sync| matches!(answer(truth), Some(Decision::Approved(_)));
    coordinator.hears("bank-a", "an approval", approves).await;

    coordinator.propose("bank-a", None);
    let nothing = |truth: &Sync| truth.answers.is_empty();
    coordinator
        .hears("bank-a", "nothing to answer", nothing)
        .await;
    assert!(ledger.waiting().unwrap().is_empty());
    party.stop().await;
    coordinator.stop().await;
}

/// The coordinator's word counts for nothing.
#[actix_rt::test]
async fn a_job_that_was_not_agreed_upon_does_not_begin() {
    let consortium = Consortium::new();
    let coordinator = FakeCoordinator::start(&consortium);
    let peer = ("bank-b", None);
    let hub = coordinator.address;
    let party = Party::start(&consortium, "bank-a", peer, hub, Balls::default()).await;
    let mut job = assignment(1, "bank-a", "bank-b");
    consortium.notary().sign(&mut job);
    job.signatures = Signatures {
        passive: None,
        ..job.signatures
    };
    coordinator.wish_unsigned("bank-a", job.clone());
    let failed = coordinator.sees("bank-a", "a failure", |report| {
        matches!(report.phase, Phase::Failed { .. })
    });
    let Phase::Failed { failure } = failed.await.phase else {
        panic!("failed");
    };
    assert_eq!(failure.label, "contract_unsigned");
    assert!(
        failure.message.contains("bank-b has not signed"),
        "{failure:?}"
    );
    let ledger = Ledger::below(&party.state_dir);
    assert_eq!(ledger.contract(job.job).unwrap(), None);
    party.stop().await;
    coordinator.stop().await;
}
