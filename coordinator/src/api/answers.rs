//! What parties answer to proposals, verified before the engine hears of it.
//!
//! Here and not in the engine: a signature is a matter of certificates, and of
//! some hundred microseconds that nobody else should wait for.

use entente_protocol::{
    contract::{ContractError, Moment, Terms},
    control::{self, Decision},
    job::PartyName,
    session::Correlation,
};
use entente_tls::{Identity, SignatureError};

use super::{Api, problem::Problem};
use crate::engine::{Answer, Event};

/// The most answers that are looked at in one sync; the rest comes with the next.
const AT_ONCE: usize = 100;

/// Takes in what a party answers. What is answered already, or no longer asked, is
/// passed over; a signature that is not good is put on record as refused.
pub(super) async fn take_in(
    api: &Api,
    party: &PartyName,
    answers: &[control::Answer],
) -> Result<(), Problem> {
    let decided = answers
        .iter()
        .filter(|answer| answer.decision != Decision::NeedsPerson);
    for control::Answer { job, decision } in decided.take(AT_ONCE) {
        let (id, name) = (*job, party.clone());
        let read = api
            .coordinator
            .read(move |engine, now| engine.open_terms(id, &name).map(|open| (open, now)));
        let Some(((terms, side), now)) = read.await? else {
            continue;
        };
        let answer = match decision.clone() {
            Decision::Approved(signed) => {
                let moment = Moment::Arrival { now_ms: now.0 };
                let authorities = &api.authorities;
                let good = signed.verify(&terms, side, moment, |signer, text, signature, at_s| {
                    authorities.verify_written(signer, text, signature, at_s)
                });
                if let Err(error) = good {
                    refuse(api, party, &terms, &error).await;
                    continue;
                }
                Answer::Signed(signed)
            }
            Decision::Rejected { rule, reason } => Answer::Rejected { rule, reason },
            Decision::NeedsPerson => continue,
        };
        let event = Event::Answer {
            id,
            party: party.clone(),
            answer,
        };
        api.coordinator.change(event).await?;
    }
    Ok(())
}

async fn refuse(
    api: &Api,
    party: &PartyName,
    terms: &Terms,
    error: &ContractError<SignatureError>,
) {
    let job = terms.job();
    // Parties approve before the first attempt, of all of them.
    let (attempt, correlation) = (1, Correlation::of(job, terms.specification(), 1));
    tracing::warn!(%job, attempt, %correlation, %party, label = error.label(), %error, "an approval counts for nothing");
    if let Ok(who) = format!("party/{party}").parse::<Identity>() {
        let call = format!("approve: {}", error.label());
        api.coordinator.refused(who, call, Some(job)).await;
    }
}
