//! The restricted profile of the Pod Security Standards, rule by rule, by the standard's
//! own names; and what this house asks for beyond it.
//!
//! The namespaces of the overlays have the API server hold it (`enforce: restricted`); here
//! it is known before there is a cluster.

use std::fs;

use serde_json::{Value, json};

use crate::overlay::{kubernetes, list, overlays};

/// A rule, and what breaks it.
type Rule = (&'static str, fn(&Value) -> Vec<String>);

const RULES: [Rule; 18] = [
    ("HostProcess", host_process),
    ("Host Namespaces", host_namespaces),
    ("Privileged Containers", privileged),
    ("Host Ports", host_ports),
    ("Host Probes / Lifecycle Hooks", host_probes),
    ("AppArmor", app_armor),
    ("SELinux", se_linux),
    ("/proc Mount Type", proc_mount),
    ("Sysctls", sysctls),
    ("Volume Types", volume_types),
    ("Privilege Escalation", privilege_escalation),
    ("Running as Non-root", non_root),
    ("Running as Non-root user", non_root_user),
    ("Seccomp", seccomp),
    ("Capabilities", capabilities),
    ("house: read-only root file system", read_only_root),
    ("house: no token that nobody needs", no_token),
    (
        "house: memory has a limit, and what is needed is asked for",
        resources,
    ),
];

/// What a pod's specification breaks, by the rules' names.
fn broken(pod: &Value) -> Vec<String> {
    let of = |(name, rule): &Rule| {
        let found = rule(pod).into_iter();
        found
            .map(|what| format!("{name}: {what}"))
            .collect::<Vec<_>>()
    };
    RULES.iter().flat_map(of).collect()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["containers", "initContainers", "ephemeralContainers"]
        .into_iter()
        .flat_map(|kind| list(&pod[kind]))
}

/// The pod's security context and each container's.
fn contexts(pod: &Value) -> impl Iterator<Item = &Value> {
    let own = containers(pod).map(|container| &container["securityContext"]);
    std::iter::once(&pod["securityContext"]).chain(own)
}

/// What containers say must be, where the pod does not say it for them.
fn each_or_pod(pod: &Value, what: &str, is: impl Fn(&Value) -> bool) -> Vec<String> {
    let of_pod = &pod["securityContext"][what];
    containers(pod)
        .filter_map(|container| {
            let own = &container["securityContext"][what];
            let counts = if own.is_null() { of_pod } else { own };
            (!is(counts)).then(|| format!("{}: {what} is {counts}", container["name"]))
        })
        .collect()
}

fn when(is: bool, what: &str) -> Vec<String> {
    is.then(|| what.to_owned()).into_iter().collect()
}

fn host_process(pod: &Value) -> Vec<String> {
    let is = contexts(pod).any(|one| one["windowsOptions"]["hostProcess"] == true);
    when(is, "windowsOptions.hostProcess")
}

fn host_namespaces(pod: &Value) -> Vec<String> {
    let kinds = ["hostNetwork", "hostPID", "hostIPC"].into_iter();
    kinds
        .flat_map(|kind| when(pod[kind] == true, kind))
        .collect()
}

fn privileged(pod: &Value) -> Vec<String> {
    when(
        contexts(pod).any(|one| one["privileged"] == true),
        "privileged",
    )
}

fn host_ports(pod: &Value) -> Vec<String> {
    let mut ports = containers(pod).flat_map(|one| list(&one["ports"]));
    let is = ports.any(|port| port["hostPort"].as_u64().unwrap_or(0) != 0);
    when(is, "hostPort")
}

fn host_probes(pod: &Value) -> Vec<String> {
    let is = containers(pod).any(|one| {
        let probes = ["livenessProbe", "readinessProbe", "startupProbe"].map(|probe| &one[probe]);
        let hooks = ["postStart", "preStop"].map(|hook| &one["lifecycle"][hook]);
        let mut asked = probes.into_iter().chain(hooks);
        asked.any(|how| {
            ["httpGet", "tcpSocket"].iter().any(|kind| {
                how[kind]["host"]
                    .as_str()
                    .is_some_and(|host| !host.is_empty())
            })
        })
    });
    when(is, "host of a probe or hook")
}

fn app_armor(pod: &Value) -> Vec<String> {
    let is = contexts(pod).any(|one| one["appArmorProfile"]["type"] == "Unconfined");
    when(is, "appArmorProfile")
}

fn se_linux(pod: &Value) -> Vec<String> {
    const TYPES: [&str; 4] = [
        "container_t",
        "container_init_t",
        "container_kvm_t",
        "container_engine_t",
    ];
    let is = contexts(pod).any(|one| {
        let options = &one["seLinuxOptions"];
        let kind = options["type"].as_str().unwrap_or_default();
        let said = |key: &str| options[key].as_str().is_some_and(|text| !text.is_empty());
        !(kind.is_empty() || TYPES.contains(&kind)) || said("user") || said("role")
    });
    when(is, "seLinuxOptions")
}

fn proc_mount(pod: &Value) -> Vec<String> {
    let is = contexts(pod)
        .any(|one| !["Default", ""].contains(&one["procMount"].as_str().unwrap_or_default()));
    when(is, "procMount")
}

fn sysctls(pod: &Value) -> Vec<String> {
    // The standard allows some; nobody here sets any.
    when(
        !list(&pod["securityContext"]["sysctls"]).is_empty(),
        "sysctls",
    )
}

fn volume_types(pod: &Value) -> Vec<String> {
    const TYPES: [&str; 8] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    let volumes = list(&pod["volumes"])
        .iter()
        .flat_map(|volume| volume.as_object().unwrap().keys());
    let other = volumes.filter(|key| *key != "name" && !TYPES.contains(&key.as_str()));
    other.cloned().collect()
}

fn privilege_escalation(pod: &Value) -> Vec<String> {
    let forbids = |one: &Value| one["securityContext"]["allowPrivilegeEscalation"] == false;
    when(!containers(pod).all(forbids), "allowPrivilegeEscalation")
}

fn non_root(pod: &Value) -> Vec<String> {
    each_or_pod(pod, "runAsNonRoot", |is| *is == true)
}

fn non_root_user(pod: &Value) -> Vec<String> {
    when(
        contexts(pod).any(|one| one["runAsUser"] == 0),
        "runAsUser is 0",
    )
}

fn seccomp(pod: &Value) -> Vec<String> {
    each_or_pod(pod, "seccompProfile", |profile| {
        ["RuntimeDefault", "Localhost"]
            .iter()
            .any(|kind| profile["type"] == *kind)
    })
}

fn capabilities(pod: &Value) -> Vec<String> {
    let of = |container: &Value| {
        let own = &container["securityContext"]["capabilities"];
        let drops = list(&own["drop"]).iter().any(|one| one == "ALL");
        let adds = list(&own["add"])
            .iter()
            .any(|one| one != "NET_BIND_SERVICE");
        when(!drops || adds, &container["name"].to_string())
    };
    containers(pod).flat_map(of).collect()
}

fn read_only_root(pod: &Value) -> Vec<String> {
    let is = |one: &Value| one["securityContext"]["readOnlyRootFilesystem"] == true;
    when(!containers(pod).all(is), "readOnlyRootFilesystem")
}

/// A party that has the cluster run its jobs is the one that has one.
fn no_token(pod: &Value) -> Vec<String> {
    let launches = pod["serviceAccountName"] == "party-launcher";
    let is = pod["automountServiceAccountToken"] == false || launches;
    when(!is, "automountServiceAccountToken")
}

fn resources(pod: &Value) -> Vec<String> {
    let is = |one: &Value| {
        let of = &one["resources"];
        !of["limits"]["memory"].is_null()
            && ["cpu", "memory"]
                .iter()
                .all(|kind| !of["requests"][kind].is_null())
    };
    when(!containers(pod).all(is), "resources")
}

#[test]
fn every_pod_keeps_to_the_restricted_profile() {
    for overlay in overlays("every_pod_keeps_to_the_restricted_profile") {
        for (_, name, template) in overlay.templates() {
            let broken = broken(&template["spec"]);
            assert!(broken.is_empty(), "{}, {name}: {broken:#?}", overlay.name);
        }
        for namespace in overlay.of("Namespace") {
            let labels = &namespace["metadata"]["labels"];
            assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
        }
    }
    let worker = kubernetes().join("components/launcher/worker.yaml");
    let worker: Value = serde_saphyr::from_str(&fs::read_to_string(worker).unwrap()).unwrap();
    let mut pod = worker["spec"].clone();
    // Which the launcher sets, job by job.
    pod["containers"][0]["resources"] = json!({
        "requests": {"cpu": 1, "memory": 1}, "limits": {"memory": 1}
    });
    assert_eq!(broken(&pod), [""; 0]);
}

/// A pod that breaks nothing, with every part that a rule looks at.
fn good() -> Value {
    json!({
        "automountServiceAccountToken": false,
        "securityContext": {
            "runAsNonRoot": true,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "one",
            "ports": [{"containerPort": 7400}],
            "livenessProbe": {"exec": {"command": ["/entente"]}},
            "resources": {
                "requests": {"cpu": "1", "memory": "1Gi"},
                "limits": {"memory": "1Gi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
        }],
        "volumes": [{"name": "state", "emptyDir": {}}],
    })
}

#[test]
fn what_breaks_a_rule_is_found_by_its_name() {
    assert_eq!(broken(&good()), [""; 0]);
    let of_one = "/containers/0/securityContext";
    let wrong: [(&str, &str, Value); 32] = [
        (
            "HostProcess",
            "/securityContext/windowsOptions",
            json!({"hostProcess": true}),
        ),
        (
            "HostProcess",
            &format!("{of_one}/windowsOptions"),
            json!({"hostProcess": true}),
        ),
        ("Host Namespaces", "/hostNetwork", json!(true)),
        ("Host Namespaces", "/hostPID", json!(true)),
        ("Host Namespaces", "/hostIPC", json!(true)),
        (
            "Privileged Containers",
            &format!("{of_one}/privileged"),
            json!(true),
        ),
        ("Host Ports", "/containers/0/ports/0/hostPort", json!(7400)),
        (
            "Host Probes / Lifecycle Hooks",
            "/containers/0/livenessProbe",
            json!({"httpGet": {"host": "10.0.0.1"}}),
        ),
        (
            "Host Probes / Lifecycle Hooks",
            "/containers/0/lifecycle",
            json!({"preStop": {"tcpSocket": {"host": "10.0.0.1"}}}),
        ),
        (
            "AppArmor",
            "/securityContext/appArmorProfile",
            json!({"type": "Unconfined"}),
        ),
        (
            "SELinux",
            "/securityContext/seLinuxOptions",
            json!({"type": "spc_t"}),
        ),
        (
            "SELinux",
            &format!("{of_one}/seLinuxOptions"),
            json!({"user": "system_u"}),
        ),
        (
            "SELinux",
            &format!("{of_one}/seLinuxOptions"),
            json!({"role": "sysadm_r"}),
        ),
        (
            "/proc Mount Type",
            &format!("{of_one}/procMount"),
            json!("Unmasked"),
        ),
        (
            "Sysctls",
            "/securityContext/sysctls",
            json!([{"name": "kernel.shm_rmid_forced"}]),
        ),
        (
            "Volume Types",
            "/volumes/0",
            json!({"name": "host", "hostPath": {"path": "/"}}),
        ),
        (
            "Volume Types",
            "/volumes/0",
            json!({"name": "other", "nfs": {}}),
        ),
        (
            "Privilege Escalation",
            &format!("{of_one}/allowPrivilegeEscalation"),
            json!(true),
        ),
        (
            "Privilege Escalation",
            &format!("{of_one}/allowPrivilegeEscalation"),
            Value::Null,
        ),
        (
            "Running as Non-root",
            "/securityContext/runAsNonRoot",
            Value::Null,
        ),
        (
            "Running as Non-root",
            &format!("{of_one}/runAsNonRoot"),
            json!(false),
        ),
        (
            "Running as Non-root user",
            "/securityContext/runAsUser",
            json!(0),
        ),
        (
            "Running as Non-root user",
            &format!("{of_one}/runAsUser"),
            json!(0),
        ),
        ("Seccomp", "/securityContext/seccompProfile", Value::Null),
        (
            "Seccomp",
            &format!("{of_one}/seccompProfile"),
            json!({"type": "Unconfined"}),
        ),
        (
            "Capabilities",
            &format!("{of_one}/capabilities"),
            Value::Null,
        ),
        (
            "Capabilities",
            &format!("{of_one}/capabilities/drop"),
            json!(["NET_RAW"]),
        ),
        (
            "Capabilities",
            &format!("{of_one}/capabilities/add"),
            json!(["SYS_ADMIN"]),
        ),
        (
            "house: read-only root file system",
            &format!("{of_one}/readOnlyRootFilesystem"),
            json!(false),
        ),
        (
            "house: no token that nobody needs",
            "/automountServiceAccountToken",
            Value::Null,
        ),
        (
            "house: memory has a limit, and what is needed is asked for",
            "/containers/0/resources/limits",
            json!({}),
        ),
        (
            "house: memory has a limit, and what is needed is asked for",
            "/containers/0/resources/requests",
            json!({"memory": "1Gi"}),
        ),
    ];
    for (rule, at, value) in &wrong {
        let mut pod = good();
        let (parent, key) = at.rsplit_once('/').unwrap();
        let parent = pod.pointer_mut(parent).unwrap();
        match key.parse::<usize>() {
            Ok(index) if parent.is_array() => parent[index] = value.clone(),
            _ => parent[key] = value.clone(),
        }
        let found = broken(&pod);
        assert_eq!(found.len(), 1, "{at}: {found:?}");
        assert!(
            found[0].starts_with(&format!("{rule}: ")),
            "{at}: {found:?}"
        );
    }
    // No rule without a case.
    for (rule, _) in RULES {
        assert!(wrong.iter().any(|(of, ..)| *of == rule), "{rule}");
    }
    // An ephemeral or a first container is a container.
    for kind in ["initContainers", "ephemeralContainers"] {
        let mut pod = good();
        pod[kind] = pod["containers"].clone();
        assert_eq!(broken(&pod), [""; 0]);
        pod[kind][0]["securityContext"]["privileged"] = json!(true);
        assert_eq!(broken(&pod).len(), 1);
    }
}
