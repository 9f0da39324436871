//! Workers as Jobs of a Kubernetes cluster.
//!
//! ```text
//!   attempt ─┬─▶ batch/v1 Job  entente-PARTY-JOB-ATTEMPT ──▶ pod, another after eviction
//!            └─▶ claim         entente-PARTY-JOB-ATTEMPT ◀── follows the pod to its node
//! ```
//!
//! Who replaces a pod that was evicted, whose node has died, or that was killed is the
//! cluster's own controller of Jobs: it is there when the party is not. An eviction
//! is no failure of the Job (`podFailurePolicy`), so a job may be evicted as often as
//! it takes; a worker that fails by itself is made again a few times by the cluster,
//! and after that by the party, which counts.
//!
//! Nobody owns the objects but whoever holds their labels: an owner reference to the
//! party's pod would delete its workers with it. A party that comes back finds them
//! by [`shape::Shape::selector`].
//!
//! The party looks at all of its Jobs and pods at once, in four requests, whenever
//! something among them has changed, and every few seconds. That it was told of a
//! change is only a reason to look: nothing is concluded from the event itself, so
//! none can be missed.
//!
//! What the party may do there is little: see `deploy/kubernetes`. The workers' own
//! account needs no permission at all.

mod client;
mod fault;
mod reading;
mod shape;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fs, io, sync::Arc};

use async_trait::async_trait;
use entente_protocol::job::PartyName;
use futures_util::StreamExt;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Event, PersistentVolumeClaim, Pod, PodTemplateSpec},
};
use kube::{
    Api, Config, Resource,
    api::{DeleteParams, ListParams, PostParams},
    runtime::{WatchStreamExt, watcher},
};
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::{sync::Notify, task::JoinHandle};

use self::{
    client::{asks_once, streams},
    fault::{is_missing, is_there, lack},
    shape::Shape,
};
use super::{Cluster, Lack, Seen, Wanted, WorkerId};
use crate::config::KubernetesSection;

/// Why the cluster cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum KubernetesError {
    /// It is not known where it is, or how to speak to it.
    #[error(
        "no cluster can be reached from here: {0}. In a pod, mount its service account; \
         elsewhere, name a configuration in KUBECONFIG"
    )]
    Client(String),
    /// The template cannot be read.
    #[error("template {path}: {source}")]
    File {
        /// The path.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The template is none.
    #[error("template {path} is no PodTemplateSpec: {problem}")]
    Template {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// The cluster that a party runs in.
pub(crate) struct Kubernetes {
    jobs: Api<Job>,
    claims: Api<PersistentVolumeClaim>,
    pods: Api<Pod>,
    events: Api<Event>,
    shape: Shape,
    changed: Arc<Notify>,
    watches: [JoinHandle<()>; 2],
}

impl Kubernetes {
    /// Of the party `own`, as its pod's service account or KUBECONFIG says.
    pub(crate) async fn connect(
        section: &KubernetesSection,
        own: &PartyName,
    ) -> Result<Self, KubernetesError> {
        let config = Config::infer().await;
        let config = config.map_err(|error| KubernetesError::Client(error.to_string()))?;
        Self::over(config, section, own)
    }

    fn over(
        config: Config,
        section: &KubernetesSection,
        own: &PartyName,
    ) -> Result<Self, KubernetesError> {
        let template = template(section)?;
        let namespace = section.namespace.as_ref();
        let namespace = namespace.unwrap_or(&config.default_namespace).clone();
        let streams = streams(config.clone())?;
        let client = asks_once(config)?;
        let shape = Shape::new(section, own, template);
        let changed = Arc::new(Notify::new());
        let jobs: Api<Job> = Api::namespaced(streams.clone(), &namespace);
        let pods: Api<Pod> = Api::namespaced(streams, &namespace);
        let watches = [
            watch(jobs, shape.selector(), changed.clone()),
            watch(pods, shape.selector(), changed.clone()),
        ];
        tracing::info!(%namespace, "each job runs as a Job of Kubernetes");
        Ok(Self {
            claims: Api::namespaced(client.clone(), &namespace),
            events: Api::namespaced(client.clone(), &namespace),
            jobs: Api::namespaced(client.clone(), &namespace),
            pods: Api::namespaced(client, &namespace),
            shape,
            changed,
            watches,
        })
    }

    /// What the Job's controller says of pods that it cannot make. Without the
    /// permission to read it, nothing is known.
    async fn refused_pods(&self, name: &str) -> Option<String> {
        let fields = format!("involvedObject.kind=Job,involvedObject.name={name}");
        let about = ListParams::default().fields(&fields);
        let events = self.events.list(&about).await.ok()?;
        let says = |event: &Event, reason: &str| event.reason.as_deref() == Some(reason);
        let pods = |event: &&Event| says(event, "FailedCreate") || says(event, "SuccessfulCreate");
        // What was refused before a pod was made is over.
        let last = |event: &&Event| event.last_timestamp.as_ref().map(|time| time.0);
        let event = events.items.iter().filter(pods).max_by_key(last)?;
        says(event, "FailedCreate").then(|| event.message.clone())?
    }
}

/// What workers are made from, where there is something.
pub(crate) fn template(section: &KubernetesSection) -> Result<PodTemplateSpec, KubernetesError> {
    let Some(path) = &section.template else {
        return Ok(PodTemplateSpec::default());
    };
    let name = || path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| KubernetesError::File {
        path: name(),
        source,
    })?;
    serde_saphyr::from_str(&text).map_err(|error| KubernetesError::Template {
        path: name(),
        problem: error.to_string(),
    })
}

/// Rings when something among what `selector` names has changed.
fn watch<K>(api: Api<K>, selector: String, changed: Arc<Notify>) -> JoinHandle<()>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let config = watcher::Config::default().labels(&selector);
    // It begins anew where its place in the stream is gone (410), after a while.
    let mut events = Box::pin(watcher(api, config).default_backoff());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Ok(_) => changed.notify_one(),
                Err(error) => tracing::debug!(%error, "a watch begins anew"),
            }
        }
    })
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        for watch in &self.watches {
            watch.abort();
        }
    }
}

#[async_trait]
impl Cluster for Kubernetes {
    async fn look(&self) -> Result<BTreeMap<WorkerId, Seen>, Lack> {
        let ours = ListParams::default().labels(&self.shape.selector());
        let claims = self
            .claims
            .list(&ours)
            .await
            .map_err(|error| lack("list", "persistentvolumeclaims", error))?;
        let jobs = self
            .jobs
            .list(&ours)
            .await
            .map_err(|error| lack("list", "jobs.batch", error))?;
        let pods = self
            .pods
            .list(&ours)
            .await
            .map_err(|error| lack("list", "pods", error))?;
        let mut seen: BTreeMap<WorkerId, Seen> = claims
            .items
            .iter()
            .filter_map(|claim| shape::id_of(&claim.metadata))
            .map(|id| (id, Seen::AtRest))
            .collect();
        for job in &jobs.items {
            let Some(id) = shape::id_of(&job.metadata) else {
                continue;
            };
            let own = pods
                .items
                .iter()
                .filter(|pod| shape::id_of(&pod.metadata) == Some(id));
            let mut found = reading::seen(job, own.clone());
            if found == Seen::Alive
                && own.count() == 0
                && let Some(why) = self.refused_pods(&self.shape.name(id)).await
            {
                found = Seen::Lacks(fault::of_pods(&why));
            }
            seen.insert(id, found);
        }
        Ok(seen)
    }

    async fn make(&self, wanted: &Wanted) -> Result<(), Lack> {
        let as_is = PostParams::default();
        let claim = self.claims.create(&as_is, &self.shape.claim(wanted)).await;
        match claim {
            // What somebody has made before is what was wanted.
            Err(error) if is_there(&error) => {}
            claim => drop(claim.map_err(|error| lack("create", "persistentvolumeclaims", error))?),
        }
        let job = self.jobs.create(&as_is, &self.shape.job(wanted)).await;
        match job {
            Err(error) if is_there(&error) => Ok(()),
            job => job
                .map(drop)
                .map_err(|error| lack("create", "jobs.batch", error)),
        }
    }

    async fn stop(&self, id: WorkerId) -> Result<(), Lack> {
        // With its pods.
        let deleted = self
            .jobs
            .delete(&self.shape.name(id), &DeleteParams::background())
            .await;
        match deleted {
            Err(error) if is_missing(&error) => Ok(()),
            deleted => deleted
                .map(drop)
                .map_err(|error| lack("delete", "jobs.batch", error)),
        }
    }

    async fn forget(&self, id: WorkerId) -> Result<(), Lack> {
        self.stop(id).await?;
        // The cluster keeps it until the last pod that has it is gone.
        let deleted = self
            .claims
            .delete(&self.shape.name(id), &DeleteParams::default())
            .await;
        match deleted {
            Err(error) if is_missing(&error) => Ok(()),
            deleted => deleted
                .map(drop)
                .map_err(|error| lack("delete", "persistentvolumeclaims", error)),
        }
    }

    async fn changed(&self) {
        self.changed.notified().await;
    }

    fn outlives_party(&self) -> bool {
        true
    }

    async fn close(&self) {}
}
