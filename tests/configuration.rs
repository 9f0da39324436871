//! Configurations: the samples load, and what is wrong with one is said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{fs, path::Path, process::Command};

use house::{ENTENTE, configure, fail, folder_with_certificates, succeed};

const SERVICES: [(&str, &str); 3] = [
    ("coordinator", "coordinator"),
    ("party", "bank-a"),
    ("party", "bank-b"),
];

#[test]
fn every_sample_loads() {
    let folder = folder_with_certificates();
    // The policy is read with the party that names it.
    let mut seen = vec!["client.toml".to_owned(), "policy.toml".to_owned()];
    for (role, name) in SERVICES {
        configure(folder.path(), name, &[]);
        let file = format!("{name}.toml");
        let said = succeed(folder.path(), &[role, "--config", &file, "--check-config"]);
        assert!(said.contains("good"), "{said}");
        seen.push(file);
    }
    // Whose jobs run elsewhere, where this software can do that.
    configure(folder.path(), "bank-a-kubernetes", &[]);
    let file = "bank-a-kubernetes.toml";
    let check = ["party", "--config", file, "--check-config"];
    match cfg!(feature = "kubernetes") {
        true => {
            // Its sealing key lies where a pod has it.
            let (code, said) = fail(folder.path(), &check);
            assert_eq!(code, 3, "{said}");
            assert!(said.contains("/etc/entente/sealing/key"), "{said}");
            let key = ["party", "sealing-key", "new", "key"];
            succeed(folder.path(), &key);
            let changes = [("/etc/entente/sealing/key", "key")];
            configure(folder.path(), "bank-a-kubernetes", &changes);
            assert!(succeed(folder.path(), &check).contains("good"));
        }
        false => {
            let (code, said) = fail(folder.path(), &check);
            assert_eq!(code, 3, "{said}");
            assert!(said.contains("--features kubernetes"), "{said}");
        }
    }
    seen.push(file.to_owned());
    // Refused only for want of a coordinator: the files themselves are read.
    configure(folder.path(), "client", &[]);
    for name in ["iris", "iris-evaluate", "iris-predict", "mnist"] {
        configure(folder.path(), name, &[]);
        let file = format!("{name}.toml");
        let (code, said) = fail(folder.path(), &["job", "submit", &file]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("localhost:7400"), "{said}");
        seen.push(file);
    }
    // Parts of a party's configuration, each loaded behind its own.
    for (name, datasets) in [
        ("bank-a", "datasets-features.toml"),
        ("bank-b", "datasets-labels.toml"),
    ] {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy")
            .join(datasets);
        let file = folder.path().join(format!("{name}.toml"));
        let own = fs::read_to_string(&file).unwrap();
        fs::write(&file, own + &fs::read_to_string(sample).unwrap()).unwrap();
        let config = format!("{name}.toml");
        let said = succeed(
            folder.path(),
            &["party", "--config", &config, "--check-config"],
        );
        assert!(said.contains("good"), "{said}");
        seen.push(datasets.to_owned());
    }
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    for entry in fs::read_dir(samples).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            !name.ends_with(".toml") || seen.contains(&name),
            "{name} is loaded by no test"
        );
    }
}

#[test]
fn unknown_keys_are_errors_in_the_file_and_in_the_environment() {
    let folder = folder_with_certificates();
    for (role, name) in SERVICES {
        configure(folder.path(), name, &[("listen =", "lisen = 1\nlisten =")]);
        let file = format!("{name}.toml");
        let (code, said) = fail(folder.path(), &[role, "--config", &file, "--check-config"]);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("lisen"), "{said}");

        configure(folder.path(), name, &[]);
        let output = Command::new(ENTENTE)
            .current_dir(folder.path())
            .args([role, "--config", &file, "--check-config"])
            .env("ENTENTE__TLS__CERTIFICAT", "x.pem")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("certificat"), "{said}");
    }
}

#[test]
fn the_environment_stands_above_the_file() {
    let folder = folder_with_certificates();
    configure(folder.path(), "bank-a", &[]);
    for (variable, value, code) in [
        ("PARTY__CAPACITY", "5", 0),
        ("PARTY__CAPACITY", "0", 3),
        ("COMPUTE__THREADS", "2", 0),
        ("COMPUTE__THREADS", "0", 3),
        ("COMPUTE__POOL_VALUES", "0", 0),
        ("COMPUTE__POOL_VALUES", "-1", 3),
        ("COMPUTE__POOL_VALUES", "2000000", 3),
    ] {
        let output = Command::new(ENTENTE)
            .current_dir(folder.path())
            .args(["party", "--config", "bank-a.toml", "--check-config"])
            .env(format!("ENTENTE__{variable}"), value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{variable}={value}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let folder = folder_with_certificates();
    let check = ["party", "--config", "bank-a.toml", "--check-config"];
    let (code, said) = fail(folder.path(), &check);
    assert_eq!(code, 3);
    assert!(said.contains("bank-a.toml"), "{said}");

    configure(
        folder.path(),
        "bank-a",
        &[("pki/bank-a.key", "pki/nothing.key")],
    );
    let (code, said) = fail(folder.path(), &check);
    assert_eq!(code, 3);
    assert!(said.contains("pki/nothing.key"), "{said}");

    configure(
        folder.path(),
        "bank-a",
        &[("pki/bank-a.key", "pki/bank-b.key")],
    );
    let (code, said) = fail(folder.path(), &check);
    assert_eq!(code, 3);
    assert!(said.contains("bank-b.key"), "{said}");
}

#[test]
fn a_dataset_whose_configuration_contradicts_itself_is_named() {
    let folder = folder_with_certificates();
    let wrong = "[datasets.loans]\nsource = \"csv\"\npath = \"x\"\ncolumns = \"labels\"\n";
    let edit = [("[datasets.iris]", &*format!("{wrong}[datasets.iris]"))];
    configure(folder.path(), "bank-a", &edit);
    let check = ["party", "--config", "bank-a.toml", "--check-config"];
    let (code, said) = fail(folder.path(), &check);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("datasets.loans"), "{said}");
    assert!(said.contains("label = COLUMN"), "{said}");
}

#[test]
fn a_policy_that_cannot_be_used_is_named() {
    let folder = folder_with_certificates();
    let check = ["party", "--config", "bank-b.toml", "--check-config"];
    configure(folder.path(), "bank-b", &[]);
    let file = folder.path().join("deploy/policy.toml");
    for (text, said) in [
        ("[[alow]]\n", "alow"),
        ("[[allow]]\nmax_epochs = 0\n", "[[allow]] number 1"),
    ] {
        fs::write(&file, text).unwrap();
        let (code, error) = fail(folder.path(), &check);
        assert_eq!(code, 3, "{error}");
        assert!(
            error.contains(said) && error.contains("policy.toml"),
            "{error}"
        );
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(fail(folder.path(), &check).0, 3);
    let none = ("policy = \"deploy/policy.toml\"\n", "");
    configure(folder.path(), "bank-b", &[none]);
    fs::remove_file(&file).unwrap();
    succeed(folder.path(), &check);
}

/// A configuration with another's certificate must not start.
#[test]
fn a_name_that_is_not_the_certificates_is_refused() {
    let folder = folder_with_certificates();
    configure(
        folder.path(),
        "bank-a",
        &[(r#"name = "bank-a""#, r#"name = "bank-x""#)],
    );
    let (_, said) = fail(folder.path(), &["party", "--config", "bank-a.toml"]);
    assert!(said.contains("bank-a") && said.contains("bank-x"), "{said}");
}

#[test]
fn certificates_are_not_overwritten_and_their_keys_are_ones_own() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder_with_certificates();
    let (code, _) = fail(folder.path(), &["cert", "ca", "--out", "pki"]);
    assert_eq!(code, 3);
    let again = [
        "cert", "issue", "party", "bank-a", "--ca", "pki", "--out", "pki",
    ];
    let (code, _) = fail(folder.path(), &again);
    assert_eq!(code, 3);
    for key in ["ca.key", "bank-a.key"] {
        let mode = fs::metadata(folder.path().join("pki").join(key))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    for (kind, name) in [("bank", "x"), ("party", "Bank X")] {
        let arguments = ["cert", "issue", kind, name, "--ca", "pki", "--out", "pki"];
        assert_eq!(fail(folder.path(), &arguments).0, 3);
    }
}

#[test]
fn a_sealing_key_comes_from_a_file_or_the_environment() {
    let folder = folder_with_certificates();
    let check = |environment: &[(&str, &str)]| {
        let output = Command::new(ENTENTE)
            .current_dir(folder.path())
            .args(["party", "--config", "bank-a.toml", "--check-config"])
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    };
    let refused = |environment: &[(&str, &str)], what: &str| {
        let (code, said) = check(environment);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains(what), "{said}");
    };
    let from = |source: &str| {
        let key = format!("sealing_key = {source}\ncapacity = 4");
        configure(folder.path(), "bank-a", &[("capacity = 4", &*key)]);
    };
    from("{ file = \"a.key\" }");
    refused(&[], "a.key");
    succeed(folder.path(), &["party", "sealing-key", "new", "a.key"]);
    assert_eq!(check(&[]).0, 0);
    let (code, _) = fail(folder.path(), &["party", "sealing-key", "new", "a.key"]);
    assert_eq!(code, 3);
    refused(&[("ENTENTE__PARTY__SEALING_KEY__FILE", "b.key")], "b.key");
    let former = "ENTENTE__PARTY__FORMER_SEALING_KEYS";
    assert_eq!(check(&[(former, "a.key")]).0, 0);
    refused(&[(former, "a.key,c.key")], "c.key");

    from("{ environment = \"HOUSE_KEY\" }");
    refused(&[], "HOUSE_KEY");
    let digits = "0123456789abcdef".repeat(4);
    assert_eq!(check(&[("HOUSE_KEY", &digits)]).0, 0);
    refused(&[("HOUSE_KEY", &digits[1..])], "64 hexadecimal digits");

    // Nothing is made by a check.
    configure(folder.path(), "bank-a", &[]);
    assert_eq!(check(&[]).0, 0);
    assert!(!folder.path().join("state").exists());
}

/// As an existing PKI makes them: whom a name stands for is written down. The dots of a
/// host name are no levels of a configuration.
#[test]
fn names_of_other_certificates_stand_for_whom_the_configuration_says() {
    let folder = folder_with_certificates();
    let issue = [
        "cert", "issue", "party", "trainer", "--ca", "pki", "--out", "pki",
    ];
    let host = ["--host", "bank-b.example.org"];
    succeed(folder.path(), &[&issue[..], &host].concat());
    let check = ["party", "--config", "bank-b.toml", "--check-config"];
    let names = |key: &str| {
        format!("trust_domain = \"elsewhere\"\n[tls.identities]\n{key:?} = \"party/bank-b\"\n")
    };
    let configure = |more: &str| {
        let more = format!("{more}# ");
        configure(
            folder.path(),
            "bank-b",
            &[
                ("pki/bank-b.pem", "pki/trainer.pem"),
                ("pki/bank-b.key", "pki/trainer.key"),
                ("reload_s = 10 ", &more),
            ],
        );
    };
    configure(&names("bank-b.example.org"));
    let said = succeed(folder.path(), &check);
    assert!(said.contains("good, for party/bank-b"), "{said}");
    configure(&names("spiffe://entente/party/trainer"));
    let said = succeed(folder.path(), &check);
    assert!(said.contains("good, for party/bank-b"), "{said}");
    configure(&names("other.example.org"));
    let (code, said) = fail(folder.path(), &check);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("[tls.identities]"), "{said}");
    configure("reload_s = 0\n");
    let (code, said) = fail(folder.path(), &check);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("from 1 to 3600"), "{said}");
}
