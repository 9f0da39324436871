//! What stands inside the TLS connection: a whole training run's messages,
//! searched for values that were planted and must not be there.

use std::{collections::HashSet, sync::Arc};

use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};
use entente_wire::{Encode, RingMatrix};

use super::Case;
use crate::{
    Role,
    acml::{ActiveHalf, PassiveHalf, algebra::Corrected},
    loopback::{Speaker, exchange},
    network::{BottomNetwork, Features},
};

const WORD: usize = 8;

/// All payloads of a run, and the number of distinct planted words in them:
/// first of the activations, then of the weights at the end.
fn found<S: Scheme>(backend: Arc<dyn Backend<S>>) -> (usize, usize) {
    let case = Case {
        rows: 10,
        batch: 8,
        epochs: 2,
        ..Case::small()
    };
    let job = case.job().with_insecure_key(512);
    let mut active = case.active::<S, Corrected>(&job, backend.clone(), case.bottom(), 1);
    let mut passive = case.passive::<S, Corrected>(&job, backend, 1);
    let mut stream = Vec::new();
    for index in 0..active.schedule().exchanges() {
        let mut copy = |_: Speaker, _: &'static str, payload: &mut Vec<u8>| {
            stream.extend_from_slice(payload);
        };
        let (one, other) = exchange(index, active, passive, &mut copy).unwrap();
        (active, passive) = (one.role, other.role);
    }

    let first = match job.schedule(10).exchange(1) {
        Some(crate::schedule::Exchange::Train { rows, .. }) => rows,
        other => panic!("{other:?}"),
    };
    let a = case
        .bottom()
        .infer(Features::batch(&case.table(), &first).unwrap())
        .unwrap();
    let activations = words(&job.spec().fixed_point.activations(&a).unwrap());
    let mut reference = case.reference(case.bottom());
    reference.run().unwrap();
    let mut weights = words(&reference.model().weights);
    weights.extend(words(&reference.model().bias));
    let active = ActiveHalf::open(&job, active.half().expose()).unwrap();
    let passive = PassiveHalf::open(&job, passive.half().expose()).unwrap();
    for matrix in [&active.share, &passive.weights, &passive.bias] {
        weights.extend(words(matrix));
    }

    let windows: HashSet<&[u8]> = stream.windows(WORD).collect();
    let count = |planted: &HashSet<Vec<u8>>| {
        planted
            .iter()
            .filter(|word| windows.contains(word.as_slice()))
            .count()
    };
    (count(&activations), count(&weights))
}

/// The words of a matrix as a codec would write them, either end first.
fn words(matrix: &RingMatrix) -> HashSet<Vec<u8>> {
    let bytes = matrix.encoded();
    let big: Vec<Vec<u8>> = bytes[8..].chunks_exact(WORD).map(<[u8]>::to_vec).collect();
    let little = big.iter().map(|word| word.iter().rev().copied().collect());
    little.chain(big.iter().cloned()).collect()
}

#[test]
fn under_encryption_no_activation_and_no_weight_is_in_the_messages() {
    assert_eq!(
        found::<Paillier>(Arc::new(PaillierBackend::default())),
        (0, 0)
    );
}

/// The control: the search finds activations where nothing is encrypted.
#[test]
fn without_encryption_the_search_finds_the_activations() {
    let (activations, _) = found::<Transparent>(Arc::new(TransparentBackend));
    assert!(activations > 0);
}
