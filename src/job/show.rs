//! Jobs, shown once.

use entente_coordinator::job::{InLine, JobState, JobView, ModelView, Why, Word};
use entente_protocol::{
    KeyState,
    control::{Evaluated, Phase},
    job::{Keep, PartyName, Side},
};
use time::OffsetDateTime;

use super::{causes, early_stop, follow::steps, reason};
use crate::{cli::Format, exit::Failure, output};

/// One job.
pub(super) fn job(view: &JobView, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(view);
    }
    let mut rows = vec![
        ["job".to_owned(), view.id.to_string()],
        ["name".to_owned(), view.name.clone()],
        [
            "task".to_owned(),
            format!("{} {}", view.task, model(&view.model)),
        ],
        ["state".to_owned(), standing(view)],
        [
            "submitted".to_owned(),
            format!("{} by {}", view.submitted_at, view.submitted_by),
        ],
        ["specification".to_owned(), view.spec_digest.clone()],
    ];
    if view.state == JobState::Rejected {
        rows.push(["rejected".to_owned(), reason(view)]);
    }
    if let Some(what) = &view.waiting_for {
        rows.push(["waits for".to_owned(), what.clone()]);
    }
    for side in [Side::Active, Side::Passive] {
        let progress = view.progress(side);
        let party = &view.sides.of(side).party;
        rows.push([
            format!("{} ({party})", side.label()),
            match view.epochs {
                0 => {
                    let (done, all) = steps(progress);
                    format!("batch {done} of {all}")
                }
                epochs => format!(
                    "round {} of {}, epoch {} of {epochs}",
                    progress.rounds_done, progress.rounds, progress.epoch
                ),
            },
        ]);
    }
    if let Some(loss) = view.loss {
        rows.push(["loss".to_owned(), format!("{loss:.4}")]);
    }
    if let Some(validation) = view.validation {
        let (epoch, accuracy) = (validation.epoch, output::percent(validation.accuracy));
        rows.push([
            "validation".to_owned(),
            format!(
                "loss {:.4}, accuracy {accuracy} after epoch {epoch}",
                validation.loss
            ),
        ]);
    }
    if let Some(best) = view.best {
        let kept = match view.keep {
            Keep::Best => ", kept",
            Keep::Last => "",
        };
        rows.push([
            "best epoch".to_owned(),
            format!(
                "{}{kept}: loss {:.4}, accuracy {}",
                best.epoch,
                best.loss,
                output::percent(best.accuracy)
            ),
        ]);
    }
    if let Some(at) = view.key {
        rows.push(["encryption key".to_owned(), key(at, view.key_wished)]);
    }
    if let Some(stopped) = early_stop(view) {
        rows.push(["training".to_owned(), stopped]);
    }
    match (view.evaluation, view.test_accuracy) {
        (Some(found), _) => rows.push(["evaluation".to_owned(), evaluation(&found)]),
        (None, Some(accuracy)) => {
            rows.push(["test accuracy".to_owned(), output::percent(accuracy)]);
        }
        (None, None) => {}
    }
    if let Some(at) = view.model.results_at {
        let party = &view.sides.of(at).party;
        let file = format!("STATE_DIR/results/{}/predictions.csv", view.id);
        rows.push([
            "predictions".to_owned(),
            format!("at {party} alone: {file}"),
        ]);
    }
    if let Some(leak) = view.leak {
        let (norm, cosine) = (leak.norm_auc, leak.cosine_auc);
        rows.push([
            "labels in the gradients".to_owned(),
            format!("AUC {norm:.3} by norm, {cosine:.3} by cosine (0.5 is guessing)"),
        ]);
    }
    if !view.failures.is_empty() {
        rows.push(["failed".to_owned(), reason(view)]);
    }
    let wire = view.attempts.last().and_then(|attempt| attempt.wire);
    rows.extend(wire.map(|version| ["wire version".to_owned(), version.to_string()]));
    rows.extend(attempts(view));
    for (what, other) in [("retries", view.retry_of), ("retried as", view.retried_as)] {
        rows.extend(other.map(|id| [what.to_owned(), id.to_string()]));
    }
    println!("{}", output::table(["", ""], rows));
    Ok(())
}

/// Which key it is, since when, and whether another one is to follow.
fn key(at: KeyState, wished: u32) -> String {
    let since = i64::try_from(at.since_ms / 1000).unwrap_or(i64::MAX);
    let since = OffsetDateTime::from_unix_timestamp(since);
    let since = since.map_or_else(|_| String::new(), |since| format!(" since {since}"));
    let follows = match (at.rotating, wished > at.epoch) {
        (true, _) => "; rotating: the next one is on its way",
        (false, true) => "; another one is asked for",
        (false, false) => "",
    };
    format!("number {}{since}{follows}", at.epoch)
}

/// The state, since when, and when it will have failed.
fn standing(view: &JobView) -> String {
    let mut standing = format!("{} since {}", view.state, view.since);
    if let Some(at) = view.fails_at {
        standing += &format!("; fails at {at}, if no exchange is finished before");
    }
    standing
}

/// What became of each attempt, if there was more than one, and what the logs call
/// the last one.
fn attempts(view: &JobView) -> Vec<[String; 2]> {
    let mut rows = vec![["correlation".to_owned(), view.correlation.to_string()]];
    let Some((_, ended)) = view.attempts.split_last() else {
        return rows;
    };
    for attempt in ended {
        let moment = |at: Option<OffsetDateTime>| at.map_or("?".to_owned(), |at| at.to_string());
        let text = format!(
            "{} to {}, {} exchanges, correlation {}: {}",
            moment(attempt.from),
            moment(attempt.to),
            attempt.exchanges_done,
            attempt.correlation,
            causes(view, &attempt.failures),
        );
        rows.push([format!("attempt {}", attempt.number), text]);
    }
    rows
}

/// A model, with its version.
fn model(model: &ModelView) -> String {
    format!("{} (version {})", model.name, model.version)
}

/// What an evaluation has found, in one line.
pub(crate) fn evaluation(found: &Evaluated) -> String {
    let accuracy = output::percent(found.accuracy);
    let auc = match found.auc {
        Some(auc) => format!("{auc:.4}"),
        None => "none (one class alone)".to_owned(),
    };
    format!(
        "loss {:.4}, accuracy {accuracy}, AUC {auc} over {} rows",
        found.loss, found.rows
    )
}

/// Why a job stands where it does.
pub(super) fn why(why: &Why, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(why);
    }
    let mut rows = vec![["job".to_owned(), format!("{} ({})", why.job, why.name)]];
    let since = output::duration(why.in_state_ms as f64 / 1000.0);
    rows.push(["state".to_owned(), format!("{} for {since}", why.state)]);
    for reason in &why.reasons {
        rows.push(["waits for".to_owned(), reason.to_string()]);
    }
    if why.reasons.is_empty() && !why.state.is_ended() {
        rows.push(["waits for".to_owned(), "nothing: it goes on".to_owned()]);
    }
    if let Some(line) = &why.line {
        rows.push(["in line".to_owned(), in_line(line)]);
    }
    if let Some(at) = why.key {
        rows.push(["encryption key".to_owned(), key(at, 0)]);
    }
    if let Some(left_ms) = why.fails_in_ms {
        let left = output::duration(left_ms as f64 / 1000.0);
        let text = format!("in {left}, if no exchange is finished before");
        rows.push(["fails".to_owned(), text]);
    }
    for side in [Side::Active, Side::Passive] {
        let word = why.sides.of(side);
        rows.push([format!("{} ({})", side.label(), word.party), said(word)]);
    }
    println!("{}", output::table(["", ""], rows));
    Ok(())
}

/// Where a job stands among those that wait, in one sentence or a few.
fn in_line(line: &InLine) -> String {
    let had = output::duration(line.had_ms as f64 / 1000.0);
    let mut text = format!(
        "{} of {} that wait for its parties; priority {}, and its submitter has had {had} of late",
        line.position, line.of, line.priority
    );
    if !line.before.is_empty() {
        text += &format!("; before it: {}", line.before);
    }
    match line.goes_first_at {
        Some(at) => text += &format!("; goes before what waits less from {at} on"),
        None => text += "; it has begun, and goes before what has not",
    }
    let kept: Vec<&str> = line.kept_at.iter().map(PartyName::as_str).collect();
    if !kept.is_empty() {
        let kept = kept.join(" and ");
        text +=
            &format!("; room is kept for it at {kept} until it starts or one of them goes away");
    }
    text
}

/// What is known of a party, in one sentence.
fn said(word: &Word) -> String {
    let Some(heard_at) = word.heard_at else {
        return "not heard of since the coordinator began".to_owned();
    };
    let link = match word.connected {
        true => "connected".to_owned(),
        false => format!("last heard of at {heard_at}"),
    };
    let room = match word.capacity {
        Some(capacity) => format!(", at {} of {capacity} jobs", word.jobs),
        None => String::new(),
    };
    let phase = match &word.phase {
        None => "has not spoken of the job".to_owned(),
        Some(Phase::Preparing) => "says that it prepares".to_owned(),
        Some(Phase::Running) => "says that it computes".to_owned(),
        Some(Phase::Waiting { what, .. }) => format!("says that it waits for {what}"),
        Some(Phase::Held) => "says that it holds its checkpoint".to_owned(),
        Some(Phase::Finished) => "says that it has finished".to_owned(),
        Some(Phase::Failed { failure }) => format!("says that it failed: {}", failure.message),
    };
    format!("{link}{room}; {phase}")
}

/// A list of jobs.
pub(super) fn jobs(views: &[JobView], format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(&views);
    }
    let rows = views.iter().map(|view| {
        let (done, all) = steps(view.progress(Side::Passive));
        [
            view.id.to_string(),
            view.name.clone(),
            view.task.clone(),
            view.state.to_string(),
            format!("{done}/{all}"),
            view.loss
                .map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}")),
            view.waiting_for.clone().unwrap_or_default(),
        ]
    });
    println!(
        "{}",
        output::table(
            [
                "job",
                "name",
                "task",
                "state",
                "rounds",
                "loss",
                "waits for"
            ],
            rows
        )
    );
    Ok(())
}
