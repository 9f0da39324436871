//! A job, followed to its end: a bar on a terminal, lines elsewhere.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use entente_coordinator::job::{JobState, JobView};
use entente_protocol::{control::Progress, job::Side};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{early_stop, reason};
use crate::{exit::Failure, output};

/// How often a line is printed where there is no terminal and the state stays.
const LINE_PERIOD: Duration = Duration::from_secs(5);

/// Shows how a job goes on.
pub(crate) struct Follower {
    bar: ProgressBar,
    on_terminal: bool,
    /// When the first round was seen done, and how many were by then: key
    /// generation would spoil the rate.
    rate_from: Option<(Instant, u64)>,
    last_line: Option<(Instant, JobState)>,
}

impl Follower {
    pub(crate) fn new() -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            on_terminal,
            rate_from: None,
            last_line: None,
        }
    }

    /// Shows where it stands now.
    pub(crate) fn show(&mut self, view: &JobView) {
        let line = self.line(view);
        if self.on_terminal {
            let progress = view.progress(Side::Passive);
            let (done, all) = steps(progress);
            self.bar.set_length(all);
            self.bar.set_position(done);
            self.bar.set_message(line);
        } else if self
            .last_line
            .is_none_or(|(at, state)| state != view.state || at.elapsed() >= LINE_PERIOD)
        {
            self.last_line = Some((Instant::now(), view.state));
            println!("{line}");
        }
    }

    fn line(&mut self, view: &JobView) -> String {
        if view.state != JobState::Running {
            let why = view.waiting_for.as_ref();
            return match why {
                Some(what) => format!("{}, waits for {what}", view.state),
                None => view.state.to_string(),
            };
        }
        let progress = view.progress(Side::Passive);
        let (steps_done, steps) = steps(progress);
        if steps_done == 0 {
            let made = if view.epochs > 0 {
                "key and shares are"
            } else {
                "the key is"
            };
            return format!("running: {made} being made");
        }
        let (since, from) = *self.rate_from.get_or_insert((Instant::now(), steps_done));
        let done = steps_done - from.min(steps_done);
        let seconds = since.elapsed().as_secs_f64();
        let mut line = match view.epochs {
            0 => format!("batch {steps_done} of {steps}"),
            epochs => format!("epoch {} of {epochs}", progress.epoch),
        };
        if let Some(loss) = progress.loss {
            line += &format!("  loss {loss:.4}");
        }
        if let Some(validation) = progress.validation {
            let (loss, accuracy) = (validation.loss, output::percent(validation.accuracy));
            line += &format!("  validation loss {loss:.4}, {accuracy}");
        }
        if let Some(best) = view.best {
            line += &format!("  best epoch {}", best.epoch);
        }
        if view.key.is_some_and(|key| key.rotating) {
            line += "  rotating the key";
        }
        if done > 0 && seconds > 0.0 {
            let each = seconds / done as f64;
            let per_step = progress.samples as f64 / steps_done as f64;
            let left = each * steps.saturating_sub(steps_done) as f64;
            if per_step > 0.0 {
                line += &format!("  {:.1} samples/s", per_step / each);
            }
            line += &format!("  {} left", output::duration(left));
        }
        line
    }

    /// Says how it ended.
    ///
    /// # Errors
    /// [`Failure::Job`] when it did not succeed.
    pub(crate) fn finish(&self, view: &JobView) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        match view.state {
            JobState::Succeeded => {
                let label = if view.epochs > 0 {
                    "test accuracy"
                } else {
                    "accuracy"
                };
                let stopped = early_stop(view).map(|stopped| format!(", {stopped}"));
                let accuracy = view.test_accuracy;
                let accuracy = accuracy.map(|a| format!(", {label} {}", output::percent(a)));
                let said = [stopped, accuracy]
                    .into_iter()
                    .flatten()
                    .collect::<String>();
                eprintln!("job {} succeeded{said}", view.id);
                Ok(())
            }
            _ => Err(Failure::Job(format!(
                "job {} did not succeed: {}",
                view.id,
                reason(view)
            ))),
        }
    }
}

/// What is counted for a person, done and in all: mini-batches of a training;
/// of a question, which has none, the batches that are asked about.
pub(super) fn steps(progress: &Progress) -> (u64, u64) {
    match progress.rounds {
        0 => (
            progress.exchanges_done.saturating_sub(1),
            progress.exchanges.saturating_sub(1),
        ),
        rounds => (progress.rounds_done, rounds),
    }
}
