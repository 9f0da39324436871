//! Products of long numbers from three products of their halves (Karatsuba).
//!
//! With a = a1 X + a0, b = b1 X + b0 and X = 2^(52 h), for h = k / 2 limbs:
//!
//! ```text
//!   a b = a1 b1 X^2 + ((a1 + a0)(b1 + b0) - a1 b1 - a0 b0) X + a0 b0
//!
//!   columns    0         h         2h        3h        4h
//!              |      a0 b0        |      a1 b1        |
//!                        | middle, less both |
//! ```
//!
//! Three quarters of the multiply-adds are left, for passes over the limbs that
//! cost about seven cycles of a multiplication's 2 k^2 for each of k limbs.
//!
//! A sum of two limbs has 53 bits, of which the processor multiplies 52. So
//! the sums are carried, and what goes beyond h limbs is a bit t of each lane:
//! a1 + a0 = t X + s, with s of h limbs. The product of the sums is
//!
//! ```text
//!   (t X + s)(u X + v) = s v + (t v + u s) X + t u X^2
//! ```
//!
//! where t and u select what is added and are branched on by nobody. The
//! difference of halves instead of the sum was refused: it needs the sign of
//! each lane and a second pass that negates.
//!
//! The halves' products are made of halves in turn, down to those of less than
//! [`FROM`] limbs: three levels for k = 160.
//!
//! **Columns stay within their 64 bits.** Count in 2^52. Without halves, a
//! column of a product of b limbs is in [0, 2 b]. With them it is one column of
//! the low or the high product and one of the middle, less one of the low and
//! one of the high; in the middle also v, s and t u X^2 are added, 3 at most (the
//! last as 2^52 in the last column, for want of a next one). So from [-l, u] a
//! level makes [-2 l - 2 u, 2 u + 2 l + 3]:
//!
//! ```text
//!   b limbs      0            2 b
//!   2 b        - 4 b          4 b +  3
//!   4 b       - 16 b -  6    16 b +  9
//!   8 b       - 64 b - 30    64 b + 33       1313 for b = 20, k = 160
//! ```
//!
//! The reduction adds at most 2 k = 320 and a carry, and 1634 is below the 2048
//! that a signed word has room for. Columns below zero are no matter: only what
//! they stand for together is not negative, and the reduction carries with
//! their sign.

use super::{
    straight::{self, TILE},
    vector::{Vector, add, and, carried, load, spread, store, sub},
};
use crate::engine::{
    ifma::{LIMB_MAX, cells},
    line::Line,
};

/// From how many limbs on halves are worth their passes.
const FROM: usize = 40;

/// The limbs of each half, if the halves are tiled.
pub(in crate::engine::ifma) fn half(k: usize) -> Option<usize> {
    (k >= FROM && k.is_multiple_of(2 * TILE)).then_some(k / 2)
}

kernel! {
    /// The first 2 k lines of `scratch` <- a * b as columns that are not
    /// carried yet, for a and b of k limbs; 2 k more lines are worked in.
    pub(in crate::engine::ifma) fn multiply(scratch: &mut [Line], a: &[Line], b: &[Line]) {
        let (columns, room) = scratch.split_at_mut(2 * a.len());
        multiply_within(columns, room, a, b);
    }

    /// `columns` <- a * b, by halves as long as that is worth it.
    fn multiply_within(columns: &mut [Line], room: &mut [Line], a: &[Line], b: &[Line]) {
        let Some(h) = half(a.len()) else {
            return straight::multiply(cells(columns), a, b);
        };
        let (low, high) = columns.split_at_mut(2 * h);
        let ((a0, a1), (b0, b1)) = (a.split_at(h), b.split_at(h));
        // Where a1 b1 will be is room for the sums.
        let (s, v) = high.split_at_mut(h);
        let beyond = [sum(s, a0, a1), sum(v, b0, b1)];
        let (middle, room) = room.split_at_mut(2 * h);
        multiply_within(middle, room, s, v);
        complete(&mut middle[h..], [s, v], beyond);
        multiply_within(low, room, a0, b0);
        multiply_within(high, room, a1, b1);
        combine(low, high, middle);
    }

    /// As `multiply`, a^2.
    pub(in crate::engine::ifma) fn square(scratch: &mut [Line], a: &[Line]) {
        let (columns, room) = scratch.split_at_mut(2 * a.len());
        square_within(columns, room, a);
    }

    /// `columns` <- a^2, by halves as long as that is worth it.
    fn square_within(columns: &mut [Line], room: &mut [Line], a: &[Line]) {
        let Some(h) = half(a.len()) else {
            return straight::square(cells(columns), a);
        };
        let (low, high) = columns.split_at_mut(2 * h);
        let (a0, a1) = a.split_at(h);
        let (s, _) = high.split_at_mut(h);
        let beyond = sum(s, a0, a1);
        let (middle, room) = room.split_at_mut(2 * h);
        square_within(middle, room, s);
        complete(&mut middle[h..], [s, s], [beyond; 2]);
        square_within(low, room, a0);
        square_within(high, room, a1);
        combine(low, high, middle);
    }

    /// `out` <- a + b, carried, and in each lane all ones where it went beyond.
    fn sum(out: &mut [Line], a: &[Line], b: &[Line]) -> Vector {
        let limb = spread(LIMB_MAX);
        let mut carry = spread(0);
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            let sum = add(add(load(a), load(b)), carry);
            store(out, and(sum, limb));
            carry = carried(sum);
        }
        sub(spread(0), carry)
    }

    /// Adds to the upper half of a product of sums what went beyond them.
    fn complete(upper: &mut [Line], [s, v]: [&[Line]; 2], [t, u]: [Vector; 2]) {
        for ((column, s), v) in upper.iter_mut().zip(s).zip(v) {
            let more = add(and(t, load(v)), and(u, load(s)));
            store(column, add(load(column), more));
        }
        if let Some(last) = upper.last_mut() {
            let both = and(and(t, u), spread(LIMB_MAX + 1));
            store(last, add(load(last), both));
        }
    }

    /// Adds the middle, less the products on both sides of it.
    fn combine(low: &mut [Line], high: &mut [Line], middle: &[Line]) {
        let h = middle.len() / 2;
        let (low, upper_low) = low.split_at_mut(h);
        let (high, upper_high) = high.split_at_mut(h);
        let (middle, upper_middle) = middle.split_at(h);
        let lows = low.iter().zip(upper_low);
        let highs = high.iter_mut().zip(upper_high);
        let middles = middle.iter().zip(upper_middle);
        for (((l0, l1), (h0, h1)), (m0, m1)) in lows.zip(highs).zip(middles) {
            let between = sub(load(l1), load(h0));
            store(l1, add(between, sub(load(m0), load(l0))));
            store(h0, sub(sub(load(m1), load(h1)), between));
        }
    }
}
