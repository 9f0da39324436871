//! The kernels by themselves, for a fuzzer that knows the right answers.

use crypto_bigint::BoxedUint;

use super::{
    Tier,
    kernel::{Secrecy, Worker, kernel_for},
};

/// `(a b)^2` modulo an odd number by the kernels of a tier, for as many pairs
/// as it takes at a time and zeros where there are fewer. Numbers are
/// big-endian; factors are below the modulus.
///
/// `None` where the tier has no kernel: for an even modulus, one that is too
/// long, and on a machine without the instructions.
pub fn squared_products(
    tier: Tier,
    modulus: &[u8],
    pairs: &[[Vec<u8>; 2]],
) -> Option<Vec<Vec<u8>>> {
    let bits = 8 * u32::try_from(modulus.len()).ok()?;
    let boxed = |bytes: &[u8]| BoxedUint::from_be_slice_truncated(bytes, bits);
    let kernel = kernel_for(tier, &boxed(modulus), Secrecy::Public)?;
    let mut worker = Worker::new(&*kernel);
    let mut blocks = [0, 1].map(|side: usize| {
        let pairs = pairs.iter().take(kernel.layout().lanes);
        let numbers: Vec<_> = pairs.map(|pair| boxed(&pair[side])).collect();
        let mut block = kernel.one().to_vec();
        worker.enter(&mut block, &numbers);
        block
    });
    let [acc, by] = &mut blocks;
    worker.multiply(acc, by);
    worker.square(acc);
    let numbers = worker.leave(acc);
    Some(numbers.iter().map(|x| x.to_be_bytes().to_vec()).collect())
}
