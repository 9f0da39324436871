//! What the processor could do if nothing stood in its way.

use core::hint::black_box;

use super::vector::{hi, lo, load, spread, store};
use crate::engine::line::Line;

/// Multiply-adds in a round of [`multiply_adds`].
pub(in crate::engine::ifma) const PER_ROUND: usize = 16;

kernel! {
    /// Multiply-adds on registers alone: none waits for another of its round,
    /// and nothing is loaded or stored. More at a time than their latency
    /// hides.
    pub(in crate::engine::ifma) fn multiply_adds(rounds: usize) {
        let factor = load(&black_box(Line([0x000f_edcb_a987_6543; 8])));
        macro_rules! round {
            ($($c:ident $half:ident)*) => {
                $(let mut $c = spread(0);)*
                for _ in 0..rounds {
                    $($c = $half($c, factor, factor);)*
                }
                let mut seen = Line::default();
                $(
                    store(&mut seen, $c);
                    black_box(&seen);
                )*
            };
        }
        round!(
            c0 lo c1 hi c2 lo c3 hi c4 lo c5 hi c6 lo c7 hi
            c8 lo c9 hi c10 lo c11 hi c12 lo c13 hi c14 lo c15 hi
        );
    }
}
