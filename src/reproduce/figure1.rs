//! Figure 1: seconds per inference against the dimension of the input. Ours
//! encrypts the cut, 84 wide whatever comes in; logistic regression encrypts
//! the input.

use entente_protocol::job::SampleShape;

use super::{
    inference::{BATCHES, Case, How, Subjects},
    work::Unit,
};
use crate::cli::Experiment;

/// From ten by ten points to CIFAR-10's.
pub(super) const DIMENSIONS: [usize; 6] = [100, 400, 784, 1200, 2048, 3072];

/// The two lines.
pub(super) const LINES: [Subjects; 2] = [Subjects::Dense84, Subjects::Mlr];

pub(super) fn units() -> Vec<Unit> {
    let mut units = Vec::new();
    for subject in LINES {
        for dimension in DIMENSIONS {
            for batch in BATCHES {
                let case = Case {
                    subject,
                    how: How::Ours,
                    input: SampleShape::Row(dimension),
                    batch,
                };
                units.push(case.unit(Experiment::Figure1));
            }
        }
    }
    units
}
