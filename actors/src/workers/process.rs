//! Workers as processes of this machine, beside the party.
//!
//! For isolation: a job that runs out of memory takes its worker with it, and
//! neither the party nor another job.
//!
//! ```text
//!   STATE_DIR/workers/address            where workers call
//!   STATE_DIR/workers/JOB-ATTEMPT/       what one goes on from; locked while it runs
//! ```
//!
//! A worker outlives a party that is killed, and finds the one that is started in
//! its place. Nobody has to know its process for that: whether one runs, the lock on
//! its directory says, and who runs is told to leave where it calls. One that nobody
//! answers for a while ends by itself.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    sync::{Notify, watch},
    time::timeout,
};

use super::{Cluster, Lack, LackKind, Seen, Wanted, WorkerId};
use crate::{config::Host, private_file, state_dir::StateDirLock};

/// How long a worker may take to end by itself.
const END_WITHIN: Duration = Duration::from_secs(10);
/// How long a worker waits for a party that is not there.
const PATIENCE_S: u64 = 120;

/// Child processes of a party.
pub(crate) struct Processes {
    host: Host,
    folder: PathBuf,
    address: PathBuf,
    children: Mutex<BTreeMap<WorkerId, Running>>,
    changed: Arc<Notify>,
}

/// A child that runs, or has.
#[derive(Clone)]
struct Running {
    process: Option<Pid>,
    /// To end.
    is_told: bool,
    /// How it has ended, once it has.
    ended: watch::Receiver<Option<String>>,
}

impl Processes {
    /// Of the party that `host` runs, over its state directory.
    pub(crate) fn new(host: Host, state_dir: &Path) -> Self {
        Self {
            host,
            folder: state_dir.join(super::FOLDER),
            address: super::reception::address_file(state_dir),
            children: Mutex::default(),
            changed: Arc::default(),
        }
    }

    fn directory(&self, id: WorkerId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    fn children(&self) -> MutexGuard<'_, BTreeMap<WorkerId, Running>> {
        let children = self.children.lock();
        children.unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self, id: WorkerId) -> io::Result<Seen> {
        if let Some(child) = self.children().get(&id) {
            return Ok(match &*child.ended.borrow() {
                None => Seen::Alive,
                Some(how) => Seen::Ended(how.clone()),
            });
        }
        // Of a party that was here before this one.
        Ok(match StateDirLock::take(&self.directory(id))? {
            None => Seen::Alive,
            Some(_) => Seen::AtRest,
        })
    }

    fn start(&self, id: WorkerId) -> io::Result<()> {
        let directory = self.directory(id);
        let child = Command::new(&self.host.program)
            .arg("worker")
            .args(&self.host.arguments)
            .arg("--config")
            .arg(&self.host.config)
            .arg("--job")
            .arg(id.job.to_string())
            .arg("--attempt")
            .arg(id.attempt.to_string())
            .arg("--state-dir")
            .arg(&directory)
            .arg("--party-file")
            .arg(&self.address)
            .arg("--patience-s")
            .arg(PATIENCE_S.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let process = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let (end, ended) = watch::channel(None);
        let changed = self.changed.clone();
        tokio::spawn(async move {
            let how = waited(child).await;
            end.send_replace(Some(how));
            changed.notify_one();
        });
        let child = Running {
            process,
            is_told: false,
            ended,
        };
        self.children().insert(id, child);
        Ok(())
    }

    /// Ends a child: gently first.
    async fn end(mut child: Running) {
        for signal in [Signal::TERM, Signal::KILL] {
            if child.ended.borrow().is_some() {
                return;
            }
            if let Some(process) = child.process {
                // One that has ended meanwhile is waited for by its own task, which
                // has its number until then.
                let _ = kill_process(process, signal);
            }
            let _ = timeout(END_WITHIN, child.ended.wait_for(Option::is_some)).await;
        }
    }
}

async fn waited(mut child: Child) -> String {
    match child.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

fn lack(error: io::Error) -> Lack {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LackKind::Quota,
        io::ErrorKind::PermissionDenied => LackKind::Forbidden,
        _ => LackKind::Unreachable,
    };
    kind.with(error)
}

#[async_trait]
impl Cluster for Processes {
    async fn look(&self) -> Result<BTreeMap<WorkerId, Seen>, Lack> {
        let listed = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            listed => listed.map_err(lack)?,
        };
        let mut seen = BTreeMap::new();
        for entry in listed {
            let name = entry.map_err(lack)?.file_name();
            let id = name.to_str().and_then(WorkerId::parse);
            if let Some(id) = id {
                seen.insert(id, self.seen(id).map_err(lack)?);
            }
        }
        Ok(seen)
    }

    async fn make(&self, wanted: &Wanted) -> Result<(), Lack> {
        private_file::make_directory(&self.directory(wanted.id)).map_err(lack)?;
        match self.seen(wanted.id) {
            Ok(Seen::Alive) => Ok(()),
            _ => self.start(wanted.id).map_err(lack),
        }
    }

    async fn stop(&self, id: WorkerId) -> Result<(), Lack> {
        let mut children = self.children();
        match children.get_mut(&id) {
            Some(child) if child.ended.borrow().is_some() => drop(children.remove(&id)),
            Some(child) if !child.is_told => {
                child.is_told = true;
                // Others are not to wait for it. Its end is a change, and is seen.
                tokio::spawn(Self::end(child.clone()));
            }
            // Told; or of a party before this one, and told when it calls.
            _ => {}
        }
        Ok(())
    }

    async fn forget(&self, id: WorkerId) -> Result<(), Lack> {
        self.stop(id).await?;
        if self.seen(id).map_err(lack)? != Seen::AtRest {
            return Ok(());
        }
        fs::remove_dir_all(self.directory(id)).map_err(lack)
    }

    async fn changed(&self) {
        self.changed.notified().await;
    }

    fn outlives_party(&self) -> bool {
        false
    }

    async fn close(&self) {
        let children: Vec<Running> = std::mem::take(&mut *self.children())
            .into_values()
            .collect();
        let ends = children.into_iter().map(Self::end);
        futures_util::future::join_all(ends).await;
    }
}
