//! The same kernels for a processor that a program plays.
//!
//! Most machines lack the instructions, those that test this workspace among
//! them. So whatever is written for the vectors is compiled twice: the same
//! files, once over the processor's vectors and once over those of
//! [`vector`], eight words and plain arithmetic. It is slow, and exists for
//! tests alone.

/// What needs no instructions.
macro_rules! kernel {
    ($($item:item)*) => { $($item)* };
}

#[allow(clippy::duplicate_mod)]
#[path = "karatsuba.rs"]
mod karatsuba;
#[allow(clippy::duplicate_mod)]
#[path = "scan.rs"]
mod scan;
#[allow(clippy::duplicate_mod)]
#[path = "straight.rs"]
#[rustfmt::skip]
mod straight;

pub(super) use karatsuba::{multiply, square};
pub(super) use scan::{block, each};
pub(super) use straight::reduce;

/// What `vector.rs` has of the processor, word by word.
mod vector {
    use core::{array::from_fn, cell::Cell};

    use crate::engine::{
        ifma::{LIMB, LIMB_MAX},
        line::Line,
    };

    #[derive(Clone, Copy)]
    pub(super) struct Vector([u64; 8]);
    #[derive(Clone, Copy)]
    pub(super) struct Lanes([bool; 8]);

    pub(super) fn load(line: &Line) -> Vector {
        Vector(line.0)
    }

    pub(super) fn peek(line: &Cell<Line>) -> Vector {
        Vector(line.get().0)
    }

    pub(super) fn poke(line: &Cell<Line>, value: Vector) {
        line.set(Line(value.0));
    }

    pub(super) fn store(line: &mut Line, value: Vector) {
        line.0 = value.0;
    }

    pub(super) fn spread(word: u64) -> Vector {
        Vector([word; 8])
    }

    /// As the processor does, of factors the lowest 52 bits.
    fn product(a: u64, b: u64) -> u128 {
        u128::from(a & LIMB_MAX) * u128::from(b & LIMB_MAX)
    }

    pub(super) fn lo(c: Vector, a: Vector, b: Vector) -> Vector {
        let low = |i: usize| product(a.0[i], b.0[i]) as u64 & LIMB_MAX;
        Vector(from_fn(|i| c.0[i].wrapping_add(low(i))))
    }

    pub(super) fn hi(c: Vector, a: Vector, b: Vector) -> Vector {
        let high = |i: usize| (product(a.0[i], b.0[i]) >> LIMB) as u64;
        Vector(from_fn(|i| c.0[i].wrapping_add(high(i))))
    }

    pub(super) fn add(a: Vector, b: Vector) -> Vector {
        Vector(from_fn(|i| a.0[i].wrapping_add(b.0[i])))
    }

    pub(super) fn sub(a: Vector, b: Vector) -> Vector {
        Vector(from_fn(|i| a.0[i].wrapping_sub(b.0[i])))
    }

    pub(super) fn and(a: Vector, b: Vector) -> Vector {
        Vector(from_fn(|i| a.0[i] & b.0[i]))
    }

    pub(super) fn carried(a: Vector) -> Vector {
        Vector(a.0.map(|a| (a.cast_signed() >> LIMB).cast_unsigned()))
    }

    pub(super) fn sixteenths(a: Vector) -> Vector {
        Vector(a.0.map(|a| a >> 4))
    }

    pub(super) fn equal(a: Vector, b: Vector) -> Lanes {
        Lanes(from_fn(|i| a.0[i] == b.0[i]))
    }

    pub(super) fn choose(set: Lanes, then: Vector, otherwise: Vector) -> Vector {
        Vector(from_fn(
            |i| if set.0[i] { then.0[i] } else { otherwise.0[i] },
        ))
    }

    pub(super) fn look_up_8(words: Vector, indices: Vector) -> Vector {
        Vector(indices.0.map(|i| words.0[i as usize % 8]))
    }

    pub(super) fn look_up_16([low, high]: [Vector; 2], indices: Vector) -> Vector {
        let words = [low.0, high.0];
        Vector(
            indices
                .0
                .map(|i| words[i as usize % 16 / 8][i as usize % 8]),
        )
    }
}
