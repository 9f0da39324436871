//! The machine below a service: disk, memory, who may enter the state directory.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::finding::Finding;
use crate::output;

const MIB: u64 = 1 << 20;
/// Below this a journal of a large job may not find room.
const LITTLE_DISK_BYTES: u64 = 1024 * MIB;
/// Below this none does.
const NO_DISK_BYTES: u64 = 64 * MIB;
/// Below this a large batch may end the process.
const LITTLE_MEMORY_BYTES: u64 = 512 * MIB;

/// Looks at the directory for what must last.
pub(super) fn disk(state_dir: &Path, key: &str, out: &mut Vec<Finding>) {
    let shown = state_dir.display();
    let there = state_dir.ancestors().find(|path| path.is_dir());
    // An empty path is the current directory's.
    let there = there.unwrap_or(Path::new("."));
    match rustix::fs::statvfs(there) {
        Ok(disk) => out.push(judge_disk(
            key,
            &shown.to_string(),
            disk.f_bavail.saturating_mul(disk.f_frsize),
        )),
        Err(error) => out.push(Finding::failure(
            "disk",
            format!("{shown}: {error}"),
            format!("see to {key}"),
        )),
    }
    let Ok(metadata) = fs::metadata(state_dir) else {
        return out.push(Finding::ok(
            "state directory",
            format!("{shown} is not there, and is made at the first start"),
        ));
    };
    let mode = metadata.permissions().mode() & 0o777;
    out.push(judge_mode(&shown.to_string(), mode));
}

/// Whether there is room.
pub(super) fn judge_disk(key: &str, shown: &str, free_bytes: u64) -> Finding {
    let seen = format!("{} free below {shown}", output::bytes(free_bytes as f64));
    let remedy = format!("make room, or move {key}");
    match free_bytes {
        ..NO_DISK_BYTES => Finding::failure("disk", seen, remedy),
        NO_DISK_BYTES..LITTLE_DISK_BYTES => Finding::warning("disk", seen, remedy),
        _ => Finding::ok("disk", seen),
    }
}

/// Who may change what lies there.
pub(super) fn judge_mode(shown: &str, mode: u32) -> Finding {
    let seen = format!("{shown} has mode {mode:03o}");
    match mode & 0o022 {
        0 => Finding::ok("state directory", seen),
        _ => Finding::failure(
            "state directory",
            format!("{seen}: others can put files there and take them away"),
            format!("chmod 700 {shown}"),
        ),
    }
}

/// Looks at memory, beside what jobs may count on.
pub(super) fn memory(promised_bytes: Option<u64>, out: &mut Vec<Finding>) {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of = |key| meminfo_bytes(&text, key);
    match of("MemTotal").zip(of("MemAvailable")) {
        Some((total, available)) => out.push(judge_memory(total, available, promised_bytes)),
        None => out.push(Finding::warning(
            "memory",
            "/proc/meminfo says nothing",
            "see for yourself that there is enough",
        )),
    }
}

/// A line of `/proc/meminfo`: `MemTotal:       16384 kB`.
pub(super) fn meminfo_bytes(text: &str, key: &str) -> Option<u64> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.into_iter().find(|(name, _)| *name == key)?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Whether there is enough.
pub(super) fn judge_memory(total: u64, available: u64, promised: Option<u64>) -> Finding {
    let shown = |bytes| output::bytes(bytes as f64);
    let seen = format!("{} of {} available", shown(available), shown(total));
    match promised {
        Some(promised) if promised > total => Finding::failure(
            "memory",
            format!("{seen}, and jobs may count on {}", shown(promised)),
            "lower [party] job_memory_bytes, or add memory",
        ),
        _ if available < LITTLE_MEMORY_BYTES => {
            Finding::warning("memory", seen, "end what else runs here, or add memory")
        }
        Some(promised) => Finding::ok(
            "memory",
            format!("{seen}; jobs may count on {}", shown(promised)),
        ),
        None => Finding::ok("memory", seen),
    }
}
