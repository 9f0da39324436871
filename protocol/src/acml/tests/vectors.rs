//! A message of every kind, as it was committed with its version: each decodes for
//! ever, under the state that its receiver was in, and is written the same today.

use std::{collections::BTreeMap, sync::Arc};

use entente_he::{Backend, Paillier, PaillierBackend};
use entente_wire::{Shape, read_kind};

use super::{
    Case, Changes,
    asked_models::{Asked, Trained},
};
use crate::{
    Role,
    acml::{
        again::Receiver,
        algebra::Corrected,
        messages::{KINDS, name_of},
    },
    job::{Job, Keep},
    loopback::exchange,
    vectors::{self, Vector},
};

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

#[test]
fn every_kind_of_message_is_read_for_ever_and_written_the_same() {
    let mut seen = 0;
    for names in [&TRAINING[..], &ROTATION, &INFERENCE] {
        let set_up = match names[0] {
            "next_key" => "key_and_share",
            first => first,
        };
        let receiver = Receiver::of(job(), &vectors::read(set_up).payload).unwrap();
        for name in names {
            let Vector { shape, payload } = vectors::read(name);
            assert_eq!(name_of(read_kind(&payload).unwrap()), Some(*name));
            let again = receiver.written_again(shape, &payload);
            assert_eq!(again.as_ref(), Ok(&payload), "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, KINDS.len());
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
        let receiver = Receiver::of(job(), set_up).unwrap();
        for name in names {
            let payload = sent[name].clone();
            // What its receiver knows and it does not say.
            let shapes = (1..=3).flat_map(|rows| (1..=2).map(move |cols| Shape::new(rows, cols)));
            let mut fits = shapes.filter(|shape| receiver.written_again(*shape, &payload).is_ok());
            let shape = fits.next().unwrap();
            vectors::write(name, &Vector { shape, payload });
        }
    }
}
