//! Files of initial weights: safetensors, and state dicts of PyTorch.
//!
//! The first byte says which; a file is read by its path.
#![no_main]

use std::{fs, path::Path};

use entente_actors::network::weights;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

fn load(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("room");
    let Ok(tensors) = weights::load(path) else {
        return;
    };
    for tensor in &tensors {
        assert!(tensor.values.iter().all(|value| value.is_finite()));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    // Gone with everything in it, unless this ends the process.
    let folder = TempDir::new().expect("a folder");
    let name = if kind % 2 == 0 {
        "w.safetensors"
    } else {
        "w.pt"
    };
    load(&folder.path().join(name), bytes);
});
