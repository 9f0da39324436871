//! The memory of a process that holds secrets stays in it.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids the system to write this process's memory to a disk when it crashes,
/// and other processes of its user to read it.
///
/// What cannot be forbidden is logged: a party that cannot be protected from its
/// own machine is the operator's decision, and no reason not to start.
pub(crate) fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!("core dumps cannot be forbidden: {error}");
    }
    // Where core dumps go to a program, the limit does not count; this does.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!("other processes of this user can read this one's memory: {error}");
        }
    }
}
