//! Looking things up in vectors without showing where.
//!
//! Which lines are read depends on the size of a table alone; what is chosen,
//! masks and permutations of registers choose.

use super::{
    straight::TILE,
    vector::{choose, equal, load, look_up_8, look_up_16, sixteenths, spread, store},
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

    /// Copies to lane i of `out` number `digits[i]` of `table`, a power of two
    /// of single numbers.
    ///
    /// A line of the table is one limb of eight numbers, so a permutation looks
    /// eight or sixteen of them up at once, for every lane.
    pub(in crate::engine::ifma) fn each(out: &mut [Line], table: &[Line], digits: &Line) {
        let lines = out.len();
        let digits = load(digits);
        if table.len() == lines {
            for (out, limb) in out.iter_mut().zip(table) {
                store(out, look_up_8(load(limb), digits));
            }
            return;
        }
        let sixteens = sixteenths(digits);
        let (first, rest) = table.split_at(2 * lines);
        for (at, out) in out.iter_mut().enumerate() {
            let mut chosen = look_up_16([load(&first[at]), load(&first[lines + at])], digits);
            for (index, pair) in (1..).zip(rest.chunks_exact(2 * lines)) {
                let found = look_up_16([load(&pair[at]), load(&pair[lines + at])], digits);
                chosen = choose(equal(sixteens, spread(index)), found, chosen);
            }
            store(out, chosen);
        }
    }
}
