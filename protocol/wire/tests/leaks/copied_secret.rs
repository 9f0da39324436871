//! A second copy of a secret, to send one of them elsewhere.
use entente_wire::{RingMatrix, Secret};

fn copy(secret: &Secret<RingMatrix>) -> Secret<RingMatrix> {
    Secret::clone(secret)
}

fn main() {}
