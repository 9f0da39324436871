//! The mask itself.
use entente_wire::{Body, Mask};

fn write(mask: &Mask, body: &mut Body) {
    body.field(mask);
}

fn main() {}
