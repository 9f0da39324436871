//! Scheduler and kubelet of a cluster with as many nodes as there are pods.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    control_plane::Namespace,
    house::{ENTENTE, eventually},
};

/// What has happened to pods.
#[derive(Default)]
struct Log {
    started: Vec<String>,
    /// With which code each has ended.
    ended: Vec<Option<i32>>,
}

/// A thread that runs pods; they end with it.
pub(crate) struct Kubelet {
    stop: Arc<AtomicBool>,
    log: Arc<Mutex<Log>>,
    namespace: Namespace,
    thread: Option<JoinHandle<()>>,
}

impl Kubelet {
    /// Runs the pods of a namespace in `folder`, and keeps their volumes there.
    pub(crate) fn start(namespace: Namespace, folder: &Path) -> Self {
        let (stop, log): (Arc<AtomicBool>, Arc<Mutex<Log>>) = Default::default();
        let mut node = Node {
            namespace: namespace.clone(),
            folder: folder.to_owned(),
            log: log.clone(),
            pods: BTreeMap::new(),
        };
        let until = stop.clone();
        let thread = thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                node.pass();
                thread::sleep(Duration::from_millis(50));
            }
        });
        Self {
            stop,
            log,
            namespace,
            thread: Some(thread),
        }
    }

    /// The pods it has started, in their order.
    pub(crate) fn started(&self) -> Vec<String> {
        self.log.lock().unwrap().started.clone()
    }

    /// How they have ended, in that order.
    pub(crate) fn ended(&self) -> Vec<Option<i32>> {
        self.log.lock().unwrap().ended.clone()
    }

    /// The one pod that runs.
    pub(crate) fn running(&self) -> String {
        eventually("one pod runs", || {
            let pods = self.namespace.list("pods");
            let runs = |pod: &&Value| pod["status"]["phase"] == "Running" && !is_leaving(pod);
            let mut running = pods.iter().filter(runs);
            let name = name_of(running.next()?).to_owned();
            running.next().is_none().then_some(name)
        })
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || thread::panicking(),
                "the kubelet has failed"
            );
        }
    }
}

/// A pod's process.
struct Running {
    claim: String,
    process: Child,
}

struct Node {
    namespace: Namespace,
    folder: PathBuf,
    log: Arc<Mutex<Log>>,
    pods: BTreeMap<String, Running>,
}

impl Node {
    /// One look at all that is there.
    fn pass(&mut self) {
        let pods = self.namespace.list("pods");
        let claims = self.namespace.list("persistentvolumeclaims");
        let claims: BTreeSet<&str> = claims.iter().map(name_of).collect();
        for pod in &pods {
            let name = name_of(pod);
            if is_leaving(pod) {
                self.end(name, grace(pod));
                self.namespace.delete_pod(name, Some(0));
            } else if self.pods.contains_key(name) {
                self.report(name);
            } else if pod["spec"]["nodeName"].is_null() {
                // A volume is where its pod is, until that is gone.
                let claim = claim_of(pod);
                let is_taken = |other: &Value| claim_of(other) == claim && has_node(other);
                if claims.contains(claim) && !pods.iter().any(is_taken) {
                    let number = self.log.lock().unwrap().started.len();
                    self.namespace.bind(name, &format!("node-{number}"));
                    // The next one has another look at what is taken.
                    break;
                }
            } else if has_node(pod) {
                self.start(pod);
            }
        }
        // Of pods that somebody has deleted without waiting for their ends.
        let listed = |name: &str| pods.iter().any(|pod| name_of(pod) == name);
        let names = self.pods.keys().filter(|name| !listed(name)).cloned();
        for name in names.collect::<Vec<_>>() {
            self.end(&name, Duration::ZERO);
        }
        let held = |claim: &str| self.pods.values().any(|pod| pod.claim == claim);
        for volume in entries(&self.folder.join("volumes")) {
            let claim = volume.file_name().unwrap().to_str().unwrap();
            if !claims.contains(claim) && !held(claim) {
                fs::remove_dir_all(&volume).unwrap();
            }
        }
    }

    /// Runs what the pod says, in its own words but for the places of files.
    fn start(&mut self, pod: &Value) {
        let (name, claim) = (name_of(pod).to_owned(), claim_of(pod).to_owned());
        let volume = self.folder.join("volumes").join(&claim);
        fs::create_dir_all(&volume).unwrap();
        let container = &pod["spec"]["containers"][0];
        let arguments = container["args"].as_array().unwrap().iter();
        let arguments = arguments.map(|word| match word.as_str().unwrap() {
            "/var/lib/entente/worker" => volume.join("worker").display().to_string(),
            "/etc/entente/entente.toml" => "bank-a.toml".to_owned(),
            word => word.to_owned(),
        });
        let log = self.folder.join("pods.log");
        let log = fs::OpenOptions::new().create(true).append(true).open(log);
        let env = container["env"].as_array().unwrap().iter();
        let env = env.map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["value"].as_str().unwrap(),
            )
        });
        let process = Command::new(ENTENTE)
            .current_dir(&self.folder)
            .args(arguments)
            .envs(env)
            .env("ENTENTE__PARTY__SEALING_KEY__FILE", "bank-a.sealing")
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        self.namespace.set_pod(&name, json!({ "phase": "Running" }));
        self.log.lock().unwrap().started.push(name.clone());
        self.pods.insert(name, Running { claim, process });
    }

    /// Says it, if a pod has ended by itself.
    fn report(&mut self, name: &str) {
        let ended = self.pods.get_mut(name).unwrap().process.try_wait();
        let Some(status) = ended.unwrap() else {
            return;
        };
        self.pods.remove(name);
        self.log.lock().unwrap().ended.push(status.code());
        let phase = match status.success() {
            true => "Succeeded",
            false => "Failed",
        };
        self.namespace.set_pod(name, json!({ "phase": phase }));
    }

    /// Ends a pod, if it runs.
    fn end(&mut self, name: &str, grace: Duration) {
        if let Some(mut pod) = self.pods.remove(name) {
            let code = terminate(&mut pod.process, grace);
            self.log.lock().unwrap().ended.push(code);
        }
    }
}

/// No pod outlives its node, however that ends.
impl Drop for Node {
    fn drop(&mut self) {
        for pod in self.pods.values_mut() {
            terminate(&mut pod.process, Duration::ZERO);
        }
    }
}

/// SIGTERM and, when its grace is over, SIGKILL, as a kubelet does it; how it ended.
fn terminate(process: &mut Child, grace: Duration) -> Option<i32> {
    let id = process.id().to_string();
    let over = Instant::now() + grace;
    if !grace.is_zero() {
        let _ = Command::new("kill").args(["-TERM", &id]).status();
    }
    while Instant::now() < over {
        if let Ok(Some(status)) = process.try_wait() {
            return status.code();
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = process.kill();
    process.wait().ok()?.code()
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// Of what the pod goes on from.
fn claim_of(pod: &Value) -> &str {
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    let own = volumes
        .iter()
        .find(|volume| volume["name"] == "entente-state");
    let own = &own.unwrap()["persistentVolumeClaim"];
    own["claimName"].as_str().unwrap()
}

/// Whether it is somewhere, and has not ended there.
fn has_node(pod: &Value) -> bool {
    let phase = pod["status"]["phase"].as_str().unwrap_or_default();
    pod["spec"]["nodeName"].is_string() && !["Succeeded", "Failed"].contains(&phase)
}

/// As long a pod may take to end.
fn grace(pod: &Value) -> Duration {
    let told = &pod["metadata"]["deletionGracePeriodSeconds"];
    let said = &pod["spec"]["terminationGracePeriodSeconds"];
    Duration::from_secs(told.as_u64().or(said.as_u64()).unwrap())
}

/// Whether it has been told to go.
pub(crate) fn is_leaving(pod: &Value) -> bool {
    pod["metadata"]["deletionTimestamp"].is_string()
}

/// What is in a folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).into_iter().flatten().flatten();
    listed.map(|entry| entry.path()).collect()
}
