//! What is dropped hangs on the round, and on nothing else that happened.

use super::*;

fn network() -> Box<dyn BottomNetwork> {
    build(&[Layer::Dropout { rate: 0.5 }], 40, sgd(0.1, 0.0))
}

fn dropped(network: &mut dyn BottomNetwork, round: u64) -> Vec<bool> {
    let a = network.forward(Array2::ones((2, 40)), step(round)).unwrap();
    a.iter().map(|a| *a == 0.0).collect()
}

#[test]
fn a_round_drops_the_same_whenever_it_is_run() {
    let mut network = network();
    let first = dropped(&mut *network, 9);
    for round in 0..9 {
        assert_ne!(dropped(&mut *network, round), first);
    }
    assert_eq!(dropped(&mut *network, 9), first);
}

#[test]
fn two_layers_drop_apart() {
    let layers = [Layer::Dropout { rate: 0.5 }, Layer::Dropout { rate: 0.5 }];
    let mut both = build(&layers, 400, sgd(0.1, 0.0));
    let a = both.forward(Array2::ones((1, 400)), ANY).unwrap();
    let kept = a.iter().filter(|a| **a != 0.0).count();
    // A quarter, where the same mask twice would leave half.
    assert!((60..140).contains(&kept), "{kept}");
}
