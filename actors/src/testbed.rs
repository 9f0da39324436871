//! What several test modules stand on: certificates, and deadlines.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use entente_metrics::Registry;
use entente_protocol::{
    contract::{Signatures, Signed, Terms},
    control::Assignment,
    job::{Side, Task},
};
use entente_tls::{Credentials, DevelopmentCa, Identity, Validity};
use entente_wire::WireVersion;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, copy},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use crate::telemetry::Meters;

/// Far beyond what anything takes; a test that reaches it has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// An authority and a directory for its certificates, gone when dropped.
pub(crate) struct Consortium {
    ca: DevelopmentCa,
    dir: TempDir,
}

impl Consortium {
    pub(crate) fn new() -> Self {
        Self {
            ca: DevelopmentCa::create("test authority").unwrap(),
            dir: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub(crate) fn party(&self, name: &str) -> Arc<Credentials> {
        self.member(&Identity::party(name.parse().unwrap()))
    }

    /// Signs for both parties of the usual jobs, so that they may run.
    pub(crate) fn notary(&self) -> Notary {
        Notary(["bank-a", "bank-b"].map(|name| self.party(name)))
    }

    pub(crate) fn member(&self, identity: &Identity) -> Arc<Credentials> {
        let issued = self.ca.issue(identity, &[], Validity::days(1)).unwrap();
        let dir = TempDir::new_in(self.dir.path()).unwrap();
        let files = issued.save(dir.path(), "own").unwrap();
        Arc::new(Credentials::load(&files).unwrap())
    }
}

/// Whoever has the keys of bank-a and bank-b.
#[derive(Clone)]
pub(crate) struct Notary([Arc<Credentials>; 2]);

impl Notary {
    /// Has signed what the two can sign of an assignment.
    pub(crate) fn sign(&self, assignment: &mut Assignment) {
        let Ok(task) = Task::try_from(assignment.spec.clone()) else {
            return;
        };
        let terms = Terms::of(assignment.job, &task);
        let since = std::time::UNIX_EPOCH.elapsed().unwrap();
        let at_ms = since.as_millis() as u64;
        let signed = |side| {
            let signs = |of: &&Arc<Credentials>| of.identity().to_string() == terms.signer(side);
            let text = terms.text(side, at_ms);
            let signature = self.0.iter().find(signs)?.sign(text.as_bytes()).unwrap();
            let signature = signature.to_string();
            Some(Signed { at_ms, signature })
        };
        assignment.signatures = Signatures {
            active: signed(Side::Active),
            passive: signed(Side::Passive),
        };
    }
}

/// Meters that nobody reads.
pub(crate) fn meters() -> Meters {
    Meters::new(Registry::new().unwrap())
}

/// An assignment of job number `number`, with everything granted.
pub(crate) fn assignment(number: u8, active: &str, passive: &str) -> Assignment {
    let spec = serde_json::json!({
        "name": "test",
        "parties": { "active": active, "passive": passive },
        "data": { "dataset": "iris" },
        "network": { "inputs": 4, "bottom": [{ "kind": "dense", "units": 5 }], "classes": 3 },
        "training": {
            "epochs": 1,
            "batch_size": 30,
            "learning_rate": 0.1,
            "bottom": { "optimizer": "sgd", "learning_rate": 0.1 },
            "seed": 1
        }
    });
    Assignment {
        job: format!("01890a5d-ac96-774b-bcce-b302099a80{number:02x}")
            .parse()
            .unwrap(),
        attempt: 1,
        wire: WireVersion::NEWEST.number(),
        side: Side::Active,
        spec: serde_json::from_value(spec).unwrap(),
        signatures: Signatures::default(),
        granted: u64::MAX,
        exchanges_done: 0,
        key_epoch: 0,
        hold: false,
    }
}

/// The outcome of `future`, within the deadline.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("{what} does not happen"),
    }
}

/// A line that can break: forwards connections to a target.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    calls: watch::Receiver<u64>,
    target: Arc<watch::Sender<SocketAddr>>,
    stop: CancellationToken,
}

impl Line {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        Self::worn(target, u64::MAX).await
    }

    /// Each connection breaks, wherever it is, once the caller has sent so
    /// many bytes.
    pub(crate) async fn worn(target: SocketAddr, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (counted, calls) = watch::channel(0);
        let target = Arc::new(watch::Sender::new(target));
        let called_at = target.clone();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
            loop {
                let (mut caller, _) = listener.accept().await.unwrap();
                let stopped = stopped.clone();
                let target = *called_at.borrow();
                counted.send_modify(|calls| *calls += 1);
                tokio::spawn(async move {
                    let Ok(mut called) = TcpStream::connect(target).await else {
                        return;
                    };
                    let (mut from_caller, mut to_caller) = caller.split();
                    let (mut from_called, mut to_called) = called.split();
                    let mut until_worn = (&mut from_caller).take(bytes);
                    tokio::select! {
                        _ = copy(&mut until_worn, &mut to_called) => {}
                        _ = copy(&mut from_called, &mut to_caller) => {}
                        () = stopped.cancelled() => {}
                    }
                });
            }
        }));
        Self {
            address,
            calls,
            target,
            stop,
        }
    }

    /// From the next call on it leads there.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// Waits until there were this many calls.
    pub(crate) async fn called(&self, times: u64) {
        let mut calls = self.calls.clone();
        soon("a call", calls.wait_for(|calls| *calls >= times))
            .await
            .unwrap();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
