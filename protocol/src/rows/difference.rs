//! That the rows of both sides are not the same.

use core::fmt;

/// Up to so many ids a side it is counted how many are missing. (Each side then
/// computes for a few minutes on two cores, and holds three sets of points, 0.6
/// GB, for a while.)
pub const MAX_COUNTED_IDS: u64 = 1_000_000;

/// The parties do not have the same rows in the same order. Fit for the job's
/// record: counts alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsDiffer {
    /// Rows on this side.
    pub here: u64,
    /// Rows on the other.
    pub there: u64,
    /// What is known of those that both have.
    pub common: Common,
}

/// What is known of the ids that both sides have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Common {
    /// Rows are matched by position, and have no ids.
    ByPosition,
    /// There are too many to count.
    NotCounted,
    /// So many.
    Counted(u64),
}

impl fmt::Display for RowsDiffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            here,
            there,
            common,
        } = *self;
        match common {
            Common::ByPosition => write!(
                f,
                "the parties' datasets do not list the same samples: {here} rows here, {there} \
                 there; they are matched by position: give both sides the same samples, or ids \
                 and data.match_on"
            ),
            Common::NotCounted => write!(
                f,
                "the parties' datasets do not list the same samples: {here} ids here, {there} \
                 there; how many are missing is not counted above {MAX_COUNTED_IDS}: give both \
                 sides the same samples"
            ),
            Common::Counted(common) if common == here && common == there => write!(
                f,
                "the parties' datasets list the same {here} ids, in another order: sort both, or \
                 set data.order = \"by_id\" in the job"
            ),
            Common::Counted(common) => write!(
                f,
                "the parties' datasets do not list the same samples: {here} ids here, {there} \
                 there; {} of the other side's are missing on this side, and {} of this side's on \
                 the other: give both sides the same samples",
                there.saturating_sub(common),
                here.saturating_sub(common),
            ),
        }
    }
}

impl core::error::Error for RowsDiffer {}
