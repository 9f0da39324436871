//! Jobs, shown once.

use entente_coordinator::job::JobView;
use entente_protocol::job::{Keep, Side};

use super::{early_stop, reason};
use crate::{cli::Format, exit::Failure, output};

/// One job.
pub(super) fn job(view: &JobView, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(view);
    }
    let mut rows = vec![
        ["job".to_owned(), view.id.to_string()],
        ["name".to_owned(), view.name.clone()],
        ["state".to_owned(), view.state.to_string()],
        [
            "submitted".to_owned(),
            format!("{} by {}", view.submitted_at, view.submitted_by),
        ],
        ["specification".to_owned(), view.spec_digest.clone()],
    ];
    if let Some(what) = &view.waiting_for {
        rows.push(["waits for".to_owned(), what.clone()]);
    }
    for side in [Side::Active, Side::Passive] {
        let progress = view.progress(side);
        let party = &view.sides.of(side).party;
        rows.push([
            format!("{} ({party})", side.label()),
            format!(
                "round {} of {}, epoch {} of {}",
                progress.rounds_done, progress.rounds, progress.epoch, view.epochs
            ),
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
    if let Some(stopped) = early_stop(view) {
        rows.push(["training".to_owned(), stopped]);
    }
    if let Some(accuracy) = view.test_accuracy {
        rows.push(["test accuracy".to_owned(), output::percent(accuracy)]);
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
    println!("{}", output::table(["", ""], rows));
    Ok(())
}

/// A list of jobs.
pub(super) fn jobs(views: &[JobView], format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(&views);
    }
    let rows = views.iter().map(|view| {
        let progress = view.progress(Side::Passive);
        [
            view.id.to_string(),
            view.name.clone(),
            view.state.to_string(),
            format!("{}/{}", progress.rounds_done, progress.rounds),
            view.loss
                .map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}")),
            view.waiting_for.clone().unwrap_or_default(),
        ]
    });
    println!(
        "{}",
        output::table(
            ["job", "name", "state", "rounds", "loss", "waits for"],
            rows
        )
    );
    Ok(())
}
