//! Parties that crash, at any moment and again and again, end with the same bits
//! as if nothing had happened.

mod journal;
mod masks;

use std::sync::Arc;

use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};
use entente_wire::Secret;
use proptest::prelude::*;

use self::journal::{Crash, End, Moment, Party, Side, run};
use super::{
    Case, Changes,
    asked_models::{Asked, Trained, bits},
    bit_identity::cases,
};
use crate::{
    Product, ProtocolError, Report, Role,
    acml::{
        ActiveHalf, ActiveInference, ActiveRole, Model, PassiveHalf, PassiveInference, PassiveRole,
        algebra::Corrected,
    },
    checkpoint,
    job::{Job, Keep},
};

/// A role that has lost nothing on the way through its checkpoint.
fn whole<R: Role>(role: R, checkpoint: &Secret<Vec<u8>>) -> R {
    let again = role.checkpoint();
    assert!(again.expose() == checkpoint.expose(), "something got lost");
    role
}

/// What is done to the bytes of a checkpoint.
type Damage<'a> = &'a dyn Fn(&mut Vec<u8>);

/// A training through these crashes. `damage` is done to every checkpoint before
/// it is read.
fn trained<S: Scheme>(
    case: &Case,
    backend: &Arc<dyn Backend<S>>,
    crashes: &[Crash],
    damage: Option<Damage<'_>>,
) -> Result<(Model, [End; 2]), ProtocolError> {
    let job = case.job().with_insecure_key(512);
    let damaged = |checkpoint: &Secret<Vec<u8>>| {
        let mut bytes = checkpoint.expose().clone();
        if let Some(damage) = damage {
            damage(&mut bytes);
        }
        Secret::new(bytes)
    };
    // Nothing that a role begins with is there once more: other randomness,
    // other weights.
    let other = Case {
        seed: !case.seed,
        ..case.clone()
    };
    let resume_active = |crashes: usize, checkpoint: &Secret<Vec<u8>>| {
        let mut set_up = case.active_set_up(&job, backend.clone(), other.bottom(), crashes as u64);
        [set_up.weight_seed, _] = other.seeds();
        let checkpoint = damaged(checkpoint);
        ActiveRole::resume(set_up, &checkpoint).map(|role| whole(role, &checkpoint))
    };
    let resume_passive = |crashes: usize, checkpoint: &Secret<Vec<u8>>| {
        let mut set_up = case.passive_set_up(&job, backend.clone(), crashes as u64);
        [_, set_up.weight_seed] = other.seeds();
        let checkpoint = damaged(checkpoint);
        PassiveRole::resume(set_up, &checkpoint).map(|role| whole(role, &checkpoint))
    };
    let active = case.active::<S, Corrected>(&job, backend.clone(), case.bottom(), 77);
    let passive = case.passive::<S, Corrected>(&job, backend.clone(), 77);
    let ends = run(
        Party::new(active, &resume_active),
        Party::new(passive, &resume_passive),
        crashes,
    )?;
    Ok((joined(&job, &ends), ends))
}

fn joined(job: &Job, ends: &[End; 2]) -> Model {
    let [Product::Half(active), Product::Half(passive)] = ends.each_ref().map(|end| &end.product)
    else {
        panic!("a training leaves halves")
    };
    Model::join(
        ActiveHalf::open(job, active.expose()).unwrap(),
        PassiveHalf::open(job, passive.expose()).unwrap(),
    )
}

fn survives<S: Scheme>(case: &Case, backend: &Arc<dyn Backend<S>>, crashes: &[Crash]) -> usize {
    let (undisturbed, [active, passive]) = trained(case, backend, &[], None).unwrap();
    let (model, ends) = trained(case, backend, crashes, None).unwrap();
    assert!(model.is_bit_identical(&undisturbed), "{case:?}");
    // Which key is in use hangs on who was asked when; the rest does not.
    let without_keys = |end: &End| -> Vec<Report> {
        let reports = end.reports.iter();
        reports.map(|told| Report { key: None, ..*told }).collect()
    };
    let epochs = |end: &End| -> Vec<Option<u32>> {
        let keys = end.reports.iter().map(|told| told.key);
        keys.map(|key| key.map(|key| key.epoch)).collect()
    };
    assert_eq!(epochs(&ends[0]), epochs(&ends[1]), "{case:?}");
    assert_eq!(without_keys(&ends[0]), without_keys(&active), "{case:?}");
    assert_eq!(without_keys(&ends[1]), without_keys(&passive), "{case:?}");
    let mut reference = case.reference(case.bottom());
    for (index, told) in (0..).zip(&ends[1].reports) {
        let told = Report {
            leak: None,
            key: None,
            ..*told
        };
        assert_eq!(told, reference.exchange(index).unwrap(), "{index} {case:?}");
    }
    assert!(model.is_bit_identical(&reference.model()), "{case:?}");
    ends[0].crashes + ends[1].crashes
}

fn moments() -> impl Strategy<Value = Moment> {
    prop::sample::select(Moment::ALL.to_vec())
}

fn crashes() -> impl Strategy<Value = Vec<Crash>> {
    let crash = (any::<bool>(), 0_usize..250, moments()).prop_map(|(left, step, moment)| Crash {
        side: if left { Side::Left } else { Side::Right },
        step,
        moment,
    });
    // Now and then many in a row, where a step crashes while it is gone through
    // again.
    prop::collection::vec(crash, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn with_any_job_and_any_crashes(case in cases(5), crashes in crashes()) {
        let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
        survives(&case, &backend, &crashes);
    }
}

/// With epochs that are compared and one that is put back, a smaller batch at
/// the end of each, and test rows.
fn selecting() -> Case {
    Case {
        rows: 12,
        epochs: 3,
        learning_rate: 1.5,
        validation: 0.3,
        keep: Keep::Best,
        defence: Some(crate::privacy::Defence::MaxNorm),
        keys: Changes {
            every_rounds: Some(2),
            whims: None,
        },
        ..Case::small()
    }
}

#[test]
fn at_every_moment_of_every_step_of_either_side() {
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    let mut survived = 0;
    for step in 0.. {
        let before = survived;
        for side in [Side::Left, Side::Right] {
            for moment in Moment::ALL {
                survived += survives(&selecting(), &backend, &[Crash { side, step, moment }]);
            }
        }
        if survived == before {
            break;
        }
    }
    // Ten for each step of the longer side, about.
    assert!(survived > 300, "{survived}");
}

#[test]
fn both_at_every_step_under_paillier() {
    let backend: Arc<dyn Backend<Paillier>> = Arc::new(PaillierBackend::default());
    let case = Case {
        rows: 8,
        epochs: 1,
        keys: Changes {
            every_rounds: Some(2),
            whims: Some(2),
        },
        ..selecting()
    };
    let crashes = |moment| {
        // A restart is a step of its own.
        let steps = (0..200).step_by(2);
        let both = steps.flat_map(move |step| {
            [Side::Left, Side::Right].map(|side| Crash { side, step, moment })
        });
        both.collect::<Vec<_>>()
    };
    for moment in [Moment::Heard, Moment::Computed, Moment::Done, Moment::Torn] {
        let survived = survives(&case, &backend, &crashes(moment));
        assert!(survived > 10, "{survived}");
    }
}

/// The control: with another seed of masks what is computed again does not fit
/// what is on its way, and the weights tell, or a range that is left.
#[test]
fn other_masks_after_a_crash_are_caught() {
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    let case = selecting();
    let (undisturbed, _) = trained(&case, &backend, &[], None).unwrap();
    // The first round of either side, behind the set-up; and those steps of it in
    // and after which a mask is in use.
    for (role, side, round, masked) in [
        ("acml active", Side::Left, 2..6, &[4, 5][..]),
        ("acml passive", Side::Right, 4..8, &[5, 6, 7]),
    ] {
        let other_seed = |bytes: &mut Vec<u8>| {
            // Title, version, role, digest of the job: then the seed.
            let seed = 18 + 2 + 4 + role.len() + 32;
            assert!(bytes[24..].starts_with(role.as_bytes()));
            bytes.truncate(bytes.len() - 32);
            bytes[seed] ^= 1;
            checkpoint::seal(bytes);
        };
        let caught = |step: &usize| {
            let crash = Crash {
                side,
                step: *step,
                moment: Moment::Said,
            };
            let ended = trained(&case, &backend, &[crash], Some(&other_seed));
            !ended.is_ok_and(|(model, _)| model.is_bit_identical(&undisturbed))
        };
        assert_eq!(round.filter(caught).collect::<Vec<_>>(), masked, "{role}");
    }
}

/// An inference through these crashes.
fn asked<S: Scheme>(
    trained: &Trained,
    asked: &Asked,
    backend: &Arc<dyn Backend<S>>,
    crashes: &[Crash],
) -> [End; 2] {
    let again = |crashes: usize| Asked {
        masks: crashes as u64 + 1000,
        ..asked.clone()
    };
    let resume_active = |crashes: usize, checkpoint: &Secret<Vec<u8>>| {
        let set_up = trained.active_set_up(&again(crashes), backend.clone());
        ActiveInference::resume(set_up, checkpoint).map(|role| whole(role, checkpoint))
    };
    let resume_passive = |crashes: usize, checkpoint: &Secret<Vec<u8>>| {
        let set_up = trained.passive_set_up(&again(crashes), backend.clone());
        PassiveInference::resume(set_up, checkpoint).map(|role| whole(role, checkpoint))
    };
    let active = trained.active(asked, backend.clone());
    let passive = trained.passive(asked, backend.clone());
    run(
        Party::new(active, &resume_active),
        Party::new(passive, &resume_passive),
        crashes,
    )
    .unwrap()
}

fn same(one: &Product, other: &Product) -> bool {
    match (one, other) {
        (Product::Nothing, Product::Nothing) => true,
        (Product::Evaluation(one), Product::Evaluation(other)) => one == other,
        (Product::Predictions(one), Product::Predictions(other)) => bits(one) == bits(other),
        _ => false,
    }
}

fn answers_survive<S: Scheme>(case: &Case, backend: &Arc<dyn Backend<S>>, crashes: &[Crash]) {
    let model = Trained::new(case, backend.clone(), 4);
    for (question, by_id) in [
        ("evaluate", false),
        ("active", false),
        ("active", true),
        ("passive", false),
        ("passive", true),
    ] {
        let question = Asked {
            by_id,
            ..Asked::of(case, question)
        };
        let undisturbed = asked(&model, &question, backend, &[]);
        let ends = asked(&model, &question, backend, crashes);
        for (end, expected) in ends.iter().zip(&undisturbed) {
            assert!(same(&end.product, &expected.product), "{case:?}");
            assert_eq!(end.reports, expected.reports, "{case:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn answers_with_any_crashes(seed: u64, binary: bool, crashes in crashes()) {
        let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
        let case = if binary { Case::binary() } else { Case::small() };
        answers_survive(&Case { seed, ..case }, &backend, &crashes);
    }
}

#[test]
fn answers_under_paillier() {
    let backend: Arc<dyn Backend<Paillier>> = Arc::new(PaillierBackend::default());
    let crashes: Vec<Crash> = (0..60)
        .map(|step| Crash {
            side: if step % 3 == 0 {
                Side::Left
            } else {
                Side::Right
            },
            step,
            moment: Moment::ALL[step % 6],
        })
        .filter(|crash| crash.step % 2 == 1)
        .collect();
    answers_survive(&Case::small(), &backend, &crashes);
}
