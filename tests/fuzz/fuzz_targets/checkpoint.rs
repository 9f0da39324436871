//! What parties keep of a job that runs, closed again by whoever changed it: the
//! digest at its end would end every try otherwise.
#![no_main]

use std::sync::{Arc, LazyLock};

use entente_he::{Transparent, TransparentBackend};
use entente_protocol::{
    Role,
    acml::{ActiveRole, ActiveSetUp, MadeInTurn, PassiveRole, PassiveSetUp},
    job::Job,
    loopback,
    network::{BottomNetwork, Features, Labels, NamedTensor, NetworkError, Step},
};
use entente_wire::{Digest, Encode, Secret};
use libfuzzer_sys::fuzz_target;
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const ROWS: usize = 150;

static JOB: LazyLock<Job> = LazyLock::new(|| {
    Job::from_toml(include_str!("../../../deploy/iris.toml")).expect("the sample is a job")
});

/// Nothing below the cut, and rows without content: none is looked at.
struct Nothing;

impl BottomNetwork for Nothing {
    fn width(&self) -> usize {
        JOB.width()
    }

    fn forward(&mut self, x: Array2<f32>, _: Step) -> Result<Array2<f32>, NetworkError> {
        Ok(x)
    }

    fn backward(&mut self, _: Array2<f32>) -> Result<(), NetworkError> {
        Ok(())
    }

    fn infer(&self, x: Array2<f32>) -> Result<Array2<f32>, NetworkError> {
        Ok(x)
    }

    fn parameters(&self) -> Vec<NamedTensor> {
        Vec::new()
    }

    fn state(&self) -> Secret<Vec<u8>> {
        Secret::new(Vec::new())
    }

    fn restore(&mut self, state: &Secret<Vec<u8>>) -> Result<(), NetworkError> {
        match state.expose().is_empty() {
            true => Ok(()),
            false => Err(NetworkError::State("it has none".into())),
        }
    }
}

impl Features for Nothing {
    fn rows(&self) -> usize {
        ROWS
    }

    fn batch(&self, rows: &[usize]) -> Result<Array2<f32>, NetworkError> {
        Ok(Array2::zeros((rows.len(), JOB.width())))
    }
}

impl Labels for Nothing {
    fn rows(&self) -> usize {
        ROWS
    }

    fn batch(&self, rows: &[usize]) -> Result<Vec<usize>, NetworkError> {
        Ok(vec![0; rows.len()])
    }
}

/// The first byte says whose it is: what both begin with, or less, is put there.
fuzz_target!(|bytes: &[u8]| {
    let Some((side, body)) = bytes.split_first() else { return };
    let role: &[u8] = if side % 2 == 0 { b"acml active" } else { b"acml passive" };
    let mut sealed = Vec::new();
    if *side < 250 {
        sealed.extend_from_slice(b"entente checkpoint");
        1_u16.encode(&mut sealed);
        (role.len() as u32).encode(&mut sealed);
        sealed.extend_from_slice(role);
        JOB.digest().encode(&mut sealed);
    }
    sealed.extend_from_slice(body);
    Digest::of("entente checkpoint", &[&sealed]).encode(&mut sealed);
    let sealed = Secret::new(sealed);
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
