//! The configurations of `deploy/compose`, without any container.

use std::{fs, path::Path};

use crate::house::{folder_with_certificates, succeed};

#[test]
fn every_configuration_of_the_stack_is_good() {
    let folder = folder_with_certificates();
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    fs::copy(
        deploy.join("policy.toml"),
        folder.path().join("policy.toml"),
    )
    .unwrap();
    for (role, name) in [
        ("coordinator", "coordinator"),
        ("party", "bank-a"),
        ("party", "bank-b"),
    ] {
        let file = format!("{name}.toml");
        let sample = fs::read_to_string(deploy.join("compose").join(&file)).unwrap();
        let sample = sample
            .replace("/etc/entente/tls", "pki")
            .replace("/etc/entente/", "");
        fs::write(folder.path().join(&file), sample).unwrap();
        let said = succeed(folder.path(), &[role, "--config", &file, "--check-config"]);
        assert!(said.contains("good"), "{said}");
    }
}
