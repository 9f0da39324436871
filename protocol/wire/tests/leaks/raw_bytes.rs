//! Bytes of unknown origin.
use entente_wire::Body;

fn write(bytes: &Vec<u8>, body: &mut Body) {
    body.field(bytes);
}

fn main() {}
