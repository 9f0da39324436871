//! Encryption by the public key.

use std::{collections::HashSet, sync::Arc};

use crypto_bigint::BoxedUint;
use entente_wire::{Digest, Masked, Secret};
use num_bigint::BigUint;
use num_traits::One;

use super::*;
use crate::{
    Ahead, Evaluate, Rng, Tallied, Tally,
    paillier::{
        Activations, EncryptedShare, Exponents, ForwardActivations, KeyProof, PublicEncryptor,
        PublicKey, WeightGradient, pool::Source, subgroup::Subgroup,
    },
};

const EXPONENTS: [Exponents; 2] = [
    Exponents::HalfLength,
    Exponents::ShortUnderAnUnprovenAssumption,
];

/// A backend where somebody without the secret key encrypts in the owner's
/// place.
struct InItsPlace(Exponents);

struct Owner {
    decrypts: Arc<dyn KeyOwner<Paillier>>,
    encrypts: PublicEncryptor,
}

impl Backend<Paillier> for InItsPlace {
    fn generate(
        &self,
        bits: KeyBits,
        bounds: CutBounds,
        rng: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<Paillier>>, HeError> {
        let backend = PaillierBackend::default().with_pool(30);
        let decrypts = backend.generate(bits, bounds, rng)?;
        let key = decrypts.public_key().clone();
        let encrypts = backend.public_encryptor(key, bounds, self.0, rng)?;
        while encrypts.advance(rng) {}
        assert_eq!(encrypts.depth(), 30);
        Ok(Arc::new(Owner { decrypts, encrypts }))
    }

    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<Paillier>>, HeError> {
        PaillierBackend::default().restore(bits, secret_key, bounds)
    }

    fn certify(
        &self,
        key: &PublicKey,
        proof: &KeyProof,
        context: Digest,
        last: Option<&PublicKey>,
    ) -> Result<(), HeError> {
        PaillierBackend::default().certify(key, proof, context, last)
    }

    fn evaluator(
        &self,
        key: PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<Paillier>>, HeError> {
        PaillierBackend::default().evaluator(key, bounds)
    }
}

impl Ahead for Owner {
    fn advance(&self, rng: &mut Rng) -> bool {
        self.encrypts.advance(rng)
    }

    fn depth(&self) -> usize {
        self.encrypts.depth()
    }

    fn capacity(&self) -> usize {
        self.encrypts.capacity()
    }
}

impl Tallied for Owner {
    fn tally(&self) -> &Tally {
        self.encrypts.tally()
    }
}

impl KeyOwner<Paillier> for Owner {
    fn public_key(&self) -> &PublicKey {
        self.encrypts.public_key()
    }

    fn prove(&self, context: Digest) -> Result<KeyProof, HeError> {
        self.decrypts.prove(context)
    }

    fn secret_key(&self) -> Secret<Vec<u8>> {
        self.decrypts.secret_key()
    }

    fn bounds(&self) -> &CutBounds {
        self.encrypts.bounds()
    }

    fn encrypt_activations(&self, a: &RingMatrix, rng: &mut Rng) -> Result<Activations, HeError> {
        self.encrypts.encrypt_activations(a, rng)
    }

    fn encrypt_for_inference(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<ForwardActivations, HeError> {
        self.encrypts.encrypt_for_inference(a, rng)
    }

    fn encrypt_share(
        &self,
        e: &RingMatrix,
        rows: usize,
        rng: &mut Rng,
    ) -> Result<EncryptedShare, HeError> {
        self.encrypts.encrypt_share(e, rows, rng)
    }

    fn decrypt_forward(&self, product: &Forward) -> Result<Masked, HeError> {
        self.decrypts.decrypt_forward(product)
    }

    fn decrypt_weight_gradient(&self, product: &WeightGradient) -> Result<Masked, HeError> {
        self.decrypts.decrypt_weight_gradient(product)
    }

    fn decrypt_input_gradient(
        &self,
        product: &InputGradient,
    ) -> Result<Secret<RingMatrix>, HeError> {
        self.decrypts.decrypt_input_gradient(product)
    }
}

#[test]
fn whoever_encrypts_the_scheme_conforms() {
    for (seed, exponents) in (41..).zip(EXPONENTS) {
        let bits = KeyBits::insecure_for_tests(320);
        conformance::check::<Paillier>(&InItsPlace(exponents), bits, seed);
    }
    // Where short exponents are shorter.
    let short = InItsPlace(Exponents::ShortUnderAnUnprovenAssumption);
    conformance::check::<Paillier>(&short, KeyBits::insecure_for_tests(768), 43);
}

#[test]
fn exponents_are_half_as_long_as_the_key_unless_it_is_asked_for_less() {
    let mut rng = ChaCha20Rng::seed_from_u64(44);
    let bits = KeyBits::insecure_for_tests(768);
    let owner = keygen::generate(bits, Layout::Packed, &mut rng).unwrap();
    assert_eq!(Exponents::default(), Exponents::HalfLength);
    let lengths =
        EXPONENTS.map(|length| Subgroup::new(owner.public().clone(), length, &mut rng).bits());
    assert_eq!(lengths, [384, 320]);
}

/// What an observer sees of the randomness is the same of every ciphertext; and
/// what the key owner sees is not all that there is, which is why no product is
/// re-randomised by it.
#[test]
fn powers_of_one_base_have_jacobi_symbol_one_and_two_quadratic_characters() {
    let mut rng = ChaCha20Rng::seed_from_u64(45);
    let bits = KeyBits::insecure_for_tests(256);
    let owner = keygen::generate(bits, Layout::Packed, &mut rng).unwrap();
    let key = owner.public();
    let subgroup = Subgroup::new(key.clone(), Exponents::HalfLength, &mut rng);
    let drawn = subgroup.make(64, &mut rng);
    let big = |x: &BoxedUint| BigUint::from_bytes_be(&x.to_be_bytes());
    let primes = owner.primes().map(|side| big(side.prime().as_ref()));
    let characters: HashSet<[bool; 2]> = key
        .modulus()
        .export(&drawn)
        .iter()
        .map(|r| {
            primes
                .each_ref()
                .map(|p| big(r).modpow(&((p - 1_u8) / 2_u8), p).is_one())
        })
        .collect();
    assert_eq!(characters, HashSet::from([[true; 2], [false; 2]]));
}

#[test]
fn a_key_of_another_layout_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(46);
    let bits = KeyBits::insecure_for_tests(256);
    let key = keygen::generate(bits, Layout::Unpacked, &mut rng).unwrap();
    let refused = PaillierBackend::new(Layout::Packed).public_encryptor(
        key.public().clone(),
        BOUNDS,
        Exponents::HalfLength,
        &mut rng,
    );
    assert!(matches!(refused, Err(HeError::BadKey { .. })));
}
