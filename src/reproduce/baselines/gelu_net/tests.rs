//! GELU-Net against a second way to write the same integers down: plain loops
//! over coordinates, without windows, ciphertexts or the engine.
#![allow(clippy::unwrap_used)]

use entente_he::KeyBits;
use entente_protocol::{
    job::{Layer, network::Fitted},
    network::NamedTensor,
};
use rand::SeedableRng;

use super::{
    super::tests::{images, job, samples},
    *,
};

/// On the grids of values (15 bits) and weights (16): the integers that the
/// server must arrive at, as reals.
fn convolved(x: &Array2<f64>, fitted: &Fitted, w: &NamedTensor, b: &NamedTensor) -> Array2<f64> {
    let grid = |x: f64, bits: i32| (x * 2_f64.powi(bits)).round() as i128;
    let [channels, height, width] = fitted.comes.as_image();
    let [_, high, wide] = fitted.leaves.as_image();
    let (kernel, stride, padding) = match fitted.layer {
        Layer::Conv2d {
            kernel,
            stride,
            padding,
            ..
        } => (kernel as isize, stride as isize, padding as isize),
        _ => (1, 1, 0),
    };
    let shape = (x.nrows(), fitted.leaves.values());
    Array2::from_shape_fn(shape, |(i, at)| {
        let (o, y, z) = (at / (high * wide), at / wide % high, at % wide);
        let mut sum = grid(f64::from(b.values[o]), 31);
        for c in 0..channels {
            for k in 0..kernel {
                for l in 0..kernel {
                    let y = y as isize * stride + k - padding;
                    let z = z as isize * stride + l - padding;
                    if (0..height as isize).contains(&y) && (0..width as isize).contains(&z) {
                        let seen = (c * height + y as usize) * width + z as usize;
                        let weight = ((o * channels + c) as isize * kernel + k) * kernel + l;
                        let weight = f64::from(w.values[weight as usize]);
                        sum += grid(weight, 16) * grid(f64::from(x[(i, seen)] as f32), 15);
                    }
                }
            }
        }
        sum as f64 / 2_f64.powi(31)
    })
}

/// The network in fixed point, by one who holds everything.
fn replayed(subject: &Subject, x: &Array2<f32>) -> Array2<f64> {
    let parameters = subject.parameters();
    let tensor = |fitted: &Fitted, name: &str| {
        let name = format!("{}.{name}", fitted.path);
        parameters.iter().find(|x| x.name == name).unwrap()
    };
    let layers = subject.blueprint().layers();
    let values = layers
        .iter()
        .fold(x.mapv(f64::from), |values, fitted| match fitted.layer {
            Layer::Dense { .. } | Layer::Conv2d { .. } => {
                let (w, b) = (tensor(fitted, "weight"), tensor(fitted, "bias"));
                convolved(&values, fitted, w, b)
            }
            _ => client::through(core::slice::from_ref(fitted), values),
        });
    let grid = |x: f64, bits: i32| (x * 2_f64.powi(bits)).round() as i128;
    Array2::from_shape_fn((x.nrows(), subject.top().nrows()), |(i, class)| {
        let weights = subject.top().row(class);
        let products = weights.iter().zip(values.row(i));
        let products = products.map(|(w, x)| grid(*w, 16) * grid(f64::from(*x as f32), 15));
        let sum = grid(subject.bias()[class], 31) + products.sum::<i128>();
        sum as f64 / 2_f64.powi(31)
    })
}

fn ends(subject: &Subject, packing: Packing) -> Result<GeluNet<'_>, Failure> {
    let under = Conditions::new(KeyBits::B2048, &images(), 2);
    GeluNet::set_up(subject, packing, under, ChaCha20Rng::seed_from_u64(5))
}

#[test]
fn the_decrypted_logits_are_the_integers_of_plain_loops() {
    let subject = Subject::drawn(&images(), 7).unwrap();
    let x = samples(2, subject.inputs());
    let expected = replayed(&subject, &x);
    let costs = [Packing::OverSamples, Packing::OverSamplesOrPlaces].map(|packing| {
        let measured = ends(&subject, packing).unwrap().infer(&x).unwrap();
        assert_eq!(measured.logits, expected, "{packing:?}");
        measured.cost
    });
    let other = Subject::drawn(&images(), 8).unwrap();
    assert_ne!(replayed(&other, &x), expected);
    // The first convolution: 2 channels of 2 x 2 at each of 30 places of two
    // samples, 31 to a ciphertext, in the place of 40 values of both. The
    // second has one place, which sees 12 of 18 values.
    let [samples, places] = costs;
    assert_eq!(
        samples.client_ciphertexts - places.client_ciphertexts,
        (40 - 2 * 8) + (18 - 12)
    );
    assert_eq!(
        samples.server_ciphertexts - places.server_ciphertexts,
        90 - 2 * 3
    );
}

#[test]
fn a_layer_that_it_does_not_have_is_named() {
    let job = job(r#"inputs = 4
        classes = 2
        bottom = [{ kind = "dense", units = 3 }, { kind = "batch_norm" }]"#);
    let subject = Subject::drawn(&job, 1).unwrap();
    let refused = ends(&subject, Packing::OverSamples).err().unwrap();
    assert!(matches!(refused, Failure::Configuration(_)));
    assert!(refused.to_string().contains("layer 1 (batch_norm)"));
}

#[test]
fn weights_beyond_the_grid_and_samples_of_another_width_are_refused() {
    let job = job("preset = \"mlr\"\ninputs = 4\nclasses = 2");
    let bottom = || entente_actors::network::build(&job, &[1; 32], None).unwrap();
    let of = |weight: f64| {
        let top = Array2::from_elem((2, 4), weight);
        Subject::new(&job, bottom(), top, ndarray::Array1::zeros(2)).unwrap()
    };
    let refused = ends(&of(16.0), Packing::OverSamples)
        .err()
        .unwrap()
        .to_string();
    assert!(refused.contains("below 16"), "{refused}");
    let fits = of(-15.9);
    assert!(
        ends(&fits, Packing::OverSamples)
            .unwrap()
            .infer(&samples(1, 5))
            .is_err()
    );
}
