//! That nothing points at nothing: what selects selects something, and what is mounted is
//! made by the overlay, or is a Secret that its README has people make.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::overlay::{Overlay, list, name, namespace, overlays, selects};

/// What people put there, and no file of ours has in it.
const SECRETS_OF_PEOPLE: [&str; 6] = [
    "coordinator-tls",
    "party-tls",
    "party-sealing-key",
    "prometheus-tls",
    "coordinator-database",
    "entente-issuing",
];

/// Labels of pods in a namespace: of templates, and of what a launcher makes.
fn pods<'a>(overlay: &'a Overlay, of: &'a str) -> impl Iterator<Item = Value> + 'a {
    let templates = overlay
        .templates()
        .filter(move |(namespace, ..)| *namespace == of);
    let mut labels: Vec<Value> = templates
        .map(|(_, name, template)| {
            let mut labels = template["metadata"]["labels"].clone();
            let all = ["coordinator-0", "coordinator-1"];
            // As the StatefulSet's controller gives it.
            labels["statefulset.kubernetes.io/pod-name"] = match name {
                "coordinator" => all[0].into(),
                _ => format!("{name}-0").into(),
            };
            labels
        })
        .collect();
    if let Some(mut second) = labels.first().cloned() {
        second["statefulset.kubernetes.io/pod-name"] = "coordinator-1".into();
        labels.push(second);
    }
    if overlay.name == "launcher" {
        labels.push(serde_json::json!({
            "app.kubernetes.io/name": "entente",
            "app.kubernetes.io/component": "worker",
        }));
    }
    labels.into_iter()
}

#[test]
fn what_selects_selects_something() {
    for overlay in overlays("what_selects_selects_something") {
        for (kind, at) in [
            ("Service", "/spec/selector"),
            ("NetworkPolicy", "/spec/podSelector/matchLabels"),
            ("PodDisruptionBudget", "/spec/selector/matchLabels"),
            ("StatefulSet", "/spec/selector/matchLabels"),
        ] {
            for resource in overlay.of(kind) {
                let wanted = resource.pointer(at).unwrap_or(&Value::Null);
                let found = pods(overlay, namespace(resource)).any(|pod| selects(wanted, &pod));
                assert!(found, "{}: {kind} {}", overlay.name, name(resource));
            }
        }
        for monitor in overlay.of("ServiceMonitor") {
            let wanted = &monitor["spec"]["selector"]["matchLabels"];
            let port = &monitor["spec"]["endpoints"][0]["port"];
            let mut services = overlay.of("Service");
            let found = services.any(|service| {
                let ports = list(&service["spec"]["ports"]);
                selects(wanted, &service["metadata"]["labels"])
                    && namespace(service) == namespace(monitor)
                    && ports.iter().any(|one| one["name"] == *port)
            });
            assert!(found, "{}: {}", overlay.name, name(monitor));
        }
        for (_, name, template) in overlay.templates() {
            let spread = list(&template["spec"]["topologySpreadConstraints"]);
            for one in spread {
                let wanted = &one["labelSelector"]["matchLabels"];
                assert!(selects(wanted, &template["metadata"]["labels"]), "{name}");
            }
        }
    }
}

#[test]
fn what_is_mounted_is_there() {
    for overlay in overlays("what_is_mounted_is_there") {
        let made: BTreeSet<_> = overlay
            .of("ConfigMap")
            .map(|one| (namespace(one), name(one)))
            .collect();
        for (of, name, template) in overlay.templates() {
            let volumes = list(&template["spec"]["volumes"]);
            let sources = volumes
                .iter()
                .flat_map(|one| list(&one["projected"]["sources"]));
            for source in sources {
                if let Some(map) = source["configMap"]["name"].as_str() {
                    assert!(made.contains(&(of, map)), "{}: {map}", overlay.name);
                }
                if let Some(secret) = source["secret"]["name"].as_str() {
                    assert!(SECRETS_OF_PEOPLE.contains(&secret), "{secret}");
                }
            }
            let accounts = overlay.of("ServiceAccount");
            let mut accounts = accounts.filter(|one| namespace(one) == of);
            let account = template["spec"]["serviceAccountName"].as_str().unwrap();
            assert!(
                accounts.any(|one| crate::overlay::name(one) == account),
                "{name}"
            );
            let mounted = volumes.iter().map(|one| &one["name"]);
            let claims = overlay.of("StatefulSet").filter(|one| namespace(one) == of);
            let claims = claims.flat_map(|one| list(&one["spec"]["volumeClaimTemplates"]));
            let there: Vec<_> = mounted
                .chain(claims.map(|one| &one["metadata"]["name"]))
                .collect();
            for container in list(&template["spec"]["containers"]) {
                for mount in list(&container["volumeMounts"]) {
                    assert!(there.contains(&&mount["name"]), "{name}: {}", mount["name"]);
                }
            }
        }
        // Secrets are made by people or by cert-manager, and never lie in a file.
        assert_eq!(overlay.of("Secret").count(), 0);
        let certificates = overlay.of("Certificate");
        for one in certificates {
            let secret = one["spec"]["secretName"].as_str().unwrap();
            assert!(SECRETS_OF_PEOPLE.contains(&secret), "{secret}");
        }
    }
}

/// There is one process of a party, and one of a coordinator that has a file for a store.
#[test]
fn only_coordinators_that_share_a_database_are_several() {
    for overlay in overlays("only_coordinators_that_share_a_database_are_several") {
        for set in overlay.of("StatefulSet") {
            let several = set["spec"]["replicas"] != 1;
            assert_eq!(several, overlay.name == "production", "{}", name(set));
            let claims = list(&set["spec"]["volumeClaimTemplates"]).len();
            assert_eq!(claims == 0, several, "{}", name(set));
        }
        let image = format!("entente:{}", env!("CARGO_PKG_VERSION"));
        for (_, name, template) in overlay.templates() {
            assert_eq!(
                template["spec"]["containers"][0]["image"],
                image.as_str(),
                "{name}"
            );
        }
    }
}

/// What asks the cluster something may do what it must, in its own namespace.
#[test]
fn a_launcher_makes_jobs_and_reads_no_secrets() {
    for overlay in overlays("a_launcher_makes_jobs_and_reads_no_secrets") {
        assert_eq!(overlay.of("ClusterRole").count(), 0);
        assert_eq!(overlay.of("ClusterRoleBinding").count(), 0);
        let launches = overlay.name == "launcher";
        assert_eq!(overlay.of("Role").count(), usize::from(launches));
        let rules = overlay.of("Role").flat_map(|role| list(&role["rules"]));
        for rule in rules {
            let words = |key: &str| {
                let words = list(&rule[key]).iter();
                words.map(|word| word.as_str().unwrap()).collect::<Vec<_>>()
            };
            for resource in words("resources") {
                let known = ["jobs", "persistentvolumeclaims", "pods", "events"];
                assert!(known.contains(&resource), "{resource}");
            }
            for verb in words("verbs") {
                let known = ["list", "watch", "create", "delete"];
                assert!(known.contains(&verb), "{verb}");
                let makes = ["create", "delete"].contains(&verb);
                let own = ["jobs", "persistentvolumeclaims"];
                assert!(!makes || words("resources").iter().all(|one| own.contains(one)));
            }
        }
        for (of, name, template) in overlay.templates() {
            let has_token = template["spec"]["automountServiceAccountToken"] == true;
            assert_eq!(has_token, launches, "{name}");
            for binding in overlay.of("RoleBinding") {
                let subject = &binding["subjects"][0];
                assert_eq!(subject["name"], template["spec"]["serviceAccountName"]);
                assert_eq!(subject["namespace"], of);
            }
        }
    }
}
