//! A job, followed over whatever happens to the coordinator.
//!
//! Each event is the whole of the job, so nothing is lost with a stream that breaks:
//! it is opened anew, at whichever coordinator leads by then, with the id of the last
//! event.

use std::{collections::VecDeque, pin::Pin, time::Duration};

use actix_web::{error::PayloadError, web::Bytes};
use entente_protocol::job::JobId;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::{
    Client, ClientError,
    answer::{lost, senseless, taken},
    at,
    event_stream::{Event, Parser},
};
use crate::{
    api::{EVENT_STREAM, LAST_EVENT_ID},
    job::JobView,
};
use awc::http::{StatusCode, header::ACCEPT};

/// A coordinator gives a sign of life three times within this.
const SILENCE: Duration = Duration::from_secs(30);
/// Before a stream is opened anew; doubled while that does not help.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A coordinator that was lost for so long is given up: an upgrade takes minutes.
const GIVE_UP: Duration = Duration::from_secs(15 * 60);

/// A job that is followed.
pub struct Watch<'a> {
    client: &'a Client,
    id: JobId,
    open: Option<Open>,
    /// The id of the last event.
    seen: Option<String>,
    /// Whether anything was told yet.
    begun: bool,
    /// Since when there is no stream.
    lost_at: Option<Instant>,
}

/// A stream.
struct Open {
    base: Url,
    bytes: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>,
    parser: Parser,
    events: VecDeque<Event>,
}

impl Client {
    /// Follows a job. Nothing is asked before [`Watch::next`] is.
    pub fn watch(&self, id: JobId) -> Watch<'_> {
        Watch {
            client: self,
            id,
            open: None,
            seen: None,
            begun: false,
            lost_at: None,
        }
    }

    async fn open(&self, id: JobId, seen: Option<&str>) -> Result<Open, ClientError> {
        let path = format!("/v1/jobs/{id}/events");
        self.of_who_leads(async |base| {
            let mut request = self.http.get(at(base, &path).as_str());
            request = request.insert_header((ACCEPT, EVENT_STREAM));
            if let Some(seen) = seen {
                request = request.insert_header((LAST_EVENT_ID, seen));
            }
            let response = taken(base, request.send()).await?;
            Ok(Open {
                base: base.clone(),
                bytes: Box::pin(response),
                parser: Parser::default(),
                events: VecDeque::new(),
            })
        })
        .await
    }
}

impl Watch<'_> {
    /// The job as it is, and then whenever it is something else; not to be asked
    /// again behind its end. When the coordinator is lost it is looked for again,
    /// for a quarter of an hour; but not if it was never there.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn next(&mut self) -> Result<JobView, ClientError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.told().await {
                Ok(view) => {
                    self.begun = true;
                    return Ok(view);
                }
                Err(error) => error,
            };
            self.open = None;
            let lost_at = *self.lost_at.get_or_insert_with(Instant::now);
            if !self.begun || !passes(&error) || lost_at.elapsed() >= GIVE_UP {
                return Err(error);
            }
            tracing::debug!(job = %self.id, %error, "looks for the coordinator again");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn told(&mut self) -> Result<JobView, ClientError> {
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let open = self.client.open(self.id, self.seen.as_deref()).await?;
                self.lost_at = None;
                self.open.insert(open)
            }
        };
        let Event { id, data } = open.next().await?;
        let view = serde_json::from_str(&data)
            .map_err(|error| senseless(&open.base, StatusCode::OK, &error))?;
        self.seen = id;
        Ok(view)
    }
}

impl Open {
    async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let lost_since = |reason: &str| ClientError::AnswerLost {
                base: self.base.clone(),
                reason: reason.to_owned(),
            };
            let bytes = match timeout(SILENCE, self.bytes.next()).await {
                Ok(Some(bytes)) => bytes.map_err(|error| lost(&self.base, &error))?,
                Ok(None) => return Err(lost_since("its stream has ended")),
                Err(_) => return Err(lost_since("it was silent for too long")),
            };
            match self.parser.take_in(&bytes) {
                Ok(events) => self.events.extend(events),
                Err(_) => return Err(lost_since("it sent an event without end")),
            }
        }
    }
}

/// Whether it may be otherwise in a moment.
fn passes(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::AnswerLost { .. } => true,
        ClientError::Refused(problem) => [429, 503].contains(&problem.status),
        _ => false,
    }
}
