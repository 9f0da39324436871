//! Specifications of jobs, of a training and of what a model is asked, and what
//! parties and coordinator tell each other. What is legal is legal again when it is
//! written down.
#![no_main]

use entente_protocol::{
    control::{Sync, Wish},
    job::{Task, TaskSpec},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = serde_json::from_slice::<Sync>(bytes);
    let _ = serde_json::from_slice::<Wish>(bytes);
    if let Ok(spec) = serde_json::from_slice::<TaskSpec>(bytes)
        && let Ok(task) = Task::try_from(spec)
    {
        same_again(&task);
    }
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(task) = Task::from_toml(text)
    {
        same_again(&task);
    }
});

fn same_again(task: &Task) {
    let text = serde_json::to_vec(&task.spec()).expect("a specification is JSON");
    let spec: TaskSpec = serde_json::from_slice(&text).expect("what was written");
    let again = Task::try_from(spec).expect("what was legal");
    assert_eq!(again.digest(), task.digest());
}
