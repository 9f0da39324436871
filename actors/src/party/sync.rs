//! Asking the coordinator what it wants.
//!
//! One question at a time. The coordinator may hold its answer back; when this
//! party has news in the meantime, the question is dropped and asked anew with
//! the news, but not more often than every [`LEAST`]. While the coordinator is
//! away, jobs go on within their grants.
//!
//! Of several coordinators one leads. Who does not answer, or stands by, is
//! followed by the next at once; only after a round of all of them is there a
//! wait, which grows.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use actix::Addr;
use awc::{Client, Connector, http::StatusCode};
use entente_protocol::control::{Sync, Wish};
use entente_tls::{Credentials, Identity, TlsError};
use futures_util::FutureExt;
use thiserror::Error;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use url::Url;

use super::{
    PartyActor,
    messages::{Truth, Wished},
};
use crate::{
    backoff::{Backoff, Waits},
    config::CoordinatorSection,
    entropy,
    telemetry::Meters,
};

/// How long the coordinator may hold an answer back.
pub(super) const WAIT: Duration = Duration::from_secs(10);
/// Between two questions at least.
const LEAST: Duration = Duration::from_millis(200);
/// For the answer's way, beyond [`WAIT`].
const PATIENCE: Duration = Duration::from_secs(10);
/// A wish of a thousand jobs, with room to spare.
const MAX_WISH_BYTES: usize = 16 << 20;
/// A refusal's explanation, in the log.
const MAX_REASON_BYTES: usize = 4 << 10;

/// The coordinator, as a party reaches it.
pub(crate) struct Coordinator {
    /// Of all of them, the one to ask next in front.
    endpoints: VecDeque<String>,
    /// So many have not answered in this round.
    failed: usize,
    tls: Arc<rustls::ClientConfig>,
    client: Client,
    credentials: Arc<Credentials>,
    /// Of the credentials when the client was made.
    generation: u64,
}

/// Why there is no wish.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum SyncError {
    /// No configuration can be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The endpoint cannot be named.
    #[error("[coordinator] url cannot be used: {0}")]
    Url(#[from] url::ParseError),
    /// The coordinator is not there.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The coordinator does not answer.
    #[error("does not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// The coordinator refuses.
    #[error("refuses with {status}: {reason}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// What it says.
        reason: String,
    },
    /// The answer is no wish.
    #[error("answers something that is no wish: {0}")]
    NoWish(String),
}

impl Coordinator {
    pub(crate) fn new(
        section: &CoordinatorSection,
        credentials: &Arc<Credentials>,
    ) -> Result<Self, SyncError> {
        let expected = Identity::coordinator(section.name.clone());
        let tls = credentials.client_config(&expected)?;
        let endpoints = section.url.iter().map(endpoint);
        Ok(Self {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            failed: 0,
            client: client(tls.clone()),
            tls,
            generation: credentials.generation(),
            credentials: credentials.clone(),
        })
    }

    fn endpoint(&self) -> &str {
        self.endpoints.front().map_or("", String::as_str)
    }

    /// Asks another one the next time; whether this was the last of a round.
    fn turn_to_the_next(&mut self) -> bool {
        self.endpoints.rotate_left(1);
        self.failed += 1;
        let round_is_over = self.failed >= self.endpoints.len();
        if round_is_over {
            self.failed = 0;
        }
        round_is_over
    }

    async fn ask(&mut self, truth: &Sync) -> Result<Wish, SyncError> {
        let generation = self.credentials.generation();
        if generation != self.generation {
            // Between two questions: nothing is under way on the connection, whose
            // other end may have been revoked, and that has shown the certificate of
            // before.
            self.generation = generation;
            self.client = client(self.tls.clone());
        }
        let patience = WAIT + PATIENCE;
        let answer = timeout(patience, self.ask_once(truth)).await;
        let answer = answer.unwrap_or(Err(SyncError::Silent(patience)));
        if matches!(
            answer,
            Err(SyncError::Unreachable(_)
                | SyncError::Silent(_)
                | SyncError::Refused {
                    status: StatusCode::FORBIDDEN,
                    ..
                })
        ) {
            // Connections are kept; one that has died silently, or that was made
            // with another certificate than we have now, must not be asked again.
            self.client = client(self.tls.clone());
        }
        answer
    }

    async fn ask_once(&self, truth: &Sync) -> Result<Wish, SyncError> {
        let unreachable =
            |error: awc::error::SendRequestError| SyncError::Unreachable(error.to_string());
        let request = self.client.post(self.endpoint());
        let mut response = request.send_json(truth).await.map_err(unreachable)?;
        if !response.status().is_success() {
            let reason = response.body().limit(MAX_REASON_BYTES).await;
            let reason =
                reason.map(|bytes| String::from_utf8_lossy(&bytes).escape_debug().collect());
            return Err(SyncError::Refused {
                status: response.status(),
                reason: reason.unwrap_or_default(),
            });
        }
        let wish = response.json().limit(MAX_WISH_BYTES).await;
        wish.map_err(|error| SyncError::NoWish(error.to_string()))
    }
}

fn endpoint(base: &Url) -> Result<String, url::ParseError> {
    let mut base = base.clone();
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    base.join("v1/sync").map(String::from)
}

/// Over HTTP/2 where the coordinator speaks it: there a question that is
/// dropped costs a stream and not the connection with its handshake.
fn client(tls: Arc<rustls::ClientConfig>) -> Client {
    let mut tls = Arc::unwrap_or_clone(tls);
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connector = Connector::new().rustls_0_23(Arc::new(tls));
    Client::builder()
        .connector(connector)
        .disable_timeout()
        .disable_redirects()
        .finish()
}

/// Asks until the party is gone. `reached` says whether the last question was
/// answered.
pub(crate) async fn run(
    mut coordinator: Coordinator,
    party: Addr<PartyActor>,
    news: Arc<Notify>,
    reached: watch::Sender<bool>,
    meters: Meters,
) {
    let mut backoff = Backoff::new(Waits::SYNC);
    let mut jitter = entropy::jitter();
    loop {
        // The truth that comes now holds all news up to now.
        let _ = news.notified().now_or_never();
        // A party that is gone answers with an error.
        let Ok(truth) = party.send(Truth).await else {
            return;
        };
        let least = Instant::now() + LEAST;
        let answer = tokio::select! {
            biased;
            answer = coordinator.ask(&truth) => answer,
            () = news_after(&news, least) => continue,
        };
        match answer {
            Ok(wish) => {
                if !reached.send_replace(true) {
                    tracing::info!(url = coordinator.endpoint(), "the coordinator is there");
                }
                backoff.reset();
                coordinator.failed = 0;
                party.do_send(Wished(wish));
                sleep_until(least).await;
            }
            Err(error) => {
                reached.send_replace(false);
                meters.asked_again();
                let (url, attempts) = (coordinator.endpoint(), backoff.attempts() + 1);
                tracing::warn!(url, attempts, %error, "the coordinator");
                if coordinator.turn_to_the_next() {
                    sleep(backoff.next_wait(&mut jitter)).await;
                }
            }
        }
    }
}

async fn news_after(news: &Notify, least: Instant) {
    sleep_until(least).await;
    news.notified().await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_endpoint_is_below_the_url() {
        for (url, expected) in [
            ("https://c:7000", "https://c:7000/v1/sync"),
            ("https://c:7000/", "https://c:7000/v1/sync"),
            ("https://c/entente", "https://c/entente/v1/sync"),
        ] {
            assert_eq!(endpoint(&url.parse().unwrap()).unwrap(), expected);
        }
    }
}
