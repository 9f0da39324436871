//! Layers against plain loops over integers, and what is refused.
#![allow(clippy::unwrap_used)]

use entente_wire::{Encode, RingMatrix, Secret, decode_exactly};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{
    DecodeError, ExpectLinear, HeError, KeyBits, Layout, LinearBounds, LinearClient, LinearInput,
    LinearServer, PaillierBackend, Shape, Windows,
};

const BOUNDS: LinearBounds = LinearBounds {
    input_bits: 12,
    weight_bits: 9,
    terms: 16,
};

fn ends(
    layout: Layout,
    bounds: LinearBounds,
    rng: &mut ChaCha20Rng,
) -> (LinearClient, LinearServer) {
    let backend = PaillierBackend::new(layout);
    let bits = KeyBits::insecure_for_tests(320);
    let client = backend.linear_client(bits, bounds, rng).unwrap();
    let key = client.public_key().clone();
    let server = backend.linear_server(key, bounds, rng).unwrap();
    (client, server)
}

/// Entries below 2^bits in size, the largest of both signs among them.
fn drawn(rows: usize, cols: usize, bits: u32, rng: &mut ChaCha20Rng) -> RingMatrix {
    let most = (1_i64 << bits) - 1;
    RingMatrix::from_fn(Shape::new(rows, cols), |i, j| {
        let x = match (i + j) % 5 {
            0 => most,
            1 => -most,
            _ => (rng.next_u64() as i64).rem_euclid(2 * most) - most,
        };
        x.cast_unsigned()
    })
}

/// There and back, over the wire.
fn computed(
    (client, server): &(LinearClient, LinearServer),
    (x, windows, weights, bias): (&RingMatrix, &Windows, &RingMatrix, &RingMatrix),
    rng: &mut ChaCha20Rng,
) -> Secret<RingMatrix> {
    let key = client.public_key();
    let expect = |rows, cols| ExpectLinear {
        key,
        bounds: &BOUNDS,
        shape: Shape::new(rows, cols),
    };
    let rows = x.shape().rows;
    let sent = client.encrypt(x, rng).unwrap().encoded();
    let input = decode_exactly(&expect(rows, windows.values()), &sent).unwrap();
    let products = server.multiply(&input, windows, weights).unwrap();
    let sent = server.release(products, bias, rng).unwrap().encoded();
    let outputs = windows.places() * weights.shape().rows;
    let output = decode_exactly(&expect(rows, outputs), &sent).unwrap();
    client.decrypt(&output).unwrap()
}

fn plain(x: &RingMatrix, windows: &Windows, weights: &RingMatrix, bias: &RingMatrix) -> RingMatrix {
    let outputs = weights.shape().rows;
    let shape = Shape::new(x.shape().rows, windows.places() * outputs);
    RingMatrix::from_fn(shape, |i, at| {
        let (place, output) = (at / outputs, at % outputs);
        let product = |k: usize| {
            let seen = windows.seen[place * windows.terms() + k];
            x.signed(i, seen).unwrap_or(0) * weights.signed(output, k).unwrap()
        };
        let sum: i64 = (0..windows.terms()).map(product).sum();
        (sum + bias.signed(0, output).unwrap()).cast_unsigned()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_layer_computes_what_plain_loops_compute(
        (rows, values, places) in (1..9_usize, 1..7_usize, 1..6_usize),
        (terms, outputs, packed) in (1..17_usize, 1..5_usize, any::<bool>()),
        seed: u64,
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let layout = if packed { Layout::Packed } else { Layout::Unpacked };
        let ends = ends(layout, BOUNDS, &mut rng);
        // One beyond the last is a zero.
        let windows = Windows::new(values, places, terms, |p, k| (p * 5 + k * 3) % (values + 1));
        let x = drawn(rows, values, BOUNDS.input_bits, &mut rng);
        let weights = drawn(outputs, terms, BOUNDS.weight_bits, &mut rng);
        let bias = drawn(1, outputs, BOUNDS.bias_bits(), &mut rng);
        let y = computed(&ends, (&x, &windows, &weights, &bias), &mut rng);
        prop_assert!(*y.expose() == plain(&x, &windows, &weights, &bias));
    }
}

/// All of one sign and as large as they may be: the far ends of a slot.
#[test]
fn the_largest_values_stay_in_their_slots() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let ends = ends(Layout::Packed, BOUNDS, &mut rng);
    let windows = Windows::dense(BOUNDS.terms);
    let all =
        |rows, cols, x: i64| RingMatrix::from_fn(Shape::new(rows, cols), |_, _| x.cast_unsigned());
    let [x, w, b] =
        [BOUNDS.input_bits, BOUNDS.weight_bits, BOUNDS.bias_bits()].map(|bits| (1_i64 << bits) - 1);
    for sign in [1, -1] {
        let (x, w) = (all(7, BOUNDS.terms, x), all(2, BOUNDS.terms, sign * w));
        let bias = all(1, 2, sign * b);
        let y = computed(&ends, (&x, &windows, &w, &bias), &mut rng);
        assert!(*y.expose() == plain(&x, &windows, &w, &bias));
    }
}

#[test]
fn answers_have_fresh_randomness() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (client, server) = ends(Layout::Packed, BOUNDS, &mut rng);
    let x = drawn(2, 3, BOUNDS.input_bits, &mut rng);
    let input = client.encrypt(&x, &mut rng).unwrap();
    let (weights, bias) = (
        drawn(1, 3, BOUNDS.weight_bits, &mut rng),
        drawn(1, 1, BOUNDS.bias_bits(), &mut rng),
    );
    let mut answer = || {
        let windows = Windows::dense(3);
        let products = server.multiply(&input, &windows, &weights).unwrap();
        server.release(products, &bias, &mut rng).unwrap()
    };
    let (one, other) = (answer(), answer());
    assert_ne!(one.encoded(), other.encoded());
    let [one, other] = [one, other].map(|answer| client.decrypt(&answer).unwrap());
    assert!(one.expose() == other.expose());
}

#[test]
fn what_is_out_of_bounds_or_shape_is_refused_by_name() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (client, server) = ends(Layout::Packed, BOUNDS, &mut rng);
    let one =
        |rows, cols, x: i64| RingMatrix::from_fn(Shape::new(rows, cols), |_, _| x.cast_unsigned());
    let what = |error: HeError| match error {
        HeError::OutOfRange { what, .. } | HeError::Shape { what, .. } => what,
        other => other.label(),
    };
    let refused = client.encrypt(&one(1, 3, 1 << BOUNDS.input_bits), &mut rng);
    assert_eq!(what(refused.unwrap_err()), "values");
    assert_eq!(
        what(client.encrypt(&one(0, 3, 0), &mut rng).unwrap_err()),
        "values"
    );

    let input = client.encrypt(&one(1, 3, 1), &mut rng).unwrap();
    let mut refuses = |windows: &Windows, w: &RingMatrix, bias: &RingMatrix| {
        let products = server.multiply(&input, windows, w);
        let answer = products.and_then(|products| server.release(products, bias, &mut rng));
        what(answer.unwrap_err())
    };
    let (windows, w, b) = (Windows::dense(3), one(2, 3, 1), one(1, 2, 1));
    assert_eq!(refuses(&Windows::dense(4), &one(2, 4, 1), &b), "values");
    assert_eq!(refuses(&windows, &one(2, 4, 1), &b), "weights");
    assert_eq!(
        refuses(&windows, &one(2, 3, 1 << BOUNDS.weight_bits), &b),
        "weights"
    );
    assert_eq!(refuses(&windows, &w, &one(1, 3, 1)), "bias");
    assert_eq!(
        refuses(&windows, &w, &one(1, 2, 1 << BOUNDS.bias_bits())),
        "bias"
    );
    let wide = Windows::new(3, 1, BOUNDS.terms + 1, |_, k| k % 3);
    assert_eq!(refuses(&wide, &one(2, BOUNDS.terms + 1, 1), &b), "windows");
}

#[test]
fn what_is_under_another_key_or_of_other_bounds_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let (client, _) = ends(Layout::Packed, BOUNDS, &mut rng);
    let (other, server) = ends(Layout::Packed, BOUNDS, &mut rng);
    let x = drawn(1, 3, BOUNDS.input_bits, &mut rng);
    let input = client.encrypt(&x, &mut rng).unwrap();
    let weights = drawn(1, 3, BOUNDS.weight_bits, &mut rng);
    let got = server.multiply(&input, &Windows::dense(3), &weights);
    assert!(matches!(got, Err(HeError::BadKey { .. })));

    let sent = input.encoded();
    let wider = LinearBounds {
        terms: 1000,
        ..BOUNDS
    };
    let decoded = |key, bounds| {
        let shape = x.shape();
        decode_exactly::<_, LinearInput>(&ExpectLinear { key, bounds, shape }, &sent)
    };
    assert!(decoded(client.public_key(), &BOUNDS).is_ok());
    for refused in [
        decoded(other.public_key(), &BOUNDS),
        decoded(client.public_key(), &wider),
    ] {
        assert!(matches!(refused, Err(DecodeError::Invalid { .. })));
    }
}

#[test]
fn values_that_cannot_be_read_whole_do_not_fit() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let bounds = LinearBounds {
        weight_bits: 47,
        ..BOUNDS
    };
    let bits = KeyBits::insecure_for_tests(320);
    let got = PaillierBackend::default().linear_client(bits, bounds, &mut rng);
    assert!(matches!(
        got,
        Err(HeError::DoesNotFit {
            needed_bits: 64,
            ..
        })
    ));
}
