//! The messages of training, inference and the comparison of rows, as their
//! receivers read them: what is read is written back the same.
//!
//! The first bytes say what the receiver knows: whose set-up it has heard, and the
//! shape that it expects.
#![no_main]

use std::sync::LazyLock;

use entente_fuzz::SMALL;
use entente_protocol::{acml::Receiver, rows};
use entente_wire::Shape;
use libfuzzer_sys::fuzz_target;

/// Behind its shape, which the first line says.
fn vector(text: &str) -> Vec<u8> {
    let (_, digits) = text.split_once('\n').expect("a shape, and a message");
    let digits: String = digits.split_whitespace().collect();
    hex::decode(digits).expect("hexadecimal")
}

static RECEIVERS: LazyLock<[Receiver; 2]> = LazyLock::new(|| {
    [
        include_str!("../../../protocol/tests/vectors/v1/key_and_share.hex"),
        include_str!("../../../protocol/tests/vectors/v1/key_and_model.hex"),
    ]
    .map(|set_up| Receiver::of(SMALL.clone(), &vector(set_up)).expect("a set-up of this job"))
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&[who, a, b], payload)) = bytes.split_first_chunk() else {
        return;
    };
    if who % 3 == 2 {
        let (asking, answering) = (u64::from(a), u64::from(b));
        if let Ok(again) = rows::written_again(asking, answering, payload) {
            assert_eq!(again, payload);
        }
        return;
    }
    let receiver = &RECEIVERS[usize::from(who % 3)];
    let shape = Shape::new(usize::from(a % 4), usize::from(b % 4));
    if let Ok(again) = receiver.written_again(shape, payload) {
        assert_eq!(again, payload);
    }
});
