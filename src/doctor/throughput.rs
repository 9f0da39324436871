//! How much the line to a peer carries, each way.
//!
//! Over a connection of its own that is no link: see [`echo`]. Runs double in size
//! while they are short, so a slow line is not asked for more than it carries in
//! some seconds, and a fast one is measured past TCP's start.

use std::time::{Duration, Instant};

use entente_actors::transport::echo::{self, Run};
use entente_tls::{Credentials, Identity};

use super::{PATIENCE, finding::Finding};
use crate::{
    line::{self, Deadline, Line, NoLine},
    output,
};

/// Round trips of which the shortest counts.
const TRIPS: usize = 8;
/// The first of the runs that double.
const FIRST_BYTES: u32 = 16 << 10;
const RUNS: u32 = 8;
/// After a run that took longer there is none that takes twice as long.
const LONG: Duration = Duration::from_millis(500);
/// There is room left for round trips and announcements.
const _: () = assert!(FIRST_BYTES * ((1 << RUNS) - 1) + 1024 < echo::MAX_BYTES);

/// What a line carries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Throughput {
    pub(super) round_trip: Duration,
    pub(super) up_bytes_per_s: u64,
    pub(super) down_bytes_per_s: u64,
}

/// Measures to the peer `whom`, which has greeted as a party at `address`.
pub(super) fn examine(
    check: String,
    address: &str,
    credentials: &Credentials,
    whom: &Identity,
) -> Finding {
    let deadline = Deadline::within(PATIENCE);
    let open = line::open_for(&[echo::PROTOCOL], address, credentials, whom, deadline);
    let measured = open.and_then(|(mut line, agreed)| {
        let known = agreed.speaks(echo::PROTOCOL);
        // Our time ends first: the peer's begins after the handshake.
        known.then(|| measure(&mut line, deadline)).transpose()
    });
    match measured {
        Ok(Some(seen)) => judge_throughput(check, seen),
        Ok(None) => Finding::ok(check, "not measured, the peer is older"),
        Err(NoLine::Unreachable(error)) => unmeasured(check, &error),
        Err(NoLine::Refused(error)) => unmeasured(check, &error),
    }
}

fn unmeasured(check: String, why: &dyn std::fmt::Display) -> Finding {
    Finding::warning(
        check,
        format!("not measured: {why}"),
        format!(
            "ask again: it serves one doctor of ours at a time, and none for longer than {} s; \
             a line that carries nothing in that time carries no job",
            echo::MAX_TIME.as_secs()
        ),
    )
}

fn measure(line: &mut Line, deadline: Deadline) -> Result<Throughput, NoLine> {
    let mut round_trip = Duration::MAX;
    for _ in 0..TRIPS {
        round_trip = round_trip.min(run(line, [1, 1], deadline)?);
    }
    Ok(Throughput {
        round_trip,
        up_bytes_per_s: fastest(round_trip, |bytes| run(line, [bytes, 1], deadline))?,
        down_bytes_per_s: fastest(round_trip, |bytes| run(line, [0, bytes], deadline))?,
    })
}

/// Of runs that double until one is long, the most bytes a second.
fn fastest(
    round_trip: Duration,
    mut run: impl FnMut(u32) -> Result<Duration, NoLine>,
) -> Result<u64, NoLine> {
    let mut most = 0;
    for times in 0..RUNS {
        let bytes = FIRST_BYTES << times;
        let took = run(bytes)?;
        most = most.max(bytes_per_s(u64::from(bytes), took, round_trip));
        if took > LONG {
            break;
        }
    }
    Ok(most)
}

/// So many bytes in that time, of which `waited` was nobody's sending. No more than
/// half of it is believed to have been waiting: what is left is divided by.
pub(super) fn bytes_per_s(bytes: u64, took: Duration, waited: Duration) -> u64 {
    let sending = took.saturating_sub(waited).max(took / 2);
    (bytes as f64 / sending.as_secs_f64().max(1e-6)) as u64
}

/// Has so many bytes go up, and then so many come down.
fn run(
    line: &mut Line,
    [up_bytes, down_bytes]: [u32; 2],
    deadline: Deadline,
) -> Result<Duration, NoLine> {
    let run = Run {
        up_bytes,
        down_bytes,
    };
    let mut sent = run.announced().to_vec();
    sent.resize(sent.len() + up_bytes as usize, 0);
    let start = Instant::now();
    line::write(line, &sent, deadline)?;
    line::read(line, down_bytes as usize, deadline)?;
    Ok(start.elapsed())
}

/// A round of the paper's cut sends 1.0 MiB for 128 samples at 2048 bits, and computes
/// for 3.75 ms a sample on two cores: 0.48 s (README.md, "Benchmarks"). Both parties
/// take turns in it, so whatever the wire takes is added to that. A line that is
/// slower than 1.0 MiB in 0.48 s has the round wait for longer than it computes.
pub(super) const SLOW_BYTES_PER_S: u64 = ROUND_BYTES * 1000 / 480;
const ROUND_BYTES: u64 = 1 << 20;

/// Whether jobs would wait for the wire.
pub(super) fn judge_throughput(check: String, seen: Throughput) -> Finding {
    let Throughput {
        round_trip,
        up_bytes_per_s: up,
        down_bytes_per_s: down,
    } = seen;
    let said = format!(
        "{}/s up, {}/s down; {:.2} ms a round trip",
        output::bytes(up as f64),
        output::bytes(down as f64),
        round_trip.as_secs_f64() * 1e3
    );
    let slower = up.min(down);
    let finding = match slower >= SLOW_BYTES_PER_S {
        true => Finding::ok(check, said),
        false => {
            let wire_s = ROUND_BYTES as f64 / slower.max(1) as f64;
            Finding::warning(
                check,
                format!(
                    "{said}: a round of 128 samples (1.0 MiB) waits {wire_s:.1} s for the wire, \
                     0.5 s is what it computes"
                ),
                "look for a limit on the way (gateway, VPN, quality of service), or reckon \
                 with longer jobs: faster machines do not help",
            )
        }
    };
    let round_trip_us = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX);
    finding
        .measured("up_bytes_per_s", up)
        .measured("down_bytes_per_s", down)
        .measured("round_trip_us", round_trip_us)
}
