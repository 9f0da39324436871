//! What parties answer to a job, over real mutual TLS: signatures that are good,
//! that are not, and refusals.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use entente_coordinator::{client::ClientError, job::JobState};
use entente_protocol::{
    contract::{ContractError, Moment},
    control::{Answer, Decision, Proposal},
    job::{JobId, PartyName},
};
use serde_json::Value;

use house::{FakeParty, Field, spec};

async fn proposal(party: &FakeParty, id: JobId) -> Proposal {
    let wish = party.ask().await;
    let mut proposals = wish.proposals.into_iter();
    proposals.find(|proposal| proposal.job == id).unwrap()
}

#[actix_rt::test]
async fn a_job_is_queued_when_both_have_signed_and_its_contract_is_good() {
    let mut field = Field::new().await;
    let id = field.submit().await;

    // Of somebody else, of another job, altered: each counts for nothing.
    let asked = proposal(&field.passive, id).await;
    let other = field.submit().await;
    let of_other = field
        .passive
        .sign(&proposal(&field.passive, other).await)
        .decision;
    let Decision::Approved(good) = field.passive.sign(&asked).decision else {
        panic!("it signs")
    };
    let mut altered = good.clone();
    altered.at_ms += 1;
    let mut no_signature = good.clone();
    no_signature.signature.truncate(100);
    for decision in [
        field.active.sign(&asked).decision,
        of_other,
        Decision::Approved(altered),
        Decision::Approved(no_signature),
    ] {
        field.passive.answers = vec![Answer { job: id, decision }];
        field.passive.ask().await;
        let view = field.client.show(id).await.unwrap();
        assert_eq!(view.state, JobState::AwaitingApproval);
        assert_eq!(view.sides.passive.approval, None);
    }
    field.passive.answers.clear();
    field.client.cancel(other).await.unwrap();
    let Err(ClientError::Refused(problem)) = field.client.contract(id).await else {
        panic!("nobody has signed");
    };
    assert_eq!(problem.kind, "urn:entente:problem:no-contract");

    field
        .go_on(id, |job| job.state == JobState::Succeeded)
        .await;
    let contract = field.client.contract(id).await.unwrap();
    let authorities = field.house.credentials("user/alice").authorities();
    let moment = Moment::Arrival {
        now_ms: contract.passive.at_ms,
    };
    let verified: Result<_, ContractError<_>> = contract
        .verify(moment, |signer, text, signature, at_s| {
            authorities.verify_written(signer, text, signature, at_s)
        });
    assert_eq!(verified.unwrap().spec(), spec());
    // Parties see the contracts of their own jobs, others none.
    let path = format!("/v1/jobs/{id}/contract");
    for (caller, status) in [("party/bank-a", 200), ("party/bank-c", 404)] {
        assert_eq!(field.caller(caller).get(&path).await.0, status);
    }

    let (_, log) = field.caller("operator/olga").get("/v1/audit").await;
    let log: Value = serde_json::from_str(&log).unwrap();
    let told = |what: &str| {
        let entries = log["entries"].as_array().unwrap().iter();
        let told = entries.filter(|entry| entry["what"] == what);
        told.map(|entry| entry["who"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(told("refused"), ["party/bank-b"; 4]);
    assert_eq!(told("approved"), ["party/bank-a", "party/bank-b"]);
    field.stop().await;
}

#[actix_rt::test]
async fn one_refusal_ends_a_job_and_stays_over_a_restart() {
    let mut field = Field::new().await;
    let id = field.submit().await;
    proposal(&field.passive, id).await;
    field.passive.answers = vec![Answer {
        job: id,
        decision: Decision::NeedsPerson,
    }];
    field.passive.ask().await;
    let why = field.client.why(id).await.unwrap();
    assert_eq!(why.state, JobState::AwaitingApproval);
    assert!(why.reasons[1].to_string().contains("a person at bank-b"));
    field.passive.answers[0].decision = Decision::Rejected {
        rule: "max_epochs".into(),
        reason: "a limit".into(),
    };
    assert!(field.passive.ask().await.proposals.is_empty());

    let field = field.restart().await;
    let view = field.client.show(id).await.unwrap();
    assert_eq!(view.state, JobState::Rejected);
    let approval = serde_json::to_value(&view.sides.passive.approval).unwrap();
    assert_eq!(approval["rule"], "max_epochs");
    let refused: PartyName = "bank-b".parse().unwrap();
    assert_eq!(view.sides.passive.party, refused);
    // Whoever wants it all the same asks both again.
    let again = field.client.retry(id).await.unwrap();
    assert_eq!(again.state, JobState::AwaitingApproval);
    field.stop().await;
}
