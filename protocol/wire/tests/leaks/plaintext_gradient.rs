//! A gradient in the ring, not masked.
use entente_wire::{Body, RingMatrix};

struct WeightGradient(RingMatrix);

fn write(message: &WeightGradient, body: &mut Body) {
    body.field(&message.0);
}

fn main() {}
