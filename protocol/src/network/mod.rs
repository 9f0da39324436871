//! The bottom network, as the protocol knows it: something below the cut that
//! runs forward, takes a gradient, and is saved.

mod tensor;

use entente_wire::Secret;
use ndarray::Array2;
use thiserror::Error;

pub use self::tensor::NamedTensor;
use crate::{job::network::LayerError, rows::RowIds};

/// Everything below the cut, with its optimiser. Held by the active party,
/// in plain; its layers are its own matter.
pub trait BottomNetwork: Send {
    /// h: the width of the cut.
    fn width(&self) -> usize;

    /// Forward in training mode: `x` is `B x d`, the result `B x h`. Keeps
    /// what [`BottomNetwork::backward`] needs; nothing else changes before it
    /// is called.
    ///
    /// # Errors
    /// [`NetworkError`] when `x` has the wrong shape.
    fn forward(&mut self, x: Array2<f32>, step: Step) -> Result<Array2<f32>, NetworkError>;

    /// Backward through the last forward with `dL/da` (`B x h`), and one step
    /// of the optimiser.
    ///
    /// # Errors
    /// [`NetworkError`] when no forward came before or the shape differs.
    fn backward(&mut self, d_a: Array2<f32>) -> Result<(), NetworkError>;

    /// Forward in inference mode (`B x d` to `B x h`); changes nothing.
    ///
    /// # Errors
    /// [`NetworkError`] when `x` has the wrong shape.
    fn infer(&self, x: Array2<f32>) -> Result<Array2<f32>, NetworkError>;

    /// All that inference needs, in a fixed order: what was learnt, and the
    /// running statistics of batch norms. Names and shapes are those that
    /// PyTorch gives the same layers.
    fn parameters(&self) -> Vec<NamedTensor>;

    /// Everything that the next step depends on, for a checkpoint: the
    /// parameters and what the optimiser keeps. Not a forward that waits for
    /// its backward: a checkpoint is between rounds.
    fn state(&self) -> Secret<Vec<u8>>;

    /// Goes back to a state of a network of the same layers and optimiser: the
    /// same steps from there give the same bits.
    ///
    /// # Errors
    /// [`NetworkError::State`] when the state is another network's; nothing has
    /// changed then.
    fn restore(&mut self, state: &Secret<Vec<u8>>) -> Result<(), NetworkError>;
}

/// Which step of training a forward belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The round, from 0. Draws of this round (which values are dropped) hang
    /// on it, and not on how many were drawn before, so a job that is resumed
    /// draws them again.
    pub round: u64,
    /// What the optimiser's step is multiplied by, 0 to 1.
    pub pace: f64,
}

/// The features of the active party, by row.
pub trait Features: Send {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// The identities of the rows, in order; by position if they have none.
    fn ids(&self) -> RowIds {
        RowIds::numbered(self.rows())
    }

    /// What stands between these features and the data that they come from, as
    /// its maker encodes it: it is saved with the half of the model, because
    /// without it no other data can be shown to the network.
    fn preparation(&self) -> Vec<u8> {
        Vec::new()
    }

    /// The rows asked for, in that order: `B x d`.
    ///
    /// # Errors
    /// [`NetworkError::Data`] when a row cannot be read.
    fn batch(&self, rows: &[usize]) -> Result<Array2<f32>, NetworkError>;
}

/// The labels of the passive party, by row: classes from 0.
pub trait Labels: Send {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// The identities of the rows, in order; by position if they have none.
    fn ids(&self) -> RowIds {
        RowIds::numbered(self.rows())
    }

    /// The classes of the rows asked for, in that order.
    ///
    /// # Errors
    /// [`NetworkError::Data`] when a row cannot be read.
    fn batch(&self, rows: &[usize]) -> Result<Vec<usize>, NetworkError>;
}

/// What is wrong with a network or with the data that it was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A layer does not take the shape that comes to it.
    #[error(transparent)]
    Shape(#[from] LayerError),
    /// Backward without forward.
    #[error("backward was called without a forward before it; this is a defect, please report it")]
    NoForward,
    /// A saved state is no state of this network.
    #[error(
        "the saved state of the network below the cut does not fit it: {0}; it belongs to another \
         job or version"
    )]
    State(String),
    /// Weights from a file do not fit the network.
    #[error("initial weights, tensor '{name}': the network takes {takes}, the file has {got}")]
    Weights {
        /// The tensor, as PyTorch names it.
        name: String,
        /// What the network takes of that name.
        takes: String,
        /// What is there.
        got: String,
    },
    /// The data could not be had.
    #[error("{0}")]
    Data(String),
}
