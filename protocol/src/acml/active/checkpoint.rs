//! The active party at rest, as bytes.
//!
//! ```text
//!   seed of masks │ course │ keys │ E │ w_A + E0, until it is sent │ bottom network
//!       │ E and bottom network of the best epoch, where the job keeps them
//! ```

use entente_he::Scheme;
use entente_wire::{Decode, DecodeError, Encode, Reader, RingMatrix, Secret, Share};

use super::{ActiveRole, ActiveSetUp, Algebra, Course, Kept, Masks, Private, cut_shape};
use crate::{
    ProtocolError,
    acml::keys::{OwnKeys, SavedKeys},
    checkpoint::{Of, bytes, option, put_bytes, put_option},
    job::Job,
};

fn of_job(job: &Job) -> Of {
    Of {
        role: "acml active",
        job: job.digest(),
    }
}

pub(super) fn of<S: Scheme, A: Algebra>(role: &ActiveRole<S, A>) -> Secret<Vec<u8>> {
    let (keys_room, put_keys) = role.keys.saved();
    let bottom = role.bottom.state();
    let kept = role.best.as_ref();
    let kept_bytes = kept.map_or(0, |kept| kept.bottom.expose().len());
    // E, what is given of it, and E of the best epoch.
    let matrices = 3 * (8 * role.cut().len() + 8);
    let room = keys_room + bottom.expose().len() + kept_bytes + matrices + 128;
    of_job(&role.job).close(room, |out| {
        role.masks.encode(out);
        role.course.encode(out);
        put_keys(out);
        role.share.expose().encode(out);
        put_option(role.given.as_ref(), out, Encode::encode);
        put_bytes(&bottom, out);
        put_option(kept, out, |kept, out| {
            kept.share.expose().encode(out);
            put_bytes(&kept.bottom, out);
        });
    })
}

/// What a checkpoint says.
struct Saved {
    masks: Masks,
    course: Course,
    keys: SavedKeys,
    share: Secret<RingMatrix>,
    given: Option<Share>,
    bottom: Secret<Vec<u8>>,
    best: Option<Kept>,
}

impl Saved {
    /// Of a role of this job, whose course begins as `course`.
    fn read(job: &Job, mut course: Course, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let cut = cut_shape(job);
        let matrix = |input: &mut Reader<'_>| RingMatrix::decode(&cut, input).map(Secret::new);
        Ok(Self {
            masks: Masks::decode(&(), input)?,
            course: {
                course.resume(input)?;
                course
            },
            keys: SavedKeys::read(job, input)?,
            share: matrix(input)?,
            given: option("share to give", input, |input| Share::decode(&cut, input))?,
            bottom: bytes("bottom network", input)?,
            best: option("best epoch", input, |input| {
                Ok(Kept {
                    share: matrix(input)?,
                    bottom: bytes("bottom network", input)?,
                })
            })?,
        })
    }
}

pub(super) fn resumed<S: Scheme, A: Algebra>(
    mut set_up: ActiveSetUp<S>,
    checkpoint: &Secret<Vec<u8>>,
) -> Result<ActiveRole<S, A>, ProtocolError> {
    let job = &set_up.job;
    let course = Course::new(job, set_up.features.ids())?;
    let saved = of_job(job).open(checkpoint, |input| Saved::read(job, course, input))?;
    set_up.bottom.restore(&saved.bottom)?;
    let Saved {
        masks,
        course,
        share,
        given,
        best,
        keys,
        ..
    } = saved;
    let private = Private {
        course,
        masks,
        share,
        given,
        best,
    };
    let backend = set_up.backend.clone();
    ActiveRole::at_rest(set_up, private, |job, next_keys, witness| {
        OwnKeys::restored(keys, job, &*backend, next_keys, witness)
    })
}
