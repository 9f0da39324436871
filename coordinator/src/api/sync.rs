//! A party tells its truth and gets the wish for it.

use std::time::Duration;

use actix_web::{HttpRequest, web};
use entente_protocol::control::{Sync, Wish};
use tokio::time::{Instant, sleep_until};

use super::{Api, answers, body, caller::Party, problem::Problem};
use crate::engine::Event;

/// `POST /v1/sync`
///
/// Held back while the party has seen the wish as it is, until there is
/// another, the party's patience is over, or the coordinator ends.
pub(super) async fn sync(
    Party(party): Party,
    api: web::Data<Api>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<web::Json<Wish>, Problem> {
    let sync: Sync = body::sync(&request, payload).await?;
    api.meters.synced();
    answers::take_in(&api, &party, &sync.answers).await?;
    let seen = sync.seen_revision;
    let deadline = Instant::now() + Duration::from_millis(sync.wait_ms).min(api.longest_wait);
    // From before the event, so that no news falls between.
    let mut news = api.coordinator.news(&party);
    let mut ending = api.ending.clone();
    let event = Event::Sync {
        party: party.clone(),
        sync,
    };
    api.coordinator.change(event).await?;
    loop {
        let name = party.clone();
        let wish = api.coordinator.read(move |engine, _| engine.wish(&name));
        let wish = wish.await?;
        if wish.revision != seen || *ending.borrow() || Instant::now() >= deadline {
            return Ok(web::Json(wish));
        }
        // Whichever it is, the loop looks again. A sender that is gone means
        // that the coordinator ends, and the next look finds no engine.
        tokio::select! {
            _ = news.changed() => {}
            _ = ending.changed() => {}
            () = sleep_until(deadline) => {}
        }
    }
}
