#![allow(clippy::unwrap_used)]

use entente_he::{Paillier, PaillierBackend, Transparent, TransparentBackend, conformance};
use entente_metrics::{
    CIPHERTEXT_OPERATION_NAMES, HE_BYTES, HE_CIPHERTEXTS, HE_ITEMS, HE_OPERATION_NAMES,
    HE_OPERATIONS, HE_PACKING_FILL, HE_POOL_CAPACITY, HE_POOL_VALUES, HE_PRIMITIVE_SECONDS,
    HE_PRIMITIVES, Sight,
};
use entente_wire::Encode;
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
        let ciphertexts = registry.family(&HE_CIPHERTEXTS).with([operation]).value();
        let named = CIPHERTEXT_OPERATION_NAMES.contains(operation);
        assert_eq!(ciphertexts > 0, named, "{operation}");
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

#[test]
fn ciphertexts_and_what_is_done_to_them_are_counted_at_both_ends() {
    let registry = Registry::new().unwrap();
    let inner = PaillierBackend::default().with_pool(12);
    let measured = Measured::<Paillier>::new(Arc::new(inner), registry.clone());
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let bounds = CutBounds {
        batch: 3,
        width: 2,
        classes: 2,
        activation_bits: 10,
        step_unit: 1 << 10,
        delta_unit: 1 << 10,
    };
    let owner = measured.generate(KeyBits::insecure_for_tests(1024), bounds, &mut rng);
    let owner = owner.unwrap();
    let evaluator = measured
        .evaluator(owner.public_key().clone(), bounds)
        .unwrap();
    let room = |end| registry.family(&HE_POOL_CAPACITY).with([end]).value();
    assert_eq!((room(KEY_OWNER), room(EVALUATOR)), (12, 12));

    let a = RingMatrix::zeros(Shape::new(3, 2));
    let sent = owner.encrypt_for_inference(&a, &mut rng).unwrap();
    let mask = Mask::draw(Shape::new(3, 2), &mut rng);
    let w = RingMatrix::zeros(Shape::new(2, 2));
    let product = evaluator.forward(&sent, &w, &mask, &mut rng).unwrap();
    owner.decrypt_forward(&product).unwrap();
    for (operation, bytes, extent) in [
        ("encrypt_for_inference", sent.encoded().len(), sent.extent()),
        ("forward", product.encoded().len(), product.extent()),
        ("decrypt_forward", product.encoded().len(), product.extent()),
    ] {
        let ciphertexts = registry.family(&HE_CIPHERTEXTS).with([operation]).value();
        assert_eq!(ciphertexts, extent.ciphertexts as u64, "{operation}");
        let counted = registry.family(&HE_BYTES).with([operation]).value();
        assert_eq!(counted, bytes as u64, "{operation}");
        let fill = format!(
            "{}{{operation=\"{operation}\"}} {}",
            HE_PACKING_FILL.name(),
            extent.fill().unwrap()
        );
        let text = registry.render(Sight::Everything).unwrap();
        assert!(text.contains(&fill), "{fill} in\n{text}");
    }
    let items = |primitive| registry.family(&HE_PRIMITIVES).with([primitive]).value();
    let products = sent.extent().ciphertexts * 2;
    assert_eq!(items("multiply"), products as u64);
    assert_eq!(items("decrypt"), product.extent().ciphertexts as u64);
    assert_eq!(items("pack"), 3 * 6);
    assert_eq!(items("ahead"), 0);
    while owner.advance(&mut rng) {}
    assert_eq!(items("ahead"), 12);
    for primitive in [
        "encrypt",
        "decrypt",
        "add",
        "multiply",
        "rerandomise",
        "pack",
        "ahead",
    ] {
        let seconds = registry.family(&HE_PRIMITIVE_SECONDS).with([primitive]);
        assert!(seconds.seconds() > 0.0, "{primitive}");
    }
}
