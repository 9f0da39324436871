//! Ports: what policies let through, what Services lead to and what a container listens at
//! are one list.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::overlay::{Overlay, list, name, namespace, overlays, selects};

/// Where pods call that are not ours: by the policy that allows it.
const FOREIGN: [(&str, u64); 7] = [
    ("party", 53),
    ("database", 53),
    ("database", 5432),
    ("workers", 53),
    ("party-launcher", 6443),
    // Of other clusters, where they are the same as here.
    ("outside", 7400),
    ("outside", 7401),
];

/// The ports of a pod, by number: what it listens at, what policies let in, and what
/// Services lead to.
fn ports(overlay: &Overlay, of: &str, template: &Value) -> [BTreeSet<u64>; 3] {
    let labels = &template["metadata"]["labels"];
    let listens = list(&template["spec"]["containers"])
        .iter()
        .flat_map(|container| list(&container["ports"]));
    let number = |name: &Value| {
        let mut ports = listens.clone();
        let port = ports.find(|port| port["name"] == *name);
        let port = port.unwrap_or_else(|| panic!("{}: no port {name}", overlay.name));
        port["containerPort"].as_u64().unwrap()
    };
    let policies = overlay.of("NetworkPolicy").filter(|policy| {
        let wanted = &policy["spec"]["podSelector"]["matchLabels"];
        namespace(policy) == of && selects(wanted, labels)
    });
    let let_in = policies
        .flat_map(|policy| list(&policy["spec"]["ingress"]))
        .flat_map(|rule| list(&rule["ports"]))
        .map(|port| port["port"].as_u64().unwrap());
    let services = overlay.of("Service").filter(|service| {
        let mut wanted = service["spec"]["selector"].clone();
        // One pod of several is one of these.
        let by_pod = "statefulset.kubernetes.io/pod-name";
        wanted.as_object_mut().unwrap().remove(by_pod);
        namespace(service) == of && selects(&wanted, labels)
    });
    let leads_to = services
        .flat_map(|service| list(&service["spec"]["ports"]))
        .map(|port| number(&port["targetPort"]));
    [
        listens
            .clone()
            .map(|port| port["containerPort"].as_u64().unwrap())
            .collect(),
        let_in.collect(),
        leads_to.collect(),
    ]
}

#[test]
fn policies_let_in_what_services_lead_to_and_nothing_else() {
    for overlay in overlays("policies_let_in_what_services_lead_to_and_nothing_else") {
        for (of, name, template) in overlay.templates() {
            let [listens, let_in, leads_to] = ports(overlay, of, template);
            assert_eq!(let_in, leads_to, "{}: {name}", overlay.name);
            assert!(let_in.is_subset(&listens), "{}: {name}", overlay.name);
            // A party's metrics are for who scrapes them.
            let left: Vec<_> = listens.difference(&let_in).collect();
            assert!(
                left.is_empty() || left == [&9401],
                "{}: {left:?}",
                overlay.name
            );
        }
    }
}

#[test]
fn policies_let_out_to_what_is_called_and_say_to_whom() {
    for overlay in overlays("policies_let_out_to_what_is_called_and_say_to_whom") {
        for policy in overlay.of("NetworkPolicy") {
            let spec = &policy["spec"];
            for (way, ends) in [("ingress", "from"), ("egress", "to")] {
                for rule in list(&spec[way]) {
                    let who = list(&rule[ends]);
                    assert!(!who.is_empty(), "{}: anybody", name(policy));
                    assert!(
                        !list(&rule["ports"]).is_empty(),
                        "{}: any port",
                        name(policy)
                    );
                    for one in who {
                        // A whole namespace, or the world, is more than anything needs.
                        let cidr = one["ipBlock"]["cidr"].as_str();
                        let bounded = cidr.is_some_and(|cidr| !cidr.ends_with("/0"));
                        let pods = one["podSelector"].is_object();
                        assert!(bounded || pods, "{}: {one}", name(policy));
                    }
                }
            }
            for port in list(&spec["egress"])
                .iter()
                .flat_map(|rule| list(&rule["ports"]))
            {
                let port = port["port"].as_u64().unwrap();
                let ours = [7400, 7401, 7405].contains(&port);
                let foreign = FOREIGN.contains(&(name(policy), port));
                assert!(ours || foreign, "{}: {port}", name(policy));
            }
        }
        // In each namespace nothing passes that is not allowed.
        for one in overlay.of("Namespace") {
            let denies = overlay.of("NetworkPolicy").any(|policy| {
                let all = policy["spec"]["podSelector"]
                    .as_object()
                    .unwrap()
                    .is_empty();
                let both = list(&policy["spec"]["policyTypes"]).len() == 2;
                let nothing =
                    policy["spec"]["ingress"].is_null() && policy["spec"]["egress"].is_null();
                namespace(policy) == name(one) && all && both && nothing
            });
            assert!(denies, "{}: {}", overlay.name, name(one));
        }
    }
}

/// In one cluster each end of what is called lets the other through.
#[test]
fn in_the_demo_both_ends_agree() {
    let made = overlays("in_the_demo_both_ends_agree");
    let Some(demo) = made.iter().find(|overlay| overlay.name == "demo") else {
        return;
    };
    let labels = |of: &str| {
        let mut namespaces = demo.of("Namespace");
        let one = namespaces.find(|one| name(one) == of).unwrap();
        let mut labels = one["metadata"]["labels"].clone();
        labels["kubernetes.io/metadata.name"] = of.into();
        labels
    };
    let allows = |from: &str, to: &str, way: &str, ends: &str, port: u64| {
        let (own, other) = if way == "egress" {
            (from, to)
        } else {
            (to, from)
        };
        let mut templates = demo.templates();
        let pod = templates
            .find(|(namespace, ..)| *namespace == other)
            .unwrap()
            .2;
        demo.of("NetworkPolicy")
            .filter(|policy| namespace(policy) == own)
            .flat_map(|policy| list(&policy["spec"][way]))
            .filter(|rule| list(&rule["ports"]).iter().any(|one| one["port"] == port))
            .flat_map(|rule| list(&rule[ends]))
            .any(|one| {
                selects(&one["namespaceSelector"]["matchLabels"], &labels(other))
                    && selects(
                        &one["podSelector"]["matchLabels"],
                        &pod["metadata"]["labels"],
                    )
            })
    };
    let [a, b, c] = ["entente-bank-a", "entente-bank-b", "entente-coordinator"];
    for (from, to, port, may) in [
        (a, b, 7401, true),
        (b, a, 7401, true),
        (a, c, 7400, true),
        (b, c, 7400, true),
        (c, a, 7401, false),
        (c, a, 7400, false),
        (a, b, 9401, false),
    ] {
        let out = allows(from, to, "egress", "to", port);
        let into = allows(from, to, "ingress", "from", port);
        assert_eq!(out && into, may, "{from} to {to}, {port}: {out} and {into}");
    }
}
