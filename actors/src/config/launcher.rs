//! `[launcher]`: where a party's jobs run.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::Deserialize;

use crate::process::PartyError;
#[cfg(feature = "kubernetes")]
use crate::workers;

/// `[launcher]`: jobs run in processes of their own. Left out: in the party's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LauncherSection {
    /// `kind = "process"`, `ENTENTE__LAUNCHER__KIND`: child processes, on the party's
    /// machine.
    Process(ProcessSection),
    /// `kind = "kubernetes"`: a batch/v1 Job for each, in the party's cluster. Built
    /// with `--features kubernetes` alone.
    Kubernetes(Box<KubernetesSection>),
}

/// `[launcher]` with `kind = "process"`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessSection {
    /// `listen`, `ENTENTE__LAUNCHER__LISTEN`: address and port for its workers. Left
    /// out: a free port of this machine alone, `127.0.0.1:0`.
    #[serde(default = "loopback")]
    pub listen: SocketAddr,
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// `[launcher]` with `kind = "kubernetes"`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubernetesSection {
    /// `listen`, `ENTENTE__LAUNCHER__LISTEN`: address and port for its workers, such
    /// as `0.0.0.0:7405`. Nobody else needs to reach it.
    pub listen: SocketAddr,
    /// `party`, `ENTENTE__LAUNCHER__PARTY`: `host:port` at which workers reach that:
    /// the name of a Service.
    pub party: String,
    /// `image`, `ENTENTE__LAUNCHER__IMAGE`: the workers' image, of the party's own
    /// version.
    pub image: String,
    /// `namespace`, `ENTENTE__LAUNCHER__NAMESPACE`: where Jobs are made. Left out: in
    /// the party's own namespace.
    pub namespace: Option<String>,
    /// `service_account`, `ENTENTE__LAUNCHER__SERVICE_ACCOUNT`: the workers'. It needs
    /// no permissions. Left out: as the template says, else the namespace's default.
    pub service_account: Option<String>,
    /// `template`, `ENTENTE__LAUNCHER__TEMPLATE`: a file with the PodTemplateSpec of
    /// workers, in YAML: volumes for configuration, certificates, sealing key and
    /// data, node selectors, security context. The container `worker` in it is given
    /// image, command, resources and state. Left out: an empty one.
    pub template: Option<PathBuf>,
    /// `config`, `ENTENTE__LAUNCHER__CONFIG`: the party's configuration as the
    /// worker's container has it. Left out: `/etc/entente/entente.toml`.
    #[serde(default = "default_config")]
    pub config: PathBuf,
    /// `storage_class`, `ENTENTE__LAUNCHER__STORAGE_CLASS`: of the volume that each
    /// attempt goes on from; one that can follow a pod to another node. Left out: the
    /// cluster's default.
    pub storage_class: Option<String>,
    /// `storage_bytes`, `ENTENTE__LAUNCHER__STORAGE_BYTES`: the volume's size, at least
    /// 67108864 (64 MiB). Left out: 4294967296 (4 GiB).
    #[serde(default = "default_storage_bytes")]
    pub storage_bytes: u64,
    /// `overhead_bytes`, `ENTENTE__LAUNCHER__OVERHEAD_BYTES`: memory that a worker is
    /// given beyond its job's `resources.memory_bytes`. Left out: 134217728 (128 MiB).
    #[serde(default = "default_overhead_bytes")]
    pub overhead_bytes: u64,
    /// `least_threads`, `ENTENTE__LAUNCHER__LEAST_THREADS`: processors that a worker
    /// asks for, whatever less its job's `resources.threads` says; 1 to 1024. Left
    /// out: 1.
    #[serde(default = "default_least_threads")]
    pub least_threads: u32,
}

fn default_config() -> PathBuf {
    "/etc/entente/entente.toml".into()
}

fn default_storage_bytes() -> u64 {
    4 << 30
}

fn default_overhead_bytes() -> u64 {
    128 << 20
}

fn default_least_threads() -> u32 {
    1
}

impl LauncherSection {
    /// Where workers call.
    pub fn listen(&self) -> SocketAddr {
        match self {
            Self::Process(section) => section.listen,
            Self::Kubernetes(section) => section.listen,
        }
    }

    /// Reads what workers are made from, as a party does when it starts.
    ///
    /// # Errors
    /// [`PartyError::Launcher`] if `template` cannot be read, or is none.
    pub fn check_template(&self) -> Result<(), PartyError> {
        match self {
            #[cfg(feature = "kubernetes")]
            Self::Kubernetes(section) => workers::template(section)
                .map(drop)
                .map_err(|error| PartyError::Launcher(error.to_string())),
            #[cfg(not(feature = "kubernetes"))]
            Self::Kubernetes(_) => Ok(()),
            Self::Process(_) => Ok(()),
        }
    }
}
