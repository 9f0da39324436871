//! Activations as the network made them.
use entente_wire::Body;
use ndarray::Array2;

fn write(activations: &Array2<f32>, body: &mut Body) {
    body.field(activations);
}

fn main() {}
