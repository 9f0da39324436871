//! The rule, for any scores of any epochs.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::{
    Report,
    job::{EarlyStopping, JobSpec, Metric},
    verdict::Judge,
};

const ROWS: usize = 12;

/// What one epoch's validation rows say, all of them together.
#[derive(Debug, Clone, Copy)]
struct Said {
    loss: f64,
    correct: u64,
}

fn job(epochs: u32, early_stopping: Option<EarlyStopping>, keep: Keep) -> Job {
    let sample = Job::from_toml(include_str!("../../../deploy/iris.toml")).unwrap();
    let mut spec: JobSpec = sample.spec().clone();
    spec.data.validation_fraction = 0.4;
    spec.training.batch_size = 3;
    spec.training.epochs = epochs;
    spec.training.early_stopping = early_stopping;
    spec.training.keep = keep;
    spec.try_into().unwrap()
}

fn patience(patience: u32) -> Option<EarlyStopping> {
    Some(EarlyStopping {
        patience,
        min_delta: 0.0,
        metric: Metric::Loss,
    })
}

/// Both sides of a job go through it: one with a judge, the other with the
/// judge's bits. What they went through, and of which epochs the halves are
/// that they end with.
fn run(job: &Job, said: &[Said]) -> ([Vec<Exchange>; 2], [u32; 2]) {
    let course = || Course::new(job, ROWS).unwrap();
    let (mut labels, mut features) = (course(), course());
    let mut judge = Judge::new(job.selection().unwrap());
    let mut gone = [vec![], vec![]];
    // The epoch that each half was learnt to, and the copy of it.
    let (mut halves, mut copies) = ([0; 2], [None; 2]);
    for index in 0.. {
        let (Some(one), other) = (labels.exchange(index), features.exchange(index)) else {
            assert_eq!(features.exchange(index), None, "one side goes on alone");
            break;
        };
        let other = other.unwrap_or_else(|| panic!("one side goes on alone: {one:?}"));
        if let Exchange::Train { epoch, .. } = one {
            halves = [epoch; 2];
        }
        if let Exchange::Validate { epoch, last, rows } = &one {
            let Said { loss, correct } = said[*epoch as usize];
            judge.add(&Report {
                samples: rows.len() as u64,
                loss: Some(loss),
                // Of the epoch, told with its last batch.
                correct: Some(if *last { correct } else { 0 }),
                ..Report::default()
            });
            if *last {
                let verdict = judge.verdict();
                for (side, course) in [&mut labels, &mut features].into_iter().enumerate() {
                    let copying = course.hear(*epoch, verdict);
                    let back = copying.on(&mut copies[side], || halves[side]);
                    halves[side] = back.unwrap_or(halves[side]);
                }
            }
        }
        gone[0].push(one);
        gone[1].push(other);
    }
    assert_eq!(gone[0].len() as u64, labels.schedule().exchanges());
    assert_eq!(copies, [None; 2], "a copy is kept for nothing");
    (gone, halves)
}

/// The epochs that better each one before them that did so, by definition.
fn records(goodness: &[f64], min_delta: f64) -> Vec<usize> {
    let mut records: Vec<usize> = vec![];
    for (epoch, good) in goodness.iter().enumerate() {
        if records
            .iter()
            .all(|before| *good > goodness[*before] + min_delta)
        {
            records.push(epoch);
        }
    }
    records
}

/// The last epoch that is gone through, by definition: the first that comes so
/// many after a record without another between.
fn last(records: &[usize], patience: Option<u32>, epochs: usize) -> usize {
    let waited = |epoch: &usize| {
        let record = records.iter().rfind(|record| *record <= epoch);
        patience.is_some_and(|patience| epoch - record.unwrap() >= patience as usize)
    };
    (0..epochs).find(waited).unwrap_or(epochs - 1)
}

proptest! {
    #[test]
    fn both_sides_go_the_same_way_and_it_is_the_one_that_was_asked_for(
        said in proptest::collection::vec((0_u32..8, 0_u64..6), 1..12),
        patience in proptest::option::of(1_u32..5),
        min_delta in prop_oneof![Just(0.0), Just(1.0), Just(2.5)],
        by_accuracy: bool, keep_best: bool,
    ) {
        let keep = if keep_best { Keep::Best } else { Keep::Last };
        let metric = if by_accuracy { Metric::Accuracy } else { Metric::Loss };
        // In rows: of those that validate, five.
        let rows = 5.0;
        let min_delta = if by_accuracy { min_delta / rows } else { min_delta };
        let early = patience.map(|patience| EarlyStopping { patience, min_delta, metric });
        let said: Vec<Said> = said
            .into_iter()
            .map(|(loss, correct)| Said { loss: loss.into(), correct: correct.min(5) })
            .collect();
        let job = job(said.len() as u32, early, keep);
        if job.selection().is_none() {
            return Ok(());
        }
        let ([one, other], halves) = run(&job, &said);
        prop_assert_eq!(&one, &other);

        let goodness: Vec<f64> = said
            .iter()
            .map(|said| match early.is_some() && by_accuracy {
                true => said.correct as f64 / rows,
                false => -said.loss,
            })
            .collect();
        let records = records(&goodness, early.map_or(0.0, |early| early.min_delta));
        let last = last(&records, patience, said.len());
        let learnt_in = one.iter().filter_map(|exchange| match exchange {
            Exchange::Train { epoch, .. } => Some(*epoch as usize),
            _ => None,
        });
        prop_assert_eq!(learnt_in.max(), Some(last));
        let tested: usize = one
            .iter()
            .map(|exchange| match exchange {
                Exchange::Evaluate { rows } => rows.len(),
                _ => 0,
            })
            .sum();
        prop_assert_eq!(tested, job.schedule(ROWS).test_rows().len());
        let kept = match keep_best {
            true => *records.iter().rfind(|record| **record <= last).unwrap(),
            false => last,
        };
        prop_assert_eq!(halves, [kept as u32; 2]);
    }

    /// The order that is remembered is the one that would be made anew, in
    /// whatever order exchanges are asked for.
    #[test]
    fn an_order_that_is_remembered_is_the_schedules(
        asked in proptest::collection::vec(0_u64..40, 1..30),
    ) {
        let mut course = Course::new(&job(4, None, Keep::Last), ROWS).unwrap();
        for index in asked {
            let expected = course.schedule().exchange(index);
            prop_assert_eq!(course.exchange(index), expected);
        }
    }
}

/// What is done with the model after each epoch.
fn copying(job: &Job, verdicts: &[Verdict]) -> Vec<Copying> {
    let mut course = Course::new(job, ROWS).unwrap();
    (0..)
        .zip(verdicts)
        .map(|(epoch, verdict)| course.hear(epoch, *verdict))
        .collect()
}

#[test]
fn a_copy_is_taken_of_each_best_epoch_and_put_back_in_the_end() {
    use Copying::{Drop, Leave, PutBack, Take};
    use Verdict::{Best, NotBest};
    for (epochs, verdicts, expected) in [
        (
            9,
            &[Best, NotBest, Best, NotBest, NotBest][..],
            &[Take, Leave, Take, Leave, PutBack][..],
        ),
        (3, &[Best, Best, NotBest], &[Take, Take, PutBack]),
        (3, &[Best, NotBest, Best], &[Take, Leave, Drop]),
        (1, &[Best], &[Drop]),
    ] {
        let job = job(epochs, patience(2), Keep::Best);
        assert_eq!(copying(&job, verdicts), expected, "{verdicts:?}");
    }
    let last = job(9, patience(2), Keep::Last);
    assert_eq!(copying(&last, &[Best, NotBest, NotBest]), [Leave; 3]);
}

#[test]
fn a_verdict_on_the_last_epoch_leaves_nothing_out() {
    let mut course = Course::new(&job(2, patience(1), Keep::Last), ROWS).unwrap();
    course.hear(0, Verdict::Best);
    course.hear(1, Verdict::NotBest);
    assert!(!course.schedule().stops_early());
    assert_eq!(course.best(), Some(0));
}

#[test]
fn a_table_too_small_for_validation_rows_is_refused() {
    let mut spec = job(2, patience(1), Keep::Last).spec().clone();
    spec.data.validation_fraction = 0.004;
    let job = Job::try_from(spec).unwrap();
    let error = Course::new(&job, ROWS).err().unwrap();
    assert_eq!(error.label(), "no_validation_rows");
    assert!(
        error
            .to_string()
            .contains("data.validation_fraction = 0.004"),
        "{error}"
    );
}
