//! What a Job and its pods say of a worker.

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerStatus, Pod},
};

use super::super::{Lack, LackKind, Seen};

/// Why a container waits, as the kubelet calls it.
const IMAGE: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
];
const TEMPLATE: [&str; 3] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// From a Job and its own pods.
pub(super) fn seen<'a>(job: &Job, pods: impl Iterator<Item = &'a Pod>) -> Seen {
    // On its way out: it is made again when it is gone.
    if job.metadata.deletion_timestamp.is_some() {
        return Seen::Alive;
    }
    let conditions = job
        .status
        .iter()
        .filter_map(|status| status.conditions.as_ref());
    for condition in conditions.flatten() {
        let has_ended = ["Complete", "Failed"].contains(&condition.type_.as_str());
        if has_ended && condition.status == "True" {
            let why = condition.message.as_deref().or(condition.reason.as_deref());
            return Seen::Ended(format!("{}: {}", condition.type_, why.unwrap_or("?")));
        }
    }
    let lacks = pods.filter_map(lack_of).next();
    lacks.map_or(Seen::Alive, Seen::Lacks)
}

fn lack_of(pod: &Pod) -> Option<Lack> {
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() != Some("Pending") {
        return None;
    }
    let scheduled = status.conditions.iter().flatten();
    let unscheduled = scheduled
        .into_iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        let why = condition.message.as_deref().or(condition.reason.as_deref());
        return Some(LackKind::Unschedulable.with(why.unwrap_or("?")));
    }
    let containers = status.init_container_statuses.iter().flatten();
    let containers = containers.chain(status.container_statuses.iter().flatten());
    containers.filter_map(waits).next()
}

fn waits(container: &ContainerStatus) -> Option<Lack> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let kind = match reason {
        _ if IMAGE.contains(&reason) => LackKind::Image,
        _ if TEMPLATE.contains(&reason) => LackKind::Template,
        "CrashLoopBackOff" => LackKind::Crashes,
        _ => return None,
    };
    let message = waiting.message.as_deref().unwrap_or_default();
    Some(kind.with(format!("{}: {reason}: {message}", container.name)))
}
