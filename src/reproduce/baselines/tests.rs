//! Each method against the same network in plain.
#![allow(clippy::unwrap_used)]

use super::*;

/// A small network with each kind of layer that images take.
const IMAGES: &str = r#"
    input = [2, 5, 4]
    bottom = [
        { kind = "conv2d", channels = 3, kernel = 2, padding = 1 },
        { kind = "tanh" },
        { kind = "mean_pool", kernel = 2 },
        { kind = "conv2d", channels = 2, kernel = 2, stride = 2 },
        { kind = "square" },
        { kind = "max_pool", kernel = 1 },
        { kind = "flatten" },
        { kind = "dropout", rate = 0.5 },
        { kind = "dense", units = 3 },
        { kind = "sigmoid" },
    ]
    classes = 3
"#;

pub(super) fn job(network: &str) -> Job {
    let text = format!(
        r#"
        name = "small"
        parties = {{ active = "a", passive = "p" }}
        data = {{ dataset = "made-up" }}
        [training]
        epochs = 1
        batch_size = 4
        learning_rate = 0.1
        bottom = {{ optimizer = "sgd", learning_rate = 0.1 }}
        seed = 1
        [network]
        {network}
        "#
    );
    Job::from_toml(&text).unwrap()
}

pub(super) fn images() -> Job {
    job(IMAGES)
}

/// Of two digits after the point, both signs.
pub(super) fn samples(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| {
        ((i * 37 + j * 101) % 201) as f32 / 100.0 - 1.0
    })
}

fn conditions(layout: Layout) -> Conditions {
    Conditions {
        layout,
        ..Conditions::new(KeyBits::B2048, &images(), 3)
    }
}

fn close(one: &Array2<f64>, other: &Array2<f64>, by: f64) {
    assert_eq!(one.dim(), other.dim());
    for (one, other) in one.iter().zip(other) {
        assert!((one - other).abs() < by, "{one} for {other}");
    }
}

#[test]
fn every_method_computes_the_network_within_its_grid() {
    let subject = Subject::drawn(&images(), 1).unwrap();
    for (layout, rows) in [(Layout::Packed, 3), (Layout::Unpacked, 1)] {
        let x = samples(rows, subject.inputs());
        let plain = subject.logits(&x).unwrap();
        for method in [Method::Joint, Method::GeluNet] {
            let mut ends = method.set_up(&subject, conditions(layout), 2).unwrap();
            let Measured { logits, cost } = measure_inference(&mut *ends, &x, 1).unwrap();
            close(&logits, &plain, 1e-3);
            assert_eq!(cost.samples, rows);
            assert!(cost.client_plain_seconds < cost.client_seconds);
            assert!(cost.encrypted_seconds_per_sample() < cost.seconds_per_sample());
        }
    }
}

/// Two convolutions, a dense layer, the one above the cut: four round trips of
/// GELU-Net, where ours has one and encrypts the cut alone.
#[test]
fn what_is_sent_is_counted() {
    let subject = Subject::drawn(&images(), 1).unwrap();
    let x = samples(1, subject.inputs());
    let cost = |method: Method| {
        let mut ends = method
            .set_up(&subject, conditions(Layout::Packed), 3)
            .unwrap();
        measure_inference(&mut *ends, &x, 1).unwrap().cost
    };
    let (ours, theirs) = (cost(Method::Joint), cost(Method::GeluNet));
    assert_eq!((ours.round_trips, theirs.round_trips), (1, 4));
    assert_eq!((ours.client_ciphertexts, ours.server_ciphertexts), (3, 3));
    // 2 x 5 x 4 in, 3 x 6 x 5 out, pooled to 3 x 3 x 2, 2 x 1 x 1 out, 3, 3.
    assert_eq!(theirs.client_ciphertexts, 40 + 18 + 2 + 3);
    assert_eq!(theirs.server_ciphertexts, 90 + 2 + 3 + 3);
    for (bytes, ciphertexts) in [
        (ours.server_bytes, ours.server_ciphertexts),
        (theirs.client_bytes, theirs.client_ciphertexts),
        (theirs.server_bytes, theirs.server_ciphertexts),
    ] {
        assert!((512 * ciphertexts..512 * ciphertexts + 100).contains(&bytes));
    }
    assert!(theirs.server_release_seconds.unwrap() < theirs.server_seconds);
}

#[test]
fn regression_encrypts_its_whole_input() {
    let subject = Subject::mlr(40, 3, 1).unwrap();
    let under = Conditions::new(KeyBits::B2048, &images(), 2);
    let mut ends = Method::Joint.set_up(&subject, under, 4).unwrap();
    let x = samples(2, 40);
    let Measured { logits, cost } = measure_inference(&mut *ends, &x, 2).unwrap();
    close(&logits, &subject.logits(&x).unwrap(), 1e-3);
    assert_eq!((cost.client_ciphertexts, cost.server_ciphertexts), (40, 3));
}
