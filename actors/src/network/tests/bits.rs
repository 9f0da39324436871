//! The same seed gives the same bits: in every run, on every thread, beside
//! whatever else the process does.

use std::thread;

use super::*;

const ADAM: Optimizer = Optimizer::Adam {
    learning_rate: 0.01,
};

/// Wide enough that a tensor library with a thread pool would split its sums.
fn large() -> Box<dyn BottomNetwork> {
    build(&[dense(256), Layer::Sigmoid], 784, ADAM)
}

/// Every kind of layer: an image of 84 values.
fn small() -> Box<dyn BottomNetwork> {
    let (input, layers) = every_kind().remove(0);
    build_on(input, &layers, sgd(0.05, 0.9))
}

fn after(steps: u64, mut network: Box<dyn BottomNetwork>, inputs: usize) -> Vec<u8> {
    let before = network.state();
    for round in 0..steps {
        train(&mut *network, inputs, 64, round);
    }
    let after = network.state();
    assert_ne!(before.expose(), after.expose());
    after.expose().clone()
}

#[test]
fn two_runs_end_in_the_same_bits() {
    assert_eq!(after(20, small(), 84), after(20, small(), 84));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let in_a_pool_of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| (after(20, small(), 84), after(4, large(), 784)))
    };
    assert_eq!(in_a_pool_of(1), in_a_pool_of(2));
}

#[test]
fn forward_and_backward_may_run_on_different_threads() {
    let mut moving = small();
    for round in 0..20 {
        let x = values(64, 84, round as u8);
        moving = thread::spawn(move || {
            moving.forward(x, step(round)).unwrap();
            moving
        })
        .join()
        .unwrap();
        moving.backward(values(64, 3, round as u8 ^ 0x80)).unwrap();
    }
    assert_eq!(*moving.state().expose(), after(20, small(), 84));
}

#[test]
fn networks_that_learn_side_by_side_do_not_disturb_each_other() {
    let alone = after(20, small(), 84);
    thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| after(20, small(), 84)))
            .collect();
        for run in runs {
            assert_eq!(run.join().unwrap(), alone);
        }
    });
}

#[test]
fn inference_and_a_forward_without_backward_change_nothing() {
    let mut disturbed = small();
    for round in 0..20 {
        disturbed
            .forward(values(3, 84, round as u8), step(round))
            .unwrap();
        disturbed.infer(values(9, 84, round as u8)).unwrap();
        train(&mut *disturbed, 84, 64, round);
    }
    assert_eq!(*disturbed.state().expose(), after(20, small(), 84));
}

#[test]
fn another_seed_gives_other_weights() {
    let blueprint = Blueprint::new(SampleShape::Row(4), &[dense(5)]).unwrap();
    let weights = |seed| Bottom::new(&blueprint, ADAM, &[seed; 32]).state();
    assert_ne!(weights(1).expose(), weights(2).expose());
}
