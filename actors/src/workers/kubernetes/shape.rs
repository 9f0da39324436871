//! The objects that a worker is made of.

use std::collections::BTreeMap;

use entente_protocol::job::{PartyName, Resources};
use entente_wire::Digest;
use k8s_openapi::{
    api::{
        batch::v1::{
            Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
            PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
        },
        core::v1::{
            Capabilities, Container, EnvVar, PersistentVolumeClaim, PersistentVolumeClaimSpec,
            PersistentVolumeClaimVolumeSource, PodSecurityContext, PodSpec, PodTemplateSpec,
            ResourceRequirements, SeccompProfile, SecurityContext, Volume, VolumeMount,
            VolumeResourceRequirements,
        },
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};

use super::super::{Wanted, WorkerId};
use crate::config::KubernetesSection;

/// The container that is the worker.
const WORKER: &str = "worker";
const VOLUME: &str = "entente-state";
const MOUNT: &str = "/var/lib/entente";
/// Below the mount: the root of a volume may have things of its file system.
const STATE_DIR: &str = "/var/lib/entente/worker";
/// Of the image, which is nobody in particular.
const USER: i64 = 65532;
/// As often a worker that fails by itself is made again by the cluster.
const RETRIES: i32 = 6;
/// After so long a Job that has ended is cleared away, if the party has not done it.
const TTL_S: i32 = 3600;
/// With which a worker ends that was stopped.
const STOPPED: i32 = 130;

const PARTY: &str = "entente/party";
const JOB: &str = "entente/job";
const ATTEMPT: &str = "entente/attempt";

/// Whose object it is, by its labels.
pub(super) fn id_of(meta: &ObjectMeta) -> Option<WorkerId> {
    let labels = meta.labels.as_ref()?;
    Some(WorkerId {
        job: labels.get(JOB)?.parse().ok()?,
        attempt: labels.get(ATTEMPT)?.parse().ok()?,
    })
}

/// What all workers of a party have in common.
pub(super) struct Shape {
    section: KubernetesSection,
    own: PartyName,
    /// In names, which are not to be longer than a label may be.
    short: String,
    template: PodTemplateSpec,
}

impl Shape {
    pub(super) fn new(
        section: &KubernetesSection,
        own: &PartyName,
        template: PodTemplateSpec,
    ) -> Self {
        Self {
            section: section.clone(),
            own: own.clone(),
            short: short(own),
            template,
        }
    }

    /// What a worker's objects are called. Both parties of a job may be tried out in
    /// one namespace.
    pub(super) fn name(&self, id: WorkerId) -> String {
        format!("entente-{}-{id}", self.short)
    }

    /// What is this party's, and a worker's.
    pub(super) fn selector(&self) -> String {
        format!("app.kubernetes.io/component={WORKER},{PARTY}={}", self.own)
    }

    fn labels(&self, id: WorkerId) -> BTreeMap<String, String> {
        let attempt = id.attempt.to_string();
        [
            ("app.kubernetes.io/name", "entente"),
            ("app.kubernetes.io/component", WORKER),
            ("app.kubernetes.io/managed-by", "entente-party"),
            (PARTY, self.own.as_str()),
            (JOB, &id.job.to_string()),
            (ATTEMPT, &attempt),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    fn meta(&self, id: WorkerId) -> ObjectMeta {
        ObjectMeta {
            name: Some(self.name(id)),
            labels: Some(self.labels(id)),
            ..ObjectMeta::default()
        }
    }

    /// What a worker goes on from.
    pub(super) fn claim(&self, wanted: &Wanted) -> PersistentVolumeClaim {
        let size = Quantity(self.section.storage_bytes.to_string());
        PersistentVolumeClaim {
            metadata: self.meta(wanted.id),
            spec: Some(PersistentVolumeClaimSpec {
                access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
                storage_class_name: self.section.storage_class.clone(),
                resources: Some(VolumeResourceRequirements {
                    requests: Some([("storage".to_owned(), size)].into()),
                    ..VolumeResourceRequirements::default()
                }),
                ..PersistentVolumeClaimSpec::default()
            }),
            status: None,
        }
    }

    /// The worker itself.
    pub(super) fn job(&self, wanted: &Wanted) -> Job {
        let disrupted = PodFailurePolicyRule {
            action: "Ignore".to_owned(),
            on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                type_: "DisruptionTarget".to_owned(),
                status: "True".to_owned(),
            }]),
            ..PodFailurePolicyRule::default()
        };
        let stopped = PodFailurePolicyRule {
            action: "Ignore".to_owned(),
            on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
                container_name: Some(WORKER.to_owned()),
                operator: "In".to_owned(),
                values: vec![STOPPED],
            }),
            ..PodFailurePolicyRule::default()
        };
        Job {
            metadata: self.meta(wanted.id),
            spec: Some(JobSpec {
                parallelism: Some(1),
                completions: Some(1),
                backoff_limit: Some(RETRIES),
                // Never two at once over one volume.
                pod_replacement_policy: Some("Failed".to_owned()),
                pod_failure_policy: Some(PodFailurePolicy {
                    rules: vec![disrupted, stopped],
                }),
                ttl_seconds_after_finished: Some(TTL_S),
                template: self.pod(wanted),
                ..JobSpec::default()
            }),
            status: None,
        }
    }

    fn pod(&self, wanted: &Wanted) -> PodTemplateSpec {
        let mut template = self.template.clone();
        let meta = template.metadata.get_or_insert_default();
        let labels = meta.labels.get_or_insert_default();
        labels.extend(self.labels(wanted.id));
        let spec = template.spec.get_or_insert_default();
        spec.restart_policy = Some("Never".to_owned());
        if let Some(account) = &self.section.service_account {
            spec.service_account_name = Some(account.clone());
        }
        spec.automount_service_account_token.get_or_insert(false);
        let security = spec.security_context.get_or_insert_default();
        guarded(security);
        let volumes = spec.volumes.get_or_insert_default();
        volumes.retain(|volume| volume.name != VOLUME);
        volumes.push(Volume {
            name: VOLUME.to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: self.name(wanted.id),
                read_only: None,
            }),
            ..Volume::default()
        });
        self.fill(worker(spec), wanted);
        template
    }

    fn fill(&self, container: &mut Container, wanted: &Wanted) {
        container.image = Some(self.section.image.clone());
        container.args = Some(self.arguments(wanted.id));
        let resources = &wanted.resources;
        let threads = resources
            .threads
            .max(self.section.least_threads)
            .to_string();
        let env = container.env.get_or_insert_default();
        env.push(EnvVar {
            name: "ENTENTE__COMPUTE__THREADS".to_owned(),
            value: Some(threads.clone()),
            value_from: None,
        });
        let mounts = container.volume_mounts.get_or_insert_default();
        mounts.retain(|mount| mount.name != VOLUME);
        mounts.push(VolumeMount {
            name: VOLUME.to_owned(),
            mount_path: MOUNT.to_owned(),
            ..VolumeMount::default()
        });
        self.measure(
            container.resources.get_or_insert_default(),
            resources,
            threads,
        );
        let security = container
            .security_context
            .get_or_insert_with(|| SecurityContext {
                read_only_root_filesystem: Some(true),
                capabilities: Some(Capabilities {
                    add: None,
                    drop: Some(vec!["ALL".to_owned()]),
                }),
                ..SecurityContext::default()
            });
        security.allow_privilege_escalation.get_or_insert(false);
    }

    fn arguments(&self, id: WorkerId) -> Vec<String> {
        let config = self.section.config.display().to_string();
        let attempt = id.attempt.to_string();
        let job = id.job.to_string();
        [
            "worker",
            "--config",
            &config,
            "--job",
            &job,
            "--attempt",
            &attempt,
            "--state-dir",
            STATE_DIR,
            "--party",
            &self.section.party,
        ]
        .map(str::to_owned)
        .into()
    }

    /// What the job counts on is what it is given. Memory that it may take beyond
    /// what was counted on would be another worker's.
    fn measure(&self, given: &mut ResourceRequirements, job: &Resources, threads: String) {
        let memory = job.memory_bytes.saturating_add(self.section.overhead_bytes);
        let memory = Quantity(memory.to_string());
        let requests = given.requests.get_or_insert_default();
        requests.insert("cpu".to_owned(), Quantity(threads));
        requests.insert("memory".to_owned(), memory.clone());
        let limits = given.limits.get_or_insert_default();
        limits.insert("memory".to_owned(), memory);
    }
}

fn short(own: &PartyName) -> String {
    let digest = Digest::of("entente party in names", &[own.as_str().as_bytes()]);
    digest.to_string().chars().take(8).collect()
}

/// What the operator has not said otherwise.
fn guarded(security: &mut PodSecurityContext) {
    security.run_as_non_root.get_or_insert(true);
    security.run_as_user.get_or_insert(USER);
    security.run_as_group.get_or_insert(USER);
    security.fs_group.get_or_insert(USER);
    security
        .seccomp_profile
        .get_or_insert_with(|| SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            localhost_profile: None,
        });
}

/// The container that is the worker, there or made.
fn worker(spec: &mut PodSpec) -> &mut Container {
    let place = spec
        .containers
        .iter()
        .position(|container| container.name == WORKER);
    let place = place.unwrap_or_else(|| {
        let container = Container {
            name: WORKER.to_owned(),
            ..Container::default()
        };
        spec.containers.insert(0, container);
        0
    });
    &mut spec.containers[place]
}
