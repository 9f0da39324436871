//! What a run's figures hang on, written down beside them: figures of two
//! settings, or of two machines, do not go into one report.

use std::{fs, thread};

use entente_he::{KeyBits, Tier};
use serde::{Deserialize, Serialize};

use crate::{cli::ReproduceArgs, exit::Failure};

/// The settings of a run, and the machine that it runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Of this software.
    pub(super) version: String,
    pub(super) quick: bool,
    pub(super) key_bits: u32,
    /// Seeds of a dataset, from 1.
    pub(super) seeds: u64,
    pub(super) machine: Machine,
}

/// What the seconds hang on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Machine {
    /// The processor, as the system calls it.
    pub(super) cpu: String,
    /// Threads that this process may use.
    pub(super) threads: usize,
    /// The tier of the engine for big integers.
    pub(super) he_tier: String,
    /// Whether this is a build for speed.
    pub(super) release: bool,
}

impl Settings {
    pub(super) fn of(args: &ReproduceArgs) -> Result<Self, Failure> {
        KeyBits::new(args.key_bits).map_err(Failure::configuration)?;
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            quick: args.quick,
            key_bits: args.key_bits,
            seeds: args.seeds.unwrap_or(if args.quick { 2 } else { 5 }),
            machine: Machine::this()?,
        })
    }

    /// What differs from `other`, in words; nothing if they agree.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let (one, two) = (self.told(), other.told());
        one.iter()
            .zip(&two)
            .filter(|((_, one), (_, two))| one != two)
            .map(|((what, one), (_, two))| format!("{what} {one} there, {two} now"))
            .collect()
    }

    /// Each setting with its value.
    fn told(&self) -> [(&'static str, String); 8] {
        let build = |release: bool| if release { "release" } else { "debug" };
        [
            ("version", self.version.clone()),
            ("--quick", self.quick.to_string()),
            ("--key-bits", self.key_bits.to_string()),
            ("--seeds", self.seeds.to_string()),
            ("processor", self.machine.cpu.clone()),
            ("threads", self.machine.threads.to_string()),
            ("tier", self.machine.he_tier.clone()),
            ("build", build(self.machine.release).to_owned()),
        ]
    }
}

impl Machine {
    fn this() -> Result<Self, Failure> {
        let tier = Tier::configured().map_err(Failure::configuration)?;
        Ok(Self {
            cpu: cpu().unwrap_or_else(|| "unknown".to_owned()),
            threads: thread::available_parallelism().map_or(1, usize::from),
            he_tier: tier.label().to_owned(),
            release: !cfg!(debug_assertions),
        })
    }
}

/// The processor's name, as Linux tells it.
fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::reproduce) fn settings() -> Settings {
        Settings {
            version: "0.1.0".to_owned(),
            quick: false,
            key_bits: 2048,
            seeds: 5,
            machine: Machine {
                cpu: "a processor".to_owned(),
                threads: 2,
                he_tier: "portable".to_owned(),
                release: true,
            },
        }
    }

    #[test]
    fn what_differs_is_named_with_both_values() {
        let there = settings();
        assert!(there.differences(&there).is_empty());
        let mut now = settings();
        now.key_bits = 3072;
        now.machine.threads = 4;
        assert_eq!(
            there.differences(&now),
            ["--key-bits 2048 there, 3072 now", "threads 2 there, 4 now"]
        );
    }
}
