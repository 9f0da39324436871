//! Columns of what is gathered row for row, as a checkpoint has them: how many
//! (u32), then each.

use entente_wire::{DecodeError, Encode, Reader};

/// Of each.
const BYTES: usize = 8;

fn put(values: impl ExactSizeIterator<Item = u64>, out: &mut Vec<u8>) {
    (values.len() as u32).encode(out);
    values.for_each(|value| value.encode(out));
}

/// What there are as many of as is said, before anything is allocated for them.
fn taken<'a>(
    what: &'static str,
    input: &mut Reader<'a>,
) -> Result<impl Iterator<Item = u64> + use<'a>, DecodeError> {
    let count = input.count(what, u32::MAX as usize)?;
    let bytes = input.take(what, count.saturating_mul(BYTES))?;
    let (words, _) = bytes.as_chunks::<BYTES>();
    Ok(words.iter().map(|word| u64::from_be_bytes(*word)))
}

pub(super) fn put_numbers(numbers: &[usize], out: &mut Vec<u8>) {
    put(numbers.iter().map(|number| *number as u64), out);
}

pub(super) fn numbers(
    what: &'static str,
    input: &mut Reader<'_>,
) -> Result<Vec<usize>, DecodeError> {
    // What no usize holds is past the end of everything.
    let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(taken(what, input)?.map(number).collect())
}

/// Numbers below `count`.
pub(super) fn classes(count: usize, input: &mut Reader<'_>) -> Result<Vec<usize>, DecodeError> {
    let classes = numbers("classes", input)?;
    if classes.iter().all(|class| *class < count) {
        return Ok(classes);
    }
    Err(DecodeError::Invalid {
        what: "classes",
        why: "one of them does not exist",
    })
}

pub(super) fn put_floats(floats: &[f64], out: &mut Vec<u8>) {
    put(floats.iter().map(|float| float.to_bits()), out);
}

pub(super) fn floats(what: &'static str, input: &mut Reader<'_>) -> Result<Vec<f64>, DecodeError> {
    Ok(taken(what, input)?.map(f64::from_bits).collect())
}
