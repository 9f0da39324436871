//! A coordinator's configuration. Each setting says its range, its form in a
//! file and its form in the environment; unknown keys are errors.

use std::{net::SocketAddr, path::PathBuf};

use entente_tls::{Name, TlsFiles};
use serde::Deserialize;
use thiserror::Error;

use crate::{clock::Span, engine::Settings};

/// What a coordinator is told when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorConfig {
    /// `[coordinator]`
    pub coordinator: CoordinatorSection,
    /// `[tls]`: `ca`, `certificate` and `key`, paths of PEM files;
    /// `ENTENTE__TLS__CA` and so on.
    pub tls: TlsFiles,
}

/// `[coordinator]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorSection {
    /// `name`, `ENTENTE__COORDINATOR__NAME`: its name, which its certificate
    /// must carry. Left out: as the certificate says.
    pub name: Option<Name>,
    /// `listen`, `ENTENTE__COORDINATOR__LISTEN`: address and port of the API,
    /// for parties and users, such as `0.0.0.0:7400`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `state_dir`, `ENTENTE__COORDINATOR__STATE_DIR`: the directory for what
    /// must last, made if it is missing.
    pub state_dir: PathBuf,
    /// `store`, `ENTENTE__COORDINATOR__STORE`: the file of the jobs' store.
    /// Left out: `jobs.sqlite` in the `state_dir`.
    pub store: Option<PathBuf>,
    /// `window`, `ENTENTE__COORDINATOR__WINDOW`: exchanges that parties may
    /// begin beyond those that both have done, 1 to 1,000,000. It is how far a
    /// job goes on while its parties do not hear from the coordinator.
    #[serde(default = "default_window")]
    pub window: u64,
    /// `party_timeout_s`, `ENTENTE__COORDINATOR__PARTY_TIMEOUT_S`: a party that
    /// was not heard of for so many seconds is away, 1 to 3600. No job starts
    /// at a party that is away; one that runs there goes on.
    #[serde(default = "default_party_timeout_s")]
    pub party_timeout_s: u64,
}

fn default_window() -> u64 {
    64
}

fn default_party_timeout_s() -> u64 {
    30
}

/// A setting out of its range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("configuration, {key}: {problem}")]
pub struct ConfigError {
    /// The setting, as `section.key`.
    pub key: &'static str,
    /// What is wrong with it, and what would be right.
    pub problem: &'static str,
}

impl CoordinatorConfig {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first setting that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let section = &self.coordinator;
        let check = |ok: bool, key, problem| match ok {
            true => Ok(()),
            false => Err(ConfigError { key, problem }),
        };
        check(
            (1..=1_000_000).contains(&section.window),
            "coordinator.window",
            "must be from 1 to 1,000,000 exchanges",
        )?;
        check(
            (1..=3600).contains(&section.party_timeout_s),
            "coordinator.party_timeout_s",
            "must be from 1 to 3600 seconds",
        )
    }

    /// What the engine is told.
    pub fn settings(&self) -> Settings {
        Settings {
            window: self.coordinator.window,
            party_timeout: Span::seconds(self.coordinator.party_timeout_s),
        }
    }

    /// The file of the jobs' store.
    pub fn store(&self) -> PathBuf {
        let section = &self.coordinator;
        section
            .store
            .clone()
            .unwrap_or_else(|| section.state_dir.join("jobs.sqlite"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const LEAST: &str = r#"
        [coordinator]
        listen = "127.0.0.1:0"
        state_dir = "state"
        [tls]
        ca = "ca.pem"
        certificate = "coordinator.pem"
        key = "coordinator.key"
    "#;

    #[test]
    fn the_least_configuration_has_the_documented_defaults() {
        let config: CoordinatorConfig = toml::from_str(LEAST).unwrap();
        config.check().unwrap();
        assert_eq!(config.settings().window, 64);
        assert_eq!(config.settings().party_timeout, Span::seconds(30));
        assert_eq!(config.store(), PathBuf::from("state/jobs.sqlite"));
        assert_eq!(config.coordinator.name, None);
    }

    #[test]
    fn unknown_keys_and_values_out_of_range_are_refused_by_name() {
        let with = |line: &str| {
            let text = LEAST.replace("[tls]", &format!("{line}\n[tls]"));
            toml::from_str::<CoordinatorConfig>(&text)
        };
        assert!(with("windows = 64").is_err());
        assert!(with("name = \"Not A Name\"").is_err());
        for (line, key) in [
            ("window = 0", "coordinator.window"),
            ("window = 1_000_001", "coordinator.window"),
            ("party_timeout_s = 0", "coordinator.party_timeout_s"),
            ("party_timeout_s = 3601", "coordinator.party_timeout_s"),
        ] {
            assert_eq!(with(line).unwrap().check().unwrap_err().key, key, "{line}");
        }
    }
}
