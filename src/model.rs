//! `entente model`: the halves of models at one party.

use std::path::Path;

use entente_actors::{
    PartyConfig,
    models::{Entry, Manifest, ModelError, Models, short},
    results::{self, EvaluationFile},
};
use entente_protocol::job::JobId;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    cli::{Format, ModelArgs, ModelCommand},
    exit::Failure,
    job::show::evaluation,
    output, settings,
};

/// Does what was asked for.
pub(crate) fn run(args: &ModelArgs) -> Result<(), Failure> {
    let config: PartyConfig = settings::load(&args.beside.config)?;
    config.check().map_err(Failure::configuration)?;
    let state_dir = &config.party.state_dir;
    let models = Models::below(state_dir);
    match &args.command {
        ModelCommand::List => list(&models, args.beside.shown.output),
        ModelCommand::Show { model } => show(&models, state_dir, model, args.beside.shown.output),
        ModelCommand::Export { model, out, half } => export(&models, model, out, *half),
        ModelCommand::Delete { model, yes } => delete(&models, model, *yes),
    }
}

/// What is wrong with what was asked for, or with the disk.
fn failure(error: ModelError) -> Failure {
    match error {
        ModelError::File(_) | ModelError::Half { .. } | ModelError::InUse(_) => {
            Failure::runtime(error)
        }
        _ => Failure::configuration(error),
    }
}

fn list(models: &Models, format: Format) -> Result<(), Failure> {
    let entries = models.list().map_err(failure)?;
    if format == Format::Json {
        let all: Vec<Value> = entries.iter().map(entry_json).collect();
        return output::json(&all);
    }
    let rows = entries.iter().map(|entry| {
        let version = short(entry.version, &entries);
        match &entry.manifest {
            Ok(of) => [
                of.name.to_string(),
                version,
                date(of),
                of.side.label().to_owned(),
                of.peer().to_string(),
                how_it_went(of),
            ],
            Err(error) => {
                let none = || "-".to_owned();
                [none(), version, none(), none(), none(), error.to_string()]
            }
        }
    });
    let heading = ["model", "version", "trained", "half", "other half at", ""];
    println!("{}", output::table(heading, rows));
    Ok(())
}

fn entry_json(entry: &Entry) -> Value {
    match &entry.manifest {
        Ok(manifest) => json!(manifest),
        Err(error) => json!({ "version": entry.version, "problem": error.to_string() }),
    }
}

fn show(models: &Models, state_dir: &Path, model: &str, format: Format) -> Result<(), Failure> {
    let version = models.find(model).map_err(failure)?;
    let manifest = models.manifest(version).map_err(failure)?;
    // Holds the half against its digest.
    models.open(&manifest.name, version).map_err(failure)?;
    let evaluations = results::evaluations_of(state_dir, version).map_err(Failure::runtime)?;
    if format == Format::Json {
        let evaluations: Vec<Value> = evaluations
            .iter()
            .map(|(job, of)| json!({ "job": job, "evaluation": of }))
            .collect();
        return output::json(&json!({ "model": manifest, "evaluations": evaluations }));
    }
    let job = manifest.job().map_err(failure)?;
    let data = &manifest.specification.data;
    let mut rows = vec![
        ["model".to_owned(), manifest.name.to_string()],
        ["version".to_owned(), version.to_string()],
        ["trained".to_owned(), date(&manifest)],
        [
            "half".to_owned(),
            format!(
                "{} (useless without {}'s), {}",
                manifest.side.label(),
                manifest.peer(),
                output::bytes(manifest.half_bytes as f64)
            ),
        ],
        ["dataset".to_owned(), data.dataset.clone()],
        [
            "cut".to_owned(),
            format!("{} wide, {} logits", job.width(), job.logits()),
        ],
        ["epochs".to_owned(), manifest.progress.epoch.to_string()],
        [
            "specification".to_owned(),
            manifest.specification_digest.clone(),
        ],
    ];
    let went = how_it_went(&manifest);
    if !went.is_empty() {
        rows.push(["training".to_owned(), went]);
    }
    if let Some(classes) = &manifest.classes {
        rows.push(["classes".to_owned(), classes.join(", ")]);
    }
    println!("{}", output::table(["", ""], rows));
    for (job, of) in &evaluations {
        print_evaluation(*job, of);
    }
    Ok(())
}

/// An evaluation with its confusion matrix: for this party's own eyes.
fn print_evaluation(job: JobId, of: &EvaluationFile) {
    let found = evaluation(&of.found);
    println!("\nevaluation {job}, dataset {}: {found}", of.dataset);
    println!("is, down; was taken for, across:");
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    let heading = std::iter::once(String::new()).chain(of.classes.iter().cloned());
    table.set_header(heading);
    for (class, counts) in of.classes.iter().zip(&of.confusion) {
        let counts = counts.iter().map(u64::to_string);
        table.add_row(std::iter::once(class.clone()).chain(counts));
    }
    println!("{}", table.trim_fmt());
}

fn export(models: &Models, model: &str, out: &Path, half: bool) -> Result<(), Failure> {
    let version = models.find(model).map_err(failure)?;
    let name = models.manifest(version).map_err(failure)?.name;
    let open = models.open(&name, version).map_err(failure)?;
    let written = match half {
        true => open.export_half(out),
        false => open.export_network(out),
    };
    written.map_err(|error| match error {
        ModelError::FileExists => Failure::Configuration(format!("{}: {error}", out.display())),
        error => failure(error),
    })?;
    let what = if half {
        "half"
    } else {
        "network below the cut"
    };
    println!(
        "{name} (version {version}): its {what} is in {}",
        out.display()
    );
    Ok(())
}

fn delete(models: &Models, model: &str, yes: bool) -> Result<(), Failure> {
    let version = models.find(model).map_err(failure)?;
    if !yes {
        return Err(Failure::Configuration(format!(
            "this deletes this party's half of version {version} for good, and makes the other \
             party's useless: say --yes if that is meant"
        )));
    }
    models.delete(version).map_err(failure)?;
    println!("version {version}: this party's half is deleted");
    Ok(())
}

fn date(manifest: &Manifest) -> String {
    let seconds = i64::try_from(manifest.trained_at_ms / 1000).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds)
        .map_or_else(|_| "-".to_owned(), |date| date.to_string())
}

/// How the training went, as far as this side knows.
fn how_it_went(manifest: &Manifest) -> String {
    let progress = &manifest.progress;
    let told = [
        progress.loss.map(|loss| format!("loss {loss:.4}")),
        progress
            .test_accuracy
            .map(|accuracy| format!("test accuracy {}", output::percent(accuracy))),
    ];
    told.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
