//! What a proof shows, and what cannot be shown.

use crypto_bigint::BoxedUint;
use crypto_primes::{Flavor, is_prime, random_prime};
use entente_wire::Digest;
use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::One;
use proptest::prelude::*;

use super::*;
use crate::paillier::{KeyProof, PublicKey, proof::challenges};

fn big(x: &BoxedUint) -> BigUint {
    BigUint::from_bytes_be(&x.to_be_bytes())
}

fn boxed(x: &BigUint, bits: u32) -> BoxedUint {
    BoxedUint::from_be_slice_truncated(&x.to_bytes_be(), bits)
}

fn prime(bits: u32, rng: &mut ChaCha20Rng) -> BigUint {
    big(&random_prime::<BoxedUint, _>(rng, Flavor::Any, bits))
}

/// A key of a modulus that is looked at by nobody.
fn key(n: &BigUint) -> PublicKey {
    let bits = n.bits().next_multiple_of(2) as u32;
    let bits = KeyBits::insecure_for_tests(bits);
    PublicKey::trusted(&boxed(n, bits.bits()), bits, Layout::Packed).unwrap()
}

/// An n-th root of x mod the prime r, if it has one. At most one factor of n is
/// in r - 1, and once.
fn root(x: &BigUint, n: &BigUint, r: &BigUint) -> Option<BigUint> {
    let order = r - 1_u8;
    let order = &order / n.gcd(&order);
    let inverse = n.modinv(&order)?;
    x.modpow(&order, r).is_one().then(|| x.modpow(&inverse, r))
}

/// The best that the maker of n = p q can do: the roots that there are.
fn attempt(p: &BigUint, q: &BigUint, context: Digest) -> (PublicKey, KeyProof, usize) {
    let n = p * q;
    let key = key(&n);
    let mut without = 0;
    let roots = challenges(&key, context).into_iter().map(|x| {
        let x = big(&x);
        let (low, high) = (root(&(&x % p), &n, p), root(&(&x % q), &n, q));
        let (Some(low), Some(high)) = (low, high) else {
            without += 1;
            return boxed(&x, key.bits().bits());
        };
        // low + p ((high - low) p^-1 mod q)
        let step = (high + q - &low % q) * p.modinv(q).unwrap() % q;
        boxed(&(low + p * step), key.bits().bits())
    });
    let proof = KeyProof::of_roots(key.bits(), roots.collect());
    (key, proof, without)
}

/// A prime that is 1 mod `p`, of about `bits` bits.
fn one_modulo(p: &BigUint, bits: u64, rng: &mut ChaCha20Rng) -> BigUint {
    loop {
        let factor = BigUint::from(rng.next_u64()) << (bits - p.bits()).saturating_sub(64);
        let q = p * (factor << 1_u8) + 1_u8;
        if is_prime(Flavor::Any, &boxed(&q, 512)) {
            return q;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn of_every_key_there_is_one_and_it_is_of_its_context(
        seed: u64, half in 128_u32..160, context: [u8; 32],
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let key = keygen::generate(KeyBits::insecure_for_tests(2 * half), Layout::Packed, &mut rng)
            .unwrap();
        let context = Digest::from_bytes(context);
        let proof = KeyProof::make(&key, context).unwrap();
        prop_assert!(proof.shows(key.public(), context));
        prop_assert!(!proof.shows(key.public(), Digest::of("another", &[])));
    }

    /// The control: without a flaw the same attempt is a proof.
    #[test]
    fn of_two_primes_that_fit_it_can_be_had(seed: u64) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (p, q) = (prime(128, &mut rng), prime(130, &mut rng));
        let context = Digest::of("a context", &[]);
        let (key, proof, without) = attempt(&p, &q, context);
        prop_assert_eq!(without, 0);
        prop_assert!(proof.shows(&key, context));
    }

    /// q = 1 mod p: Enc is p to one, and nothing of it shows in n.
    #[test]
    fn where_one_prime_is_one_modulo_the_other_there_is_none(
        seed: u64, bits in prop_oneof![Just(17_u32), Just(64), Just(120)],
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let p = prime(bits, &mut rng);
        let q = one_modulo(&p, 300 - u64::from(bits), &mut rng);
        let context = Digest::of("a context", &[]);
        let (key, proof, without) = attempt(&p, &q, context);
        prop_assert!(without > 0);
        prop_assert!(!proof.shows(&key, context));
    }

    #[test]
    fn of_a_square_there_is_none(seed: u64) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let p = prime(128, &mut rng);
        let (n, order) = (&p * &p, &p - 1_u8);
        let key = key(&n);
        let context = Digest::of("a context", &[]);
        // What is a p-th power mod p^2 has the order p - 1; few numbers are.
        let inverse = n.modinv(&order).unwrap();
        let roots = challenges(&key, context);
        let roots = roots.iter().map(|x| boxed(&big(x).modpow(&inverse, &n), 256));
        prop_assert!(!KeyProof::of_roots(key.bits(), roots.collect()).shows(&key, context));
    }
}

/// What could be sent in the place of roots.
#[test]
fn roots_that_are_none_are_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(60);
    let key = keygen::generate(KeyBits::insecure_for_tests(258), Layout::Packed, &mut rng).unwrap();
    let key = key.public();
    let context = Digest::of("a context", &[]);
    let of = |roots| KeyProof::of_roots(key.bits(), roots);
    let challenges = challenges(key, context);
    let all = |x: &BoxedUint| vec![x.clone(); challenges.len()];
    let n = key.n().as_ref();
    for roots in [
        challenges.clone(),
        Vec::new(),
        all(&BoxedUint::zero_with_precision(n.bits_precision())),
        all(&BoxedUint::one_with_precision(n.bits_precision())),
        all(n),
        all(&BoxedUint::max(n.bits_precision())),
    ] {
        assert!(!of(roots).shows(key, context));
    }
}

/// One root that is another number of the same residue is another proof.
#[test]
fn a_root_has_one_encoding() {
    let mut rng = ChaCha20Rng::seed_from_u64(61);
    let (bits, context) = (
        KeyBits::insecure_for_tests(258),
        Digest::of("a context", &[]),
    );
    let key = keygen::generate(bits, Layout::Packed, &mut rng).unwrap();
    let proof = KeyProof::make(&key, context).unwrap().encoded();
    let root = BoxedUint::from_be_slice_truncated(&proof[..33], 264);
    let again = root.wrapping_add(key.public().n().as_ref());
    let mut bytes = proof.clone();
    bytes[..33].copy_from_slice(&again.to_be_bytes()[7..]);
    assert_ne!(bytes, proof);
    let other: KeyProof = decode_exactly(&bits, &bytes).unwrap();
    assert!(!other.shows(key.public(), context));
}

#[test]
fn a_modulus_that_shares_a_prime_with_the_last_one_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(62);
    let [p, q, r] = [(); 3].map(|()| prime(128, &mut rng));
    let (first, second, third) = (key(&(&p * &q)), key(&(&p * &r)), key(&(&r * &r)));
    assert_eq!(first.follows(&first), Err("it is the last one"));
    let shared = Err("it has a factor in common with the last one");
    assert_eq!(second.follows(&first), shared);
    assert_eq!(third.follows(&first), Ok(()));
}
