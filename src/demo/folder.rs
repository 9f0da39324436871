//! The folder that a demonstration works in: certificates, configurations,
//! logs and the parties' state. Gone when it ends.

use std::{
    fs::{self, DirBuilder},
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use entente_tls::{DevelopmentCa, Identity, Name, TlsFiles, Validity};

use super::job::{ACTIVE, COORDINATOR, PASSIVE};
use crate::{data::declared::Half, exit::Failure};

/// Where a demonstration keeps its files.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder, for this user alone, and in it a certificate
    /// authority and a certificate for each.
    pub(super) fn create() -> Result<Self, Failure> {
        let name = format!("entente-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| {
                Failure::Runtime(format!("{} cannot be made: {error}", path.display()))
            })?;
        let folder = Self { path };
        folder.make_certificates()?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn make_certificates(&self) -> Result<(), Failure> {
        let ca = DevelopmentCa::create("entente demo CA").map_err(Failure::runtime)?;
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        for identity in [
            Identity::coordinator(name(COORDINATOR)?),
            Identity::party(name(ACTIVE)?),
            Identity::party(name(PASSIVE)?),
            Identity::user(name("demo")?),
        ] {
            let stem = identity.name.to_string();
            ca.issue(&identity, &hosts, Validity::days(1))
                .and_then(|issued| issued.save(&self.path, &stem))
                .map_err(Failure::runtime)?;
        }
        Ok(())
    }

    /// The certificate of the one who submits and looks.
    pub(super) fn user(&self) -> TlsFiles {
        TlsFiles::new(
            self.path.join("ca.pem"),
            self.path.join("demo.pem"),
            self.path.join("demo.key"),
        )
    }

    fn tls(&self, stem: &str) -> toml::Value {
        let file = |name: String| toml::Value::from(self.path.join(name).display().to_string());
        toml::Value::Table(toml::Table::from_iter([
            ("ca".to_owned(), file("ca.pem".into())),
            ("certificate".to_owned(), file(format!("{stem}.pem"))),
            ("key".to_owned(), file(format!("{stem}.key"))),
        ]))
    }

    /// Writes the coordinator's configuration.
    pub(super) fn configure_coordinator(&self) -> Result<(), Failure> {
        let mut config = toml::toml! {
            [coordinator]
            listen = "127.0.0.1:0"
        };
        insert(
            &mut config,
            "coordinator",
            "state_dir",
            self.state(COORDINATOR),
        );
        config.insert("tls".into(), self.tls(COORDINATOR));
        self.write(COORDINATOR, &config)
    }

    /// Writes a party's configuration. The active party dials the passive one,
    /// whose address is known by then.
    pub(super) fn configure_party(
        &self,
        party: &str,
        coordinator: SocketAddr,
        peer: Option<SocketAddr>,
        dataset: (&str, &Half),
        seed: u64,
    ) -> Result<(), Failure> {
        let other = if party == ACTIVE { PASSIVE } else { ACTIVE };
        let mut config = toml::toml! {
            [party]
            listen = "127.0.0.1:0"
            [metrics]
            listen = "127.0.0.1:0"
            [compute]
            threads = 1
        };
        insert(&mut config, "party", "state_dir", self.state(party));
        insert(&mut config, "party", "policy", self.policy(other)?);
        config.insert("tls".into(), self.tls(party));
        let url = format!("https://localhost:{}", coordinator.port());
        insert(&mut config, "coordinator", "url", url);
        insert(&mut config, "coordinator", "name", COORDINATOR.to_owned());
        let mut peers = toml::Table::new();
        let mut entry = toml::Table::new();
        if let Some(address) = peer {
            entry.insert("address".into(), address.to_string().into());
        }
        peers.insert(other.into(), entry.into());
        config.insert("peers".into(), peers.into());
        let (name, half) = dataset;
        let datasets = toml::Table::from_iter([(name.to_owned(), half.table().clone().into())]);
        config.insert("datasets".into(), datasets.into());
        let mut weights = toml::Table::new();
        // Known beforehand here, and only here, so that the plaintext network
        // can start from the same weights.
        weights.insert(
            "dangerously_fixed_seed".into(),
            toml::Value::Integer(seed.cast_signed()),
        );
        config.insert("weights".into(), weights.into());
        self.write(party, &config)
    }

    /// Writes what the parties of a demonstration approve of by themselves: jobs
    /// with each other.
    fn policy(&self, peer: &str) -> Result<String, Failure> {
        let path = self.path.join(format!("policy-for-{peer}.toml"));
        let text = format!("[[allow]]\npeers = [\"{peer}\"]\napproval = \"automatic\"\n");
        fs::write(&path, text).map_err(Failure::runtime)?;
        Ok(path.display().to_string())
    }

    fn state(&self, name: &str) -> String {
        self.path
            .join(format!("{name}.state"))
            .display()
            .to_string()
    }

    fn write(&self, name: &str, config: &toml::Table) -> Result<(), Failure> {
        let text = toml::to_string(config).map_err(Failure::runtime)?;
        fs::write(self.path.join(format!("{name}.toml")), text).map_err(Failure::runtime)
    }

    /// A party's half of the model, which it saved at the end.
    pub(super) fn half(&self, party: &str, job: &str) -> Result<Vec<u8>, Failure> {
        let state = self.path.join(format!("{party}.state"));
        let path = state.join("models").join(job).join("half.bin");
        fs::read(&path).map_err(|error| Failure::Runtime(format!("{}: {error}", path.display())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!("{} is left behind: {error}", self.path.display());
        }
    }
}

fn name(text: &str) -> Result<Name, Failure> {
    text.parse().map_err(Failure::runtime)
}

fn insert(config: &mut toml::Table, section: &str, key: &str, value: String) {
    let section = config
        .entry(section)
        .or_insert_with(|| toml::Table::new().into());
    if let Some(table) = section.as_table_mut() {
        table.insert(key.to_owned(), value.into());
    }
}
