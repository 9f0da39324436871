//! The configurations in ConfigMaps, loaded by the binary as a container would: the files
//! where the projected volume has them, with its links, its owner and its modes, the
//! container's variables, its command, its user.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    house::{ENTENTE, succeed},
    overlay::{Overlay, list, name, namespace, overlays},
};

const CONFIGURATION: &str = "/etc/entente";
const STATE: &str = "/var/lib/entente";

/// A container's file system, below a folder.
struct Container {
    root: TempDir,
    args: Vec<String>,
    variables: Vec<(String, String)>,
    user: u32,
}

impl Container {
    fn of(overlay: &Overlay, of: &str, template: &Value) -> Self {
        let root = tempfile::tempdir().unwrap();
        open(root.path());
        let spec = &template["spec"];
        let container = &spec["containers"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut made = Self {
            args: list(&container["args"]).iter().map(text).collect(),
            variables: Vec::new(),
            user: spec["securityContext"]["runAsUser"].as_u64().unwrap() as u32,
            root,
        };
        for variable in list(&container["env"]) {
            if let Some(value) = variable["value"].as_str() {
                let value = value.replace("$(POD_NAME)", "coordinator-0");
                made.variables.push((text(&variable["name"]), value));
            }
        }
        let volumes = list(&spec["volumes"]);
        let volume = volumes
            .iter()
            .find(|one| one["name"] == "configuration")
            .unwrap();
        assert_eq!(volume["projected"]["defaultMode"], 0o440);
        for source in list(&volume["projected"]["sources"]) {
            made.project(overlay, of, source);
        }
        made.link();
        made
    }

    /// Where the kubelet writes what it then links to.
    fn data(&self) -> PathBuf {
        self.root.path().join("etc/entente/..2026_11_21")
    }

    fn project(&self, overlay: &Overlay, of: &str, source: &Value) {
        if let Some(wanted) = source["configMap"]["name"].as_str() {
            let mut maps = overlay.of("ConfigMap");
            let map = maps.find(|map| name(map) == wanted && namespace(map) == of);
            for (file, text) in map.unwrap()["data"].as_object().unwrap() {
                let text = text.as_str().unwrap();
                let text = text.replace(CONFIGURATION, &self.below(CONFIGURATION));
                self.write(file, &text.replace(STATE, &self.below(STATE)));
            }
        }
        let secret = source["secret"]["name"].as_str();
        for item in list(&source["secret"]["items"]) {
            let (key, path) = (
                item["key"].as_str().unwrap(),
                item["path"].as_str().unwrap(),
            );
            self.write(path, &content(overlay, secret.unwrap(), of, key));
        }
    }

    fn below(&self, path: &str) -> String {
        format!("{}{path}", self.root.path().display())
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.data().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        // As the superuser one can do as the kubelet does; otherwise the files are ours.
        let mode = match chown(&file, Some(0), Some(self.user)) {
            Ok(()) => 0o440,
            Err(_) => 0o400,
        };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn link(&self) {
        let folder = self.root.path().join("etc/entente");
        symlink(self.data().file_name().unwrap(), folder.join("..data")).unwrap();
        for entry in fs::read_dir(self.data()).unwrap() {
            let name = entry.unwrap().file_name();
            symlink(Path::new("..data").join(&name), folder.join(&name)).unwrap();
        }
        for path in [self.root.path().join("etc"), folder, self.data()] {
            open(&path);
        }
        for folder in ["tls", "sealing", "database"] {
            let folder = self.data().join(folder);
            if folder.exists() {
                open(&folder);
            }
        }
    }

    /// Runs the container's command with `more`, as its user if that can be done.
    fn run(&self, more: &[&str]) -> Output {
        let args = self
            .args
            .iter()
            .map(|arg| match arg.strip_prefix(CONFIGURATION) {
                Some(rest) => format!("{}{rest}", self.below(CONFIGURATION)),
                None => arg.clone(),
            });
        let user = self.user.to_string();
        let become_user = ["--reuid", &user, "--regid", &user, "--clear-groups"];
        let mut able = Command::new("setpriv");
        able.args(become_user).args([ENTENTE, "--version"]);
        let is_able = able.output().is_ok_and(|output| output.status.success());
        let mut command = match is_able {
            true => {
                let mut command = Command::new("setpriv");
                command.args(become_user).arg(ENTENTE);
                command
            }
            false => Command::new(ENTENTE),
        };
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command
            .args(args)
            .args(more)
            .envs(variables)
            .output()
            .unwrap()
    }
}

fn open(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What people, or cert-manager, put into a Secret.
fn content(overlay: &Overlay, secret: &str, namespace: &str, key: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    match (secret, key) {
        ("party-sealing-key", _) => {
            succeed(path, &["party", "sealing-key", "new", "key"]);
            fs::read_to_string(path.join("key")).unwrap()
        }
        ("coordinator-database", "password") => "not a password\n".to_owned(),
        _ => {
            let (kind, name) = match secret {
                "party-tls" => ("party", namespace.strip_prefix("entente-").unwrap()),
                _ => ("coordinator", "coordinator"),
            };
            let pki = pki(overlay, kind, name);
            let file = match key {
                "ca.crt" => "ca.pem".to_owned(),
                "tls.crt" => format!("{name}.pem"),
                _ => format!("{name}.key"),
            };
            fs::read_to_string(pki.join(file)).unwrap()
        }
    }
}

/// One authority for all, and one key a member: two files of one Secret belong together.
fn pki(overlay: &Overlay, kind: &str, name: &str) -> PathBuf {
    use std::sync::{Mutex, OnceLock};
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path();
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    let pki = folder.join(overlay.name);
    let out = pki.to_str().unwrap();
    if !pki.join("ca.pem").exists() {
        succeed(folder, &["cert", "ca", "--out", out]);
    }
    if !pki.join(format!("{name}.pem")).exists() {
        succeed(
            folder,
            &["cert", "issue", kind, name, "--ca", out, "--out", out],
        );
    }
    pki
}

#[test]
fn the_binary_takes_every_configuration_as_it_is_mounted() {
    for overlay in overlays("the_binary_takes_every_configuration_as_it_is_mounted") {
        for (namespace, name, template) in overlay.templates() {
            let container = Container::of(overlay, namespace, template);
            let output = container.run(&["--check-config"]);
            let said = String::from_utf8(output.stdout).unwrap();
            let errors = String::from_utf8(output.stderr).unwrap();
            // A party that launches is built for it; whether every key of it is known is
            // asked before that.
            let launches = overlay.name == "launcher" && !cfg!(feature = "kubernetes");
            let other_build = launches && errors.contains("launcher.kind");
            let good = output.status.success() && said.contains("good, for");
            assert!(good || other_build, "{}, {name}: {errors}", overlay.name);
        }
    }
}

#[test]
fn a_key_that_is_misspelt_or_read_by_others_is_refused() {
    let made = overlays("a_key_that_is_misspelt_or_read_by_others_is_refused");
    let Some(party) = made.iter().find(|overlay| overlay.name == "party") else {
        return;
    };
    let (namespace, _, template) = party.templates().next().unwrap();
    let container = Container::of(party, namespace, template);
    let data = container.data();
    let change = |file: &str, mode: u32| {
        fs::set_permissions(data.join(file), fs::Permissions::from_mode(mode)).unwrap();
    };
    let refused = |word: &str| {
        let output = container.run(&["--check-config"]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{errors}");
        assert!(errors.contains(word), "{errors}");
    };
    for key in ["tls/tls.key", "sealing/key"] {
        change(key, 0o444);
        refused("mode 444");
        change(key, 0o440);
    }
    let text = fs::read_to_string(data.join("entente.toml")).unwrap();
    change("entente.toml", 0o644);
    fs::write(
        data.join("entente.toml"),
        text.replace("capacity", "capacty"),
    )
    .unwrap();
    refused("capacty");
}

/// What workers are made from is read before one is wanted.
#[cfg(feature = "kubernetes")]
#[test]
fn a_template_of_workers_that_is_none_is_refused() {
    let made = overlays("a_template_of_workers_that_is_none_is_refused");
    let Some(launcher) = made.iter().find(|overlay| overlay.name == "launcher") else {
        return;
    };
    let (namespace, _, template) = launcher.templates().next().unwrap();
    let container = Container::of(launcher, namespace, template);
    let file = container.data().join("worker.yaml");
    fs::remove_file(&file).unwrap();
    for text in [None, Some("spec: { containers: worker }\n")] {
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
        }
        let output = container.run(&["--check-config"]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{errors}");
        assert!(errors.contains("worker.yaml"), "{errors}");
    }
}

/// The ports that a configuration names are those of the container, and its probes are
/// questions that the binary knows.
#[test]
fn containers_say_what_their_configurations_say() {
    for overlay in overlays("containers_say_what_their_configurations_say") {
        for (of, name, template) in overlay.templates() {
            let container = &template["spec"]["containers"][0];
            let made = Container::of(overlay, of, template);
            let text = fs::read_to_string(made.data().join("entente.toml")).unwrap();
            let config: toml::Table = text.parse().unwrap();
            for (port, section) in [
                ("api", ["coordinator", "listen"]),
                ("peers", ["party", "listen"]),
                ("metrics", ["metrics", "listen"]),
                ("workers", ["launcher", "listen"]),
            ] {
                let said = config.get(section[0]).and_then(|of| of.get(section[1]));
                let said = said.map(|listen| listen.as_str().unwrap().to_owned());
                let mut ports = list(&container["ports"]).iter();
                let has = ports.find(|one| one["name"] == port);
                let has = has.map(|one| format!("0.0.0.0:{}", one["containerPort"]));
                assert_eq!(said, has, "{}, {name}: {port}", overlay.name);
            }
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                let command = list(&container[probe]["exec"]["command"]);
                let command: Vec<_> = command.iter().map(|word| word.as_str().unwrap()).collect();
                assert_eq!(command[..2], ["/entente", "probe"], "{name}");
                // Understood, and refused for want of the file.
                let output = Command::new(ENTENTE).args(&command[1..]).output().unwrap();
                assert_eq!(output.status.code(), Some(3), "{command:?}");
                // Its own deadline is before the kubelet's.
                assert!(
                    container[probe]["timeoutSeconds"].as_u64().unwrap() > 2,
                    "{name}"
                );
            }
        }
    }
}
