//! The folder of a run: what was measured, unit by unit, as it came.
//!
//! ```text
//!   DIR/settings.json      what the figures hang on
//!   DIR/units.jsonl        a line for each finished unit
//!   DIR/report.md, .json   written anew whenever a run ends
//!   DIR/figures/*.svg, .png
//! ```
//!
//! A line is appended whole and synced before the next unit begins. A run that
//! is killed leaves at most the beginning of a line, which a later run takes
//! away, and does that unit again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{settings::Settings, unit::Finished};
use crate::exit::Failure;

const SETTINGS: &str = "settings.json";
const UNITS: &str = "units.jsonl";

/// What to do with a folder that has results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Leave it alone.
    Refuse,
    /// Go on from the last finished unit.
    Resume,
    /// Begin anew, and throw away what it has.
    Restart,
}

/// The folder of a run.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    finished: Vec<Finished>,
}

impl Folder {
    /// Opens the folder for a run under `settings`.
    ///
    /// # Errors
    /// [`Failure::Configuration`] when it has results and nothing was said of
    /// them, or when they were measured under other settings.
    pub(super) fn open(path: &Path, settings: &Settings, found: Found) -> Result<Self, Failure> {
        let complain = |error: io::Error| Failure::Runtime(format!("{}: {error}", path.display()));
        fs::create_dir_all(path).map_err(complain)?;
        let begun = recorded(&path.join(SETTINGS))?;
        let mut finished = match found {
            Found::Restart => Vec::new(),
            _ => lines(&path.join(UNITS))?,
        };
        match (begun, found) {
            (Some(_), Found::Refuse) if !finished.is_empty() => {
                return Err(Failure::Configuration(format!(
                    "{} has the results of a run: go on with it (--resume), throw them away \
                     (--restart), or name another folder (--out)",
                    path.display()
                )));
            }
            (Some(there), Found::Resume) => {
                let differences = there.differences(settings);
                if !differences.is_empty() {
                    return Err(Failure::Configuration(format!(
                        "{} cannot be gone on with, since it was begun under other settings: {}. \
                         Say the same, throw its results away (--restart), or name another \
                         folder (--out)",
                        path.display(),
                        differences.join("; ")
                    )));
                }
            }
            _ => {
                finished.clear();
                match fs::remove_file(path.join(UNITS)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(complain(error));
                    }
                    _ => {}
                }
                let text = serde_json::to_string_pretty(settings).map_err(Failure::runtime)?;
                whole(&path.join(SETTINGS), (text + "\n").as_bytes())?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            finished,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is finished, in the order in which it came.
    pub(super) fn finished(&self) -> &[Finished] {
        &self.finished
    }

    /// Whether the unit of this name is.
    pub(super) fn has(&self, unit: &str) -> bool {
        self.finished.iter().any(|finished| finished.unit == unit)
    }

    /// Takes a finished unit in, on disk before it returns.
    pub(super) fn add(&mut self, finished: Finished) -> Result<(), Failure> {
        let path = self.path.join(UNITS);
        let append = || -> io::Result<()> {
            let mut line = serde_json::to_vec(&finished)?;
            line.push(b'\n');
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(&line)?;
            file.sync_data()
        };
        append().map_err(|error| Failure::Runtime(format!("{}: {error}", path.display())))?;
        self.finished.push(finished);
        Ok(())
    }
}

/// The settings of a run that was begun.
fn recorded(path: &Path) -> Result<Option<Settings>, Failure> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Runtime(format!("{}: {error}", path.display()))),
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            Failure::Configuration(format!(
                "{}: no settings of this version ({error}): name another folder (--out)",
                path.display()
            ))
        }),
    }
}

/// The lines of a file, of which the last may have been cut off; that one is
/// taken away.
fn lines(path: &Path) -> Result<Vec<Finished>, Failure> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|error| Failure::Runtime(format!("{}: {error}", path.display())))?,
    };
    let end = text.rfind('\n').map_or(0, |last| last + 1);
    if end < text.len() {
        let cut = || File::options().write(true).open(path)?.set_len(end as u64);
        cut().map_err(|error| Failure::Runtime(format!("{}: {error}", path.display())))?;
    }
    let lines = text.get(..end).unwrap_or_default().lines().zip(1..);
    lines
        .map(|(line, number)| {
            serde_json::from_str(line).map_err(|error| {
                Failure::Configuration(format!(
                    "{}, line {number}: {error}; take the line away, or begin anew (--restart)",
                    path.display()
                ))
            })
        })
        .collect()
}

/// Writes a file whole, or not at all.
pub(super) fn whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let partial = path.with_added_extension("partial");
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(|error| Failure::Runtime(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::reproduce::{settings::tests::settings, unit::tests::finished};

    #[test]
    fn a_run_goes_on_from_its_last_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(dir.path(), &settings(), Found::Refuse).unwrap();
        folder.add(finished("a")).unwrap();
        folder.add(finished("b")).unwrap();
        let units = dir.path().join(UNITS);
        let text = fs::read_to_string(&units).unwrap();
        // Killed while it wrote the second.
        fs::write(&units, &text[..text.len() - 7]).unwrap();
        let mut folder = Folder::open(dir.path(), &settings(), Found::Resume).unwrap();
        assert!(folder.has("a") && !folder.has("b"));
        folder.add(finished("b")).unwrap();
        assert_eq!(fs::read_to_string(&units).unwrap(), text);
        let folder = Folder::open(dir.path(), &settings(), Found::Resume).unwrap();
        assert_eq!(folder.finished(), [finished("a"), finished("b")]);
    }

    #[test]
    fn results_are_not_touched_unless_it_is_said_how() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(dir.path(), &settings(), Found::Refuse).unwrap();
        folder.add(finished("a")).unwrap();
        let refused = Folder::open(dir.path(), &settings(), Found::Refuse).unwrap_err();
        let said = refused.to_string();
        for way in ["--resume", "--restart", "--out"] {
            assert!(said.contains(way), "{said}");
        }
        let folder = Folder::open(dir.path(), &settings(), Found::Restart).unwrap();
        assert!(folder.finished().is_empty());
        let folder = Folder::open(dir.path(), &settings(), Found::Resume).unwrap();
        assert!(folder.finished().is_empty());
    }

    #[test]
    fn other_settings_are_refused_and_named() {
        let dir = tempfile::tempdir().unwrap();
        Folder::open(dir.path(), &settings(), Found::Refuse).unwrap();
        let mut other = settings();
        other.key_bits = 3072;
        let refused = Folder::open(dir.path(), &other, Found::Resume).unwrap_err();
        assert!(matches!(refused, Failure::Configuration(_)));
        let said = refused.to_string();
        assert!(said.contains("--key-bits 2048 there, 3072 now"), "{said}");
        assert!(Folder::open(dir.path(), &other, Found::Restart).is_ok());
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let dir = tempfile::tempdir().unwrap();
        Folder::open(dir.path(), &settings(), Found::Refuse).unwrap();
        fs::write(dir.path().join(UNITS), "{}\n").unwrap();
        let refused = Folder::open(dir.path(), &settings(), Found::Resume).unwrap_err();
        assert!(refused.to_string().contains("line 1"), "{refused}");
    }
}
