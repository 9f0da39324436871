//! What comes out, and gradients against finite differences, of every kind of
//! layer, by the second way in which they are written down.

use super::{
    written_down::{forward, wide},
    *,
};

const ROUND: u64 = 5;

fn check(input: SampleShape, layers: &[Layer]) {
    let blueprint = Blueprint::new(input, layers).unwrap();
    let mut network = Bottom::new(&blueprint, sgd(1.0, 0.0), &SEED);
    let (x, d_a) = (
        values(6, input.values(), 1),
        values(6, network.width(), 2).mapv(|x| x / 4.0),
    );
    let (wide_x, wide_d_a) = (x.mapv(f64::from), d_a.mapv(f64::from));

    // A first step moves the biases off zero.
    network.forward(x.clone(), step(0)).unwrap();
    network.backward(d_a.mapv(|x| x / 10.0)).unwrap();

    let before = wide(&network.parameters());
    let a = network.forward(x, step(ROUND)).unwrap();
    let expected = forward(&blueprint, &wide_x, &before, ROUND);
    assert_eq!(a.dim(), expected.dim());
    for (a, expected) in a.iter().zip(&expected) {
        assert!(
            (f64::from(*a) - expected).abs() < 2e-5,
            "{a} for {expected}"
        );
    }

    network.backward(d_a).unwrap();
    let after = wide(&network.parameters());
    let names: Vec<String> = network.parameters().into_iter().map(|x| x.name).collect();
    let value = |parameters: &[Vec<f64>]| {
        (forward(&blueprint, &wide_x, parameters, ROUND) * &wide_d_a).sum()
    };
    let mut largest = 0.0_f64;
    for (i, part) in before.iter().enumerate() {
        if names[i].contains("running") {
            assert_ne!(before[i], after[i]);
            continue;
        }
        for j in 0..part.len() {
            let h = 1e-6;
            let (mut up, mut down) = (before.clone(), before.clone());
            up[i][j] += h;
            down[i][j] -= h;
            let slope = (value(&up) - value(&down)) / (2.0 * h);
            // The step is 1, so what was taken away is the gradient.
            let gradient = before[i][j] - after[i][j];
            assert!(
                (gradient - slope).abs() < 1e-4 * slope.abs().max(1.0),
                "{}, {j}: {gradient} for {slope}",
                names[i]
            );
            largest = largest.max(slope.abs());
        }
    }
    assert!(largest > 0.1, "nothing was there to be found");
}

macro_rules! gradients_are_the_finite_differences {
    ($($name:ident: $input:expr, $layers:expr;)*) => {$(
        #[test]
        fn $name() {
            check($input, &$layers);
        }
    )*};
}

fn row() -> SampleShape {
    SampleShape::Row(4)
}

fn signal() -> SampleShape {
    SampleShape::Signal {
        channels: 2,
        length: 7,
    }
}

/// Learns below the layer in question and above it, so that its gradient at
/// its own input is seen too.
fn between(layer: Layer) -> Vec<Layer> {
    vec![conv2d(3, 2, 1, 0), layer, Layer::Flatten, dense(2)]
}

gradients_are_the_finite_differences! {
    of_dense_and_sigmoid: row(), [dense(5), Layer::Sigmoid];
    of_tanh: row(), [dense(3), Layer::Tanh, dense(2)];
    of_relu: row(), [dense(6), Layer::Relu, dense(4), Layer::Relu];
    of_square: row(), [Layer::Tanh, dense(4), Layer::Square, dense(2)];
    of_leaky_relu: row(), [dense(6), Layer::LeakyRelu { slope: 0.2 }, dense(2)];
    of_a_layer_without_parameters_below: row(), [Layer::Tanh, dense(3)];
    of_conv2d: image(2, 5, 6), between(conv2d(2, 3, 1, 0));
    of_conv2d_with_stride_and_padding: image(2, 6, 5), between(conv2d(3, 3, 2, 2));
    of_conv1d: signal(), [conv1d(3, 3, 1, 0), Layer::Tanh, conv1d(2, 2, 2, 1), Layer::Flatten];
    of_mean_pool: image(1, 6, 7), between(Layer::MeanPool { kernel: 2, stride: None });
    of_overlapping_mean_pool: image(1, 6, 7), between(Layer::MeanPool { kernel: 3, stride: Some(2) });
    of_max_pool: image(1, 6, 7), between(Layer::MaxPool { kernel: 2, stride: None });
    of_overlapping_max_pool: image(1, 6, 7), between(Layer::MaxPool { kernel: 3, stride: Some(1) });
    of_pools_of_a_signal: signal(), [
        conv1d(2, 2, 1, 0),
        Layer::MeanPool { kernel: 2, stride: Some(1) },
        Layer::MaxPool { kernel: 2, stride: None },
        Layer::Flatten,
    ];
    of_batch_norm_of_an_image: image(2, 4, 4), between(Layer::BatchNorm);
    of_batch_norm_of_a_row: row(), [dense(3), Layer::BatchNorm, Layer::Tanh];
    of_dropout: row(), [dense(8), Layer::Dropout { rate: 0.4 }, dense(3)];
    of_an_identity_block: image(1, 4, 4),
        between(residual(&[conv2d(3, 3, 1, 1), Layer::Tanh], Shortcut::Identity));
    of_a_projected_block: image(1, 5, 6),
        between(residual(&[conv2d(2, 3, 2, 1), Layer::Tanh], Shortcut::Projection));
    of_a_projected_block_of_a_row: row(), [residual(&[dense(2), Layer::Tanh], Shortcut::Projection)];
}

/// Tanh between the kinks of the second network keeps it smooth; the first
/// has all kinks at once.
#[test]
fn of_everything_at_once() {
    for (input, layers) in every_kind() {
        check(input, &layers);
    }
}

#[test]
fn training_and_inference_differ_by_dropout_and_batch_norm_alone() {
    let without = [conv2d(3, 3, 1, 1), Layer::Relu, Layer::Flatten, dense(2)];
    let x = values(5, 16, 1);
    let mut network = build_on(image(1, 4, 4), &without, sgd(0.1, 0.0));
    assert_eq!(
        network.forward(x.clone(), ANY).unwrap(),
        network.infer(x.clone()).unwrap()
    );
    for layer in [Layer::BatchNorm, Layer::Dropout { rate: 0.5 }] {
        let layers = [layer, Layer::Flatten];
        let mut network = build_on(image(1, 4, 4), &layers, sgd(0.1, 0.0));
        let trained = network.forward(x.clone(), ANY).unwrap();
        assert_ne!(trained, network.infer(x.clone()).unwrap());
    }
}

/// With the first statistics (mean 0, variance 1) and then those of training.
#[test]
fn inference_takes_the_running_statistics() {
    let mut network = build(&[Layer::BatchNorm], 3, sgd(0.1, 0.0));
    let x = values(8, 3, 1).mapv(|x| 3.0 * x + 1.0);
    let fresh = network.infer(x.clone()).unwrap();
    for (fresh, x) in fresh.iter().zip(&x) {
        assert!((fresh - x).abs() < 1e-3);
    }
    for round in 0..200 {
        network.forward(x.clone(), step(round)).unwrap();
        network.backward(Array2::zeros((8, 3))).unwrap();
    }
    let settled = network.infer(x.clone()).unwrap();
    let trained = network.forward(x, ANY).unwrap();
    for (settled, trained) in settled.iter().zip(&trained) {
        assert!((settled - trained).abs() < 1e-3);
    }
}
