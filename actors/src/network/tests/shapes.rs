//! What does not fit is refused, and said where; what fits has the shape that
//! was inferred.

use proptest::prelude::*;

use super::*;
use crate::network::{
    initial::Glorot,
    stage::{Mode, Stage},
    tensors::images,
};

fn network() -> Box<dyn BottomNetwork> {
    build(&[dense(5), Layer::Relu], 4, sgd(0.1, 0.0))
}

#[test]
fn a_batch_of_another_width_or_of_no_rows_is_refused() {
    let mut network = network();
    assert_eq!(network.width(), 5);
    for (rows, columns) in [(2, 3), (0, 4)] {
        let x = Array2::zeros((rows, columns));
        let expected =
            format!("layer 0 (dense) takes B x 4 with B at least 1, got {rows} x {columns}");
        assert_eq!(network.infer(x.clone()).unwrap_err().to_string(), expected);
        assert_eq!(network.forward(x, ANY).unwrap_err().to_string(), expected);
    }
}

#[test]
fn backward_needs_one_forward_and_its_shape() {
    let mut network = network();
    let d_a = Array2::ones((3, 5));
    assert_eq!(
        network.backward(d_a.clone()).unwrap_err(),
        NetworkError::NoForward
    );
    network.infer(Array2::ones((3, 4))).unwrap();
    assert_eq!(
        network.backward(d_a.clone()).unwrap_err(),
        NetworkError::NoForward
    );
    network.forward(Array2::ones((3, 4)), ANY).unwrap();
    assert_eq!(
        network
            .backward(Array2::ones((2, 5)))
            .unwrap_err()
            .to_string(),
        "layer 2 (cut) takes a gradient of 3 x 5, got 2 x 5"
    );
    network.backward(d_a.clone()).unwrap();
    assert_eq!(network.backward(d_a).unwrap_err(), NetworkError::NoForward);
}

#[test]
fn parameters_have_the_names_and_shapes_that_pytorch_gives_them() {
    let named = |input, layers: &[Layer]| -> Vec<(String, Vec<usize>)> {
        let parameters = build_on(input, layers, sgd(0.1, 0.0)).parameters();
        parameters.into_iter().map(|x| (x.name, x.shape)).collect()
    };
    let expected = |all: &[(&str, &[usize])]| -> Vec<(String, Vec<usize>)> {
        let owned = |(name, shape): &(&str, &[usize])| ((*name).to_owned(), shape.to_vec());
        all.iter().map(owned).collect()
    };
    assert_eq!(
        named(
            SampleShape::Row(4),
            &[Layer::Tanh, dense(3), Layer::Relu, dense(2)]
        ),
        expected(&[
            ("1.weight", &[3, 4]),
            ("1.bias", &[3]),
            ("3.weight", &[2, 3]),
            ("3.bias", &[2]),
        ])
    );
    let signal = SampleShape::Signal {
        channels: 2,
        length: 9,
    };
    let block = residual(
        &[conv1d(4, 3, 2, 1), Layer::BatchNorm],
        Shortcut::Projection,
    );
    assert_eq!(
        named(signal, &[block, Layer::Flatten]),
        expected(&[
            ("0.layers.0.weight", &[4, 2, 3]),
            ("0.layers.0.bias", &[4]),
            ("0.layers.1.weight", &[4]),
            ("0.layers.1.bias", &[4]),
            ("0.layers.1.running_mean", &[4]),
            ("0.layers.1.running_var", &[4]),
            ("0.shortcut.weight", &[4, 2, 1]),
        ])
    );
}

fn layers() -> impl Strategy<Value = Layer> {
    let size = 1_usize..5;
    let window = (1_usize..5, 1_usize..4, 1_usize..4, 0_usize..3);
    prop_oneof![
        size.prop_map(dense),
        window.clone().prop_map(|(c, k, s, p)| conv2d(c, k, s, p)),
        window.clone().prop_map(|(c, k, s, p)| conv1d(c, k, s, p)),
        window
            .clone()
            .prop_map(|(_, kernel, stride, _)| Layer::MeanPool {
                kernel,
                stride: Some(stride)
            }),
        window.prop_map(|(_, kernel, stride, _)| Layer::MaxPool {
            kernel,
            stride: Some(stride)
        }),
        Just(Layer::BatchNorm),
        Just(Layer::Relu),
        Just(Layer::Flatten),
    ]
}

fn blocks() -> impl Strategy<Value = Layer> {
    let block = (proptest::collection::vec(layers(), 0..3), any::<bool>());
    prop_oneof![
        3 => layers(),
        1 => block.prop_map(|(layers, projected)| residual(
            &layers,
            if projected { Shortcut::Projection } else { Shortcut::Identity },
        )),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Of layers drawn at random, the longest beginning that fits.
    #[test]
    fn the_shape_that_is_inferred_is_the_shape_that_burn_computes(
        axes in proptest::collection::vec(1_usize..10, 1..4),
        drawn in proptest::collection::vec(blocks(), 0..7),
    ) {
        let input = SampleShape::of(&axes).unwrap();
        let fitting = |layers: &[Layer]| {
            let mut layers = layers.to_vec();
            layers.push(Layer::Flatten);
            Blueprint::new(input, &layers).ok()
        };
        let longest = (0..=drawn.len()).rev().find_map(|count| fitting(&drawn[..count]));
        let blueprint = longest.unwrap();
        let device = burn::tensor::Device::flex().autodiff();
        let mut stages = Stage::all(blueprint.layers(), &mut Glorot::new(&SEED), &device);
        let mut x = images(&values(2, input.values(), 1), input, &device);
        for (fitted, stage) in blueprint.layers().iter().zip(&mut stages) {
            x = stage.forward(x, Mode::Infer);
            let [channels, height, width] = fitted.leaves.as_image();
            prop_assert_eq!(x.dims(), [2, channels, height, width], "{:?}", fitted);
        }
        prop_assert_eq!(x.dims()[1], blueprint.width());
    }
}
