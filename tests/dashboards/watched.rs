//! A house that a Prometheus watches.
//!
//! ```text
//!   Prometheus (reader/prometheus) ──mutual TLS──▶ coordinator
//!                                  └─────────────▶ bank-a, bank-b
//! ```
//!
//! The configuration is that of `dashboards/prometheus`, with the ports of this
//! house in it, and everything that lasts minutes there lasts a second here.
//! bank-a runs its jobs in workers, bank-b in itself, and no dashboard knows the one from
//! the other. bank-b's certificate and the revocation list live for a day, which is short
//! enough for alerts to fire.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    grafana::ALL,
    house::{House, Service, configure, eventually, folder_with_certificates, succeed},
    prometheus::{Prometheus, Sample},
    rules::impatient,
    source::{read, variables},
};

/// Prometheus scrapes so often here; a rate wants two scrapes, and a busy
/// machine a few more.
const RATE_INTERVAL: &str = "20s";

/// The house, and what watches it.
pub(crate) struct Watched {
    pub(crate) prometheus: Prometheus,
    pub(crate) house: House,
}

impl Watched {
    /// Starts everything.
    pub(crate) fn start(program: &Path) -> Self {
        let folder = folder_with_certificates();
        let path = folder.path();
        let ca = ["--ca", "pki", "--out", "pki"];
        for (kind, name, days) in [("party", "bank-b", "1"), ("reader", "prometheus", "7")] {
            for end in ["pem", "key"] {
                let _ = fs::remove_file(path.join(format!("pki/{name}.{end}")));
            }
            let words = ["cert", "issue", kind, name, "--days", days];
            succeed(path, &[&words[..], &ca].concat());
        }
        succeed(path, &["ca", "crl", "--ca", "pki", "--days", "1"]);
        fs::write(path.join("tls.toml"), "crls = [\"pki/crl.pem\"]\n").unwrap();
        let changes = [
            ("127.0.0.1:7400", "127.0.0.1:0"),
            ("party_timeout_s = 30", "party_timeout_s = 5"),
        ];
        configure(path, "coordinator", &changes);
        let coordinator = Service::start(path, "coordinator", "coordinator");
        let url = format!("{:?}", coordinator.url());
        let launcher = ["[launcher]\nkind = \"process\"\n", ""];
        let house = House::round(folder, coordinator, &url, |port| port, launcher);
        let file = Self::configuration(&house);
        let prometheus = Prometheus::start(program, &file, house.path());
        Self { prometheus, house }
    }

    /// That of the project, for this house.
    fn configuration(house: &House) -> std::path::PathBuf {
        let path = house.path();
        let pki = path.join("pki").display().to_string();
        let mut text = read("prometheus/prometheus.yml");
        let port = |service: &Service, what: &str| format!("localhost:{}", service.port(what));
        for (from, to) in [
            ("15s", "1s"),
            ("/etc/prometheus/entente", &pki),
            ("localhost:7400", &port(&house.coordinator, "api")),
            ("localhost:9401", &port(&house.active, "metrics")),
            ("localhost:9402", &port(&house.passive, "metrics")),
        ] {
            assert!(text.contains(from), "prometheus.yml has no {from:?}");
            text = text.replace(from, to);
        }
        fs::write(path.join("alerts.yml"), impatient()).unwrap();
        let file = path.join("prometheus.yml");
        fs::write(&file, text).unwrap();
        file
    }

    /// The variables of all dashboards, each with a value that somebody could
    /// have chosen; once there is a job to choose.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let mut chosen = BTreeMap::new();
        for variable in variables() {
            let matches = fill(&variable.matches, &chosen);
            let query = format!("group by ({}) ({matches})", variable.values_of);
            let value = eventually(&query, || {
                let samples = self.prometheus.now(&query).unwrap();
                samples.into_iter().find_map(|mut sample: Sample| {
                    let value = sample.labels.remove(&variable.values_of)?;
                    (!value.is_empty()).then_some(value)
                })
            });
            let value = if variable.all { ALL.to_owned() } else { value };
            chosen.insert(variable.name, value);
        }
        chosen
    }
}

/// A query as Grafana would send it.
pub(crate) fn fill(query: &str, variables: &BTreeMap<String, String>) -> String {
    let mut filled = query.replace("$__rate_interval", RATE_INTERVAL);
    // Of two names the longer one first, should one begin as the other.
    for (name, value) in variables.iter().rev() {
        filled = filled.replace(&format!("${name}"), value);
    }
    assert!(!filled.contains('$'), "{filled}");
    filled
}
