//! What the programs are told.

use std::path::Path;

/// The controllers that a Job meets, and what belongs to it.
const CONTROLLERS: &str = "job,garbagecollector,pvc-protection,resourcequota";
/// How these find the API server.
pub(super) const CONFIG: &str = "controllers.kubeconfig";
/// Who is known by which token.
pub(super) const TOKENS: &str = "tokens";

fn file(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

pub(super) fn of_etcd(folder: &Path, [port, peers, _]: [u16; 3]) -> Vec<String> {
    let file = |name| file(folder, name);
    let own = format!("https://127.0.0.1:{port}");
    // It has no peer, and wants to be told where that would be.
    let none = format!("http://127.0.0.1:{peers}");
    vec![
        format!("--data-dir={}", file("etcd")),
        format!("--listen-client-urls={own}"),
        format!("--advertise-client-urls={own}"),
        format!("--listen-peer-urls={none}"),
        format!("--initial-advertise-peer-urls={none}"),
        format!("--initial-cluster=default={none}"),
        format!("--cert-file={}", file("server.pem")),
        format!("--key-file={}", file("server.key")),
        "--client-cert-auth".to_owned(),
        format!("--trusted-ca-file={}", file("ca.pem")),
    ]
}

pub(super) fn of_api(folder: &Path, [etcd, _, port]: [u16; 3]) -> Vec<String> {
    let file = |name| file(folder, name);
    vec![
        format!("--etcd-servers=https://127.0.0.1:{etcd}"),
        format!("--etcd-cafile={}", file("ca.pem")),
        format!("--etcd-certfile={}", file("server.pem")),
        format!("--etcd-keyfile={}", file("server.key")),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        // Nobody looks for it by the Service that it would make of that.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file("server.pem")),
        format!("--tls-private-key-file={}", file("server.key")),
        format!("--token-auth-file={}", file(TOKENS)),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.test".to_owned(),
        format!("--service-account-signing-key-file={}", file("server.key")),
        format!("--service-account-key-file={}", file("server.pem")),
        "--service-cluster-ip-range=10.96.0.0/24".to_owned(),
    ]
}

pub(super) fn of_controllers(folder: &Path) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", file(folder, CONFIG)),
        format!("--controllers={CONTROLLERS}"),
        "--leader-elect=false".to_owned(),
        // It is asked nothing.
        "--port=0".to_owned(),
        "--secure-port=0".to_owned(),
        "--kube-api-qps=200".to_owned(),
        "--kube-api-burst=400".to_owned(),
    ]
}
