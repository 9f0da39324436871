//! What parties keep of a job that runs, closed again by whoever changed it: the
//! digest at its end would end every try otherwise.
#![no_main]

use std::sync::Arc;

use entente_fuzz::{JOB, Nothing, checkpoint_head, closed};
use entente_he::{Transparent, TransparentBackend};
use entente_protocol::{
    Role,
    acml::{ActiveRole, ActiveSetUp, MadeInTurn, PassiveRole, PassiveSetUp},
    loopback,
};
use entente_wire::Secret;
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

// The first byte says whose it is: what both begin with, or less, is put there.
fuzz_target!(|bytes: &[u8]| {
    let Some((side, body)) = bytes.split_first() else {
        return;
    };
    let role = if side % 2 == 0 {
        "acml active"
    } else {
        "acml passive"
    };
    let mut checkpoint = match side {
        ..250 => checkpoint_head(role, JOB.digest()),
        _ => Vec::new(),
    };
    checkpoint.extend_from_slice(body);
    let sealed = closed(checkpoint);
    let backend = Arc::new(TransparentBackend);
    let rng = Box::new(ChaCha20Rng::seed_from_u64(1));
    let again = if side % 2 == 0 {
        let role = ActiveRole::<Transparent>::resume(
            ActiveSetUp {
                job: JOB.clone(),
                features: Box::new(Nothing),
                bottom: Box::new(Nothing),
                next_keys: Box::new(MadeInTurn::new(
                    backend.clone(),
                    &JOB,
                    Box::new(ChaCha20Rng::seed_from_u64(2)),
                )),
                witness: loopback::witness(),
                backend,
                weight_seed: Secret::new([1; 32]),
                rng,
            },
            &sealed,
        );
        role.map(|role| role.checkpoint())
    } else {
        let role = PassiveRole::<Transparent>::resume(
            PassiveSetUp {
                job: JOB.clone(),
                labels: Box::new(Nothing),
                backend,
                witness: loopback::witness(),
                weight_seed: Secret::new([1; 32]),
                rng,
            },
            &sealed,
        );
        role.map(|role| role.checkpoint())
    };
    if let Ok(again) = again {
        assert_eq!(again.expose(), sealed.expose());
    }
});
