//! A party whose jobs run as Jobs of Kubernetes: real processes and real TLS, over a
//! server that answers in the API's own shapes, with the test for a kubelet and for
//! the controller of Jobs. It runs what the Job says, moves it to another node, and
//! deletes what is deleted.
#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../actors/src/workers/kubernetes/tests/api.rs"]
#[allow(dead_code, unused_imports)]
mod api;
mod house;

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use api::Server;
use house::{ENTENTE, House, eventually, succeed};
use serde_json::{Value, json};

/// What a kubelet says of a pod that it has evicted.
const EVICTED: &str = include_str!("../actors/src/workers/kubernetes/exchanges/pod-evicted.json");
/// As long a pod may take to end.
const GRACE: Duration = Duration::from_secs(60);

/// Runs a server on a thread of its own, for as long as the test does.
fn server() -> Arc<Server> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            tell.send(Arc::new(Server::start())).unwrap();
            std::future::pending::<()>().await
        })
    });
    told.recv().unwrap()
}

/// A pod that runs.
struct Pod {
    name: String,
    job: String,
    process: Child,
}

/// Kubelet, scheduler, and the controller of Jobs.
struct Node {
    server: Arc<Server>,
    folder: PathBuf,
    evict: Arc<AtomicBool>,
    started: Arc<AtomicUsize>,
    pods: BTreeMap<String, Pod>,
}

impl Node {
    fn objects(&self, plural: &str) -> BTreeMap<String, Value> {
        let store = self.server.store();
        let own = store.objects.iter().filter(|((of, _), _)| of == plural);
        own.map(|((_, name), object)| (name.clone(), object.clone()))
            .collect()
    }

    fn volume(&self, claim: &str) -> PathBuf {
        self.folder.join("volumes").join(claim)
    }

    fn show(&self, job: &Value, name: &str, status: Value) {
        let template = &job["spec"]["template"];
        self.server.put(
            "pods",
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": name, "labels": template["metadata"]["labels"] },
                "spec": template["spec"], "status": status,
            }),
        );
    }

    /// Runs what the Job says, in its own words but for the places of files.
    fn start(&mut self, name: &str, job: &Value) {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let pod = format!("{name}-{number}");
        let spec = &job["spec"]["template"]["spec"];
        let claim = spec["volumes"][0]["persistentVolumeClaim"]["claimName"]
            .as_str()
            .unwrap();
        assert!(self.objects("persistentvolumeclaims").contains_key(claim));
        let volume = self.volume(claim);
        fs::create_dir_all(&volume).unwrap();
        let container = &spec["containers"][0];
        let arguments = container["args"].as_array().unwrap().iter();
        let arguments = arguments.map(|word| match word.as_str().unwrap() {
            "/var/lib/entente/worker" => volume.join("worker").display().to_string(),
            "/etc/entente/entente.toml" => "bank-a.toml".to_owned(),
            word => word.to_owned(),
        });
        let log = self.folder.join("pods.log");
        let log = fs::OpenOptions::new().create(true).append(true).open(log);
        let env = container["env"].as_array().unwrap().iter();
        let process = Command::new(ENTENTE)
            .current_dir(&self.folder)
            .args(arguments)
            .envs(env.map(|one| {
                (
                    one["name"].as_str().unwrap(),
                    one["value"].as_str().unwrap(),
                )
            }))
            .env("ENTENTE__PARTY__SEALING_KEY__FILE", "bank-a.sealing")
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        self.show(job, &pod, json!({ "phase": "Running" }));
        let pod = Pod {
            name: pod,
            job: name.to_owned(),
            process,
        };
        self.pods.insert(name.to_owned(), pod);
    }

    fn pass(&mut self) {
        let jobs = self.objects("jobs");
        for (name, job) in &jobs {
            let over = job["status"]["conditions"].is_array();
            if !over && !self.pods.contains_key(name) {
                self.start(name, job);
            }
        }
        let names: Vec<String> = self.pods.keys().cloned().collect();
        for name in names {
            let Some(mut pod) = self.pods.remove(&name) else {
                continue;
            };
            let Some(job) = jobs.get(&pod.job) else {
                terminate(&mut pod.process);
                let key = ("pods".to_owned(), pod.name);
                self.server.store().objects.remove(&key);
                continue;
            };
            if self.evict.swap(false, Ordering::Relaxed) {
                let status = serde_json::from_str(EVICTED).unwrap();
                self.show(job, &pod.name, status);
                assert_eq!(terminate(&mut pod.process), Some(130), "it is not done");
                // Another one follows with the next pass.
                continue;
            }
            match pod.process.try_wait().unwrap() {
                None => drop(self.pods.insert(name, pod)),
                Some(status) if status.success() => {
                    self.show(job, &pod.name, json!({ "phase": "Succeeded" }));
                    let mut done = job.clone();
                    done["status"] = json!({
                        "conditions": [{ "type": "Complete", "status": "True" }]
                    });
                    self.server.put("jobs", done);
                }
                Some(_) => self.show(job, &pod.name, json!({ "phase": "Failed" })),
            }
        }
        let claims = self.objects("persistentvolumeclaims");
        let held = |claim: &str| self.pods.values().any(|pod| pod.job == claim);
        for volume in entries(&self.folder.join("volumes")) {
            let claim = volume.file_name().unwrap().to_str().unwrap();
            if !claims.contains_key(claim) && !held(claim) {
                fs::remove_dir_all(&volume).unwrap();
            }
        }
    }
}

/// No pod outlives its node, however that ends.
impl Drop for Node {
    fn drop(&mut self) {
        for pod in self.pods.values_mut() {
            terminate(&mut pod.process);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).into_iter().flatten().flatten();
    listed.map(|entry| entry.path()).collect()
}

/// SIGTERM and, when its grace is over, SIGKILL, as a kubelet does it; how it ended.
fn terminate(process: &mut Child) -> Option<i32> {
    let id = process.id().to_string();
    let _ = Command::new("kill").args(["-TERM", &id]).status();
    let over = Instant::now() + GRACE;
    while Instant::now() < over {
        if let Ok(Some(status)) = process.try_wait() {
            return status.code();
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = process.kill();
    process.wait().ok()?.code()
}

struct Kubelet {
    stop: Arc<AtomicBool>,
    evict: Arc<AtomicBool>,
    started: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Kubelet {
    fn start(server: Arc<Server>, folder: &Path) -> Self {
        let (stop, evict): (Arc<AtomicBool>, Arc<AtomicBool>) = Default::default();
        let started = Arc::new(AtomicUsize::new(0));
        let mut node = Node {
            server,
            folder: folder.to_owned(),
            evict: evict.clone(),
            started: started.clone(),
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
            evict,
            started,
            thread: Some(thread),
        }
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn done(job: &Value) -> u64 {
    let done = &job["sides"]["active"]["progress"]["exchanges_done"];
    done.as_u64().unwrap_or(0)
}

#[test]
fn a_job_that_is_evicted_goes_on_on_another_node() {
    let server = server();
    // Where workers call must be known beforehand, as a Service's name is.
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = reserved.local_addr().unwrap().port();
    drop(reserved);
    let launcher = format!(
        "[launcher]\nkind = \"kubernetes\"\nlisten = \"127.0.0.1:{port}\"\n\
         party = \"localhost:{port}\"\nimage = \"entente:test\"\n"
    );
    let prepare = |folder: &Path| {
        let key = ["party", "sealing-key", "new", "bank-a.sealing"];
        succeed(folder, &key);
        let address = server.address;
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters: [{{ name: test, cluster: {{ server: 'http://{address}' }} }}]\n\
             users: [{{ name: test, user: {{}} }}]\n\
             contexts: [{{ name: test, context: {{ cluster: test, user: test, namespace: entente }} }}]\n"
        );
        fs::write(folder.join("kubeconfig"), kubeconfig).unwrap();
        let environment =
            "KUBECONFIG=kubeconfig\nENTENTE__PARTY__SEALING_KEY__FILE=bank-a.sealing\n";
        fs::write(folder.join("bank-a.env"), environment).unwrap();
    };
    let house = House::with_datasets(|port| port, [&launcher, ""], prepare);
    let kubelet = Kubelet::start(server.clone(), house.path());

    let id = house.submit(&[]);
    let reached = |exchanges: u64| {
        eventually("the job goes on", || {
            (done(&house.show(&id)) >= exchanges).then_some(())
        });
    };
    reached(10);
    assert_eq!(kubelet.started.load(Ordering::Relaxed), 1);
    kubelet.evict.store(true, Ordering::Relaxed);
    eventually("another pod", || {
        (kubelet.started.load(Ordering::Relaxed) == 2).then_some(())
    });
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["attempt"], 1, "{job:#}");
    assert!(!house.half("bank-a", &id).is_empty());
    eventually("nothing is left in the cluster", || {
        let left = server
            .store()
            .objects
            .keys()
            .any(|(plural, _)| plural != "pods");
        let volumes = entries(&house.path().join("volumes"));
        (!left && volumes.is_empty()).then_some(())
    });
}
