//! The processes that the demonstration starts, and their end.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::{Child, ChildStdin, Command};

use crate::{exit::Failure, serve::Addresses};

/// How long a process may take to say that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long a process may take to end by itself.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A process of this demonstration. It ends when it is told to, when this
/// value is dropped, and by itself when this whole process is gone: its
/// standard input closes then.
pub(super) struct Service {
    /// For people.
    pub(super) name: &'static str,
    log: PathBuf,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Service {
    /// Starts `entente ROLE --config ...` and waits until it has announced
    /// its addresses.
    pub(super) async fn start(
        role: &str,
        name: &'static str,
        folder: &Path,
    ) -> Result<(Self, Addresses), Failure> {
        let announce = folder.join(format!("{name}.addresses.json"));
        let log = folder.join(format!("{name}.log"));
        let program = std::env::current_exe().map_err(Failure::runtime)?;
        let log_file = File::create(&log).map_err(Failure::runtime)?;
        let mut child = Command::new(program)
            .arg(role)
            .arg("--config")
            .arg(folder.join(format!("{name}.toml")))
            .arg("--announce")
            .arg(&announce)
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::Runtime(format!("{name} does not start: {error}")))?;
        let stdin = child.stdin.take();
        let mut service = Self {
            name,
            log,
            child,
            stdin,
        };
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Ok(text) = fs::read(&announce) {
                let addresses = serde_json::from_slice(&text).map_err(Failure::runtime)?;
                return Ok((service, addresses));
            }
            service.check()?;
            if Instant::now() > deadline {
                return Err(Failure::Runtime(format!(
                    "{name} is not ready after {} s; its log ends with: {}",
                    READY_WITHIN.as_secs(),
                    service.last_words()
                )));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// Its last words, when it does not.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(Failure::Runtime(format!(
                "{} ended ({status}): {}",
                self.name,
                self.last_words()
            ))),
            Err(error) => Err(Failure::Runtime(format!("{}: {error}", self.name))),
        }
    }

    /// The last line that it logged.
    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("it logged nothing").to_owned()
    }

    /// Ends it: gently first.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        if tokio::time::timeout(END_WITHIN, self.child.wait())
            .await
            .is_err()
        {
            tracing::warn!("{} does not end by itself and is killed", self.name);
            let _ = self.child.kill().await;
        }
    }
}

/// Ends all, the last started first.
pub(super) async fn stop_all(services: Vec<Service>) {
    for service in services.into_iter().rev() {
        service.stop().await;
    }
}
