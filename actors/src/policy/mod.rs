//! Which jobs a party takes part in: its own policy, in a file of its own.
//!
//! ```toml
//! approval = "person"                 # or "automatic"; for the entries that say neither
//!
//! [[allow]]                           # the first entry that is about a job decides on it
//! peers = ["bank-a"]                  # about: with whom, ...
//! datasets = ["iris"]                 # ... over which data, ...
//! tasks = ["train", "evaluate"]       # ... to what end
//! max_epochs = 100                    # limits: what the job must keep to
//! min_batch_size = 16
//! max_leak_auc = 0.9
//! approval = "automatic"
//! ```
//!
//! **The first entry that is about a job decides**, and a job that breaks one of
//! its limits is refused, though a later entry might allow it: who reads the file
//! from the top knows at the first match what holds. **What no entry is about is
//! refused.**
//!
//! An evaluation is a function of policy, task and side, and of nothing else: no
//! clock, no file, nobody's word. What it says of a refusal comes twice. The
//! record of the job, which others read, gets the rule's name; what the rule says is
//! this party's affair and goes into its own log.

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use entente_protocol::job::{PartyName, Protocol, Side, Task};

pub use self::file::{Policy, PolicyError};
use self::file::{Rule, TaskKind};

/// Who approves of what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// The party itself, at once.
    Automatic,
    /// A person: `entente party approve`.
    #[default]
    Person,
}

/// What a policy says to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// The party takes part.
    Approved,
    /// A person has to decide.
    NeedsPerson,
    /// The party does not take part.
    Refused(Refusal),
}

/// Why a policy refuses a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule, from a closed set: `no_entry`, or the limit's key in the file.
    pub rule: &'static str,
    /// For the record of the job.
    pub for_record: String,
    /// For the party's own log.
    pub in_full: String,
}

impl Policy {
    /// What the policy says to a job in which the party takes a side.
    pub fn evaluate(&self, task: &Task, side: Side) -> Ruling {
        let peer = task.party(side.other());
        let decides = self.allow.iter().zip(1..);
        let Some((rule, number)) = decides
            .into_iter()
            .find(|(rule, _)| rule.is_about(task, peer))
        else {
            return Ruling::Refused(Refusal {
                rule: "no_entry",
                for_record: "no entry of the party's policy is about such a job".to_owned(),
                in_full: format!(
                    "no [[allow]] of the policy is about a job to {} with {peer} over the dataset \
                     {:?}",
                    task.label(),
                    dataset(task)
                ),
            });
        };
        if let Some((limit, in_full)) = rule.broken_limit(task) {
            return Ruling::Refused(Refusal {
                rule: limit,
                for_record: format!("the party's policy sets a limit that the job breaks: {limit}"),
                in_full: format!("[[allow]] number {number} decides: {in_full}"),
            });
        }
        match rule.approval.unwrap_or(self.approval) {
            Approval::Automatic => Ruling::Approved,
            Approval::Person => Ruling::NeedsPerson,
        }
    }
}

impl Rule {
    fn is_about(&self, task: &Task, peer: &PartyName) -> bool {
        fn has<T: Ord>(listed: &Option<BTreeSet<T>>, what: &T) -> bool {
            listed.as_ref().is_none_or(|listed| listed.contains(what))
        }
        let dataset = dataset(task).to_owned();
        has(&self.peers, peer)
            && has(&self.datasets, &dataset)
            && has(&self.tasks, &TaskKind::of(task))
            && has(&self.protocols, &protocol(task).into())
    }

    /// The first limit that the job breaks: its key, and what it says.
    fn broken_limit(&self, task: &Task) -> Option<(&'static str, String)> {
        let bits = key_bits(task);
        if bits < self.min_key_bits.bits() {
            let least = self.min_key_bits.bits();
            let said = format!("keys have {least} bits at least, and the job wants {bits}");
            return Some(("min_key_bits", said));
        }
        // A model that is asked learns nothing, and releases no gradients.
        let Task::Train(job) = task else { return None };
        let (training, privacy) = (&job.spec().training, &job.spec().privacy);
        if training.batch_size < self.min_batch_size {
            let (least, asked) = (self.min_batch_size, training.batch_size);
            let said = format!("a batch has {least} samples at least, and the job's has {asked}");
            return Some(("min_batch_size", said));
        }
        if let Some(most) = self.max_epochs.filter(|most| training.epochs > *most) {
            let asked = training.epochs;
            let said = format!("training takes {most} epochs at most, and the job wants {asked}");
            return Some(("max_epochs", said));
        }
        if let Some(most) = self.max_leak_auc {
            let bound = privacy.max_leak_auc;
            if bound.is_none_or(|bound| bound > most) {
                let bound = bound.map_or_else(|| "none".to_owned(), |bound| bound.to_string());
                let said = format!(
                    "privacy.max_leak_auc must be set, to {most} at most, and the job's is {bound}"
                );
                return Some(("max_leak_auc", said));
            }
        }
        None
    }
}

/// The dataset that a job names. Also where this side needs none: a policy about
/// data is about what the job says, not about how it is computed.
fn dataset(task: &Task) -> &str {
    match task {
        Task::Train(job) => &job.spec().data.dataset,
        Task::Infer(inference) => &inference.spec().data.dataset,
    }
}

/// The protocol between the parties. A model is asked as it was trained.
fn protocol(task: &Task) -> Protocol {
    match task {
        Task::Train(job) => job.spec().protocol,
        Task::Infer(_) => Protocol::Acml,
    }
}

fn key_bits(task: &Task) -> u32 {
    match task {
        Task::Train(job) => job.spec().encryption.key_bits,
        Task::Infer(inference) => inference.spec().encryption.key_bits,
    }
}
