//! One multiplication modulo one number: all that the batches are built from.

use crypto_bigint::BoxedUint;
use zeroize::Zeroize;

use super::{
    Tier,
    line::{Layout, Line},
    portable,
};
#[cfg(target_arch = "x86_64")]
use super::{adx, ifma};

/// Montgomery arithmetic on blocks: as many numbers side by side as
/// [`Layout::lanes`] says, each operation on all of them at once.
///
/// Constant time in its operands and, when made for a secret modulus, in that
/// modulus. Between operations numbers are residues, not always the least
/// ones: what a kernel takes and gives is its own matter, except that zero
/// lines are zeros to every kernel.
pub(super) trait Kernel: Send + Sync {
    /// How a block lies in memory.
    fn layout(&self) -> Layout;
    /// Lines of working memory that an operation needs, whatever they hold.
    fn scratch(&self) -> usize;
    /// Bits per look-up for which [`Kernel::select_each`] is well worth its
    /// multiplication.
    fn window(&self) -> u32;
    /// Numbers of a table that [`Kernel::select_each`] reads in the time of a
    /// multiplication; never zero.
    fn lookup(&self) -> usize;
    /// A block of ones, in Montgomery form.
    fn one(&self) -> &[Line];
    /// `acc <- acc * by`.
    fn multiply(&self, acc: &mut [Line], by: &[Line], scratch: &mut [Line]);
    /// `acc <- acc^2`.
    fn square(&self, acc: &mut [Line], scratch: &mut [Line]);
    /// Into Montgomery form, from at most a block of numbers below the modulus.
    fn enter(&self, block: &mut [Line], numbers: &[BoxedUint], scratch: &mut [Line]);
    /// Out of Montgomery form, to a number below the modulus for each lane, in
    /// the modulus's precision. What the block holds then means nothing.
    fn leave(&self, block: &mut [Line], scratch: &mut [Line]) -> Vec<BoxedUint>;
    /// Copies block `digit` of `table` to `out`, touching every block.
    fn select_block(&self, out: &mut [Line], table: &[Line], digit: usize);
    /// Copies as number i of `out`, of one or more blocks, number `digits[i]`
    /// of a table of single numbers, a power of two of them, touching every
    /// number. There is a digit for each lane.
    fn select_each(&self, out: &mut [Line], table: &[Line], digits: &[usize]);
}

/// The longest modulus that there is a kernel for: n^2 of a 4096-bit key.
pub(super) const MAX_BITS: u32 = 8192;

/// Whether a modulus may be looked at by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// n^2, which everybody knows.
    Public,
    /// p^2, which only the key owner does.
    Secret,
}

/// The kernel of a tier for an odd modulus; `None` for an even one or one
/// beyond [`MAX_BITS`].
pub(super) fn kernel_for(
    tier: Tier,
    modulus: &BoxedUint,
    secrecy: Secrecy,
) -> Option<Box<dyn Kernel>> {
    match tier {
        Tier::Portable => portable::kernel_for(modulus, secrecy),
        #[cfg(target_arch = "x86_64")]
        Tier::Adx => adx::kernel_for(modulus, secrecy),
        #[cfg(target_arch = "x86_64")]
        Tier::Ifma => ifma::kernel_for(ifma::Instructions::find()?, modulus, secrecy),
        #[cfg(all(target_arch = "x86_64", any(test, feature = "insecure-test-keys")))]
        Tier::Emulated => ifma::kernel_for(ifma::Instructions::Emulated, modulus, secrecy),
    }
}

/// A kernel with its working memory: one per task, wiped at its end.
pub(super) struct Worker<'a> {
    kernel: &'a dyn Kernel,
    scratch: Vec<Line>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(kernel: &'a dyn Kernel) -> Self {
        Self {
            kernel,
            scratch: vec![Line::default(); kernel.scratch()],
        }
    }

    pub(super) fn kernel(&self) -> &'a dyn Kernel {
        self.kernel
    }

    pub(super) fn multiply(&mut self, acc: &mut [Line], by: &[Line]) {
        self.kernel.multiply(acc, by, &mut self.scratch);
    }

    pub(super) fn square(&mut self, acc: &mut [Line]) {
        self.kernel.square(acc, &mut self.scratch);
    }

    pub(super) fn enter(&mut self, block: &mut [Line], numbers: &[BoxedUint]) {
        self.kernel.enter(block, numbers, &mut self.scratch);
    }

    pub(super) fn leave(&mut self, block: &mut [Line]) -> Vec<BoxedUint> {
        self.kernel.leave(block, &mut self.scratch)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.scratch.zeroize();
    }
}
