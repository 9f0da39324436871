//! What a worker's pod is made of.

use k8s_openapi::api::core::v1::PodTemplateSpec;

use super::{super::shape::Shape, api::Server, cluster, only, section, wanted};
use crate::workers::Cluster;

#[actix_rt::test]
async fn a_pod_has_what_the_job_counts_on_and_what_the_template_says() {
    let server = Server::start();
    let template: PodTemplateSpec = serde_saphyr::from_str(
        "spec:\n  nodeSelector: { pool: training }\n  containers:\n  - name: worker\n    \
         volumeMounts: [{ name: data, mountPath: /data }]\n  \
         volumes: [{ name: data, persistentVolumeClaim: { claimName: customers } }]\n",
    )
    .unwrap();
    let mut cluster = cluster(&server);
    cluster.shape = Shape::new(&section(), &"bank-a".parse().unwrap(), template);
    cluster.make(&wanted(3)).await.unwrap();
    let job = only(&server, "jobs");
    let name = job["metadata"]["name"].as_str().unwrap();
    assert!(name.len() <= 63 && name.ends_with("-3"), "{name}");
    assert_eq!(job["metadata"]["labels"]["entente/party"], "bank-a");
    assert!(
        job["metadata"]["ownerReferences"].is_null(),
        "it outlives the party"
    );
    let rules = &job["spec"]["podFailurePolicy"]["rules"];
    assert_eq!(rules[0]["onPodConditions"][0]["type"], "DisruptionTarget");
    assert_eq!(rules[0]["action"], "Ignore");

    let spec = &job["spec"]["template"]["spec"];
    assert_eq!(spec["restartPolicy"], "Never");
    assert_eq!(spec["nodeSelector"]["pool"], "training");
    assert_eq!(spec["serviceAccountName"], "party-worker");
    assert_eq!(spec["automountServiceAccountToken"], false);
    assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
    let [container] = &spec["containers"].as_array().unwrap()[..] else {
        panic!("{spec:#}")
    };
    assert_eq!(container["image"], "entente:0.1.0");
    let arguments = container["args"].to_string();
    assert!(arguments.contains("\"--attempt\",\"3\""), "{arguments}");
    assert_eq!(container["resources"]["requests"]["cpu"], "4");
    let memory = ((1_u64 << 30) + (128 << 20)).to_string();
    assert_eq!(container["resources"]["limits"]["memory"], memory);
    assert_eq!(container["volumeMounts"].as_array().unwrap().len(), 2);

    let claim = only(&server, "persistentvolumeclaims");
    assert_eq!(claim["spec"]["storageClassName"], "replicated");
    let volumes = spec["volumes"].as_array().unwrap();
    assert!(volumes.iter().any(|volume| {
        volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    }));
    drop(cluster);
    server.stop().await;
}
