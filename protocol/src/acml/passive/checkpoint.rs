//! The passive party at rest, as bytes.
//!
//! ```text
//!   seed of masks │ course │ judge, where epochs are compared │ seed of noise, gauge
//!       │ keys of the peer │ W~ (w_P before it) │ b2
//!       │ W~ and b2 of the best epoch, where the job keeps them
//! ```

use entente_he::Scheme;
use entente_wire::{Decode, DecodeError, Encode, Reader, RingMatrix, Secret};

use super::{
    Algebra, Course, Judge, Kept, Masks, PassiveRole, PassiveSetUp, Private, Release, bias_shape,
    cut_shape,
};
use crate::{
    ProtocolError,
    acml::keys::{PeerKeys, SavedPeerKeys},
    checkpoint::{Of, option, put_option},
    job::Job,
};

fn of_job(job: &Job) -> Of {
    Of {
        role: "acml passive",
        job: job.digest(),
    }
}

pub(super) fn of<S: Scheme, A: Algebra>(role: &PassiveRole<S, A>) -> Secret<Vec<u8>> {
    // W~ and b2, twice; a gauge of two attacks on each class.
    let classes = role.job.spec().network.classes;
    let numbers = 2 * (role.cut().len() + bias_shape(&role.job).len()) + 4 * classes;
    let room = 8 * numbers + role.keys.room() + 256;
    of_job(&role.job).close(room, |out| {
        role.masks.encode(out);
        role.course.encode(out);
        if let Some(judge) = &role.judge {
            judge.encode(out);
        }
        role.release.encode(out);
        role.keys.encode(out);
        role.weights.expose().encode(out);
        role.bias.expose().encode(out);
        put_option(role.best.as_ref(), out, |kept, out| {
            kept.weights.expose().encode(out);
            kept.bias.expose().encode(out);
        });
    })
}

/// What a checkpoint says.
struct Saved<S: Scheme> {
    masks: Masks,
    course: Course,
    judge: Option<Judge>,
    release: Release,
    keys: SavedPeerKeys<S>,
    /// `W~` and `b2`.
    learnt: Kept,
    best: Option<Kept>,
}

impl<S: Scheme> Saved<S> {
    /// Of a role of this job, whose course begins as `course`.
    fn read(job: &Job, mut course: Course, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let learnt = |input: &mut Reader<'_>| {
            let matrix = |shape, input: &mut Reader<'_>| RingMatrix::decode(&shape, input);
            Ok(Kept {
                weights: Secret::new(matrix(cut_shape(job), input)?),
                bias: Secret::new(matrix(bias_shape(job), input)?),
            })
        };
        Ok(Self {
            masks: Masks::decode(&(), input)?,
            course: {
                course.resume(input)?;
                course
            },
            judge: job
                .selection()
                .map(|selection| Judge::decode(&selection, input))
                .transpose()?,
            release: Release::decode(job, input)?,
            keys: SavedPeerKeys::read(job, input)?,
            learnt: learnt(input)?,
            best: option("best epoch", input, learnt)?,
        })
    }
}

pub(super) fn resumed<S: Scheme, A: Algebra>(
    set_up: PassiveSetUp<S>,
    checkpoint: &Secret<Vec<u8>>,
) -> Result<PassiveRole<S, A>, ProtocolError> {
    let job = &set_up.job;
    let course = Course::new(job, set_up.labels.ids())?;
    let saved = of_job(job).open(checkpoint, |input| Saved::<S>::read(job, course, input))?;
    let private = Private {
        course: saved.course,
        judge: saved.judge,
        masks: saved.masks,
        weights: saved.learnt.weights,
        bias: saved.learnt.bias,
        release: saved.release,
        best: saved.best,
    };
    let keys = saved.keys;
    PassiveRole::at_rest(set_up, private, |job, backend, witness| {
        PeerKeys::restored(keys, job, backend, witness)
    })
}
