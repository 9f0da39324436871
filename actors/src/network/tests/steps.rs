//! Optimisers against steps done by hand, with the gradient of one dense
//! layer: `x' dL/da` for the weights, the sum of dL/da for the bias.

use super::*;

/// The only parameter of one input, one unit and one sample with x = 1:
/// gradients are what is handed in.
fn weights(optimizer: Optimizer, gradients: &[f32]) -> Vec<f32> {
    let mut network = build(&[dense(1)], 1, optimizer);
    let mut seen = vec![network.parameters()[0].values[0]];
    for gradient in gradients {
        network.forward(Array2::ones((1, 1)), ANY).unwrap();
        network
            .backward(Array2::from_elem((1, 1), *gradient))
            .unwrap();
        seen.push(network.parameters()[0].values[0]);
    }
    seen
}

#[test]
fn a_step_of_sgd_is_the_gradient_times_the_rate() {
    let mut network = build(&[dense(2)], 3, sgd(0.125, 0.0));
    let (x, d_a) = (values(4, 3, 1), values(4, 2, 2));
    let before = network.parameters();
    network.forward(x.clone(), ANY).unwrap();
    network.backward(d_a.clone()).unwrap();
    let after = network.parameters();

    assert_eq!(before[1].values, [0.0, 0.0]);
    for i in 0..3 {
        for j in 0..2 {
            let gradient: f32 = (0..4).map(|b| x[(b, i)] * d_a[(b, j)]).sum();
            let expected = before[0].values[j * 3 + i] - 0.125 * gradient;
            assert!((after[0].values[j * 3 + i] - expected).abs() < 1e-6);
        }
    }
    for j in 0..2 {
        assert!((after[1].values[j] + 0.125 * d_a.column(j).sum()).abs() < 1e-6);
    }
}

#[test]
fn momentum_is_not_damped() {
    // v = g + 0.5 v: 1, then 2 + 0.5, then -1 + 1.25.
    let seen = weights(sgd(0.25, 0.5), &[1.0, 2.0, -1.0]);
    for (step, velocity) in [1.0, 2.5, 0.25].into_iter().enumerate() {
        assert!((seen[step] - seen[step + 1] - 0.25 * velocity).abs() < 1e-6);
    }
}

#[test]
fn weight_decay_of_sgd_is_part_of_the_gradient() {
    let optimizer = Optimizer::Sgd {
        learning_rate: 0.25,
        momentum: 0.0,
        weight_decay: 0.5,
    };
    let seen = weights(optimizer, &[1.0]);
    let expected = seen[0] - 0.25 * (1.0 + 0.5 * seen[0]);
    assert!((seen[1] - expected).abs() < 1e-6);
}

#[test]
fn weight_decay_of_adamw_stands_beside_the_gradient() {
    let optimizer = Optimizer::Adamw {
        learning_rate: 0.25,
        weight_decay: 0.5,
    };
    let seen = weights(optimizer, &[1.0]);
    // Adam's first step is the rate, whatever the gradient.
    let expected = seen[0] * (1.0 - 0.25 * 0.5) - 0.25;
    assert!((seen[1] - expected).abs() < 1e-5);
}

#[test]
fn the_pace_multiplies_the_step() {
    for optimizer in [
        sgd(0.25, 0.0),
        Optimizer::Adam {
            learning_rate: 0.25,
        },
    ] {
        let moved = |pace| {
            let mut network = build(&[dense(1)], 1, optimizer);
            let before = network.parameters()[0].values[0];
            let step = Step { round: 0, pace };
            network.forward(Array2::ones((1, 1)), step).unwrap();
            network.backward(Array2::ones((1, 1))).unwrap();
            before - network.parameters()[0].values[0]
        };
        assert!((moved(1.0) - 4.0 * moved(0.25)).abs() < 1e-6);
        assert!(moved(1.0) > 0.2);
        assert_eq!(moved(0.0), 0.0);
    }
}

#[test]
fn adam_has_its_usual_constants() {
    // A gradient this small tells epsilons apart.
    let gradients = [1e-6_f32, 3e-6, -2e-6];
    let seen = weights(
        Optimizer::Adam {
            learning_rate: 0.25,
        },
        &gradients,
    );
    let (mut first, mut second) = (0.0, 0.0);
    for (step, gradient) in gradients.into_iter().enumerate() {
        let gradient = f64::from(gradient);
        let time = step as i32 + 1;
        first = 0.9 * first + 0.1 * gradient;
        second = 0.999 * second + 0.001 * gradient * gradient;
        let mean = first / (1.0 - 0.9_f64.powi(time));
        let deviation = (second / (1.0 - 0.999_f64.powi(time))).sqrt();
        let expected = 0.25 * mean / (deviation + 1e-8);
        let moved = f64::from(seen[step] - seen[step + 1]);
        assert!(
            (moved - expected).abs() < 1e-4,
            "step {step}: {moved} for {expected}"
        );
    }
}
