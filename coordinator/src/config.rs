//! A coordinator's configuration. Each setting says its range, its form in a
//! file and its form in the environment; unknown keys are errors.

mod retries;

use std::{fs, io, net::SocketAddr, path::PathBuf, time::Duration};

use entente_tls::{Name, TlsFiles};
use entente_wire::Secret;
use serde::Deserialize;
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

use crate::{clock::Span, engine::Settings, store::Location};

pub use retries::RetriesSection;

/// What a coordinator is told when it starts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorConfig {
    /// `[coordinator]`
    pub coordinator: CoordinatorSection,
    /// `[retries]`, which may be left out.
    #[serde(default)]
    pub retries: RetriesSection,
    /// `[tls]`: certificates, and who is trusted; see [`TlsFiles`].
    pub tls: TlsFiles,
}

/// `[coordinator]`
#[derive(Debug, Clone, Deserialize)]
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
    /// `store`, `ENTENTE__COORDINATOR__STORE`: where jobs are kept: a file of
    /// SQLite (a path, or `sqlite://PATH`), or a database of a PostgreSQL server
    /// (`postgres://USER@HOST:PORT/DATABASE`), which several coordinators may
    /// share. Left out: `jobs.sqlite` in the `state_dir`.
    pub store: Option<Location>,
    /// `store_password_file`, `ENTENTE__COORDINATOR__STORE_PASSWORD_FILE`: the
    /// file with the server's password and nothing else. Left out: as `store`
    /// says, or none.
    pub store_password_file: Option<PathBuf>,
    /// `advertise`, `ENTENTE__COORDINATOR__ADVERTISE`: where parties and users
    /// reach it, `https://host:port/`: what the coordinators that stand by tell
    /// them while this one leads. Left out: the address that it listens at.
    pub advertise: Option<Url>,
    /// `lease_s`, `ENTENTE__COORDINATOR__LEASE_S`: with a store that several
    /// coordinators share, one that leads and was not heard of for so many
    /// seconds is replaced, 3 to 300.
    #[serde(default = "default_lease_s")]
    pub lease_s: u64,
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
    /// `patience_s`, `ENTENTE__COORDINATOR__PATIENCE_S`: a job of normal
    /// priority that has waited for room for so many seconds goes before others
    /// and has places kept for it, 1 to 604,800 (a week); one of high priority
    /// after a quarter of it, one of low priority after four times as long.
    #[serde(default = "default_patience_s")]
    pub patience_s: u64,
}

fn default_window() -> u64 {
    64
}

fn default_patience_s() -> u64 {
    7200
}

fn default_lease_s() -> u64 {
    10
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
        )?;
        check(
            (1..=604_800).contains(&section.patience_s),
            "coordinator.patience_s",
            "must be from 1 to 604,800 seconds",
        )?;
        check(
            (3..=300).contains(&section.lease_s),
            "coordinator.lease_s",
            "must be from 3 to 300 seconds",
        )?;
        let url = section.advertise.as_ref();
        check(
            url.is_none_or(|url| url.scheme() == "https" && url.has_host()),
            "coordinator.advertise",
            "must be of the form https://host:port/; nothing here speaks without TLS",
        )?;
        let may_have_a_file = match &section.store {
            Some(Location::Postgres(server)) => !server.has_password(),
            Some(Location::Sqlite(_)) | None => false,
        };
        check(
            section.store_password_file.is_none() || may_have_a_file,
            "coordinator.store_password_file",
            "is for a store at postgres:// whose URL has no password",
        )?;
        let mut retries = self.retries.ranges().into_iter();
        retries.try_for_each(|(ok, key, problem)| check(ok, key, problem))
    }

    /// What the engine is told.
    pub fn settings(&self) -> Settings {
        Settings {
            window: self.coordinator.window,
            party_timeout: Span::seconds(self.coordinator.party_timeout_s),
            retries: self.retries.settings(),
            patience: Span::seconds(self.coordinator.patience_s),
        }
    }

    /// How long it leads without renewing its lease.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.coordinator.lease_s)
    }

    /// Where jobs are kept. Reads the file with the password, if there is one.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub fn store(&self) -> io::Result<Location> {
        let section = &self.coordinator;
        let location = section
            .store
            .clone()
            .unwrap_or_else(|| Location::Sqlite(section.state_dir.join("jobs.sqlite")));
        match (location, &section.store_password_file) {
            (Location::Postgres(server), Some(file)) => {
                let text = Zeroizing::new(fs::read_to_string(file)?);
                let line = text.strip_suffix('\n').unwrap_or(&text);
                let password = Secret::new(line.to_owned());
                Ok(Location::Postgres(server.with_password(password)))
            }
            (location, _) => Ok(location),
        }
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
        assert_eq!(config.settings().patience, Span::seconds(7200));
        assert_eq!(config.lease(), Duration::from_secs(10));
        assert_eq!(config.store().unwrap().to_string(), "state/jobs.sqlite");
        assert_eq!(config.coordinator.name, None);
        let retries = config.settings().retries;
        assert_eq!((retries.transient, retries.bug), (5, 1));
        let waits = (retries.first_wait, retries.longest_wait);
        assert_eq!(waits, (Span::seconds(5), Span::seconds(600)));
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
            ("patience_s = 0", "coordinator.patience_s"),
            ("patience_s = 604_801", "coordinator.patience_s"),
            ("lease_s = 2", "coordinator.lease_s"),
            ("lease_s = 301", "coordinator.lease_s"),
            ("advertise = \"http://host:1/\"", "coordinator.advertise"),
            (
                "store_password_file = \"password\"",
                "coordinator.store_password_file",
            ),
            (
                "store = \"postgres://ann:hunter2@db/jobs\"\nstore_password_file = \"password\"",
                "coordinator.store_password_file",
            ),
        ] {
            assert_eq!(with(line).unwrap().check().unwrap_err().key, key, "{line}");
        }
        assert!(with("[retries]\nbugs = 1").is_err());
        for (line, key) in [
            ("transient = 21", "retries.transient"),
            ("bug = 6", "retries.bug"),
            ("first_wait_s = 0", "retries.first_wait_s"),
            ("first_wait_s = 3601", "retries.first_wait_s"),
            ("longest_wait_s = 4", "retries.longest_wait_s"),
            ("longest_wait_s = 86_401", "retries.longest_wait_s"),
        ] {
            let config = with(&format!("[retries]\n{line}")).unwrap();
            assert_eq!(config.check().unwrap_err().key, key, "{line}");
        }
    }
    #[test]
    fn a_password_comes_from_the_url_or_a_file_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "hunter2\n").unwrap();
        let said = [
            "store = \"postgres://ann:hunter2@db/jobs\"".to_owned(),
            format!(
                "store = \"postgres://ann@db/jobs\"\nstore_password_file = {:?}",
                file.display()
            ),
        ];
        for said in said {
            let text = LEAST.replace("[tls]", &format!("{said}\n[tls]"));
            let config: CoordinatorConfig = toml::from_str(&text).unwrap();
            config.check().unwrap();
            let store = config.store().unwrap();
            assert!(matches!(&store, Location::Postgres(server) if server.has_password()));
            assert_eq!(store.to_string(), "postgres://ann@db/jobs");
            assert!(!format!("{config:?} {store:?}").contains("hunter2"));
        }
        // Nor by what complains.
        let wrong = LEAST.replace("[tls]", "store = \"mysql://ann:hunter2@db\"\n[tls]");
        let wrong = toml::from_str::<CoordinatorConfig>(&wrong).unwrap_err();
        assert!(wrong.message().contains("postgres://"), "{wrong}");
        assert!(!wrong.message().contains("hunter2"), "{wrong}");
    }
}
