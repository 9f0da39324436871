//! What a worker says to its party.

use std::time::Duration;

use entente_metrics::Counts;
use entente_protocol::{
    control::{JobReport, Phase},
    job::Task,
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{mpsc, watch},
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        Message, Order, Parcel,
        reception::{send_file, write},
        telling::Telling,
    },
    Gateway, Heard, peer,
};
use crate::{
    party::{Distrusted, Truth},
    transport::{LinkError, Packed, write_frame_of},
};

/// How often a worker says where it stands, if nothing happens.
const REPORTS: Duration = Duration::from_secs(1);
/// How often it says what it has counted.
const TELLINGS: Duration = Duration::from_secs(5);

/// What the party was told, over connections.
#[derive(Default)]
pub(super) struct Said {
    /// It has all that came of the job.
    delivered: bool,
    /// What had been counted by the last telling.
    counted: Counts,
}

impl Gateway {
    /// Speaks until the worker `parts` from its party.
    pub(super) async fn speak<W: AsyncWrite + Unpin>(
        &self,
        writer: &mut W,
        queue: &mut mpsc::Receiver<Packed>,
        mut heard: watch::Receiver<Heard>,
        said: &mut Said,
        parts: &CancellationToken,
    ) -> Result<(), LinkError> {
        let mut reports = every(REPORTS);
        let mut beat = every(self.heartbeat.every);
        let mut tellings = every(TELLINGS);
        let mut telling = Telling::new(&self.registry, &mut said.counted);
        let mut last = None;
        loop {
            let mut tells = false;
            tokio::select! {
                biased;
                () = parts.cancelled() => return telling.tell(writer).await,
                Some(frame) = queue.recv() => {
                    let kind = Message::Frame(Vec::new()).packed().1;
                    write_frame_of(writer, [&frame, &[kind]]).await?;
                    if queue.is_empty() {
                        writer.flush().await?;
                    }
                    continue;
                }
                () = self.news.notified() => {}
                _ = reports.tick() => {}
                _ = tellings.tick() => tells = true,
                _ = beat.tick() => {
                    write(writer, Message::Beat).await?;
                    continue;
                }
            }
            let order = heard.borrow().order.clone();
            let Some(order) = order else { continue };
            if tells || !telling.has_begun() {
                telling.tell(writer).await?;
            }
            if let (Some(why), Some(peer)) = (&order.revoked, peer(&order)) {
                let why = why.clone();
                self.party.do_send(Distrusted { peer, why });
            }
            let Some(report) = self.truth().await else {
                continue;
            };
            if report.phase == Phase::Finished && !said.delivered {
                said.delivered = self.deliver(writer, &order, &mut heard, parts).await?;
                if !said.delivered {
                    continue;
                }
            }
            if last.as_ref() != Some(&report) {
                last = Some(report.clone());
                write(writer, Message::Report(Box::new(report))).await?;
            }
        }
    }

    async fn truth(&self) -> Option<JobReport> {
        let truth = self.party.send(Truth).await.ok()?;
        let is_this =
            |report: &JobReport| (report.job, report.attempt) == (self.id.job, self.id.attempt);
        truth.jobs.into_iter().find(is_this)
    }

    /// Hands over what has come of the job, before it is said that it is finished; whether
    /// the party has it, or the worker `parts` before that.
    async fn deliver<W: AsyncWrite + Unpin>(
        &self,
        writer: &mut W,
        order: &Order,
        heard: &mut watch::Receiver<Heard>,
        parts: &CancellationToken,
    ) -> Result<bool, LinkError> {
        let Ok(task) = Task::try_from(order.assignment.spec.clone()) else {
            return Ok(true);
        };
        let mut sent = 0;
        for parcel in Parcel::made_by(&task, self.id.job) {
            sent += u64::from(send_file(writer, &self.state_dir, parcel).await?);
        }
        // The other end of the channel lives as long as the connection.
        let kept = heard.wait_for(|heard| heard.kept >= sent);
        if parts.run_until_cancelled(kept).await.is_none() {
            return Ok(false);
        }
        tracing::info!(files = sent, "the party has what came of the job");
        Ok(true)
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
