//! A real control plane: etcd, kube-apiserver, and the controllers that make pods,
//! clear away after Jobs and count quotas. Shared by the tests of this crate and by
//! `tests/kubernetes`.
//!
//! ```text
//!   test ──token──▶ kube-apiserver ──certificate──▶ etcd
//!   party ─token───▶  │ RBAC  ▲
//!                               └──token── kube-controller-manager
//! ```
//!
//! There is no kubelet and no scheduler: the test is both. `.ci/kube-apiserver` makes
//! the programs; without them whoever asks for a control plane is told so, by name.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

mod arguments;
mod caller;
mod namespace;
mod program;
mod tenant;

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_web::http::Method;
use entente_tls::{DevelopmentCa, Identity, Validity};
use serde_json::json;
use tempfile::TempDir;

use self::program::Program;
pub(crate) use self::{
    caller::{Answer, Caller},
    namespace::Namespace,
    tenant::Tenant,
};

/// A folder with the programs; `target/kubernetes` if it is not set.
pub(crate) const VARIABLE: &str = "ENTENTE_KUBERNETES_BIN";
/// How long the control plane may take to be ready, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// As often other ports are tried, if somebody was faster.
const TRIES: usize = 5;
/// Who may do everything.
const ADMINISTRATOR: &str = "administrator";
/// Of a control plane that more than one test uses.
static SHARED: Mutex<Weak<ControlPlane>> = Mutex::new(Weak::new());

/// The running programs.
pub(crate) struct ControlPlane {
    // In the order in which they end.
    controllers: Mutex<Option<Program>>,
    api: Mutex<Option<Program>>,
    etcd: Mutex<Program>,
    caller: Caller,
    programs: PathBuf,
    ports: [u16; 3],
    tenants: AtomicUsize,
    folder: TempDir,
}

impl ControlPlane {
    /// The one that tests share which do nothing to it; it ends with the last of them.
    pub(crate) fn shared(test: &str) -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plane) = shared.upgrade() {
            return Some(plane);
        }
        let plane = Self::start(test)?;
        *shared = Arc::downgrade(&plane);
        Some(plane)
    }

    /// One of a test's own; none without the programs, which is said.
    pub(crate) fn start(test: &str) -> Option<Arc<Self>> {
        let programs = programs();
        for name in ["etcd", "kube-apiserver", "kube-controller-manager"] {
            if !programs.join(name).is_file() {
                println!(
                    "skipped: {test}: there is no {} (.ci/kube-apiserver makes it, {VARIABLE} \
                     names another folder)",
                    programs.join(name).display()
                );
                return None;
            }
        }
        let started = (0..TRIES).find_map(|_| Self::try_start(&programs));
        Some(Arc::new(started.unwrap_or_else(|| {
            panic!("a control plane does not start in {TRIES} tries")
        })))
    }

    fn try_start(programs: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        certificates(path);
        let token = ADMINISTRATOR;
        let tokens = format!("{token},{ADMINISTRATOR},1,system:masters\n");
        fs::write(path.join(arguments::TOKENS), tokens).unwrap();
        let ports = free_ports();
        let plane = Self {
            controllers: Mutex::default(),
            api: Mutex::default(),
            etcd: Mutex::new(Program::start(
                &programs.join("etcd"),
                path,
                arguments::of_etcd(path, ports),
            )),
            caller: Self::caller(ports[2], path, token),
            programs: programs.to_owned(),
            ports,
            tenants: AtomicUsize::new(0),
            folder,
        };
        plane.start_api();
        if !plane.gets_ready() {
            return None;
        }
        let own = plane.kubeconfig("default", token);
        fs::write(plane.folder.path().join(arguments::CONFIG), own).unwrap();
        *lock(&plane.controllers) = Some(plane.start_controllers());
        Some(plane)
    }

    /// Stops the API server alone, as a node does that dies.
    pub(crate) fn stop_api(&self) {
        *lock(&self.api) = None;
    }

    /// Starts it again where it was.
    pub(crate) fn resume_api(&self) {
        self.start_api();
        assert!(self.gets_ready(), "the API server does not come back");
    }

    /// Whether it has become ready; not, if it has ended instead.
    fn gets_ready(&self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let answer = self.caller.try_ask(Method::GET, "/readyz", None);
            if answer.is_some_and(|answer| answer.code == 200) {
                return true;
            }
            let mut api = lock(&self.api);
            let api = api.as_mut().unwrap();
            if api.has_ended() || lock(&self.etcd).has_ended() {
                println!("the API server has ended: {}", api.last_words());
                return false;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("it is not ready: {}", self.last_words());
    }

    /// A namespace with what `deploy/kubernetes` gives a party that launches, and the
    /// party's own token.
    pub(crate) fn tenant(self: &Arc<Self>) -> Tenant {
        self.tenant_who_may(|_, _| true)
    }

    /// The same for one whose Role lacks what `may` does not say of `VERB`, `plural`.
    pub(crate) fn tenant_who_may(self: &Arc<Self>, may: impl Fn(&str, &str) -> bool) -> Tenant {
        let number = self.tenants.fetch_add(1, Ordering::Relaxed);
        Tenant::settle(self.clone(), format!("tenant-{number}"), may)
    }

    /// Who may do everything.
    pub(crate) fn administrator(&self) -> &Caller {
        &self.caller
    }

    /// Whoever has this token.
    pub(crate) fn bearer(&self, token: &str) -> Caller {
        Self::caller(self.ports[2], self.folder.path(), token)
    }

    fn caller(port: u16, folder: &Path, token: &str) -> Caller {
        let base = format!("https://localhost:{port}");
        Caller::bearer(base, &folder.join("ca.pem"), token)
    }

    /// How somebody with this token finds the server.
    pub(crate) fn kubeconfig(&self, namespace: &str, token: &str) -> String {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{ "name": "test", "cluster": {
                "server": format!("https://localhost:{}", self.ports[2]),
                "certificate-authority": self.folder.path().join("ca.pem"),
            } }],
            "users": [{ "name": "test", "user": { "token": token } }],
            "contexts": [{ "name": "test", "context": {
                "cluster": "test", "user": "test", "namespace": namespace,
            } }],
        });
        config.to_string()
    }

    fn start_api(&self) {
        let path = self.folder.path();
        let arguments = arguments::of_api(path, self.ports);
        let program = self.programs.join("kube-apiserver");
        *lock(&self.api) = Some(Program::start(&program, path, arguments));
    }

    fn start_controllers(&self) -> Program {
        let path = self.folder.path();
        let program = self.programs.join("kube-controller-manager");
        Program::start(&program, path, arguments::of_controllers(path))
    }

    fn last_words(&self) -> String {
        let mut said = lock(&self.etcd).last_words();
        for program in [&self.api, &self.controllers] {
            let words = lock(program).as_ref().map(Program::last_words);
            said.push_str(&format!("\n{}", words.unwrap_or_default()));
        }
        said
    }
}

/// What the programs have said, where a test fails.
impl Drop for ControlPlane {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{}", self.last_words());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Of the repository, whichever crate of it this is.
pub(crate) fn repository() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut above = own.ancestors();
    above
        .find(|folder| folder.join("Cargo.lock").is_file())
        .unwrap()
}

fn programs() -> PathBuf {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    named.unwrap_or_else(|| repository().join("target/kubernetes"))
}

/// Nobody has them now; who is faster is seen when the programs start.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// One certificate for both servers, and for the one as the other's client.
fn certificates(folder: &Path) {
    let authority = DevelopmentCa::create("kubernetes").unwrap();
    let of = Identity::coordinator("kubernetes".parse().unwrap());
    let hosts = ["localhost", "127.0.0.1"].map(str::to_owned);
    let issued = authority.issue(&of, &hosts, Validity::days(2)).unwrap();
    issued.save(folder, "server").unwrap();
}
