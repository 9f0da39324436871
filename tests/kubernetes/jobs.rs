//! The controller of Jobs and the collector of garbage, where there is no real one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{control_plane::Namespace, kubelet::is_leaving};

/// What the real one says of a Job that is done.
const COMPLETE: &str =
    include_str!("../../actors/src/workers/kubernetes/exchanges/job-complete.json");

/// It makes a pod for each Job, another when that is gone, and deletes a Job's pods
/// with it.
pub(crate) struct Controller {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Controller {
    pub(crate) fn start(namespace: Namespace) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = stop.clone();
        let thread = thread::spawn(move || {
            let mut made = 0;
            while !until.load(Ordering::Relaxed) {
                pass(&namespace, &mut made);
                thread::sleep(Duration::from_millis(50));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn owner(pod: &Value) -> &Value {
    &pod["metadata"]["ownerReferences"][0]["name"]
}

fn pass(namespace: &Namespace, made: &mut usize) {
    let (pods, jobs) = (namespace.list("pods"), namespace.list("jobs"));
    for job in &jobs {
        if job["status"]["conditions"].is_array() {
            continue;
        }
        let name = &job["metadata"]["name"];
        let own = || pods.iter().filter(|pod| owner(pod) == name);
        let phase = |pod: &Value, phase: &str| pod["status"]["phase"] == phase;
        if own().any(|pod| phase(pod, "Succeeded")) {
            let status: Value = serde_json::from_str(COMPLETE).unwrap();
            let path = format!("jobs/{}/status", name.as_str().unwrap());
            namespace.patch(&path, json!({ "status": status }));
        } else if own().all(|pod| phase(pod, "Failed")) {
            // Never two at once.
            *made += 1;
            let template = &job["spec"]["template"];
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {
                    "name": format!("{}-{made}", name.as_str().unwrap()),
                    "labels": template["metadata"]["labels"],
                    "ownerReferences": [{ "kind": "Job", "name": name }],
                },
                "spec": template["spec"],
                "status": { "phase": "Pending" },
            });
            namespace.create("pods", pod);
        }
    }
    for pod in &pods {
        let is_owned = jobs
            .iter()
            .any(|job| &job["metadata"]["name"] == owner(pod));
        if !is_owned && !is_leaving(pod) {
            namespace.delete_pod(pod["metadata"]["name"].as_str().unwrap(), None);
        }
    }
}
