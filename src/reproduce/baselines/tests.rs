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

/// Each measurement holds what it computed against the network in plain.
#[test]
fn every_method_computes_the_network() {
    let subject = Subject::drawn(&images(), 1).unwrap();
    for (method, layout, rows) in [
        (Method::Joint, Layout::Packed, 3),
        (Method::GeluNet, Layout::Unpacked, 1),
        (Method::GeluNetPacked, Layout::Packed, 3),
    ] {
        let x = samples(rows, subject.inputs());
        let mut ends = method.set_up(&subject, conditions(layout), 2).unwrap();
        let cost = measure_inference(&mut *ends, &x, 1).unwrap().cost;
        assert_eq!(cost.samples, rows);
        assert!(cost.client_plain_seconds < cost.client_seconds);
        assert!(cost.encrypted_seconds_per_sample() < cost.seconds_per_sample());
    }
}

/// Not near, but equal: the integers of the cut, as one computes them who holds
/// everything.
#[test]
fn ours_is_exact_on_its_grid() {
    let subject = Subject::drawn(&images(), 6).unwrap();
    let x = samples(3, subject.inputs());
    let mut ends = Method::Joint
        .set_up(&subject, conditions(Layout::Packed), 7)
        .unwrap();
    let logits = ends.infer(&x).unwrap().logits;
    let grid = |x: f64, bits: i32| (x * 2_f64.powi(bits)).round() as i128;
    let a = subject.activations(&x).unwrap();
    let expected = Array2::from_shape_fn(logits.dim(), |(i, class)| {
        let weights = subject.top().row(class);
        let products = weights.iter().zip(a.row(i));
        let products = products.map(|(w, a)| grid(*w, 38) * grid(f64::from(*a), 15));
        let sum = grid(subject.bias()[class], 53) + products.sum::<i128>();
        sum as f64 / 2_f64.powi(53)
    });
    assert_eq!(logits, expected);
}

/// Says what it is told to.
struct Parrot<'a>(&'a Subject, Array2<f64>);

impl Inference for Parrot<'_> {
    fn subject(&self) -> &Subject {
        self.0
    }

    fn infer(&mut self, x: &Array2<f32>) -> Result<Measured, Failure> {
        Ok(Measured {
            logits: self.1.clone(),
            cost: Cost::of(x.nrows()),
        })
    }
}

#[test]
fn what_computes_something_else_is_no_measurement() {
    let subject = Subject::drawn(&images(), 1).unwrap();
    let x = samples(2, subject.inputs());
    let right = subject.logits(&x).unwrap();
    let measured = |logits: Array2<f64>| {
        let mut parrot = Parrot(&subject, logits);
        measure_inference(&mut parrot, &x, 1)
    };
    assert!(measured(right.clone()).is_ok());
    let mut wrong = right.clone();
    wrong[(1, 2)] += 0.2;
    let mut none = right.clone();
    none[(0, 0)] = f64::NAN;
    let other = Subject::drawn(&images(), 2).unwrap().logits(&x).unwrap();
    for wrong in [wrong, none, other, Array2::zeros((2, 2))] {
        assert!(measured(wrong).is_err());
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
    let job = job("preset = \"mlr\"\ninputs = 40\nclasses = 3");
    let subject = Subject::drawn(&job, 1).unwrap();
    let under = Conditions::new(KeyBits::B2048, &job, 2);
    let mut ends = Method::Joint.set_up(&subject, under, 4).unwrap();
    let cost = measure_inference(&mut *ends, &samples(2, 40), 2)
        .unwrap()
        .cost;
    assert_eq!((cost.client_ciphertexts, cost.server_ciphertexts), (40, 3));
}
