//! A house of real processes over real TLS: a coordinator and two parties,
//! made with the commands that a person would use.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod wiretap;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use entente_tls::{Credentials, Identity, TlsFiles};
use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub(crate) const ENTENTE: &str = env!("CARGO_BIN_EXE_entente");

/// Long enough for a debug build on a busy machine; never waited out when
/// things go well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// Polls until `ready` gives something.
pub(crate) fn eventually<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How each service logs, by its name; as text if nothing is said.
pub(crate) static LOG_FORMAT: OnceLock<fn(&str) -> &'static str> = OnceLock::new();

/// Runs the binary to its end.
pub(crate) fn entente(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(ENTENTE)
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

/// Runs the binary and expects it to succeed; what it printed.
pub(crate) fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = entente(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "entente {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the binary and expects an error: its exit code and what it said.
pub(crate) fn fail(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = entente(folder, arguments);
    assert!(!output.status.success(), "entente {arguments:?} succeeded");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!errors.contains("panicked"), "{errors}");
    (output.status.code().unwrap_or(-1), errors)
}

/// A running service; killed when dropped.
pub(crate) struct Service {
    child: Child,
    log: PathBuf,
    /// What it announced.
    pub(crate) addresses: Value,
}

impl Service {
    /// Starts a service whose configuration lies in `folder`.
    pub(crate) fn start(folder: &Path, role: &str, name: &str) -> Self {
        let announce = folder.join(format!("{name}.addresses.json"));
        let log = folder.join(format!("{name}.log"));
        // Of a process of this name that was killed.
        let _ = fs::remove_file(&announce);
        let lines = fs::OpenOptions::new().create(true).append(true).open(&log);
        let child = Command::new(ENTENTE)
            .current_dir(folder)
            .args([role, "--config", &format!("{name}.toml"), "--announce"])
            .arg(&announce)
            .envs(environment(folder, name))
            .args(["--until-stdin-closes", "--log-format"])
            .arg(LOG_FORMAT.get().map_or("text", |format| format(name)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(lines.unwrap())
            .spawn()
            .unwrap();
        let mut service = Self {
            child,
            log,
            addresses: Value::Null,
        };
        service.addresses = eventually(&format!("{name} is ready"), || {
            assert!(
                service.child.try_wait().unwrap().is_none(),
                "{}",
                service.log()
            );
            serde_json::from_slice(&fs::read(&announce).ok()?).ok()
        });
        service
    }

    /// Of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM, and expects it to end well and by itself. One that was
    /// stopped before stays so.
    pub(crate) fn stop(&mut self) {
        if self.child.try_wait().unwrap().is_some() {
            return;
        }
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.unwrap().success());
        let status = eventually("the process ends by itself", || {
            self.child.try_wait().unwrap()
        });
        assert!(status.success(), "{status}: {}", self.log());
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Where a coordinator's API is.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/", self.port("api"))
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn port(&self, what: &str) -> u16 {
        port(&self.addresses[what]).unwrap_or_else(|| panic!("{:?}", self.addresses))
    }

    /// All that it listens on.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let addresses = self.addresses.as_object().unwrap();
        addresses.values().filter_map(port).collect()
    }
}

/// What a test wants in a service's environment: lines `NAME=VALUE` in `SERVICE.env`.
fn environment(folder: &Path, name: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(folder.join(format!("{name}.env"))).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn port(address: &Value) -> Option<u16> {
    address.as_str()?.rsplit_once(':')?.1.parse().ok()
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Certificates for a coordinator, two parties and a user, in a new folder.
pub(crate) fn folder_with_certificates() -> TempDir {
    folder_for(&["bank-a", "bank-b"])
}

/// The same for these parties.
pub(crate) fn folder_for(parties: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), &["cert", "ca", "--out", "pki"]);
    let parties = parties.iter().map(|name| ("party", *name));
    for (kind, name) in [("coordinator", "coordinator"), ("user", "alice")]
        .into_iter()
        .chain(parties)
    {
        succeed(
            folder.path(),
            &["cert", "issue", kind, name, "--ca", "pki", "--out", "pki"],
        );
    }
    folder
}

/// The sample configurations of `deploy/`, on free ports and with addresses of
/// this house in their place.
pub(crate) fn configure(folder: &Path, sample: &str, changes: &[(&str, &str)]) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let mut text = fs::read_to_string(samples.join(format!("{sample}.toml"))).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{sample}.toml has no {from:?}");
        text = text.replace(from, to);
    }
    // What a test wants of everybody's certificates.
    if let Ok(more) = fs::read_to_string(folder.join("tls.toml")) {
        text = text.replace("\n[tls]\n", &format!("\n[tls]\n{more}"));
        text = text.replace("reload_s = 10", "reload_s = 1");
    }
    fs::write(folder.join(format!("{sample}.toml")), text).unwrap();
    if sample.starts_with("bank-") {
        let policy = "deploy/policy.toml";
        fs::create_dir_all(folder.join("deploy")).unwrap();
        fs::copy(samples.join("policy.toml"), folder.join(policy)).unwrap();
    }
}

/// A coordinator and two parties, running.
pub(crate) struct House {
    pub(crate) active: Service,
    pub(crate) passive: Service,
    pub(crate) coordinator: Service,
    pub(crate) folder: TempDir,
}

impl House {
    /// Starts all three; `between(port)` may put something on the way between
    /// the parties and gives the port to dial instead.
    pub(crate) fn start(between: impl FnOnce(u16) -> u16) -> Self {
        Self::with_datasets(between, ["", ""], |_| ())
    }

    /// The same, with more datasets in the configurations of the active and the
    /// passive party; `prepare` may put their files into the folder before.
    pub(crate) fn with_datasets(
        between: impl FnOnce(u16) -> u16,
        datasets: [&str; 2],
        prepare: impl FnOnce(&Path),
    ) -> Self {
        let folder = folder_with_certificates();
        prepare(folder.path());
        let path = folder.path();
        configure(path, "coordinator", &[("127.0.0.1:7400", "127.0.0.1:0")]);
        let coordinator = Service::start(path, "coordinator", "coordinator");
        let url = coordinator.url();
        Self::round(folder, coordinator, &format!("{url:?}"), between, datasets)
    }

    /// The same round a coordinator that runs; `url` is what parties and users
    /// have in their configurations.
    pub(crate) fn round(
        folder: TempDir,
        coordinator: Service,
        url: &str,
        between: impl FnOnce(u16) -> u16,
        datasets: [&str; 2],
    ) -> Self {
        let iris = "[datasets.iris]";
        let [active_data, passive_data] = datasets.map(|more| format!("{more}\n{iris}"));
        let path = folder.path();
        let url = ("\"https://localhost:7400/\"", url);
        configure(path, "client", &[url]);
        configure(
            path,
            "bank-b",
            &[
                url,
                ("127.0.0.1:7402", "127.0.0.1:0"),
                ("127.0.0.1:9402", "127.0.0.1:0"),
                (iris, &passive_data),
            ],
        );
        let passive = Service::start(path, "party", "bank-b");
        let peer = format!("localhost:{}", between(passive.port("peers")));
        configure(
            path,
            "bank-a",
            &[
                url,
                ("127.0.0.1:7401", "127.0.0.1:0"),
                ("127.0.0.1:9401", "127.0.0.1:0"),
                ("localhost:7402", &peer),
                (iris, &active_data),
            ],
        );
        let active = Service::start(path, "party", "bank-a");
        Self {
            active,
            passive,
            coordinator,
            folder,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Submits the sample job with `changes`; its identity.
    pub(crate) fn submit(&self, changes: &[(&str, &str)]) -> String {
        configure(self.path(), "iris", changes);
        let printed = succeed(self.path(), &["job", "submit", "iris.toml", "-o", "json"]);
        let job: Value = serde_json::from_str(&printed).unwrap();
        job["id"].as_str().unwrap().to_owned()
    }

    /// What a party serves at `/metrics`.
    pub(crate) fn scrape(&self, party: &str) -> String {
        let service = match party {
            "bank-a" => &self.active,
            _ => &self.passive,
        };
        let of = Identity::party(party.parse().unwrap());
        let url = format!("https://localhost:{}/metrics", service.port("metrics"));
        let (status, text) = get(self.path(), &of, &url);
        assert_eq!(status, 200, "{text}");
        text
    }

    pub(crate) fn show(&self, id: &str) -> Value {
        let printed = succeed(self.path(), &["job", "show", id, "-o", "json"]);
        serde_json::from_str(&printed).unwrap()
    }

    /// Waits until the job has ended; how.
    pub(crate) fn end_of(&self, id: &str) -> Value {
        eventually("the job ends", || {
            let job = self.show(id);
            let state = job["state"].as_str().unwrap();
            ["succeeded", "failed", "cancelled", "rejected"]
                .contains(&state)
                .then_some(job)
        })
    }

    /// A party's saved half of a job's model.
    pub(crate) fn half(&self, party: &str, id: &str) -> Vec<u8> {
        let half = self
            .path()
            .join("state")
            .join(party)
            .join("models")
            .join(id)
            .join("half.bin");
        fs::read(half).unwrap()
    }
}

/// What alice is answered by `of` at `url`: status and text.
pub(crate) fn get(folder: &Path, of: &Identity, url: &str) -> (u16, String) {
    get_as(folder, "alice", of, url)
}

/// What `who` is answered by `of` at `url`: status and text.
pub(crate) fn get_as(folder: &Path, who: &str, of: &Identity, url: &str) -> (u16, String) {
    let file = |name: &str| folder.join("pki").join(name);
    let credentials = Credentials::load(&TlsFiles::new(
        file("ca.pem"),
        file(&format!("{who}.pem")),
        file(&format!("{who}.key")),
    ));
    let tls = credentials.unwrap().client_config(of).unwrap();
    actix_rt::System::new().block_on(async {
        let connector = awc::Connector::new().rustls_0_23(tls).timeout(PATIENCE);
        let client = awc::Client::builder().connector(connector);
        let client = client.timeout(PATIENCE).finish();
        let mut response = client.get(url).send().await.unwrap();
        let text = String::from_utf8(response.body().await.unwrap().to_vec()).unwrap();
        (response.status().as_u16(), text)
    })
}
