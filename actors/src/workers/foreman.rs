//! What there is of workers compared with what shall be, again and again.
//!
//! Level-triggered: nothing is remembered of what was said to the cluster. So a
//! worker that somebody has deleted is made again, one that is there already is
//! adopted, a party that was away finds its workers, and an answer that was lost is
//! asked for anew. Nothing that lies there is touched before the coordinator was
//! heard, and nothing deletes it but its wish.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    Seen, Workers,
    job::Condition,
    posts::{Lot, State},
};

/// Between two looks, if nobody rings.
const PERIOD: Duration = Duration::from_secs(5);

/// Looks until it is dropped.
pub(super) async fn run(workers: Workers) {
    loop {
        let next = pass(&workers).await;
        tokio::select! {
            () = workers.rung() => {}
            () = workers.cluster().changed() => {}
            () = sleep(next) => {}
        }
    }
}

/// One look; when the next is due.
pub(super) async fn pass(workers: &Workers) -> Duration {
    let cluster = workers.cluster();
    let wanted = workers.wanted();
    let seen = match cluster.look().await {
        Ok(seen) => seen,
        Err(lack) => {
            tracing::warn!(%lack, "workers cannot be looked at");
            for (wanted, job, _) in wanted {
                workers.is(wanted.id, State::Waiting);
                job.do_send(Condition(Seen::Lacks(lack.clone())));
            }
            return PERIOD;
        }
    };
    let mut next = PERIOD;
    for (wanted, job, wait) in &wanted {
        let id = wanted.id;
        let found = match seen.get(&id) {
            None | Some(Seen::AtRest) if !wait.is_zero() => {
                next = next.min(*wait);
                continue;
            }
            None | Some(Seen::AtRest) => match cluster.make(wanted).await {
                Ok(()) => {
                    tracing::info!(worker = %id, "a worker is made");
                    Seen::Alive
                }
                Err(lack) => Seen::Lacks(lack),
            },
            Some(found) => found.clone(),
        };
        if let Seen::Ended(_) = &found {
            workers.ended(id);
            if let Err(lack) = cluster.stop(id).await {
                tracing::warn!(worker = %id, %lack, "cannot be cleared away");
            }
            // Made again after its wait.
            next = Duration::ZERO;
        }
        job.do_send(Condition(found));
    }
    for (id, found) in seen {
        let done = match workers.lot(id) {
            Lot::Stays => continue,
            Lot::Rests if found == Seen::AtRest => continue,
            Lot::Rests => cluster.stop(id).await,
            Lot::Forgotten => cluster.forget(id).await,
        };
        if let Err(lack) = done {
            tracing::warn!(worker = %id, %lack, "is not wanted, and cannot be ended yet");
        }
    }
    next
}
