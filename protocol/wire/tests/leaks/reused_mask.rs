//! One mask taken off two values: their difference would show.
use entente_wire::{Mask, Masked, RingMatrix};

fn twice(first: Masked, second: Masked, mask: Mask) -> (RingMatrix, RingMatrix) {
    (first.remove(mask), second.remove(mask))
}

fn main() {}
