//! How far a job is, counted from the reports of its exchanges.

use entente_protocol::{
    Product, Report,
    control::{Progress, Validation},
    schedule::{Place, Schedule},
    score::Score,
    verdict::Verdict,
};

use crate::delivery::Counts;

/// Counts exchanges, samples and loss.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    counts: Counts,
}

impl Tally {
    pub(super) fn new(schedule: &Schedule) -> Self {
        let mut tally = Self::going_on(Counts::default());
        tally.follow(schedule);
        tally
    }

    /// From what was counted before.
    pub(super) fn going_on(counts: Counts) -> Self {
        Self { counts }
    }

    /// From the end of a session.
    pub(super) fn ended(progress: Progress) -> Self {
        Self::going_on(Counts {
            progress,
            ..Counts::default()
        })
    }

    /// For a checkpoint.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// All that there is to do, which is less once training has stopped early.
    fn follow(&mut self, schedule: &Schedule) {
        self.counts.progress.exchanges = schedule.exchanges();
        self.counts.progress.rounds = schedule.rounds();
        self.counts.progress.stopped_early = schedule.stops_early();
    }

    /// All exchanges of the job.
    pub(super) fn exchanges(&self) -> u64 {
        self.counts.progress.exchanges
    }

    pub(super) fn progress(&self) -> Progress {
        self.counts.progress
    }

    /// Takes in what may be told of what the job has left here.
    pub(super) fn close(&mut self, product: &Product) {
        if let Product::Evaluation(evaluation) = product {
            self.counts.progress.evaluation = Some(evaluation.told);
        }
    }

    /// Counts an exchange that is done; `schedule` is the role's after it.
    pub(super) fn add(&mut self, schedule: &Schedule, index: u64, report: &Report) {
        self.counts.progress.exchanges_done = index + 1;
        self.counts.progress.key = report.key.or(self.counts.progress.key);
        self.follow(schedule);
        match schedule.place(index) {
            None | Some(Place::SetUp) => {}
            Some(Place::Train { epoch, .. }) => self.learn(epoch.saturating_add(1), report),
            Some(Place::Validate { epoch, .. }) => {
                self.counts.validated.add(report);
                if seen(&self.counts.validated, schedule.validation_rows()) {
                    self.validate(epoch.saturating_add(1), report.verdict);
                }
            }
            Some(Place::Evaluate { .. }) => {
                self.counts.tested.add(report);
                if seen(&self.counts.tested, schedule.test_rows()) {
                    self.counts.progress.test_accuracy = self.counts.tested.accuracy();
                }
            }
        }
    }

    fn learn(&mut self, epoch: u32, report: &Report) {
        if epoch != self.counts.progress.epoch {
            self.counts.progress.epoch = epoch;
            self.counts.learnt = Score::default();
        }
        self.counts.progress.rounds_done += 1;
        self.counts.progress.samples += report.samples;
        self.counts.progress.leak = report.leak.or(self.counts.progress.leak);
        self.counts.learnt.add(report);
        self.counts.progress.loss = self.counts.learnt.loss().or(self.counts.progress.loss);
    }

    /// Told when all of the rows were seen: a part of them is not what the
    /// epochs are compared by.
    fn validate(&mut self, epoch: u32, verdict: Option<Verdict>) {
        let score = std::mem::take(&mut self.counts.validated);
        if let (Some(loss), Some(accuracy)) = (score.loss(), score.accuracy()) {
            self.counts.progress.validation = Some(Validation {
                epoch,
                loss,
                accuracy,
            });
            if verdict == Some(Verdict::Best) {
                self.counts.progress.best = self.counts.progress.validation;
            }
        }
    }
}

/// Whether something was told of all these rows.
fn seen(score: &Score, rows: &[usize]) -> bool {
    score.samples() == rows.len() as u64
}

#[cfg(test)]
mod tests {
    use entente_protocol::{
        rows::RowIds,
        split::{Fractions, Split},
    };

    use super::*;

    fn tested(samples: u64, correct: u64) -> Report {
        Report {
            samples,
            loss: Some(2.0),
            correct: Some(correct),
            ..Report::default()
        }
    }

    fn trained(samples: u64, loss: f64) -> Report {
        Report {
            samples,
            loss: Some(loss),
            correct: Some(0),
            ..Report::default()
        }
    }

    #[test]
    fn loss_is_the_mean_over_the_samples_of_the_running_epoch() {
        // 5 training rows in batches of 4: 4 + 1 samples an epoch.
        let schedule = Schedule::new(1, Split::all(5), 4, 2);
        let mut tally = Tally::new(&schedule);
        tally.add(&schedule, 0, &Report::default());
        assert_eq!((tally.progress().epoch, tally.progress().loss), (0, None));
        tally.add(&schedule, 1, &trained(4, 1.0));
        tally.add(&schedule, 2, &trained(1, 6.0));
        assert_eq!(tally.progress().loss, Some(2.0));
        assert_eq!((tally.progress().epoch, tally.progress().samples), (1, 5));
        tally.add(&schedule, 3, &trained(4, 0.5));
        let progress = tally.progress();
        assert_eq!((progress.epoch, progress.loss), (2, Some(0.5)));
        assert_eq!((progress.rounds_done, progress.rounds), (3, 4));
        assert_eq!((progress.exchanges_done, progress.exchanges), (4, 5));
    }

    #[test]
    fn accuracy_is_told_when_all_test_rows_were_seen() {
        // 10 rows, 4 of them for testing, in batches of 3.
        let fractions = Fractions {
            test: 0.4,
            validation: 0.0,
        };
        let split = Split::of(&RowIds::numbered(10), 1, fractions);
        let schedule = Schedule::new(1, split, 3, 1);
        let mut tally = Tally::new(&schedule);
        for (index, report) in [
            Report::default(),
            trained(3, 1.0),
            trained(3, 1.0),
            tested(3, 3),
        ]
        .iter()
        .enumerate()
        {
            tally.add(&schedule, index as u64, report);
        }
        assert_eq!(tally.progress().test_accuracy, None);
        tally.add(&schedule, 4, &tested(1, 0));
        assert_eq!(tally.progress().test_accuracy, Some(0.75));
        assert_eq!(tally.progress().samples, 6);
    }

    #[test]
    fn validation_is_told_of_the_last_epoch_that_all_rows_were_seen_of() {
        // 5 rows to learn from, 5 for validation, in batches of 3; two epochs
        // of two mini-batches and two batches of validation.
        let fractions = Fractions {
            test: 0.0,
            validation: 0.5,
        };
        let split = Split::of(&RowIds::numbered(10), 1, fractions);
        let schedule = Schedule::new(1, split, 3, 2);
        let mut tally = Tally::new(&schedule);
        let mut told = vec![];
        for (index, report) in [
            Report::default(),
            trained(3, 1.0),
            trained(2, 1.0),
            tested(3, 2),
            tested(2, 1),
            trained(3, 0.5),
            trained(2, 0.5),
            tested(3, 3),
            tested(2, 2),
        ]
        .iter()
        .enumerate()
        {
            tally.add(&schedule, index as u64, report);
            let validation = tally.progress().validation;
            told.push(validation.map(|v| (v.epoch, v.loss, v.accuracy)));
        }
        let first = Some((1, 2.0, 0.6));
        let second = Some((2, 2.0, 1.0));
        assert_eq!(told[..4], [None; 4]);
        assert_eq!(told[4..8], [first; 4]);
        assert_eq!(told[8], second);
        let progress = tally.progress();
        assert_eq!((progress.rounds_done, progress.samples), (4, 10));
        assert_eq!((progress.loss, progress.test_accuracy), (Some(0.5), None));
        assert_eq!(progress.exchanges_done, progress.exchanges);
    }

    #[test]
    fn epochs_that_are_left_out_are_not_waited_for() {
        // As above, and three epochs; it stops after the second.
        let fractions = Fractions {
            test: 0.0,
            validation: 0.5,
        };
        let of = |epochs| {
            let split = Split::of(&RowIds::numbered(10), 1, fractions);
            Schedule::new(1, split, 3, epochs)
        };
        let mut tally = Tally::new(&of(3));
        for index in 0..4 {
            tally.add(&of(3), index, &tested(3, 3));
        }
        assert_eq!((tally.exchanges(), tally.progress().best), (13, None));
        let best = Report {
            verdict: Some(Verdict::Best),
            ..tested(2, 2)
        };
        tally.add(&of(3), 4, &best);
        assert_eq!(tally.progress().best.map(|best| best.epoch), Some(1));
        for index in 5..8 {
            tally.add(&of(3), index, &tested(3, 3));
        }
        let not_best = Report {
            verdict: Some(Verdict::NotBest),
            ..tested(2, 2)
        };
        // What is left of the schedule is that of two epochs then.
        tally.add(&of(2), 8, &not_best);
        let progress = tally.progress();
        assert_eq!((progress.exchanges_done, progress.exchanges), (9, 9));
        assert_eq!((progress.rounds_done, progress.rounds), (4, 4));
        assert_eq!(progress.best.map(|best| best.epoch), Some(1));
        assert_eq!(progress.validation.map(|last| last.epoch), Some(2));
    }

    #[test]
    fn without_labels_neither_validation_nor_accuracy_is_told() {
        let fractions = Fractions {
            test: 0.3,
            validation: 0.3,
        };
        let split = Split::of(&RowIds::numbered(10), 1, fractions);
        let schedule = Schedule::new(1, split, 3, 1);
        let mut tally = Tally::new(&schedule);
        for index in 0..schedule.exchanges() {
            let report = Report {
                samples: 3,
                ..Report::default()
            };
            tally.add(&schedule, index, &report);
        }
        let progress = tally.progress();
        assert_eq!(progress.exchanges_done, progress.exchanges);
        assert_eq!((progress.loss, progress.validation), (None, None));
        assert_eq!(progress.test_accuracy, None);
    }
}
