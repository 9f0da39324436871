//! Too little of something at a party.

use core::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What there may be too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Jobs at once.
    Jobs,
    /// Threads that jobs may count on.
    Threads,
    /// Bytes of memory that jobs may count on.
    Memory,
}

impl RoomKind {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 3] = [Self::Jobs, Self::Threads, Self::Memory];
}

/// Too little of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lack {
    /// Of which.
    pub kind: RoomKind,
    /// How much there is in all.
    pub most: u64,
    /// How much of it is taken.
    pub taken: u64,
    /// How much the job takes.
    pub needs: u64,
}

impl Lack {
    /// Whether it will not do however long one waits.
    pub fn for_good(&self) -> bool {
        self.needs > self.most
    }
}

/// For a person, of a party: `runs 2 jobs at most`.
impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            most,
            taken,
            needs,
        } = self;
        match kind {
            RoomKind::Jobs => return write!(f, "runs {most} jobs at most"),
            RoomKind::Threads => {
                write!(f, "has {most} threads, {taken} of them taken, of {needs}")?;
            }
            RoomKind::Memory => write!(
                f,
                "has {} MiB of memory, {} of them taken, of {}",
                mebibytes(*most),
                mebibytes(*taken),
                mebibytes(*needs)
            )?,
        }
        f.write_str(" that are needed")?;
        match self.for_good() {
            true => f.write_str(": never enough, see [resources] of the job"),
            false => Ok(()),
        }
    }
}

/// What is needed is rounded up, and so is all else.
fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
