//! A party's configuration. Each setting says its range, its form in a file
//! and its form in the environment; unknown keys are errors.
//!
//! In the environment `ENTENTE__` stands in front, `__` between the levels,
//! and a `-` in a name stays: `ENTENTE__PEERS__BANK-B__ADDRESS`.

mod check;
mod launcher;
mod several;
mod weights;

use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroUsize, path::PathBuf, thread};

use entente_protocol::job::PartyName;
use entente_tls::{Name, TlsFiles};
use entente_wire::Spoken;
use serde::{Deserialize, Deserializer, de::Error as _};

pub use self::{
    check::ConfigError,
    launcher::{KubernetesSection, LauncherSection, ProcessSection},
    several::{Files, Urls},
    weights::WeightsSection,
};
use crate::{
    data::Datasets,
    policy::{Policy, PolicyError},
    sealing::SealingKeySource,
};

/// What a party is told when it starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyConfig {
    /// `[party]`
    pub party: PartySection,
    /// `[tls]`: certificates, and who is trusted; see [`TlsFiles`].
    pub tls: TlsFiles,
    /// `[coordinator]`
    pub coordinator: CoordinatorSection,
    /// `[peers.NAME]`: the parties that may reach this one, by the name in
    /// their certificates.
    #[serde(default)]
    pub peers: BTreeMap<PartyName, PeerSection>,
    /// `[metrics]`
    #[serde(default)]
    pub metrics: MetricsSection,
    /// `[compute]`
    #[serde(default)]
    pub compute: ComputeSection,
    /// `[datasets.NAME]`: the datasets that jobs may name.
    #[serde(default)]
    pub datasets: Datasets,
    /// `[weights]`
    #[serde(default)]
    pub weights: WeightsSection,
    /// `[models]`
    #[serde(default)]
    pub models: ModelsSection,
    /// `[launcher]`
    pub launcher: Option<LauncherSection>,
    /// Not of the file: what starts the party says which process it is.
    #[serde(skip)]
    pub host: Option<Host>,
}

/// What a party must know of its own process to start others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The binary that runs.
    pub program: PathBuf,
    /// The file that its configuration came from.
    pub config: PathBuf,
    /// What else its workers are told on their command line.
    pub arguments: Vec<String>,
}

/// `[party]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartySection {
    /// `name`, `ENTENTE__PARTY__NAME`: the party's name, which its certificate
    /// must carry. Left out: as the certificate says.
    pub name: Option<PartyName>,
    /// `listen`, `ENTENTE__PARTY__LISTEN`: address and port for other parties,
    /// such as `0.0.0.0:7101`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `state_dir`, `ENTENTE__PARTY__STATE_DIR`: the directory for what must
    /// last, made if it is missing, for this party alone. Finished halves of
    /// models are below `models/`, what running jobs go on from after a crash
    /// below `jobs/`, readable by their owner alone.
    pub state_dir: PathBuf,
    /// `capacity`, `ENTENTE__PARTY__CAPACITY`: jobs at once, 1 to 1000.
    #[serde(default = "default_capacity")]
    pub capacity: u32,
    /// `job_threads`, `ENTENTE__PARTY__JOB_THREADS`: threads that its jobs may
    /// count on all in all, 1 to 1024, by the `[resources]` of each (1 if it says
    /// nothing). Left out: not counted.
    pub job_threads: Option<u32>,
    /// `job_memory_bytes`, `ENTENTE__PARTY__JOB_MEMORY_BYTES`: memory that its
    /// jobs may count on all in all, at least 1048576 (1 MiB), by the
    /// `[resources]` of each (256 MiB if it says nothing). Left out: not counted.
    pub job_memory_bytes: Option<u64>,
    /// `policy`, `ENTENTE__PARTY__POLICY`: the file that says which jobs this party
    /// takes part in. Left out: any with a party under `[peers]`, if a person
    /// approves of it (`entente party approve`). Read when the party starts.
    pub policy: Option<PathBuf>,
    /// `sealing_key`: the key that what running jobs go on from is sealed with,
    /// 64 hexadecimal digits: `{ file = "PATH" }`
    /// (`ENTENTE__PARTY__SEALING_KEY__FILE`), readable by its owner alone (or the
    /// superuser's, readable by a group of this process), or
    /// `{ environment = "NAME" }` (`ENTENTE__PARTY__SEALING_KEY__ENVIRONMENT`), a
    /// variable that holds it. Left out: the file `STATE_DIR.sealing-key` beside
    /// the state directory, made when the party starts for the first time.
    pub sealing_key: Option<SealingKeySource>,
    /// `former_sealing_keys`, `ENTENTE__PARTY__FORMER_SEALING_KEYS`: files of keys
    /// that were `sealing_key` before: a list in the file, commas between them in
    /// the environment. They unseal what jobs have written since.
    #[serde(default)]
    pub former_sealing_keys: Files,
    /// `newest_wire_version`, `ENTENTE__PARTY__NEWEST_WIRE_VERSION`: a version of the
    /// wire format, 1 or 2, beyond which this party speaks none, whatever its peers
    /// do. Left out: all that this release speaks. For the days after an upgrade:
    /// what begins while it is set can go on after the release before has been
    /// put back.
    #[serde(rename = "newest_wire_version", default, deserialize_with = "up_to")]
    pub spoken: Spoken,
    /// `dangerously_allow_core_dumps`,
    /// `ENTENTE__PARTY__DANGEROUSLY_ALLOW_CORE_DUMPS`: whether the system may
    /// write this process's memory, with its secret keys, to a disk when it
    /// crashes, and other processes of its user may read it; false if left out.
    /// For tests and for debuggers.
    #[serde(default)]
    pub dangerously_allow_core_dumps: bool,
}

fn default_capacity() -> u32 {
    4
}

/// What is spoken without any version that is newer than a number.
fn up_to<'de, D: Deserializer<'de>>(number: D) -> Result<Spoken, D::Error> {
    let Some(number) = Option::<u16>::deserialize(number)? else {
        return Ok(Spoken::ALL);
    };
    let newest = Spoken::ALL.version(number).map_err(D::Error::custom)?;
    Ok(Spoken::up_to(newest))
}

/// `[coordinator]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorSection {
    /// `url`, `ENTENTE__COORDINATOR__URL`: where it is, `https://host:port/`. Of
    /// several of which one leads, all: a list in the file, commas between them
    /// in the environment.
    pub url: Urls,
    /// `name`, `ENTENTE__COORDINATOR__NAME`: its name, which its certificate
    /// must carry; of several, each one's.
    pub name: Name,
}

/// `[peers.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSection {
    /// `address`, `ENTENTE__PEERS__NAME__ADDRESS`: `host:port` to dial. Left
    /// out: the peer is waited for. One side's address is enough.
    pub address: Option<String>,
}

/// `[metrics]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSection {
    /// `listen`, `ENTENTE__METRICS__LISTEN`: address and port of `/metrics`,
    /// `/healthz` and `/readyz`, over mutual TLS as everything; port 0 takes a
    /// free one. Left out: not served.
    pub listen: Option<SocketAddr>,
}

/// `[compute]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ComputeSection {
    /// `threads`, `ENTENTE__COMPUTE__THREADS`: threads for computations, 1 to
    /// 1024, whatever the number of jobs. Left out: as many cores as this
    /// process may use, by its control group and its affinity.
    pub threads: Option<NonZeroUsize>,
    /// `pool_values`, `ENTENTE__COMPUTE__POOL_VALUES`: random values that each
    /// job makes ahead of its rounds while this party has nothing to compute,
    /// 0 to 1048576. Left out: 4096, some rounds of the largest usual batch. A
    /// value is as long as a ciphertext (512 bytes at 2048 bits, 1024 at 4096),
    /// so that 4096 of them take 2 to 4 MiB a job, `capacity` jobs as many
    /// times that. 0: none, and no threads for it.
    pub pool_values: usize,
}

impl Default for ComputeSection {
    fn default() -> Self {
        Self {
            threads: None,
            pool_values: 4096,
        }
    }
}

impl ComputeSection {
    /// The threads to use.
    pub fn threads(&self) -> usize {
        self.threads
            .or_else(|| thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get)
    }
}

/// `[models]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelsSection {
    /// `give_logits`, `ENTENTE__MODELS__GIVE_LOGITS`: whether this party, where
    /// it has the labels, takes part in predictions for the features' side;
    /// false if left out. That side can work out this party's half of the model
    /// from the logits of a few rows: h + 1 of them, h the width of the cut.
    pub give_logits: bool,
}

impl PartyConfig {
    /// Which jobs this party takes part in.
    ///
    /// # Errors
    /// [`PolicyError`] naming the file and what is wrong with it.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        match &self.party.policy {
            Some(path) => Policy::load(path),
            None => Ok(Policy::asks_a_person()),
        }
    }
}

#[cfg(test)]
mod tests;
