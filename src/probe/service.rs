//! Which service a configuration is about, and where it is asked.

use std::{net::SocketAddr, path::Path};

use entente_actors::PartyConfig;
use entente_coordinator::CoordinatorConfig;
use entente_tls::TlsFiles;
use serde::{Deserialize, de::IgnoredAny};

use crate::{exit::Failure, line, settings};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Party,
    Coordinator,
}

/// The service beside us.
pub(super) struct Service {
    pub(super) role: Role,
    pub(super) at: SocketAddr,
    pub(super) tls: TlsFiles,
}

/// A party's configuration alone has this section.
#[derive(Deserialize)]
struct Sections {
    party: Option<IgnoredAny>,
}

impl Service {
    /// The one that is configured by `path`.
    ///
    /// # Errors
    /// [`Failure::Configuration`], also where it says no address to ask at.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        let sections: Sections = settings::load(path)?;
        let (role, listen, key, tls) = match sections.party {
            Some(_) => {
                let config: PartyConfig = settings::load(path)?;
                let listen = config.metrics.listen;
                (Role::Party, listen, "[metrics] listen", config.tls)
            }
            None => {
                let config: CoordinatorConfig = settings::load(path)?;
                let listen = Some(config.coordinator.listen);
                let key = "[coordinator] listen";
                (Role::Coordinator, listen, key, config.tls)
            }
        };
        let at = listen.filter(|listen| listen.port() != 0).ok_or_else(|| {
            Failure::Configuration(format!(
                "{}: a probe asks at {key}: write an address and a port there, not port 0",
                path.display()
            ))
        })?;
        Ok(Self {
            role,
            at: line::from_here(at),
            tls,
        })
    }
}
