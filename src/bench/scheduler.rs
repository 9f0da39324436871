//! `entente bench scheduler`: how much a coordinator can do on this machine.

use std::{fs, path::PathBuf};

use entente_coordinator::bench::{self, Figure, Scale};
use serde::Serialize;

use super::effort::say;
use crate::{
    cli::{BenchSchedulerArgs, Format},
    exit::Failure,
    output, serve,
};

/// Everything.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    scale: Scale,
    figures: Vec<Figure>,
}

/// Runs the benchmark.
pub(crate) fn scheduler(args: &BenchSchedulerArgs) -> Result<(), Failure> {
    let scale = Scale {
        jobs: args.jobs,
        parties: args.parties,
        finished: args.finished,
    };
    let folder = Folder::new()?;
    let figures = serve::runtime().block_on(async {
        say("the engine alone");
        let mut figures = bench::engine(scale).await.map_err(Failure::runtime)?;
        say("through runtime and store");
        let file = folder.0.join("jobs.sqlite");
        let stored = bench::stored(scale, &file).await;
        figures.extend(stored.map_err(Failure::runtime)?);
        say("");
        Ok::<_, Failure>(figures)
    })?;
    if args.shown.output == Format::Json {
        return output::json(&Report {
            version: env!("CARGO_PKG_VERSION"),
            scale,
            figures,
        });
    }
    println!(
        "{} jobs in the queue, {} parties, one event after the other; microseconds\n",
        scale.jobs, scale.parties
    );
    let rows = figures.iter().map(|figure| {
        [
            figure.through.to_owned(),
            figure.phase.to_owned(),
            figure.events.to_string(),
            format!("{:.0}", figure.events_per_s),
            figure
                .starts_per_s
                .map_or_else(|| "-".to_owned(), |starts| format!("{starts:.0}")),
            format!("{:.0}", figure.median_us),
            format!("{:.0}", figure.p99_us),
            format!("{:.0}", figure.longest_us),
        ]
    });
    let header = [
        "through", "phase", "events", "events/s", "starts/s", "median", "p99", "longest",
    ];
    println!("{}", output::table(header, rows));
    Ok(())
}

/// A folder of its own, taken away at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let name = format!("entente-bench-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path)
            .map_err(|error| Failure::Configuration(format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a folder for what is temporary harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
