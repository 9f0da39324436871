//! Who carries the kernels out.

use core::cell::Cell;

#[cfg(any(test, feature = "insecure-test-keys"))]
use super::emulated;
use super::processor;
use crate::engine::line::Line;

/// That this processor has the instructions. There is no other way to one than
/// [`Instructions::find`].
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Proof(());

/// The processor, or a program in its place.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) enum Instructions {
    Processor(Proof),
    #[cfg(any(test, feature = "insecure-test-keys"))]
    Emulated,
}

impl Instructions {
    /// Those of this processor, if it has them.
    pub(in crate::engine) fn find() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma"))
            .then_some(Self::Processor(Proof(())))
    }

    /// Carries out multiply-adds that nothing holds up; how many. A program in
    /// the processor's place has no limit to speak of.
    pub(in crate::engine) fn multiply_adds(self, rounds: usize) -> Option<usize> {
        match self {
            Self::Processor(Proof(())) => {
                // SAFETY: a `Proof` shows that this processor has the
                // instructions; nothing else is asked of the caller.
                unsafe { processor::multiply_adds(rounds) }
                Some(rounds * processor::PER_ROUND)
            }
            #[cfg(any(test, feature = "insecure-test-keys"))]
            Self::Emulated => None,
        }
    }
}

/// The kernels, each as its file documents it.
macro_rules! kernels {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        impl Instructions {
            $(
                pub(super) fn $name(self, $($argument: $type),*) {
                    match self {
                        // SAFETY: a `Proof` shows that this processor has the
                        // instructions; nothing else is asked of the caller.
                        Self::Processor(Proof(())) => unsafe {
                            processor::$name($($argument),*);
                        },
                        #[cfg(any(test, feature = "insecure-test-keys"))]
                        Self::Emulated => emulated::$name($($argument),*),
                    }
                }
            )*
        }
    };
}

kernels! {
    multiply(scratch: &mut [Line], a: &[Line], b: &[Line]);
    square(scratch: &mut [Line], a: &[Line]);
    reduce(out: &mut [Line], columns: &[Cell<Line>], n: &[u64], inverse: u64);
    block(out: &mut [Line], table: &[Line], digit: usize);
    each(out: &mut [Line], table: &[Line], digits: &[Line]);
}
