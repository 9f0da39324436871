//! What happened to a job.

use entente_coordinator::{
    client::{Client, ClientError},
    job::{Happening, LogEntry},
};
use entente_protocol::job::JobId;

use crate::{cli::Format, exit::Failure, output, serve};

/// Shows a job's log, and goes on to its end if it is to be followed.
pub(super) async fn show(
    client: &Client,
    id: JobId,
    follow: bool,
    format: Format,
) -> Result<(), Failure> {
    if !follow {
        let entries = client.log(id, 0).await.map_err(Failure::runtime)?;
        return match format {
            Format::Json => output::json(&entries),
            Format::Table => {
                entries.iter().for_each(print);
                Ok(())
            }
        };
    }
    let mut events = client.watch(id);
    let mut last = 0;
    loop {
        let view = tokio::select! {
            view = events.next() => view.map_err(Failure::runtime)?,
            () = serve::told_to_stop() => return Err(Failure::Interrupted),
        };
        // Read behind the event that it follows, so that an end has all that led to it.
        let new = match client.log(id, last).await {
            // The events find the coordinator again, or give it up.
            Err(ClientError::Unreachable { .. } | ClientError::AnswerLost { .. })
                if !view.state.is_ended() =>
            {
                continue;
            }
            new => new.map_err(Failure::runtime)?,
        };
        for entry in &new {
            match format {
                Format::Json => output::json_line(entry)?,
                Format::Table => print(entry),
            }
            last = entry.number;
        }
        if view.state.is_ended() {
            return Ok(());
        }
    }
}

fn print(entry: &LogEntry) {
    let Happening {
        at,
        attempt,
        correlation,
        by,
        what,
    } = &entry.happening;
    let by = by.as_ref().map(|by| format!("  ({by})"));
    let by = by.unwrap_or_default();
    println!("{at}  attempt {attempt} {correlation}  {what}{by}");
}
