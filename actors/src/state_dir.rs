//! The directory for what must last, and who may use it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Holds a state directory for one party alone, for as long as it lives.
///
/// Two parties over one directory would go on with the same jobs, and write
/// what the other has deleted. The lock goes with the process, however it ends:
/// there is nothing to clean up after a crash.
#[derive(Debug)]
pub(crate) struct StateDirLock {
    _file: File,
}

impl StateDirLock {
    /// Makes the directory if it is missing, and takes it; nothing if another
    /// process has it.
    ///
    /// # Errors
    /// As the file system says.
    pub(crate) fn take(state_dir: &Path) -> io::Result<Option<Self>> {
        std::fs::create_dir_all(state_dir)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(state_dir.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
