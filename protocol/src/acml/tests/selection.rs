//! Which epoch's model it is that a job ends with, bit for bit.

use std::sync::Arc;

use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};

use super::{Case, train};
use crate::{
    ProtocolError, Role,
    acml::{ActiveHalf, Model, PassiveHalf, algebra::Corrected},
    job::{EarlyStopping, Keep, Metric},
    loopback::{self, exchange},
    schedule::Place,
    score::Score,
};

fn case(seed: u64, patience: u32, keep: Keep) -> Case {
    Case {
        rows: 14,
        // Steps large enough that later epochs often spoil what was learnt.
        learning_rate: 1.5,
        batch: 3,
        epochs: 6,
        validation: 0.3,
        early_stopping: Some(EarlyStopping {
            patience,
            min_delta: 0.0,
            metric: Metric::Loss,
        }),
        keep,
        seed,
        ..Case::small()
    }
}

/// No epoch betters the first by so much: it is the best, whatever the numbers.
fn first_is_best(epochs: u32, patience: u32, keep: Keep) -> Case {
    let mut case = Case {
        epochs,
        ..case(1, patience, keep)
    };
    if let Some(early) = &mut case.early_stopping {
        early.min_delta = 1e9;
    }
    case
}

/// The plaintext network as it stood after each epoch's mini-batches, the loss
/// of its validation rows, and the model at the end.
fn reference(case: &Case) -> (Vec<Model>, Vec<f64>, Model) {
    let mut reference = case.reference(case.bottom());
    let (mut models, mut losses) = (vec![], vec![]);
    let mut looked = Score::default();
    let mut index = 0;
    while let Some(place) = reference.schedule().place(index) {
        if let Place::Validate { batch: 0, .. } = place {
            models.push(reference.model());
            looked = Score::default();
        }
        let report = reference.exchange(index).unwrap();
        if let Place::Validate { .. } = place {
            looked.add(&report);
            if report.verdict.is_some() {
                losses.push(looked.loss().unwrap());
            }
        }
        index += 1;
    }
    (models, losses, reference.model())
}

fn trained<S: Scheme>(case: &Case, backend: Arc<dyn Backend<S>>) -> Model {
    let job = case.job().with_insecure_key(512);
    let trained = train::<S, Corrected>(case, &job, backend, case.bottom(), 7);
    trained.unwrap().0
}

/// By definition: the first epoch of those with the least loss.
fn least(losses: &[f64]) -> usize {
    let mut least = 0;
    for (epoch, loss) in losses.iter().enumerate() {
        if *loss < losses[least] {
            least = epoch;
        }
    }
    least
}

/// Whatever epoch that is: first, last, or one between. Of forty seeds some have
/// it between, or the test would show little.
#[test]
fn the_weights_that_are_kept_are_those_of_the_best_epoch() {
    let (mut between, mut stopped) = (0, 0);
    for seed in 0..40 {
        let case = case(seed, 3, Keep::Best);
        let (models, losses, end) = reference(&case);
        let best = least(&losses);
        let trained = trained::<Transparent>(&case, Arc::new(TransparentBackend));
        assert!(trained.is_bit_identical(&models[best]), "seed {seed}");
        assert!(trained.is_bit_identical(&end), "seed {seed}");
        for (epoch, model) in models.iter().enumerate() {
            let same = trained.is_bit_identical(model);
            assert_eq!(same, epoch == best, "seed {seed}, epoch {epoch}");
        }
        let expected = (best + 4).min(case.epochs as usize);
        assert_eq!(losses.len(), expected, "seed {seed}");
        between += usize::from(best > 0 && best + 1 < losses.len());
        stopped += usize::from(losses.len() < case.epochs as usize);
    }
    assert!(between > 0 && stopped > 0, "{between} {stopped}");
}

#[test]
fn under_paillier() {
    for keep in [Keep::Last, Keep::Best] {
        let case = first_is_best(5, 2, keep);
        let (models, losses, end) = reference(&case);
        assert_eq!(losses.len(), 3);
        let kept = if keep == Keep::Best { 0 } else { 2 };
        let trained = trained::<Paillier>(&case, Arc::new(PaillierBackend::default()));
        assert!(trained.is_bit_identical(&models[kept]), "{keep:?}");
        assert!(trained.is_bit_identical(&end), "{keep:?}");
    }
}

/// A job that stops goes through as many exchanges as one that was asked for no
/// more, and rounds that were never gone through do not count.
#[test]
fn what_is_left_out_is_not_counted() {
    let case = first_is_best(30, 2, Keep::Last);
    let role = |seed| {
        case.active::<Transparent, Corrected>(
            &case.job(),
            Arc::new(TransparentBackend),
            case.bottom(),
            seed,
        )
    };
    let passive =
        case.passive::<Transparent, Corrected>(&case.job(), Arc::new(TransparentBackend), 1);
    let trained = loopback::train(role(1), passive).unwrap();
    let shorter = Case {
        epochs: 3,
        ..case.clone()
    };
    let shorter = shorter.job().schedule(case.rows);
    assert!(trained.left.schedule().stops_early() && trained.right.schedule().stops_early());
    for schedule in [trained.left.schedule(), trained.right.schedule()] {
        assert_eq!(schedule.exchanges(), shorter.exchanges());
        assert_eq!(schedule.rounds(), shorter.rounds());
    }
    assert_eq!(trained.reports.len() as u64, shorter.exchanges());
    assert!(trained.test_accuracy().is_some());
}

/// Every message between the parties; `tamper` may change one.
fn messages(
    case: &Case,
    tamper: &mut dyn FnMut(&'static str, &mut Vec<u8>),
) -> Result<(Vec<&'static str>, Model), ProtocolError> {
    let (job, backend) = (case.job(), Arc::new(TransparentBackend));
    let mut active = case.active::<Transparent, Corrected>(&job, backend.clone(), case.bottom(), 7);
    let mut passive = case.passive::<Transparent, Corrected>(&job, backend, 7);
    let (mut index, mut names) = (0, vec![]);
    while index
        < active
            .schedule()
            .exchanges()
            .max(passive.schedule().exchanges())
    {
        let (one, other) = exchange(index, active, passive, &mut |_, name, payload| {
            names.push(name);
            tamper(name, payload);
        })?;
        (active, passive) = (one.role, other.role);
        index += 1;
    }
    let active = ActiveHalf::open(&job, active.half().expose()).unwrap();
    let passive = PassiveHalf::open(&job, passive.half().expose()).unwrap();
    Ok((names, Model::join(active, passive)))
}

/// One bit an epoch, and only in jobs that ask for it.
#[test]
fn a_verdict_is_said_after_the_last_validation_rows_of_an_epoch() {
    let count = |case: &Case, name: &str| {
        let mut bytes = 0;
        let mut see = |seen: &'static str, payload: &mut Vec<u8>| {
            if seen == "epoch_verdict" {
                bytes += payload.len() - 2;
            }
        };
        let (names, _) = messages(case, &mut see).unwrap();
        let said = names.iter().filter(|seen| **seen == name).count();
        (said, bytes)
    };
    let case = first_is_best(5, 2, Keep::Best);
    // Three epochs of two batches of validation rows, and one of test rows.
    let schedule = case.job().schedule(case.rows);
    assert_eq!(
        (schedule.validation_rows().len(), schedule.test_rows().len()),
        (4, 3)
    );
    assert_eq!(count(&case, "activations_for_inference"), (3 * 2 + 1, 3));
    assert_eq!(count(&case, "epoch_verdict"), (3, 3));
    let silent = Case {
        early_stopping: None,
        keep: Keep::Last,
        ..case
    };
    assert_eq!(count(&silent, "epoch_verdict"), (0, 0));
}

/// The control of the comparison: whoever hears another verdict than was said
/// goes another way, or goes back to another epoch, and it shows.
#[test]
fn a_verdict_that_is_heard_wrongly_is_caught() {
    for patience in [2, 9] {
        let case = first_is_best(4, patience, Keep::Best);
        let (models, losses, _) = reference(&case);
        let untouched = messages(&case, &mut |_, _| {}).unwrap().1;
        assert!(untouched.is_bit_identical(&models[0]));
        for target in 0..losses.len() {
            let mut said = 0;
            let mut flip = |name: &'static str, payload: &mut Vec<u8>| {
                if name == "epoch_verdict" {
                    if said == target {
                        payload[2] ^= 1;
                    }
                    said += 1;
                }
            };
            if let Ok((_, model)) = messages(&case, &mut flip) {
                assert!(!model.is_bit_identical(&models[0]), "verdict {target}");
            }
        }
    }
}

#[test]
fn a_network_that_does_not_go_back_is_caught() {
    let case = first_is_best(4, 2, Keep::Best);
    let (models, ..) = reference(&case);
    let mut bottom = case.bottom();
    bottom.never_goes_back = true;
    let backend = Arc::new(TransparentBackend);
    let (model, _) =
        train::<Transparent, Corrected>(&case, &case.job(), backend, bottom, 7).unwrap();
    assert!(!model.is_bit_identical(&models[0]));
}
