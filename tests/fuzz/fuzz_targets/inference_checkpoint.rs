//! What parties keep of a job that asks a model, changed and closed again as those
//! of a training are.
//!
//! The first byte says whose it is, and what is asked; what such a checkpoint begins
//! with is put there.
#![no_main]

use std::sync::{Arc, LazyLock};

use entente_fuzz::{JOB, Nothing, checkpoint_head, closed};
use entente_he::{Transparent, TransparentBackend};
use entente_protocol::{
    Role,
    acml::{
        ActiveHalf, ActiveInference, ActiveInferenceSetUp, Aim, PassiveHalf, PassiveInference,
        PassiveInferenceSetUp,
    },
    job::{Inference, Task},
    loopback,
};
use entente_wire::{Encode, RingMatrix, Shape};
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// An evaluation, predictions for the labels' side, and for the features' side.
static ASKED: LazyLock<[Inference; 3]> = LazyLock::new(|| {
    let predict = include_str!("../../../deploy/iris-predict.toml");
    let there = predict.replace("results_at = \"passive\"", "results_at = \"active\"");
    let evaluate = include_str!("../../../deploy/iris-evaluate.toml");
    [evaluate, predict, &there].map(|text| match Task::from_toml(text) {
        Ok(Task::Infer(inference)) => *inference,
        other => panic!("the sample asks a model: {other:?}"),
    })
});

/// Whichever training it is of.
const PAIRING: [u8; 32] = [7; 32];

fn cut() -> Shape {
    Shape::new(JOB.logits(), JOB.width())
}

fn active_half() -> ActiveHalf {
    let mut half = b"entente acml active 3".to_vec();
    half.extend_from_slice(&PAIRING);
    RingMatrix::zeros(cut()).encode(&mut half);
    // No tensors below the cut, no preparation.
    half.extend_from_slice(&[0; 8]);
    ActiveHalf::open(&JOB, &half).expect("a half")
}

fn passive_half() -> PassiveHalf {
    let mut half = b"entente acml passive 2".to_vec();
    half.extend_from_slice(&PAIRING);
    RingMatrix::zeros(cut()).encode(&mut half);
    RingMatrix::zeros(Shape::new(1, JOB.logits())).encode(&mut half);
    PassiveHalf::open(&JOB, &half).expect("a half")
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, body)) = bytes.split_first() else {
        return;
    };
    let (side, question) = (kind % 2, usize::from(kind / 2 % 3));
    let inference = ASKED[question].clone();
    let role = ["acml active inference", "acml passive inference"][usize::from(side)];
    let mut checkpoint = checkpoint_head(role, inference.digest());
    checkpoint.extend_from_slice(&PAIRING);
    checkpoint.extend_from_slice(body);
    let sealed = closed(checkpoint);
    let backend = Arc::new(TransparentBackend);
    let (trained, witness) = (JOB.clone(), loopback::witness());
    let rng = Box::new(ChaCha20Rng::seed_from_u64(1));
    let again = if side == 0 {
        let set_up = ActiveInferenceSetUp {
            inference,
            trained,
            half: active_half(),
            bottom: Box::new(Nothing),
            features: Box::new(Nothing),
            backend,
            witness,
            rng,
        };
        ActiveInference::<Transparent>::resume(set_up, &sealed).map(|role| role.checkpoint())
    } else {
        let set_up = PassiveInferenceSetUp {
            inference,
            trained,
            half: passive_half(),
            aim: match question {
                0 => Aim::Evaluate(Box::new(Nothing)),
                1 => Aim::PredictHere(None),
                _ => Aim::PredictThere(None),
            },
            backend,
            witness,
            rng,
        };
        PassiveInference::<Transparent>::resume(set_up, &sealed).map(|role| role.checkpoint())
    };
    if let Ok(again) = again {
        assert_eq!(again.expose(), sealed.expose());
    }
});
