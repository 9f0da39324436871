//! `entente reproduce`: the paper's experiments (arXiv:2007.06849, section 5),
//! and what it left out, as a report.
//!
//! ```text
//!   plan ──▶ forecast ──▶ units, one after the other ──▶ report
//!            calibration  │ each is a line in units.jsonl    Markdown, JSON,
//!                         │ as soon as it is finished        SVG, PNG
//! ```
//!
//! | what | file |
//! |---|---|
//! | Table 1: accuracy | `table1.rs`, over `train.rs` |
//! | Tables 2, 3, 4: seconds per inference | `inference.rs`, over `baselines/` |
//! | Figure 1: against the input's dimension | `figure1.rs` |
//! | seconds, bytes and accuracy by epoch | `training.rs` |
//! | what gradients tell of labels | `leak.rs` |
//!
//! Networks of Table 1 are trained with both roles in this process, over every
//! message that would go over the wire: the weights are those of real
//! processes, bit for bit, which `entente demo` shows. Seconds and bytes of
//! training are taken from real processes.

mod baselines;
mod calibration;
mod dataset;
mod figure1;
mod folder;
mod inference;
mod leak;
mod plan;
mod progress;
mod report;
mod settings;
mod table1;
mod train;
mod training;
mod unit;
mod work;

pub(crate) use self::dataset::Dataset;
use self::{
    folder::{Folder, Found},
    plan::{Plan, Planned},
    progress::Progress,
    report::Report,
    settings::Settings,
    work::{Context, Gauge},
};
use crate::{
    cli::ReproduceArgs,
    exit::Failure,
    serve::{runtime, told_to_stop},
};

/// Does what was asked for, and writes the report.
pub(crate) fn run(args: &ReproduceArgs) -> Result<(), Failure> {
    let context = Context {
        settings: Settings::of(args)?,
        data: args.data.clone(),
    };
    let plan = Plan::new(args, &context)?;
    let skipped = plan.skipped.clone();
    for skipped in &skipped {
        eprintln!("skipped: {}", skipped.why);
    }
    let found = match (args.resume, args.restart) {
        (true, _) => Found::Resume,
        (_, true) => Found::Restart,
        _ => Found::Refuse,
    };
    let mut folder = Folder::open(&args.out, &context.settings, found)?;
    println!("Measuring for a moment, to say how long it will take.");
    let units = plan.forecast(&context, |unit| folder.has(unit))?;
    plan::print(&units, folder.finished().len());
    let outcome = runtime().block_on(async {
        tokio::select! {
            outcome = all(&units, &context, &mut folder) => outcome,
            () = told_to_stop() => Err(Failure::Interrupted),
        }
    });
    let left = units
        .iter()
        .filter(|planned| !folder.has(&planned.unit.id))
        .map(|planned| planned.unit.title.clone())
        .collect();
    let report = Report::new(&context.settings, folder.finished(), skipped, left);
    report.write(folder.path())?;
    if outcome.is_err() {
        eprintln!(
            "What is finished is in {}; the same command with --resume goes on from there.",
            folder.path().display()
        );
    } else {
        report.print();
        println!(
            "\nThe report: {}",
            folder.path().join("report.md").display()
        );
    }
    outcome?;
    match report.mismatches() {
        [] => Ok(()),
        mismatches => Err(Failure::Mismatch(format!(
            "trained under encryption and in plaintext fixed point, weights differ: {}; please \
             report this",
            mismatches.join(", ")
        ))),
    }
}

async fn all(units: &[Planned], context: &Context, folder: &mut Folder) -> Result<(), Failure> {
    let mut progress = Progress::new(units);
    for (number, planned) in (1..).zip(units) {
        let gauge = Gauge::default();
        let finished = tokio::select! {
            finished = planned.unit.run(context, &gauge) => finished,
            never = progress.follow(number, planned, &gauge) => match never {},
        };
        let finished = finished.inspect_err(|_| progress.finish())?;
        progress.done(number, planned, finished.seconds);
        folder.add(finished)?;
    }
    progress.finish();
    Ok(())
}
