//! What is sent where nothing is learnt.

use std::sync::Arc;

use entente_he::{Paillier, PaillierBackend};

use super::Case;
use crate::{
    Role,
    acml::algebra::Corrected,
    loopback::{Speaker, exchange},
};

/// A round sends the activations in both layouts, and inference in one: as many
/// samples in fewer bytes.
#[test]
fn inference_sends_the_activations_once() {
    // As many rows to test as there are in a batch.
    let case = Case {
        rows: 10,
        batch: 2,
        epochs: 1,
        ..Case::small()
    };
    let job = case.job().with_insecure_key(512);
    let backend = Arc::new(PaillierBackend::default());
    let mut active = case.active::<Paillier, Corrected>(&job, backend.clone(), case.bottom(), 1);
    let mut passive = case.passive::<Paillier, Corrected>(&job, backend, 1);
    let rounds = active.schedule().rounds();
    let mut sent = Vec::new();
    for index in 0..active.schedule().exchanges() {
        let mut first = None;
        let mut see = |_: Speaker, name: &'static str, payload: &mut Vec<u8>| {
            first.get_or_insert((name, payload.len()));
        };
        let (one, other) = exchange(index, active, passive, &mut see).unwrap();
        (active, passive) = (one.role, other.role);
        sent.extend(first);
    }
    let (training, inference) = sent[1..].split_at(rounds as usize);
    assert_eq!((training.len(), inference.len()), (4, 1));
    for (name, bytes) in training {
        assert_eq!(*name, "encrypted_activations");
        assert_eq!(inference[0].0, "activations_for_inference");
        assert!(inference[0].1 < *bytes, "{} of {bytes}", inference[0].1);
    }
}
