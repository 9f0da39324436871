//! A modulus, and what is done to many numbers at once.

use core::fmt;

use crypto_bigint::{BoxedUint, Odd};
use rayon::prelude::*;

use super::{
    Residues, Tier,
    kernel::{Kernel, MAX_BITS, Secrecy, Worker, kernel_for},
    line::{Layout, Line},
};

/// An odd modulus of up to 8192 bits with its kernel. Work is spread over the
/// current rayon pool.
pub(crate) struct Modulus {
    kernel: Box<dyn Kernel>,
    bits: u32,
    /// The modulus, when it is public.
    public: Option<Odd<BoxedUint>>,
}

impl Modulus {
    /// Whether there is a kernel for moduli of this length.
    pub(crate) fn holds(bits: u32) -> bool {
        bits <= MAX_BITS
    }

    /// For a modulus that everybody knows; `None` if it is even or too long.
    pub(crate) fn public(modulus: &BoxedUint) -> Option<Self> {
        Some(Self {
            kernel: kernel_for(Tier::of_this_thread(), modulus, Secrecy::Public)?,
            bits: modulus.bits_precision(),
            public: modulus.to_odd().into_option(),
        })
    }

    /// For a modulus that must not show, not in the time of its precomputation
    /// either; `None` if it is even or too long.
    pub(crate) fn secret(modulus: &BoxedUint) -> Option<Self> {
        Some(Self {
            kernel: kernel_for(Tier::of_this_thread(), modulus, Secrecy::Secret)?,
            bits: modulus.bits_precision(),
            public: None,
        })
    }

    /// Numbers that are computed together: fewer cost as much.
    pub(crate) fn lanes(&self) -> usize {
        self.layout().lanes
    }

    pub(super) fn kernel(&self) -> &dyn Kernel {
        &*self.kernel
    }

    /// The kernel, for one task.
    pub(super) fn worker(&self) -> Worker<'_> {
        Worker::new(&*self.kernel)
    }

    pub(super) fn layout(&self) -> Layout {
        self.kernel.layout()
    }

    /// As many ones.
    pub(super) fn ones(&self, count: usize) -> Residues {
        let mut ones = Residues::zeros(count, self.layout());
        let blocks = ones.lines_mut().chunks_exact_mut(self.layout().lines);
        blocks.for_each(|block| block.copy_from_slice(self.kernel.one()));
        ones
    }

    /// Brings numbers below the modulus into the engine's form.
    pub(crate) fn import(&self, numbers: &[BoxedUint]) -> Residues {
        let Layout { lanes, lines } = self.layout();
        let mut residues = Residues::zeros(numbers.len(), self.layout());
        residues
            .lines_mut()
            .par_chunks_mut(lines)
            .zip(numbers.par_chunks(lanes))
            .for_each_init(
                || self.worker(),
                |worker, (block, numbers)| worker.enter(block, numbers),
            );
        residues
    }

    /// Back to integers below the modulus, in the modulus's precision.
    pub(crate) fn export(&self, residues: &Residues) -> Vec<BoxedUint> {
        let mut plain = residues.clone();
        let mut numbers: Vec<_> = plain
            .lines_mut()
            .par_chunks_mut(self.layout().lines)
            .map_init(|| self.worker(), |worker, block| worker.leave(block))
            .flatten_iter()
            .collect();
        numbers.truncate(residues.len());
        numbers
    }

    /// Number by number, `acc[i] <- acc[i] * by[i]`. Both have one length.
    pub(crate) fn multiply(&self, acc: &mut Residues, by: &Residues) {
        debug_assert_eq!((acc.len(), acc.layout()), (by.len(), by.layout()));
        let lines = self.layout().lines;
        acc.lines_mut()
            .par_chunks_mut(lines)
            .zip(by.lines().par_chunks(lines))
            .for_each_init(
                || self.worker(),
                |worker, (acc, by)| worker.multiply(acc, by),
            );
    }

    /// The product of all numbers; one for none.
    pub(crate) fn product_of_all(&self, numbers: &Residues) -> Residues {
        let Layout { lanes, lines } = self.layout();
        let tidy = self.without_padding(numbers);
        let product = tidy
            .lines()
            .par_chunks(lines)
            .fold(
                || (self.worker(), self.ones(lanes)),
                |(mut worker, mut acc), by| {
                    worker.multiply(acc.lines_mut(), by);
                    (worker, acc)
                },
            )
            .map(|(_, acc)| acc)
            .reduce(
                || self.ones(lanes),
                |mut acc, by| {
                    self.worker().multiply(acc.lines_mut(), by.lines());
                    acc
                },
            );
        // The lanes of a block, half by half.
        let mut product = product;
        let mut width = lanes;
        while width > 1 {
            width /= 2;
            let upper = product.gathered(width, |i| width + i);
            self.worker().multiply(product.lines_mut(), upper.lines());
        }
        product.gathered(1, |_| 0)
    }

    /// The same numbers, with ones in the lanes that no number has.
    fn without_padding(&self, numbers: &Residues) -> Residues {
        let layout = self.layout();
        let mut tidy = numbers.clone();
        for lane in numbers.len()..layout.blocks(numbers.len()) * layout.lanes {
            layout.copy(tidy.lines_mut(), lane, self.kernel.one(), 0);
        }
        tidy
    }

    /// The inverse of each number, with a single inversion (Montgomery's
    /// trick) whose time depends on the values: for public numbers under a
    /// public modulus alone. `None` when one of them has no inverse.
    pub(crate) fn invert_public(&self, numbers: &Residues) -> Option<Residues> {
        let lanes = self.layout().lanes;
        let mut numbers = self.without_padding(numbers);
        if numbers.len() == 0 {
            return Some(numbers);
        }
        self.invert_blocks(numbers.lines_mut(), |product| {
            let mut product = product.to_vec();
            let mut side_by_side = Residues::zeros(lanes * lanes, self.layout());
            // The lanes of a block once more, in the first lane of a block each.
            for lane in 0..lanes {
                let target = side_by_side.lines_mut();
                self.layout().copy(target, lane * lanes, &product, lane);
            }
            self.invert_blocks(side_by_side.lines_mut(), |product| {
                self.invert_first(product)
            })?;
            for lane in 0..lanes {
                let source = side_by_side.lines();
                self.layout().copy(&mut product, lane, source, lane * lanes);
            }
            Some(product)
        })?;
        Some(numbers)
    }

    /// Inverts blocks lane by lane, given how the product of all is inverted.
    fn invert_blocks(
        &self,
        blocks: &mut [Line],
        invert: impl FnOnce(&[Line]) -> Option<Vec<Line>>,
    ) -> Option<()> {
        let lines = self.layout().lines;
        let mut worker = self.worker();
        // before[i] is the product of the blocks before i.
        let mut before = Vec::with_capacity(blocks.len());
        let mut running = self.kernel.one().to_vec();
        for block in blocks.chunks_exact(lines) {
            before.extend_from_slice(&running);
            worker.multiply(&mut running, block);
        }
        // From the last to the first, `running` is the inverse of the product
        // of the blocks up to and including i.
        let mut running = invert(&running)?;
        for (prefix, block) in before
            .chunks_exact_mut(lines)
            .zip(blocks.chunks_exact_mut(lines))
            .rev()
        {
            worker.multiply(prefix, &running);
            worker.multiply(&mut running, block);
            block.copy_from_slice(prefix);
        }
        Some(())
    }

    /// The inverse of the number in the first lane.
    fn invert_first(&self, block: &[Line]) -> Option<Vec<Line>> {
        let mut worker = self.worker();
        let mut block = block.to_vec();
        let number = worker.leave(&mut block).into_iter().next()?;
        // Of zero there is an answer that means nothing.
        if number.is_zero().to_bool() {
            return None;
        }
        let modulus = self.public.as_ref()?;
        let inverse = number.invert_odd_mod_vartime(modulus).into_option()?;
        worker.enter(&mut block, &[inverse]);
        Some(block)
    }
}

impl fmt::Debug for Modulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Modulus({} bits)", self.bits)
    }
}
