//! A message of every kind, as it was committed with its version: each decodes for
//! ever, under the state that its receiver was in, and is written the same today.

use std::{collections::BTreeMap, sync::Arc};

use entente_he::{Backend, Expect, Paillier, PaillierBackend};
use entente_wire::{DecodeError, Message, Shape};

use super::{
    Case, Changes,
    asked_models::{Asked, Trained},
};
use crate::{
    Role,
    acml::{
        algebra::Corrected,
        keys::KeyEpoch,
        messages::{
            ActivationsForInference, Ciphertexts, EncryptedActivations, EncryptedInputGradient,
            EncryptedWeightGradient, EpochVerdict, KeyAndModel, KeyAndShare, MaskedLogits,
            MaskedProduct, ModelAnswer, NextKey, Plain, ProductAndMask, SetUpContext,
            UpdateAndShare, VerdictContext,
        },
    },
    job::{Job, Keep},
    loopback::exchange,
    vectors::{self, Vector},
};

type Key = <Paillier as entente_he::Scheme>::PublicKey;

/// What comes of a training without and with another key, and of an inference;
/// each begins with the key that the messages behind it are under.
const TRAINING: [&str; 9] = [
    "key_and_share",
    "encrypted_activations",
    "masked_product",
    "masked_logits",
    "encrypted_weight_gradient",
    "update_and_share",
    "encrypted_input_gradient",
    "activations_for_inference",
    "epoch_verdict",
];
const ROTATION: [&str; 1] = ["next_key"];
const INFERENCE: [&str; 3] = ["key_and_model", "model_answer", "product_and_mask"];

fn case() -> Case {
    Case {
        width: 2,
        classes: 2,
        batch: 3,
        epochs: 1,
        validation: 0.25,
        keep: Keep::Best,
        ..Case::small()
    }
}

fn job() -> Job {
    case().job().with_insecure_key(512)
}

/// The public key of the messages behind a set-up.
fn key_of(set_up: &[u8]) -> Result<Key, DecodeError> {
    let job = job();
    let bounds = job.bounds();
    let context = SetUpContext {
        key_bits: job.key_bits(),
        cut: Shape::new(bounds.classes, bounds.width),
    };
    match KeyAndShare::<Paillier>::read(&context, set_up) {
        Ok(set_up) => Ok(set_up.key.key().clone()),
        Err(_) => {
            let set_up = KeyAndModel::<Paillier>::read(&job.key_bits(), set_up)?;
            Ok(set_up.key.key().clone())
        }
    }
}

/// Reads a message as its receiver did, and writes it.
fn written_again(
    name: &str,
    key: &Key,
    shape: Shape,
    payload: &[u8],
) -> Result<Vec<u8>, DecodeError> {
    let job = job();
    let (bits, bounds, epoch) = (job.key_bits(), job.bounds(), KeyEpoch::FIRST);
    let under = Ciphertexts::<Paillier>::new(
        epoch,
        Expect {
            key,
            bounds: &bounds,
            shape,
        },
    );
    let plain = Plain { epoch, shape };
    let set_up = SetUpContext {
        key_bits: bits,
        cut: shape,
    };
    let verdict = VerdictContext { first: true };
    Ok(match name {
        "key_and_share" => KeyAndShare::<Paillier>::read(&set_up, payload)?.to_payload(),
        "encrypted_activations" => {
            EncryptedActivations::<Paillier>::read(&under, payload)?.to_payload()
        }
        "masked_product" => MaskedProduct::<Paillier>::read(&under, payload)?.to_payload(),
        "masked_logits" => MaskedLogits::read(&plain, payload)?.to_payload(),
        "encrypted_weight_gradient" => {
            EncryptedWeightGradient::<Paillier>::read(&under, payload)?.to_payload()
        }
        "update_and_share" => UpdateAndShare::<Paillier>::read(&under, payload)?.to_payload(),
        "encrypted_input_gradient" => {
            EncryptedInputGradient::<Paillier>::read(&under, payload)?.to_payload()
        }
        "activations_for_inference" => {
            ActivationsForInference::<Paillier>::read(&under, payload)?.to_payload()
        }
        "epoch_verdict" => EpochVerdict::read(&verdict, payload)?.to_payload(),
        "next_key" => NextKey::<Paillier>::read(&bits, payload)?.to_payload(),
        "key_and_model" => KeyAndModel::<Paillier>::read(&bits, payload)?.to_payload(),
        "model_answer" => ModelAnswer::read(&(), payload)?.to_payload(),
        "product_and_mask" => ProductAndMask::<Paillier>::read(&under, payload)?.to_payload(),
        other => panic!("{other} is no message of the table"),
    })
}

#[test]
fn every_kind_of_message_is_read_for_ever_and_written_the_same() {
    let mut seen = 0;
    for names in [&TRAINING[..], &ROTATION, &INFERENCE] {
        let set_up = match names[0] {
            "next_key" => "key_and_share",
            first => first,
        };
        let key = key_of(&vectors::read(set_up).payload).unwrap();
        for name in names {
            let Vector { shape, payload } = vectors::read(name);
            let again = written_again(name, &key, shape, &payload);
            assert_eq!(again.as_ref(), Ok(&payload), "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, super::super::messages::KINDS.len());
}

/// The first message of each name that two roles send to each other.
fn first_of_each<L: Role, R: Role>(mut left: L, mut right: R) -> BTreeMap<&'static str, Vec<u8>> {
    let mut first = BTreeMap::new();
    for index in 0..left.schedule().exchanges() {
        let ended = exchange(index, left, right, &mut |_, name, payload| {
            first.entry(name).or_insert_with(|| payload.clone());
        });
        let (one, other) = ended.unwrap();
        (left, right) = (one.role, other.role);
    }
    first
}

#[test]
#[ignore = "writes the vectors of a new version, once"]
fn vectors_that_are_not_there_are_written() {
    let backend: Arc<dyn Backend<Paillier>> = Arc::new(PaillierBackend::default());
    let train = |case: &Case| {
        first_of_each(
            case.active::<Paillier, Corrected>(&job(), backend.clone(), case.bottom(), 5),
            case.passive::<Paillier, Corrected>(&job(), backend.clone(), 5),
        )
    };
    let rotating = Case {
        epochs: 4,
        keys: Changes {
            every_rounds: Some(2),
            whims: None,
        },
        ..case()
    };
    let of_rotation = {
        let job = rotating.job().with_insecure_key(512);
        first_of_each(
            rotating.active::<Paillier, Corrected>(&job, backend.clone(), rotating.bottom(), 5),
            rotating.passive::<Paillier, Corrected>(&job, backend.clone(), 5),
        )
    };
    let trained = Trained::new(&case(), backend.clone(), 5);
    let asked = Asked::of(&case(), "active");
    let of_inference = first_of_each(
        trained.active(&asked, backend.clone()),
        trained.passive(&asked, backend.clone()),
    );
    let of_training = train(&case());
    for (names, sent) in [
        (&TRAINING[..], &of_training),
        (&ROTATION, &of_rotation),
        (&INFERENCE, &of_inference),
    ] {
        let set_up = sent
            .get("key_and_share")
            .unwrap_or_else(|| &sent["key_and_model"]);
        let key = key_of(set_up).unwrap();
        for name in names {
            let payload = sent[name].clone();
            // What its receiver knows and it does not say.
            let shapes = (1..=3).flat_map(|rows| (1..=2).map(move |cols| Shape::new(rows, cols)));
            let mut fits =
                shapes.filter(|shape| written_again(name, &key, *shape, &payload).is_ok());
            let shape = fits.next().unwrap();
            vectors::write(name, &Vector { shape, payload });
        }
    }
}
