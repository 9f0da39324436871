//! Looking things up in vectors without showing where.
//!
//! Which lines are read depends on the size of a table alone; what is chosen,
//! masks and permutations of registers choose.

use super::{
    straight::TILE,
    vector::{and, choose, equal, load, look_up_8, look_up_16, sixteenths, spread, store},
};
use crate::engine::line::Line;

kernel! {
    /// Copies block `digit` of `table` to `out`. The table is read once per ten
    /// lines of `out`, which stay in registers.
    pub(in crate::engine::ifma) fn block(out: &mut [Line], table: &[Line], digit: usize) {
        let lines = out.len();
        let digit = spread(digit as u64);
        let (first, rest) = table.split_at(lines);
        for (at, out) in (0..).step_by(TILE).zip(out.chunks_exact_mut(TILE)) {
            macro_rules! tile {
                ($($r:ident $i:literal)*) => {
                    let first = &first[at..][..TILE];
                    $(let mut $r = load(&first[$i]);)*
                    for (index, block) in (1..).zip(rest.chunks_exact(lines)) {
                        let block = &block[at..][..TILE];
                        let hit = equal(digit, spread(index));
                        $($r = choose(hit, load(&block[$i]), $r);)*
                    }
                    $(store(&mut out[$i], $r);)*
                };
            }
            tile!(r0 0 r1 1 r2 2 r3 3 r4 4 r5 5 r6 6 r7 7 r8 8 r9 9);
        }
    }

    /// Copies to lane i of block j of `out` number `digits[j]`, lane i, of
    /// `table`, a power of two of single numbers.
    ///
    /// A line of the table is one limb of eight numbers, so a permutation looks
    /// eight or sixteen of them up at once, for every lane, and what it finds in
    /// 128 is chosen between by three more bits. All blocks look a limb up
    /// before the next limb is turned to: the table comes from afar once.
    pub(in crate::engine::ifma) fn each(out: &mut [Line], table: &[Line], digits: &[Line]) {
        let lines = out.len() / digits.len();
        let pairs = table.len() / (2 * lines);
        for at in 0..lines {
            let table = &table[at..];
            for (out, digits) in out.chunks_exact_mut(lines).zip(digits) {
                let digits = load(digits);
                let [bit_4, bit_5, bit_6] = [1, 2, 4].map(|bit| {
                    let bit = spread(bit);
                    equal(and(sixteenths(digits), bit), bit)
                });
                macro_rules! pair {
                    ($i:expr) => {
                        look_up_16([load(&table[2 * $i * lines]), load(&table[(2 * $i + 1) * lines])], digits)
                    };
                }
                macro_rules! four {
                    ($i:expr) => {
                        choose(
                            bit_5,
                            choose(bit_4, pair!($i + 3), pair!($i + 2)),
                            choose(bit_4, pair!($i + 1), pair!($i)),
                        )
                    };
                }
                let found = match pairs {
                    0 => look_up_8(load(&table[0]), digits),
                    1 => pair!(0),
                    2 => choose(bit_4, pair!(1), pair!(0)),
                    4 => four!(0),
                    _ => {
                        let beyond = and(sixteenths(digits), spread(!7));
                        let mut found = choose(bit_6, four!(4), four!(0));
                        for i in (8..pairs).step_by(8) {
                            let here = choose(bit_6, four!(i + 4), four!(i));
                            found = choose(equal(beyond, spread(i as u64)), here, found);
                        }
                        found
                    }
                };
                store(&mut out[at], found);
            }
        }
    }
}
