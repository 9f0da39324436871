#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::{
    KeyBits, Layout, Rng,
    paillier::{
        keygen,
        rerandomise::Rerandomiser,
        secret_key::SecretKey,
        subgroup::{Exponents, Subgroup},
    },
};

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn owner() -> SecretKey {
    let bits = KeyBits::insecure_for_tests(256);
    keygen::generate(bits, Layout::Packed, &mut rng(1)).unwrap()
}

fn fill(pool: &impl Ahead, rng: &mut Rng) {
    while pool.advance(rng) {}
}

/// Fills, draws and fills again; every value is new, and encrypts zero.
fn each_value_is_used_once<S: Source>(source: S) {
    let owner = owner();
    let pool = Pool::new(source, 20);
    let mut rng = rng(2);
    let modulus = owner.public().modulus();
    let mut seen = HashSet::new();
    // Empty, full, partly full; less, as much and more than there is.
    for (filled, count, left) in [
        (false, 3, 0),
        (true, 4, 16),
        (false, 16, 0),
        (true, 15, 5),
        (false, 9, 0),
    ] {
        if filled {
            fill(&pool, &mut rng);
        }
        let drawn = pool.draw(count, &mut rng);
        assert_eq!((drawn.len(), pool.depth()), (count, left));
        let plain = owner.decrypt(&drawn).unwrap();
        assert!(plain.expose().iter().all(|m| m.is_zero().to_bool()));
        for value in modulus.export(&drawn) {
            assert!(seen.insert(value.to_be_bytes()), "a value came twice");
        }
    }
}

#[test]
fn each_value_is_used_once_and_what_is_missing_is_made() {
    let key = owner().public().clone();
    each_value_is_used_once(owner());
    each_value_is_used_once(Rerandomiser::new(key.clone()));
    let exponents = Exponents::HalfLength;
    each_value_is_used_once(Subgroup::new(key, exponents, &mut rng(3)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever is drawn and made, in whatever order: what there should be is
    /// there, never more than may be, and no value leaves twice.
    #[test]
    fn it_holds_what_it_may_and_no_more(
        capacity in 0_usize..40,
        steps in proptest::collection::vec(proptest::option::of(0_usize..24), 1..12),
    ) {
        let owner = owner();
        let modulus = owner.public().modulus();
        let pool = Pool::new(Rerandomiser::new(owner.public().clone()), capacity);
        let (mut rng, mut depth, mut seen) = (rng(5), 0, HashSet::new());
        for step in steps {
            match step {
                None => {
                    let advanced = pool.advance(&mut rng);
                    prop_assert_eq!(advanced, depth < capacity);
                    prop_assert_eq!(advanced, pool.depth() > depth);
                    depth = pool.depth();
                    prop_assert!(depth <= capacity);
                }
                Some(count) => {
                    let drawn = modulus.export(&pool.draw(count, &mut rng));
                    prop_assert_eq!(drawn.len(), count);
                    depth -= count.min(depth);
                    prop_assert_eq!(pool.depth(), depth);
                    for value in drawn {
                        prop_assert!(seen.insert(value.to_be_bytes()), "a value came twice");
                    }
                }
            }
        }
        fill(&pool, &mut rng);
        prop_assert_eq!(pool.depth(), capacity);
    }
}

#[test]
fn filling_and_drawing_go_on_side_by_side() {
    let owner = owner();
    let pool = Pool::new(Rerandomiser::new(owner.public().clone()), 24);
    let modulus = owner.public().modulus();
    let seen = Mutex::new(HashSet::new());
    std::thread::scope(|scope| {
        for seed in 10..13 {
            let (pool, seen) = (&pool, &seen);
            scope.spawn(move || {
                let mut rng = rng(seed);
                for count in 1..12 {
                    pool.advance(&mut rng);
                    assert!(pool.depth() <= 24);
                    let drawn = modulus.export(&pool.draw(count, &mut rng));
                    let mut seen = seen.lock().unwrap();
                    for value in drawn {
                        assert!(seen.insert(value.to_be_bytes()), "a value came twice");
                    }
                }
            });
        }
    });
}

/// Found on paper: an idle thread is preempted in the middle of adding, and the
/// round waits for it.
#[test]
fn a_pool_that_is_being_added_to_is_an_empty_one() {
    let owner = owner();
    let pool = Pool::new(Rerandomiser::new(owner.public().clone()), 8);
    let mut rng = rng(6);
    fill(&pool, &mut rng);
    let adding = pool.ready.lock().unwrap();
    assert_eq!(pool.draw(5, &mut rng).len(), 5);
    assert_eq!(pool.depth(), 8);
    drop(adding);
    assert_eq!(pool.draw(5, &mut rng).len(), 5);
    assert_eq!(pool.depth(), 3);
}
