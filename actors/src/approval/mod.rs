//! Whether this party takes part in a job, and that its peer does.
//!
//! ```text
//!   proposal ──▶ own configuration, policy ──▶ refused: the rule, to the record
//!                        │         │
//!                        │         └─ a person has to decide: a file, `entente party approve`
//!                        ▼                                       │
//!                 signed: this job, this specification ◀─────────┘
//!
//!   assignment ──▶ both signatures verified ──▶ contract kept ──▶ the job begins
//! ```
//!
//! The coordinator proposes and hands signatures on; its word counts for nothing.
//! It cannot make this party run what it has not signed: before a job begins its
//! own signature is verified like the peer's, so nothing here has to be remembered
//! for that, and a party that has lost its state cannot be told tales of what it
//! once agreed upon.
//!
//! Everything follows from the [`Proposal`]s of the last wish. They are heard again
//! and again, so a restart at any moment costs nothing: a job that is still
//! proposed is looked at anew, and signing twice is harmless, since both signatures
//! are over the same terms.
//!
//! A policy that changes holds for jobs that are proposed afterwards. What was
//! signed was signed: whoever wants it no more cancels the job.

mod admission;
mod ledger;
mod person;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use entente_protocol::{
    contract::{Signed, Terms},
    control::{Answer, Decision, Proposal},
    job::{JobId, PartyName, Side, Task},
};
use entente_tls::Credentials;

pub(crate) use self::admission::NoContract;
pub use self::{
    ledger::{Ledger, LedgerError, Waiting, Word},
    person::os_user,
};
use crate::{
    policy::{Policy, Ruling},
    spans,
};

/// What was proposed to this party, and what it says to it.
pub(crate) struct Desk {
    own: PartyName,
    peers: BTreeSet<PartyName>,
    policy: Policy,
    credentials: Arc<Credentials>,
    ledger: Ledger,
    /// What is assigned has arrived before, at another process of this party.
    arrived_before: bool,
    open: BTreeMap<JobId, Open>,
}

/// A job that is proposed.
struct Open {
    terms: Terms,
    side: Side,
    decision: Decision,
}

impl Desk {
    /// Whose desk it is.
    pub(crate) fn own(&self) -> &PartyName {
        &self.own
    }

    pub(crate) fn new(
        own: PartyName,
        peers: BTreeSet<PartyName>,
        policy: Policy,
        credentials: Arc<Credentials>,
        ledger: Ledger,
    ) -> Self {
        Self {
            own,
            peers,
            policy,
            credentials,
            ledger,
            arrived_before: false,
            open: BTreeMap::new(),
        }
    }

    /// The desk of a worker. Its party has verified each contract when it arrived: a
    /// certificate may have ended since.
    pub(crate) fn of_worker(self) -> Self {
        Self {
            arrived_before: true,
            ..self
        }
    }

    /// Takes in all that is proposed now; says whether there is something new to
    /// answer.
    pub(crate) fn propose(&mut self, proposals: Vec<Proposal>, now_ms: u64) -> bool {
        let proposed: BTreeSet<JobId> = proposals.iter().map(|proposal| proposal.job).collect();
        let gone: Vec<JobId> = self.open.keys().copied().collect();
        for job in gone.into_iter().filter(|job| !proposed.contains(job)) {
            if let Some(open) = self.open.remove(&job) {
                self.withdraw(&open.terms);
            }
        }
        let mut news = false;
        for proposal in proposals {
            let job = proposal.job;
            let task = match Task::try_from(proposal.spec) {
                Ok(task) => task,
                Err(error) => {
                    // A coordinator of another version: no terms, no answer that
                    // could be held against any.
                    let span = spans::attempt(job, 1, None);
                    span.in_scope(|| tracing::error!(%error, "a proposal cannot be understood"));
                    continue;
                }
            };
            let terms = Terms::of(job, &task);
            let known = self.open.get(&job);
            if known.is_some_and(|open| open.terms == terms && open.side == proposal.side) {
                continue;
            }
            news = true;
            let decision = self.decide(&task, &terms, proposal.side, now_ms);
            let open = Open {
                terms,
                side: proposal.side,
                decision,
            };
            self.open.insert(job, open);
        }
        news
    }

    /// What people have decided since; says whether there is something new to
    /// answer.
    pub(crate) fn hear_people(&mut self, now_ms: u64) -> bool {
        let waiting = |open: &&Open| open.decision == Decision::NeedsPerson;
        let asked = self.open.values().filter(waiting);
        let heard: Vec<(JobId, Decision)> = asked
            .filter_map(|open| {
                let word = self.word(&open.terms)?;
                let decision = self.in_the_name_of(&word, &open.terms, open.side, now_ms);
                Some((open.terms.job(), decision))
            })
            .collect();
        let news = !heard.is_empty();
        for (job, decision) in heard {
            if let Some(open) = self.open.get_mut(&job) {
                open.decision = decision;
            }
        }
        news
    }

    /// What this party says to all that is proposed.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let answer = |(job, open): (&JobId, &Open)| Answer {
            job: *job,
            decision: open.decision.clone(),
        };
        self.open.iter().map(answer).collect()
    }

    fn decide(&self, task: &Task, terms: &Terms, side: Side, now_ms: u64) -> Decision {
        let span = spans::proposed(terms);
        let _inside = span.enter();
        let rejected = |rule: &str, reason: &str| Decision::Rejected {
            rule: rule.to_owned(),
            reason: reason.to_owned(),
        };
        if task.party(side) != &self.own {
            tracing::error!(
                side = side.label(),
                "is proposed for a side that is another's"
            );
            return rejected(
                "not_our_side",
                "the specification names another party there",
            );
        }
        let peer = task.party(side.other());
        if !self.peers.contains(peer) {
            tracing::warn!(%peer, "is rejected: list the peer under [peers]");
            return rejected("unknown_peer", "the other party is no peer of this one");
        }
        match self.policy.evaluate(task, side) {
            Ruling::Approved => {
                tracing::info!(%peer, task = task.label(), "is approved by the policy");
                self.sign(terms, side, now_ms)
            }
            Ruling::Refused(refusal) => {
                let (rule, why) = (refusal.rule, &refusal.in_full);
                tracing::warn!(%peer, rule, why, "is rejected by the policy");
                rejected(rule, &refusal.for_record)
            }
            Ruling::NeedsPerson => match self.word(terms) {
                Some(word) => self.in_the_name_of(&word, terms, side, now_ms),
                None => {
                    self.ask(task, terms, side, now_ms);
                    Decision::NeedsPerson
                }
            },
        }
    }

    fn ask(&self, task: &Task, terms: &Terms, side: Side, now_ms: u64) {
        let job = terms.job();
        let specification = terms.specification().to_string();
        let before = self.ledger.waits(job).ok();
        let since = before.filter(|before| before.specification == specification);
        let waiting = Waiting {
            job,
            side,
            specification,
            spec: task.spec(),
            since_ms: since.map_or(now_ms, |before| before.since_ms),
        };
        match self.ledger.ask(&waiting) {
            Ok(()) => tracing::info!(
                peer = %terms.party(side.other()),
                "waits for a person: entente party show {job}, then approve or reject"
            ),
            Err(error) => tracing::error!(%error, "nobody can be asked"),
        }
    }

    /// What a person has decided on exactly these terms.
    fn word(&self, terms: &Terms) -> Option<Word> {
        let word = self.ledger.word(terms.job());
        let word = word.inspect_err(|error| tracing::error!(%error, "a decision"));
        let of_these = |word: &Word| word.specification == terms.specification().to_string();
        word.ok().flatten().filter(of_these)
    }

    fn in_the_name_of(&self, word: &Word, terms: &Terms, side: Side, now_ms: u64) -> Decision {
        let by = &word.by;
        let span = spans::proposed(terms);
        let _inside = span.enter();
        if word.approves {
            tracing::info!(by, "is approved by a person");
            return self.sign(terms, side, now_ms);
        }
        let reason = word.reason.as_deref();
        tracing::info!(by, reason, "is rejected by a person");
        Decision::Rejected {
            rule: "person".to_owned(),
            reason: reason
                .unwrap_or("a person there does not want it")
                .to_owned(),
        }
    }

    fn sign(&self, terms: &Terms, side: Side, at_ms: u64) -> Decision {
        let text = terms.text(side, at_ms);
        match self.credentials.sign(text.as_bytes()) {
            Ok(signature) => Decision::Approved(Signed {
                at_ms,
                signature: signature.to_string(),
            }),
            Err(error) => {
                tracing::error!(%error, "cannot be signed");
                Decision::Rejected {
                    rule: "cannot_sign".to_owned(),
                    reason: "the party's key cannot sign; see its log".to_owned(),
                }
            }
        }
    }

    fn withdraw(&self, terms: &Terms) {
        if let Err(error) = self.ledger.withdraw(terms.job()) {
            let span = spans::proposed(terms);
            let _inside = span.enter();
            tracing::warn!(%error, "is not to be decided any more");
        }
    }
}
