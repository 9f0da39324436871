//! A job, followed by server-sent events.
//!
//! ```text
//!   id: 41-9b1c2d3e              which version of the record, and a digest of what is told
//!   event: job
//!   data: {"id":"0190..","state":"running",...}
//! ```
//!
//! Level-triggered, as all else here: each event is the whole of the job, so one that
//! is missed costs nothing, and whoever comes back with `Last-Event-ID` is told what the
//! job is now, at once if that is something else. Nothing is replayed and nothing is
//! kept for anybody, so the id means the same to another coordinator, or to this one
//! after a restart. What went on in between stands in the job's log.
//!
//! A stream looks when something has happened to its job and at most so often; and now
//! and then without, since some of what is told (that a party came back) happens to no
//! job. It ends behind the job's end, when the coordinator ends, and when it leads no
//! more: its reader comes back, and is sent to who does.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue},
    web,
};
use entente_protocol::job::JobId;
use entente_tls::Identity;
use futures_util::stream;
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    Api,
    caller::{Reader, identity_of},
    jobs,
    problem::{Kind, Problem},
};
use crate::runtime::Handle;

/// The media type of a stream.
pub(crate) const MEDIA_TYPE: &str = "text/event-stream";
/// What a reader has seen.
pub(crate) const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Between two looks at a job, at least.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two looks, at most.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A stream on which nothing is told says so this often, so that what stands between
/// does not forget it, and its reader knows that somebody is there.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Streams that one caller may have at once.
const MOST: usize = 32;

/// How many streams each caller has.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<Identity, usize>>>);

/// One stream of a caller; given back when it is dropped.
struct Seat {
    streams: Streams,
    caller: Identity,
}

impl Streams {
    fn seat(&self, caller: &Identity) -> Option<Seat> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(caller.clone()).or_insert(0);
        if *count >= MOST {
            return None;
        }
        *count += 1;
        Some(Seat {
            streams: self.clone(),
            caller: caller.clone(),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let counts = self.streams.0.lock();
        let mut counts = counts.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.caller);
            }
        }
    }
}

/// `GET /v1/jobs/{id}/events`
pub(super) async fn watch(
    reader: Reader,
    api: web::Data<Api>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = jobs::visible(&reader, &api.coordinator, &path).await?.id;
    let seat = identity_of(&request).and_then(|caller| api.streams.seat(caller));
    let Some(seat) = seat else {
        let detail = format!(
            "you follow {MOST} jobs already: end one of them, or ask for GET /v1/jobs now and then"
        );
        return Err(Problem::new(Kind::TooManyStreams, detail));
    };
    let seen = request.headers().get(LAST_EVENT_ID);
    let stream = Stream {
        id,
        news: api.coordinator.job_news(&id),
        coordinator: api.coordinator.clone(),
        ending: api.ending.clone(),
        seen: seen.and_then(|id| id.to_str().ok()).map(str::to_owned),
        spoke: Instant::now(),
        looked: None,
        ended: false,
        _seat: seat,
    };
    let events = stream::unfold(stream, async |mut stream| {
        let text = stream.next().await?;
        Some((Ok::<_, Infallible>(web::Bytes::from(text)), stream))
    });
    Ok(HttpResponse::Ok()
        .content_type(MEDIA_TYPE)
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .streaming(Box::pin(events)))
}

struct Stream {
    id: JobId,
    coordinator: Handle,
    news: watch::Receiver<()>,
    ending: watch::Receiver<bool>,
    /// The id of the last event that the reader has.
    seen: Option<String>,
    /// When something was said last.
    spoke: Instant,
    looked: Option<Instant>,
    ended: bool,
    _seat: Seat,
}

impl Stream {
    /// The next event, or a sign of life; nothing at the end.
    async fn next(&mut self) -> Option<String> {
        while !self.ended && !*self.ending.borrow() {
            if let Some(looked) = self.looked {
                self.wait(looked).await;
            }
            self.looked = Some(Instant::now());
            self.news.mark_unchanged();
            let id = self.id;
            let read = self
                .coordinator
                .read(move |engine, now| engine.version(id).zip(engine.job(id, now)));
            // Whoever leads now is asked by the reader, who comes back.
            let (version, view) = read.await.ok()??;
            self.ended = view.state.is_ended();
            let data = serde_json::to_string(&view).ok()?;
            let name = name(version, &data);
            if self.seen.as_ref() != Some(&name) {
                let text = format!("id: {name}\nevent: job\ndata: {data}\n\n");
                self.seen = Some(name);
                self.spoke = Instant::now();
                return Some(text);
            }
            if self.spoke.elapsed() >= KEEP_ALIVE {
                self.spoke = Instant::now();
                return Some(": still so\n\n".to_owned());
            }
        }
        None
    }

    /// Until it is worth while to look again, or the coordinator ends.
    async fn wait(&mut self, looked: Instant) {
        let (news, ending) = (&mut self.news, &mut self.ending);
        let worth_while = async {
            sleep(PAUSE.saturating_sub(looked.elapsed())).await;
            let _ = timeout(LOOK_AGAIN, news.changed()).await;
        };
        tokio::select! {
            () = worth_while => {}
            told = ending.changed() => self.ended = told.is_err(),
        }
    }
}

/// What an event is called: the same whoever tells it.
fn name(version: u64, data: &str) -> String {
    let digest = hex::encode(Sha256::digest(data));
    let start: String = digest.chars().take(8).collect();
    format!("{version}-{start}")
}
