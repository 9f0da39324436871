//! A coordinator that wishes what a test tells it to.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    web::{self, Data, Json},
};
use entente_protocol::control::{Assignment, JobReport, Phase, Proposal, Sync, Wish};
use entente_tls::Identity;
use tokio::{sync::watch, time::timeout};

use crate::testbed::{Consortium, Notary, soon};

/// What the coordinator knows: its wishes, and what parties told it.
#[derive(Default, Clone)]
struct Book {
    wishes: BTreeMap<String, Wish>,
    truths: BTreeMap<String, Sync>,
}

pub(super) struct FakeCoordinator {
    pub(super) address: SocketAddr,
    book: Arc<watch::Sender<Book>>,
    server: ServerHandle,
    notary: Notary,
}

impl FakeCoordinator {
    pub(super) fn start(consortium: &Consortium) -> Self {
        Self::at(consortium, "127.0.0.1:0".parse().unwrap())
    }

    pub(super) fn at(consortium: &Consortium, address: SocketAddr) -> Self {
        let identity = Identity::coordinator("coordinator".parse().unwrap());
        let tls = consortium.member(&identity).server_config().unwrap();
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let book = Arc::new(watch::Sender::new(Book::default()));
        let data = Data::from(book.clone());
        let app = move || {
            App::new()
                .app_data(data.clone())
                .route("/{party}/v1/sync", web::post().to(sync))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .shutdown_timeout(0)
            .listen_rustls_0_23(listener, Arc::unwrap_or_clone(tls))
            .unwrap()
            .run();
        let handle = server.handle();
        actix_rt::spawn(server);
        Self {
            address,
            book,
            server: handle,
            notary: consortium.notary(),
        }
    }

    /// Wishes for a party exactly these jobs, which both parties have signed.
    pub(super) fn wish(&self, party: &str, jobs: &[Assignment]) {
        let mut jobs = jobs.to_vec();
        for job in &mut jobs {
            self.notary.sign(job);
        }
        self.change(party, |wish| wish.jobs = jobs);
    }

    /// Wishes for a party this job, with the signatures that it has.
    pub(super) fn wish_unsigned(&self, party: &str, job: Assignment) {
        self.change(party, |wish| wish.jobs = vec![job]);
    }

    /// Proposes exactly this job to a party.
    pub(super) fn propose(&self, party: &str, proposal: Option<Proposal>) {
        self.change(party, |wish| {
            wish.proposals = proposal.into_iter().collect()
        });
    }

    fn change(&self, party: &str, change: impl FnOnce(&mut Wish)) {
        self.book.send_modify(|book| {
            let wish = book.wishes.entry(party.to_owned()).or_insert(Wish {
                revision: 0,
                jobs: Vec::new(),
                proposals: Vec::new(),
            });
            wish.revision += 1;
            change(wish);
        });
    }

    /// Forgets what a party has told.
    pub(super) fn forget_truth(&self, party: &str) {
        self.book.send_modify(|book| {
            book.truths.remove(party);
        });
    }

    /// Waits until the truth of `party` is as asked for.
    pub(super) async fn hears(&self, party: &str, what: &str, is: impl Fn(&Sync) -> bool) -> Sync {
        let mut book = self.book.subscribe();
        let told = |book: &Book| book.truths.get(party).is_some_and(&is);
        let book = soon(what, book.wait_for(told)).await.unwrap();
        book.truths[party].clone()
    }

    /// Waits until the first job of `party` is as asked for.
    pub(super) async fn sees(
        &self,
        party: &str,
        what: &str,
        is: impl Fn(&JobReport) -> bool,
    ) -> JobReport {
        let first = |truth: &Sync| truth.jobs.first().is_some_and(&is);
        self.hears(party, what, first).await.jobs.remove(0)
    }

    pub(super) async fn finished(&self, party: &str) -> JobReport {
        let finished = |job: &JobReport| {
            assert!(!matches!(job.phase, Phase::Failed { .. }), "{job:?}");
            job.phase == Phase::Finished
        };
        self.sees(party, "the end of the job", finished).await
    }

    pub(super) async fn stop(self) {
        self.server.stop(false).await;
    }
}

async fn sync(
    party: web::Path<String>,
    truth: Json<Sync>,
    book: Data<watch::Sender<Book>>,
) -> Json<Wish> {
    let (party, truth) = (party.into_inner(), truth.into_inner());
    let wait = Duration::from_millis(truth.wait_ms);
    let seen = truth.seen_revision;
    book.send_modify(|book| {
        book.truths.insert(party.clone(), truth);
    });
    let mut news = book.subscribe();
    let newer = |book: &Book| book.wishes.get(&party).is_some_and(|w| w.revision != seen);
    // Without news it is the same wish again.
    let _ = timeout(wait, news.wait_for(newer)).await;
    let wish = book.borrow().wishes.get(&party).cloned();
    Json(wish.unwrap_or(Wish {
        revision: 0,
        jobs: Vec::new(),
        proposals: Vec::new(),
    }))
}
