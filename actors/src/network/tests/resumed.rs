//! A network that is saved and restored goes on as if it had not been.

use entente_wire::Secret;

use super::*;

fn optimizers() -> [Optimizer; 5] {
    [
        sgd(0.05, 0.0),
        sgd(0.05, 0.9),
        Optimizer::Sgd {
            learning_rate: 0.05,
            momentum: 0.9,
            weight_decay: 0.01,
        },
        Optimizer::Adam {
            learning_rate: 0.01,
        },
        Optimizer::Adamw {
            learning_rate: 0.01,
            weight_decay: 0.1,
        },
    ]
}

#[test]
fn after_a_restore_the_same_steps_give_the_same_bits() {
    for (input, layers) in every_kind() {
        for optimizer in optimizers() {
            let inputs = input.values();
            let steps = |network: &mut dyn BottomNetwork, rounds: std::ops::Range<u64>| {
                rounds.for_each(|round| train(network, inputs, 5, round));
            };
            let mut whole = build_on(input, &layers, optimizer);
            steps(&mut *whole, 0..7);

            let mut first = build_on(input, &layers, optimizer);
            steps(&mut *first, 0..4);
            let saved = first.state();
            let blueprint = Blueprint::new(input, &layers).unwrap();
            // Weights are the state's. (What is dropped is the seed's.)
            let mut second = Bottom::new(&blueprint, optimizer, &SEED);
            steps(&mut second, 0..2);
            second.forward(values(5, inputs, 9), step(2)).unwrap();
            second.restore(&saved).unwrap();
            assert_eq!(second.state().expose(), saved.expose());
            assert!(second.backward(values(5, whole.width(), 9)).is_err());
            steps(&mut second, 4..7);
            assert_eq!(
                second.state().expose(),
                whole.state().expose(),
                "{optimizer:?}"
            );
        }
    }
}

#[test]
fn a_state_that_is_not_this_networks_is_refused_and_changes_nothing() {
    let adam = optimizers()[3];
    let mut network = build(&[dense(3), Layer::Tanh], 4, adam);
    train(&mut *network, 4, 5, 0);
    let own = network.state();
    let refused = |network: &mut dyn BottomNetwork, state: &Secret<Vec<u8>>| {
        let error = network.restore(state).unwrap_err().to_string();
        assert_eq!(network.state().expose(), own.expose(), "{error}");
        error
    };
    let mut other = build(&[dense(4), Layer::Tanh], 4, adam);
    train(&mut *other, 4, 5, 0);
    let error = refused(&mut *network, &other.state());
    assert!(error.contains("'0.weight'"), "{error}");
    assert!(
        error.contains("[3, 4]") && error.contains("[4, 4]"),
        "{error}"
    );
    let mut deeper = build(&[dense(3), Layer::Tanh, dense(3)], 4, adam);
    assert!(refused(&mut *network, &deeper.state()).contains("'2."));
    assert!(
        deeper
            .restore(&own)
            .unwrap_err()
            .to_string()
            .contains("'2.weight'")
    );
    for cut in 0..own.expose().len() {
        refused(&mut *network, &Secret::new(own.expose()[..cut].to_vec()));
    }
    refused(&mut *network, &Secret::new(b"something else".to_vec()));
    // Another optimiser's moments.
    let mut by_sgd = build(&[dense(3), Layer::Tanh], 4, optimizers()[1]);
    train(&mut *by_sgd, 4, 5, 0);
    let error = refused(&mut *network, &by_sgd.state());
    assert!(error.contains("optimiser"), "{error}");
}
