//! A network between two rounds, as a checkpoint has it.
#![no_main]

use entente_actors::network;
use entente_fuzz::JOB;
use entente_wire::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut network = network::build(&JOB, &[1; 32], None).expect("the sample has a network");
    let before = network.state();
    let state = Secret::new(bytes.to_vec());
    match network.restore(&state) {
        // It says again what it was told, or it is as it was.
        Ok(()) => assert_eq!(network.state().expose(), bytes),
        Err(_) => assert_eq!(network.state().expose(), before.expose()),
    }
});
