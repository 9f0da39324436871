//! What a job leaves at a party: a half of a model, or what a model has said.
//!
//! None of it is told to anybody. A party keeps it on its own disk, and says
//! no more than counts and loss of how it came about.

mod evaluation;
mod predictions;
mod saved;

use entente_wire::Secret;

pub use self::{
    evaluation::{Evaluating, Evaluation},
    predictions::{Judged, Prediction, Predictions},
};

/// A party's encoded half of a model; wiped when dropped. Useless without the
/// other half, and secret all the same.
pub type Half = Secret<Vec<u8>>;

/// What a job leaves at a party.
#[derive(Debug)]
pub enum Product {
    /// Its half of what was trained.
    Half(Half),
    /// How good a model is.
    Evaluation(Evaluation),
    /// Which classes a model takes rows for.
    Predictions(Predictions),
    /// Nothing: it is the other side that has been answered.
    Nothing,
}
