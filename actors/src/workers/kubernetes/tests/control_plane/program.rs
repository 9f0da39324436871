//! A program that runs as long as whoever has started it.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

/// Ends the program when its own input closes, which it does however the test ends.
const WHILE_OPEN: &str = r#"exec 3<&0
"$@" 3<&- </dev/null &
program=$!
{ cat; kill -KILL $program; } <&3 >/dev/null 2>&1 &
wait $program"#;

/// A process, its log beside what it keeps.
pub(crate) struct Program {
    child: Child,
    open: Option<ChildStdin>,
    log: PathBuf,
}

impl Program {
    /// Starts it; what it says goes to a file of its name in `folder`.
    pub(crate) fn start<S: AsRef<OsStr>>(
        path: &Path,
        folder: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        let name = path.file_name().unwrap().to_str().unwrap();
        let log = folder.join(format!("{name}.log"));
        let file = fs::OpenOptions::new().create(true).append(true).open(&log);
        let file = file.unwrap();
        let mut child = Command::new("sh")
            .args(["-c", WHILE_OPEN, "sh"])
            .arg(path)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let open = child.stdin.take();
        Self { child, open, log }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The last of what it has said.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(20)..].join("\n");
        format!("{}:\n{last}", self.log.display())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.open.take());
        let _ = self.child.wait();
    }
}
