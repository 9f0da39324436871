//! How fast the kernels are on this machine, and how fast they could be.
//!
//! The multiplications of a kernel are nearly all of what encryption costs, so
//! they are what is held to the machine's limit. The limit is measured too, in
//! the same run: an instruction's rate depends on the clock of the moment.

use std::time::{Duration, Instant};

use crypto_bigint::{
    BoxedUint, Resize,
    modular::{BoxedMontyForm, BoxedMontyParams},
};

use super::{
    Modulus, Tier,
    kernel::{Kernel, Secrecy, Worker, kernel_for},
};

/// What one modular multiplication costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KernelSpeed {
    /// Bits of the modulus.
    pub modulus_bits: u32,
    /// Nanoseconds of a multiplication, for each number of a block.
    pub multiply_ns: f64,
    /// Nanoseconds of a square, likewise.
    pub square_ns: f64,
    /// Nanoseconds of the multiply-adds of a schoolbook multiplication and its
    /// reduction (4 k^2 + k for numbers of k limbs) at the rate that registers
    /// alone reach; where the tier has such an instruction. A kernel that needs
    /// fewer of them may be faster.
    pub multiply_floor_ns: Option<f64>,
}

impl KernelSpeed {
    /// Measures the kernel of [`Tier::current`] for moduli of so many bits, on
    /// one core, in about a third of a second; `None` for a length that there
    /// is no kernel for, and where the tier that was asked for cannot be had.
    pub fn measure(modulus_bits: u32) -> Option<Self> {
        let modulus = BoxedUint::max(modulus_bits);
        let tier = Tier::current().ok()?;
        let kernel = kernel_for(tier, &modulus, Secrecy::Public)?;
        let mut worker = Worker::new(&*kernel);
        let (mut acc, by) = (kernel.one().to_vec(), kernel.one().to_vec());
        let lanes = kernel.layout().lanes as f64;
        let floor = floor(tier, &*kernel);
        Some(Self {
            modulus_bits,
            multiply_ns: nanoseconds(|| worker.multiply(&mut acc, &by)) / lanes,
            square_ns: nanoseconds(|| worker.square(&mut acc)) / lanes,
            multiply_floor_ns: floor.map(|floor| floor / lanes),
        })
    }
}

/// What one constant-time exponentiation costs, by the engine and by the
/// library that its portable tier is built on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerSpeed {
    /// Bits of the modulus.
    pub modulus_bits: u32,
    /// Bits of the exponent: half as many.
    pub exponent_bits: u32,
    /// Nanoseconds by the engine, for each number of a block.
    pub engine_ns: f64,
    /// Nanoseconds by crypto-bigint, one number at a time.
    pub crypto_bigint_ns: f64,
}

impl PowerSpeed {
    /// Measures the tier of this thread, on one core; `None` for a length that
    /// there is no kernel for.
    pub fn measure(modulus_bits: u32) -> Option<Self> {
        let exponent_bits = modulus_bits / 2;
        let modulus = BoxedUint::max(modulus_bits);
        let exponent = BoxedUint::max(exponent_bits);
        let base = BoxedUint::from(3_u64).resize(modulus_bits);
        let engine = Modulus::secret(&modulus)?;
        let lanes = engine.layout().lanes;
        let bases = engine.import(&vec![base.clone(); lanes]);
        let params = BoxedMontyParams::new(modulus.to_odd().into_option()?);
        let form = BoxedMontyForm::new(base, &params);
        let by_the_engine = nanoseconds(|| drop(engine.pow(&bases, &exponent, exponent_bits)));
        Some(Self {
            modulus_bits,
            exponent_bits,
            engine_ns: by_the_engine / lanes as f64,
            crypto_bigint_ns: nanoseconds(|| drop(form.pow(&exponent))),
        })
    }
}

/// Nanoseconds of a block's schoolbook multiplication.
#[cfg(target_arch = "x86_64")]
fn floor(tier: Tier, kernel: &dyn Kernel) -> Option<f64> {
    if tier != Tier::Ifma {
        return None;
    }
    const ROUNDS: usize = 256;
    let instructions = super::ifma::Instructions::find()?;
    let mut done = None;
    let all = nanoseconds(|| done = instructions.multiply_adds(ROUNDS));
    let k = kernel.layout().lines as f64;
    Some((4.0 * k * k + k) * all / done? as f64)
}

#[cfg(not(target_arch = "x86_64"))]
fn floor(_: Tier, _: &dyn Kernel) -> Option<f64> {
    None
}

/// Of one call: the least of many short runs, as what disturbs a run only ever
/// makes it longer.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 16;
    let (begun, mut least) = (Instant::now(), Duration::MAX);
    while begun.elapsed() < Duration::from_millis(100) {
        let since = Instant::now();
        (0..CALLS).for_each(|_| call());
        least = least.min(since.elapsed());
    }
    least.as_secs_f64() * 1e9 / f64::from(CALLS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn there_is_a_figure_for_every_length_that_has_a_kernel() {
        let speed = KernelSpeed::measure(512).unwrap();
        assert!(speed.multiply_ns > 0.0 && speed.square_ns > 0.0);
        assert!(KernelSpeed::measure(8193).is_none());
    }

    #[test]
    fn exponentiations_are_measured_side_by_side() {
        let speed = PowerSpeed::measure(512).unwrap();
        assert_eq!((speed.modulus_bits, speed.exponent_bits), (512, 256));
        assert!(speed.engine_ns > 0.0 && speed.crypto_bigint_ns > 0.0);
        assert!(PowerSpeed::measure(8194).is_none());
    }
}
