//! The kernels for a processor with AVX-512 IFMA.

/// What is compiled for the processor's instructions: safe to call from what
/// needs them too, unsafe from anywhere else.
macro_rules! kernel {
    ($($item:item)*) => {
        $(
            #[target_feature(enable = "avx512f,avx512ifma")]
            $item
        )*
    };
}

#[path = "floor.rs"]
mod floor;
#[path = "karatsuba.rs"]
mod karatsuba;
#[path = "scan.rs"]
mod scan;
#[path = "straight.rs"]
#[rustfmt::skip]
mod straight;
#[path = "vector.rs"]
mod vector;

pub(super) use floor::{PER_ROUND, multiply_adds};
#[cfg(test)]
pub(super) use karatsuba::half;
pub(super) use karatsuba::{multiply, square};
pub(super) use scan::{block, each};
pub(super) use straight::{TILE, reduce};
