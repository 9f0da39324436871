#![allow(clippy::unwrap_used)]

use entente_he::{Paillier, PaillierBackend, Transparent, TransparentBackend, conformance};
use entente_metrics::{HE_ITEMS, HE_OPERATION_NAMES, HE_OPERATIONS, HE_POOL_VALUES};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;

#[test]
fn a_measured_scheme_is_the_same_scheme_and_counts() {
    let registry = Registry::new().unwrap();
    let measured = Measured::new(Arc::new(TransparentBackend), registry.clone());
    conformance::check::<Transparent>(&measured, KeyBits::B2048, 1);
    for operation in HE_OPERATION_NAMES {
        let counted = registry.family(&HE_OPERATIONS).with([operation]).value();
        let items = registry.family(&HE_ITEMS).with([operation]).value();
        assert!(counted > 0 && items >= counted, "{operation}");
    }
}

#[test]
fn what_lies_ready_is_the_sum_over_all_ends_that_are_left() {
    let registry = Registry::new().unwrap();
    let ready = |end| registry.family(&HE_POOL_VALUES).with([end]).value();
    let inner = PaillierBackend::default().with_pool(12);
    let measured = Measured::<Paillier>::new(Arc::new(inner), registry.clone());
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let bounds = CutBounds {
        batch: 1,
        width: 2,
        classes: 1,
        activation_bits: 10,
        step_unit: 1 << 10,
        delta_unit: 1 << 10,
    };
    let bits = KeyBits::insecure_for_tests(256);
    let [first, second] = [(); 2].map(|()| {
        let owner = measured.generate(bits, bounds, &mut rng).unwrap();
        while owner.advance(&mut rng) {}
        owner
    });
    let key = first.public_key().clone();
    let evaluator = measured.evaluator(key, bounds).unwrap();
    assert_eq!((ready(KEY_OWNER), ready(EVALUATOR)), (24, 0));
    while evaluator.advance(&mut rng) {}
    assert_eq!((ready(KEY_OWNER), ready(EVALUATOR)), (24, 12));

    let share = RingMatrix::zeros(Shape::new(1, 2));
    first.encrypt_share(&share, 1, &mut rng).unwrap();
    let left = first.depth() as i64;
    assert!(left < 12);
    assert_eq!(ready(KEY_OWNER), 12 + left);
    drop(second);
    assert_eq!(ready(KEY_OWNER), left);
    drop((first, evaluator));
    assert_eq!((ready(KEY_OWNER), ready(EVALUATOR)), (0, 0));
}
