//! What several targets need: a job, a network and rows without content, the
//! outside of a checkpoint.

use std::sync::LazyLock;

use entente_protocol::{
    job::Job,
    network::{BottomNetwork, Features, Labels, NamedTensor, NetworkError, Step},
};
use entente_wire::{Digest, Encode, Secret};
use ndarray::Array2;

/// Rows of a made-up table.
pub const ROWS: usize = 150;

/// The sample.
pub static JOB: LazyLock<Job> = LazyLock::new(|| {
    Job::from_toml(include_str!("../../../deploy/iris.toml")).expect("the sample is a job")
});

/// The job whose messages are committed as vectors, with keys of 512 bits.
pub static SMALL: LazyLock<Job> = LazyLock::new(|| {
    let text = "name = \"case\"\nparties = { active = \"a\", passive = \"p\" }\n\
         data = { dataset = \"made-up\", test_fraction = 0.2, validation_fraction = 0.25 }\n\
         [network]\ninputs = 3\nclasses = 2\n\
         bottom = [{ kind = \"dense\", units = 2 }, { kind = \"tanh\" }]\n\
         [training]\nepochs = 1\nbatch_size = 3\nlearning_rate = 0.5\nseed = 1\n\
         keep = \"best\"\nbottom = { optimizer = \"sgd\", learning_rate = 0.1 }\n";
    let job = Job::from_toml(text).expect("it is a job");
    job.with_insecure_key(512)
});

/// Nothing below the cut, and rows without content: none is looked at.
pub struct Nothing;

impl BottomNetwork for Nothing {
    fn width(&self) -> usize {
        JOB.width()
    }

    fn forward(&mut self, x: Array2<f32>, _: Step) -> Result<Array2<f32>, NetworkError> {
        Ok(x)
    }

    fn backward(&mut self, _: Array2<f32>) -> Result<(), NetworkError> {
        Ok(())
    }

    fn infer(&self, x: Array2<f32>) -> Result<Array2<f32>, NetworkError> {
        Ok(x)
    }

    fn parameters(&self) -> Vec<NamedTensor> {
        Vec::new()
    }

    fn state(&self) -> Secret<Vec<u8>> {
        Secret::new(Vec::new())
    }

    fn restore(&mut self, state: &Secret<Vec<u8>>) -> Result<(), NetworkError> {
        match state.expose().is_empty() {
            true => Ok(()),
            false => Err(NetworkError::State("it has none".into())),
        }
    }
}

impl Features for Nothing {
    fn rows(&self) -> usize {
        ROWS
    }

    fn batch(&self, rows: &[usize]) -> Result<Array2<f32>, NetworkError> {
        Ok(Array2::zeros((rows.len(), JOB.width())))
    }
}

impl Labels for Nothing {
    fn rows(&self) -> usize {
        ROWS
    }

    fn batch(&self, rows: &[usize]) -> Result<Vec<usize>, NetworkError> {
        Ok(vec![0; rows.len()])
    }
}

/// What every checkpoint of a role begins with.
pub fn checkpoint_head(role: &str, of: Digest) -> Vec<u8> {
    let mut head = b"entente checkpoint".to_vec();
    1_u16.encode(&mut head);
    (role.len() as u32).encode(&mut head);
    head.extend_from_slice(role.as_bytes());
    of.encode(&mut head);
    head
}

/// A checkpoint that was changed and closed again by whoever changed it: the digest
/// at its end would end every try otherwise.
pub fn closed(mut checkpoint: Vec<u8>) -> Secret<Vec<u8>> {
    Digest::of("entente checkpoint", &[&checkpoint]).encode(&mut checkpoint);
    Secret::new(checkpoint)
}
