//! Public keys and matrices of ciphertexts.
#![no_main]

use std::sync::{Arc, LazyLock};

use entente_he::{
    Backend, CutBounds, Expect, KeyBits, KeyOwner, Paillier, PaillierBackend, Scheme,
};
use entente_protocol::fixed::Scales;
use entente_wire::{Shape, decode_exactly};
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

static BOUNDS: LazyLock<CutBounds> = LazyLock::new(|| Scales::default().bounds(2, 2, 2, 0.5));

static OWNER: LazyLock<Arc<dyn KeyOwner<Paillier>>> = LazyLock::new(|| {
    let bits = KeyBits::insecure_for_tests(512);
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    PaillierBackend::default().generate(bits, *BOUNDS, rng).expect("a key for the fuzzer")
});

fuzz_target!(|bytes: &[u8]| {
    let bits = KeyBits::insecure_for_tests(512);
    let _ = decode_exactly::<_, <Paillier as Scheme>::PublicKey>(&bits, bytes);
    let shape = Shape::new(2, 2);
    let context = Expect::<Paillier> { key: OWNER.public_key(), bounds: &BOUNDS, shape };
    let _ = decode_exactly::<_, <Paillier as Scheme>::Activations>(&context, bytes);
    let _ = decode_exactly::<_, <Paillier as Scheme>::EncryptedShare>(&context, bytes);
    if let Ok(product) = decode_exactly::<_, <Paillier as Scheme>::Forward>(&context, bytes) {
        let _ = OWNER.decrypt_forward(&product);
    }
    if let Ok(product) = decode_exactly::<_, <Paillier as Scheme>::InputGradient>(&context, bytes) {
        let _ = OWNER.decrypt_input_gradient(&product);
    }
});
