//! The active party at rest, as bytes.
//!
//! ```text
//!   seed of masks │ course │ secret key │ E │ w_A + E0, until it is sent │ bottom network
//!       │ E and bottom network of the best epoch, where the job keeps them
//! ```

use entente_he::Scheme;
use entente_wire::{Decode, DecodeError, Encode, Reader, RingMatrix, Secret, Shape, Share};

use super::{ActiveRole, ActiveSetUp, Algebra, Course, Kept, Masks, Private, cut_shape};
use crate::{
    ProtocolError,
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
    let (key, bottom) = (role.owner.secret_key(), role.bottom.state());
    let kept = role.best.as_ref();
    let kept_bytes = kept.map_or(0, |kept| kept.bottom.expose().len());
    // E, what is given of it, and E of the best epoch.
    let matrices = 3 * (8 * role.cut().len() + 8);
    let room = key.expose().len() + bottom.expose().len() + kept_bytes + matrices + 128;
    of_job(&role.job).close(room, |out| {
        role.masks.encode(out);
        role.course.encode(out);
        put_bytes(&key, out);
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
    key: Secret<Vec<u8>>,
    share: Secret<RingMatrix>,
    given: Option<Share>,
    bottom: Secret<Vec<u8>>,
    best: Option<Kept>,
}

impl Saved {
    /// Of a role whose course begins as `course`.
    fn read(mut course: Course, cut: Shape, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let matrix = |input: &mut Reader<'_>| RingMatrix::decode(&cut, input).map(Secret::new);
        Ok(Self {
            masks: Masks::decode(&(), input)?,
            course: {
                course.resume(input)?;
                course
            },
            key: bytes("secret key", input)?,
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
    let saved = of_job(job).open(checkpoint, |input| {
        Saved::read(course, cut_shape(job), input)
    })?;
    let owner = set_up
        .backend
        .restore(job.key_bits(), &saved.key, job.bounds())?;
    set_up.bottom.restore(&saved.bottom)?;
    let Saved {
        masks,
        course,
        share,
        given,
        best,
        ..
    } = saved;
    let private = Private {
        course,
        masks,
        owner,
        share,
        given,
        best,
    };
    Ok(ActiveRole::at_rest(set_up, private))
}
