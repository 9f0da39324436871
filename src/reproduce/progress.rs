//! How a person sees a run go on: a bar on a terminal, lines elsewhere.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{plan::Planned, work::Gauge};
use crate::output;

/// How often it is looked at.
const PERIOD: Duration = Duration::from_millis(250);
/// How often a unit that takes long says so where there is no terminal.
const LINE_PERIOD: Duration = Duration::from_secs(30);

/// Shows how a run goes on.
pub(super) struct Progress {
    bar: ProgressBar,
    on_terminal: bool,
    units: usize,
    /// Forecast for all units of this run.
    all_seconds: f64,
    /// Forecast for those that are done, and what they took.
    done: (f64, f64),
}

impl Progress {
    pub(super) fn new(units: &[Planned]) -> Self {
        let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            on_terminal: std::io::stderr().is_terminal(),
            units: units.len(),
            all_seconds: units.iter().map(|unit| unit.seconds).sum(),
            done: (0.0, 0.0),
        }
    }

    /// Follows a unit until it is awaited no more.
    pub(super) async fn follow(
        &self,
        number: usize,
        planned: &Planned,
        gauge: &Gauge,
    ) -> std::convert::Infallible {
        let begun = Instant::now();
        let mut line = begun;
        if !self.on_terminal {
            println!("{} ...", self.head(number, planned));
        }
        loop {
            let part = match gauge.part() {
                // It cannot say: the forecast says it.
                0.0 => (begun.elapsed().as_secs_f64() / planned.seconds.max(1e-3)).min(0.95),
                part => part,
            };
            let text = self.line(number, planned, part, begun.elapsed().as_secs_f64());
            if self.on_terminal {
                let ahead = self.done.0 + part * planned.seconds;
                self.bar
                    .set_position((1000.0 * ahead / self.all_seconds.max(1e-3)) as u64);
                self.bar.set_message(text);
            } else if line.elapsed() >= LINE_PERIOD {
                line = Instant::now();
                println!("{text}");
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    fn head(&self, number: usize, planned: &Planned) -> String {
        format!("{number} of {}  {}", self.units, planned.unit.title)
    }

    fn line(&self, number: usize, planned: &Planned, part: f64, seconds: f64) -> String {
        let (forecast, took) = self.done;
        let (forecast, took) = (forecast + part * planned.seconds, took + seconds);
        // What was forecast of what is done, against what it took.
        let slowness = if forecast > 0.0 { took / forecast } else { 1.0 };
        let left = (self.all_seconds - forecast).max(0.0) * slowness;
        format!(
            "{}  {:.0} %, {} left in all",
            self.head(number, planned),
            100.0 * part,
            output::duration(left)
        )
    }

    /// A unit is done.
    pub(super) fn done(&mut self, number: usize, planned: &Planned, seconds: f64) {
        self.done.0 += planned.seconds;
        self.done.1 += seconds;
        let head = self.head(number, planned);
        let text = format!("{head}  {}", output::duration(seconds));
        if self.on_terminal {
            self.bar.println(text);
        } else {
            println!("{text}");
        }
    }

    /// Nothing more is shown.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
