//! A job, followed to its end: a bar on a terminal, lines elsewhere.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use entente_coordinator::job::{JobState, JobView};
use entente_protocol::job::Side;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{early_stop, reason};
use crate::{exit::Failure, output};

/// How often a job is asked after.
const PERIOD: Duration = Duration::from_millis(300);
/// How often a line is printed where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(5);

/// Shows how a job goes on.
pub(crate) struct Follower {
    bar: ProgressBar,
    on_terminal: bool,
    /// When the first round was seen done, and how many were by then: key
    /// generation would spoil the rate.
    rate_from: Option<(Instant, u64)>,
    last_line: Option<Instant>,
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
            self.bar.set_length(progress.rounds);
            self.bar.set_position(progress.rounds_done);
            self.bar.set_message(line);
        } else if self
            .last_line
            .is_none_or(|last| last.elapsed() >= LINE_PERIOD)
        {
            self.last_line = Some(Instant::now());
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
        if progress.rounds_done == 0 {
            return "running: key and shares are being made".to_owned();
        }
        let (since, from) = *self
            .rate_from
            .get_or_insert((Instant::now(), progress.rounds_done));
        let done = progress.rounds_done - from.min(progress.rounds_done);
        let seconds = since.elapsed().as_secs_f64();
        let mut line = format!("epoch {} of {}", progress.epoch, view.epochs);
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
        if done > 0 && seconds > 0.0 {
            let each = seconds / done as f64;
            let per_round = progress.samples as f64 / progress.rounds_done as f64;
            let left = each * progress.rounds.saturating_sub(progress.rounds_done) as f64;
            line += &format!("  {:.1} samples/s", per_round / each);
            line += &format!("  {} left", output::duration(left));
        }
        line
    }

    /// Waits until it is worth while to ask again.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(PERIOD).await;
    }

    /// Says how it ended.
    ///
    /// # Errors
    /// [`Failure::Job`] when it did not succeed.
    pub(crate) fn finish(&self, view: &JobView) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        match view.state {
            JobState::Succeeded => {
                let stopped = early_stop(view).map(|stopped| format!(", {stopped}"));
                let accuracy = view.test_accuracy;
                let accuracy = accuracy.map(|a| format!(", test accuracy {}", output::percent(a)));
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
