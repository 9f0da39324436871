//! What of Delta is released in B3: blurred, watched, and held to the job's
//! bound. See [`crate::privacy`].

use entente_wire::{Decode, DecodeError, Encode, Reader, Secret};
use ndarray::Array2;

use super::weights::{Purpose, private_seed};
use crate::{
    ProtocolError,
    job::Job,
    privacy::{Gauge, Leak, Noise},
};

/// The noise that a job asks for, from the seed of the party with the labels.
pub(super) fn noise(weight_seed: &Secret<[u8; 32]>, job: &Job) -> Option<Noise> {
    let seed = || private_seed(weight_seed, job, Purpose::Noise);
    job.spec().privacy.defence.map(|d| Noise::new(d, seed()))
}

/// The last gate before B3.
pub(super) struct Release {
    noise: Option<Noise>,
    /// What the epoch's released gradients tell, so far.
    gauge: Gauge,
    max_leak_auc: Option<f64>,
}

impl Release {
    pub(super) fn new(weight_seed: &Secret<[u8; 32]>, job: &Job) -> Self {
        Self {
            noise: noise(weight_seed, job),
            gauge: Gauge::new(job.spec().network.classes),
            max_leak_auc: job.spec().privacy.max_leak_auc,
        }
    }

    /// What of an exchange's Delta (`B x c`) goes into B3.
    pub(super) fn blur(&self, delta: Array2<f64>, labels: &[usize], exchange: u64) -> Array2<f64> {
        match &self.noise {
            None => delta,
            Some(noise) => noise.blurred(&delta, labels, exchange),
        }
    }

    /// Takes note of what is about to be released.
    pub(super) fn watch(&mut self, released: &Array2<f64>, labels: &[usize]) {
        self.gauge.observe(released, labels);
    }

    /// Holds all that an epoch releases against the job's bound: what it tells,
    /// where that can be said.
    ///
    /// # Errors
    /// [`ProtocolError::LeakBound`].
    pub(super) fn end_epoch(&mut self, epoch: u32) -> Result<Option<Leak>, ProtocolError> {
        let leak = self.gauge.finish();
        match (leak.map(Leak::worst), self.max_leak_auc) {
            (Some(auc), Some(bound)) if auc > bound => {
                Err(ProtocolError::LeakBound { epoch, auc, bound })
            }
            _ => Ok(leak),
        }
    }
}

/// Where the noise comes from, and what the epoch has released. What they are
/// held to is the job's.
impl Encode for Release {
    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(noise) = &self.noise {
            noise.encode(out);
        }
        self.gauge.encode(out);
    }
}

impl Decode<Job> for Release {
    fn decode(job: &Job, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let defence = job.spec().privacy.defence;
        let noise = defence.map(|defence| Noise::decode(&defence, input));
        Ok(Self {
            noise: noise.transpose()?,
            gauge: Gauge::decode(&job.spec().network.classes, input)?,
            max_leak_auc: job.spec().privacy.max_leak_auc,
        })
    }
}
