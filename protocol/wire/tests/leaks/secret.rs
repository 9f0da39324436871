//! A secret, wrapped as one.
use entente_wire::{Body, RingMatrix, Secret};

fn write(share: &Secret<RingMatrix>, body: &mut Body) {
    body.field(share);
}

fn main() {}
