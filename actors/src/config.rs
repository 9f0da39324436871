//! A party's configuration. Each setting says its range, its form in a file
//! and its form in the environment; unknown keys are errors.
//!
//! In the environment `ENTENTE__` stands in front, `__` between the levels,
//! and a `-` in a name stays: `ENTENTE__PEERS__BANK-B__ADDRESS`.

mod launcher;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use entente_protocol::{job::PartyName, network::NamedTensor};
use entente_tls::{Name, TlsFiles};
use entente_wire::Spoken;
use serde::{Deserialize, Deserializer, de::Error as _};
use thiserror::Error;
use url::Url;

pub use self::launcher::{KubernetesSection, LauncherSection, ProcessSection};
use crate::{
    data::Datasets,
    network::weights::{self, WeightsError},
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

/// Addresses, one at least.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OneOrSeveral")]
pub struct Urls(Vec<Url>);

impl Urls {
    /// In the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Url> {
        self.0.iter()
    }
}

/// Files, in the order in which they were written; none if nothing was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "OneOrSeveral")]
pub struct Files(Vec<PathBuf>);

impl Files {
    /// In the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path)
    }
}

impl From<OneOrSeveral> for Files {
    fn from(written: OneOrSeveral) -> Self {
        let paths = written.split().into_iter();
        Self(
            paths
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .collect(),
        )
    }
}

/// As people write addresses and paths.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrSeveral {
    One(String),
    Several(Vec<String>),
}

impl OneOrSeveral {
    fn split(self) -> Vec<String> {
        let trimmed = |text: &str| text.trim().to_owned();
        match self {
            Self::One(text) => text.split(',').map(trimmed).collect(),
            Self::Several(texts) => texts.iter().map(|text| trimmed(text)).collect(),
        }
    }
}

impl TryFrom<OneOrSeveral> for Urls {
    type Error = url::ParseError;

    fn try_from(written: OneOrSeveral) -> Result<Self, url::ParseError> {
        let mut written = written.split();
        // One at least, which is none.
        if written.is_empty() {
            written.push(String::new());
        }
        let urls = written.iter().map(|text| text.parse());
        urls.collect::<Result<_, _>>().map(Self)
    }
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

/// A GiB of them at the longest key.
const MOST_POOL_VALUES: usize = 1 << 20;

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

/// `[weights]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsSection {
    /// `dangerously_fixed_seed`,
    /// `ENTENTE__WEIGHTS__DANGEROUSLY_FIXED_SEED`: 0 to 2^64 - 1. Draws initial
    /// weights from this number instead of the operating system, so that a run
    /// can be repeated. Who guesses it knows this party's initial weights:
    /// for demonstrations and tests alone.
    pub dangerously_fixed_seed: Option<u64>,
    /// `initial.NAME`, `ENTENTE__WEIGHTS__INITIAL__NAME`: the file of the
    /// weights that a job may start from under this name: `.safetensors`, or
    /// where it is built in, a state dict of PyTorch, `.pt` or `.pth`.
    #[serde(default)]
    pub initial: BTreeMap<String, PathBuf>,
}

impl WeightsSection {
    /// The file of the weights of this name.
    ///
    /// # Errors
    /// [`WeightsError::Unknown`] when the configuration has none.
    pub fn named(&self, name: &str) -> Result<&Path, WeightsError> {
        let path = self.initial.get(name).map(PathBuf::as_path);
        path.ok_or_else(|| WeightsError::Unknown {
            name: name.to_owned(),
            known: self.initial.keys().cloned().collect(),
        })
    }

    /// The weights of this name.
    ///
    /// # Errors
    /// As [`WeightsSection::named`], or what is wrong with the file. Its path
    /// is for this party's log alone.
    pub fn load(&self, name: &str) -> Result<Vec<NamedTensor>, WeightsError> {
        let path = self.named(name)?;
        weights::load(path).inspect_err(|error| {
            tracing::error!(weights = name, path = %path.display(), "{error}");
        })
    }
}

/// A setting out of its range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("configuration, {key}: {problem}")]
pub struct ConfigError {
    /// The setting, as `section.key`.
    pub key: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
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

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first setting that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let check = |ok: bool, key: &str, problem: &str| {
            ok.then_some(()).ok_or_else(|| ConfigError {
                key: key.to_owned(),
                problem: problem.to_owned(),
            })
        };
        check(
            (1..=1000).contains(&self.party.capacity),
            "party.capacity",
            "must be from 1 to 1000",
        )?;
        check(
            self.party
                .job_threads
                .is_none_or(|threads| (1..=1024).contains(&threads)),
            "party.job_threads",
            "must be from 1 to 1024, or be left out",
        )?;
        check(
            self.party
                .job_memory_bytes
                .is_none_or(|bytes| bytes >= 1 << 20),
            "party.job_memory_bytes",
            "must be at least 1048576 (1 MiB), or be left out",
        )?;
        let usable = |url: &Url| url.scheme() == "https" && url.has_host() && url.query().is_none();
        check(
            self.coordinator.url.iter().all(usable),
            "coordinator.url",
            "must be of the form https://host:port/; nothing here speaks without TLS",
        )?;
        check(
            (1..=1024).contains(&self.compute.threads()),
            "compute.threads",
            "must be from 1 to 1024",
        )?;
        check(
            self.compute.pool_values <= MOST_POOL_VALUES,
            "compute.pool_values",
            "must be from 0 to 1048576; 0 makes none ahead",
        )?;
        if let Some(LauncherSection::Kubernetes(section)) = &self.launcher {
            check(
                cfg!(feature = "kubernetes"),
                "launcher.kind",
                "must be process, or be left out: this software was built without \
                 --features kubernetes",
            )?;
            check(
                is_address(&section.party),
                "launcher.party",
                "must be host:port, such as entente-party-workers:7405",
            )?;
            check(
                self.party.sealing_key.is_some(),
                "party.sealing_key",
                "must be set where workers run elsewhere: they do not see a key beside the \
                 state directory",
            )?;
            check(
                section.storage_bytes >= 64 << 20,
                "launcher.storage_bytes",
                "must be at least 67108864 (64 MiB)",
            )?;
            check(
                (1..=1024).contains(&section.least_threads),
                "launcher.least_threads",
                "must be from 1 to 1024",
            )?;
        }
        self.datasets.check().map_err(|error| ConfigError {
            key: format!("datasets.{}", error.dataset),
            problem: error.fault.to_string(),
        })?;
        for (peer, section) in &self.peers {
            let address = section.address.as_deref();
            check(
                address.is_none_or(is_address),
                &format!("peers.{peer}.address"),
                "must be host:port, such as bank-b.example:7101 or [::1]:7101",
            )?;
            check(
                self.party.name.as_ref() != Some(peer),
                &format!("peers.{peer}"),
                "is this party itself; list the others",
            )?;
        }
        Ok(())
    }
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = !host.is_empty() && !host.contains([':', '/', ' ', '@']);
        let bracketed = host.starts_with('[') && host.ends_with(']');
        (plain || bracketed) && port.parse::<u16>().is_ok_and(|port| port != 0)
    })
}

#[cfg(test)]
mod tests;
