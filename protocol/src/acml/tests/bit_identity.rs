//! Training through the protocol equals training in plain, bit for bit.

use std::sync::Arc;

use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};
use proptest::prelude::*;

use super::{Case, Changes, train};
use crate::{
    Report,
    acml::algebra::Corrected,
    job::{Decay, EarlyStopping, Keep, Metric, Objective},
    privacy::Defence,
};

fn defences() -> impl Strategy<Value = Option<Defence>> {
    prop_oneof![
        Just(None),
        Just(Some(Defence::MaxNorm)),
        Just(Some(Defence::Isotropic { ratio: 3.0 })),
        Just(Some(Defence::Marvell { power: 4.0 })),
    ]
}

fn selections() -> impl Strategy<Value = (Option<EarlyStopping>, Keep)> {
    let early_stopping = (1_u32..6, prop_oneof![Just(0.0), Just(0.1)], any::<bool>()).prop_map(
        |(patience, min_delta, accuracy)| EarlyStopping {
            patience,
            min_delta,
            metric: if accuracy {
                Metric::Accuracy
            } else {
                Metric::Loss
            },
        },
    );
    let keep = prop_oneof![Just(Keep::Last), Just(Keep::Best)];
    (proptest::option::of(early_stopping), keep)
}

fn changes() -> impl Strategy<Value = Changes> {
    let every_rounds = proptest::option::of(2_u32..12);
    let whims = proptest::option::of(1_u32..6);
    (every_rounds, whims).prop_map(|(every_rounds, whims)| Changes {
        every_rounds,
        whims,
    })
}

pub(super) fn cases(largest: usize) -> impl Strategy<Value = Case> {
    (
        (
            1..=largest,
            1..=largest,
            2..=largest.max(3),
            1..=2 * largest,
        ),
        (1_usize..30, 0.01..1.5_f64, any::<u64>(), defences()),
        (any::<bool>(), any::<bool>()),
        (
            prop_oneof![Just(0.0), 0.0..0.3_f64],
            selections(),
            changes(),
        ),
    )
        .prop_map(
            |(
                (inputs, width, classes, batch),
                (rows, learning_rate, seed, defence),
                (binary, paced),
                (validation, (early_stopping, keep), keys),
            )| {
                // At least 40 rounds over at least two training rows, so that the
                // last batch of an epoch is often a smaller one.
                let rows = rows + 3;
                let mut case = Case {
                    rows,
                    inputs,
                    width,
                    classes: if binary { 2 } else { classes },
                    loss: match binary {
                        true => Objective::BinaryCrossEntropy,
                        false => Objective::CrossEntropy,
                    },
                    decay: match paced {
                        true => Decay::Cosine { floor: 0.1 },
                        false => Decay::Constant,
                    },
                    batch,
                    epochs: 1,
                    learning_rate,
                    seed,
                    defence: defence.filter(|defence| defence.check(classes).is_ok()),
                    validation,
                    early_stopping: None,
                    keep: Keep::Last,
                    keys,
                };
                // There must be rows to select by.
                if !case.job().schedule(rows).validation_rows().is_empty() {
                    (case.early_stopping, case.keep) = (early_stopping, keep);
                }
                let per_epoch = case.job().schedule(rows).rounds_per_epoch();
                case.epochs = 40_u64.div_ceil(per_epoch) as u32;
                case
            },
        )
}

fn agrees<S: Scheme>(case: &Case, backend: Arc<dyn Backend<S>>, key_bits: u32, masks: u64) {
    let job = case.job().with_insecure_key(key_bits);
    let mut reference = case.reference(case.bottom());
    let start = reference.model();
    let (trained, reports) =
        train::<S, Corrected>(case, &job, backend, case.bottom(), masks).unwrap();
    let gone_through = reports.len() as u64;
    for (index, told) in (0..).zip(reports) {
        // The reference has no gauge: nothing of it is released to anyone.
        let told = Report {
            leak: None,
            key: None,
            ..told
        };
        assert_eq!(told, reference.exchange(index).unwrap(), "{index} {case:?}");
    }
    assert_eq!(gone_through, reference.schedule().exchanges(), "{case:?}");
    assert!(trained.is_bit_identical(&reference.model()), "{case:?}");
    assert!(
        !trained.is_bit_identical(&start),
        "nothing was learnt: {case:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn with_any_shape_seed_and_masks(case in cases(7), masks: u64) {
        agrees::<Transparent>(&case, Arc::new(TransparentBackend), 512, masks);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn under_paillier(case in cases(3), masks: u64) {
        agrees::<Paillier>(&case, Arc::new(PaillierBackend::default()), 512, masks);
    }
}

#[test]
fn one_logit_under_paillier() {
    agrees::<Paillier>(
        &Case::binary(),
        Arc::new(PaillierBackend::default()),
        512,
        3,
    );
}

#[test]
fn validated_under_paillier() {
    let case = Case {
        validation: 0.4,
        batch: 2,
        ..Case::small()
    };
    // 4 rows are learnt from, 5 validated on, 2 tested on, in batches of 2.
    let schedule = case.job().schedule(case.rows);
    assert_eq!(schedule.validation_rows().len(), 5);
    assert_eq!(
        (schedule.rounds(), schedule.exchanges()),
        (4, 1 + 2 * (2 + 3) + 1)
    );
    agrees::<Paillier>(&case, Arc::new(PaillierBackend::default()), 512, 3);
}

#[test]
fn a_pace_changes_what_is_learnt() {
    let model = |decay| {
        let case = Case {
            decay,
            ..Case::small()
        };
        let mut reference = case.reference(case.bottom());
        reference.run().unwrap();
        reference.model()
    };
    let halved = Decay::Step {
        every_epochs: 1,
        factor: 0.5,
    };
    assert!(!model(Decay::Constant).is_bit_identical(&model(halved)));
}

#[test]
fn under_paillier_at_a_real_key_size() {
    for case in [Case::small(), Case::binary()] {
        let case = Case {
            rows: 6,
            width: 2,
            classes: 2,
            batch: 2,
            epochs: 1,
            ..case
        };
        agrees::<Paillier>(&case, Arc::new(PaillierBackend::default()), 2048, 3);
    }
}
