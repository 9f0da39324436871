//! What a person writes into a policy file.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use entente_protocol::job::{PartyName, Protocol, Task};
use serde::Deserialize;
use thiserror::Error;

use super::Approval;

/// Which jobs a party takes part in. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `approval`: who approves of what an entry allows that says nothing of it:
    /// `"person"` if left out.
    #[serde(default)]
    pub(super) approval: Approval,
    /// `[[allow]]`: the entries, in order. None: every job is refused.
    #[serde(default)]
    pub(super) allow: Vec<Rule>,
}

/// `[[allow]]`: what it is about, and within which limits. A list that is left out
/// stands for all; one that is empty is an error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// `peers`: who takes the other side.
    pub(super) peers: Option<BTreeSet<PartyName>>,
    /// `datasets`: as the job names them.
    pub(super) datasets: Option<BTreeSet<String>>,
    /// `tasks`: `"train"`, `"evaluate"`, `"predict"`.
    pub(super) tasks: Option<BTreeSet<TaskKind>>,
    /// `protocols`: `"acml"`.
    pub(super) protocols: Option<BTreeSet<ProtocolKind>>,
    /// `min_key_bits`: 2048, 3072 or 4096; 2048 if left out. Shorter keys cannot be
    /// asked for, whatever a policy says.
    #[serde(default)]
    pub(super) min_key_bits: MinKeyBits,
    /// `min_batch_size`: samples of a batch in training, 1 to 65536; 1 if left out.
    #[serde(default = "one")]
    pub(super) min_batch_size: usize,
    /// `max_epochs`: passes over the data in training, 1 to 1000000.
    pub(super) max_epochs: Option<u32>,
    /// `max_leak_auc`: a training must set `privacy.max_leak_auc`, to so much at
    /// most: 0.5 to 1.
    pub(super) max_leak_auc: Option<f64>,
    /// `approval`: who approves of what this entry allows.
    pub(super) approval: Option<Approval>,
}

fn one() -> usize {
    1
}

/// `tasks`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TaskKind {
    Train,
    Evaluate,
    Predict,
}

impl TaskKind {
    pub(super) fn of(task: &Task) -> Self {
        use entente_protocol::job::Question;
        match task {
            Task::Train(_) => Self::Train,
            Task::Infer(inference) => match inference.question() {
                Question::Evaluate => Self::Evaluate,
                Question::Predict { .. } => Self::Predict,
            },
        }
    }
}

/// `protocols`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProtocolKind {
    Acml,
}

impl From<Protocol> for ProtocolKind {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Acml => Self::Acml,
        }
    }
}

/// `min_key_bits`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct MinKeyBits(u32);

impl MinKeyBits {
    pub(super) fn bits(self) -> u32 {
        self.0
    }
}

impl Default for MinKeyBits {
    fn default() -> Self {
        Self(2048)
    }
}

impl TryFrom<u32> for MinKeyBits {
    type Error = &'static str;

    fn try_from(bits: u32) -> Result<Self, Self::Error> {
        match bits {
            2048 | 3072 | 4096 => Ok(Self(bits)),
            _ => Err("min_key_bits must be 2048, 3072 or 4096"),
        }
    }
}

/// Why a policy cannot be used.
#[derive(Debug, Error)]
#[error("{}: {problem}", path.display())]
pub struct PolicyError {
    /// The file.
    path: PathBuf,
    /// What is wrong with it.
    problem: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error("{0}; [party] policy names the file")]
    Unreadable(#[from] io::Error),
    #[error("{0}")]
    NotToml(#[from] toml::de::Error),
    #[error("[[allow]] number {entry}: {problem}")]
    OutOfRange { entry: usize, problem: &'static str },
}

impl Policy {
    /// Without a policy file: any job with a party that the configuration lists,
    /// if a person approves of it.
    pub fn asks_a_person() -> Self {
        let about_all = Rule {
            peers: None,
            datasets: None,
            tasks: None,
            protocols: None,
            min_key_bits: MinKeyBits::default(),
            min_batch_size: one(),
            max_epochs: None,
            max_leak_auc: None,
            approval: None,
        };
        Self {
            approval: Approval::Person,
            allow: vec![about_all],
        }
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`] naming the file, and the line or the entry that is wrong.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        let read = || -> Result<Self, Problem> { Self::parse(&fs::read_to_string(path)?) };
        read().map_err(|problem| PolicyError {
            path: path.to_owned(),
            problem,
        })
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let policy: Self = toml::from_str(text)?;
        for (rule, entry) in policy.allow.iter().zip(1..) {
            rule.check()
                .map_err(|problem| Problem::OutOfRange { entry, problem })?;
        }
        Ok(policy)
    }

    /// The same, of what is written.
    #[cfg(test)]
    pub(super) fn of(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|problem| problem.to_string())
    }
}

impl Rule {
    fn check(&self) -> Result<(), &'static str> {
        fn says<T>(listed: &Option<BTreeSet<T>>) -> bool {
            listed.as_ref().is_none_or(|listed| !listed.is_empty())
        }
        let checks = [
            (
                says(&self.peers),
                "peers lists nobody: leave it out for all",
            ),
            (
                says(&self.datasets),
                "datasets lists none: leave it out for all",
            ),
            (says(&self.tasks), "tasks lists none: leave it out for all"),
            (
                says(&self.protocols),
                "protocols lists none: leave it out for all",
            ),
            (
                (1..=65_536).contains(&self.min_batch_size),
                "min_batch_size must be from 1 to 65536",
            ),
            (
                self.max_epochs
                    .is_none_or(|epochs| (1..=1_000_000).contains(&epochs)),
                "max_epochs must be from 1 to 1000000",
            ),
            (
                self.max_leak_auc
                    .is_none_or(|auc| (0.5..=1.0).contains(&auc)),
                "max_leak_auc must be from 0.5 (guessing) to 1 (certainty)",
            ),
        ];
        let broken = checks.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, problem)| Err(problem))
    }
}
