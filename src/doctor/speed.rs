//! The encryption scheme on this machine: which tier of its engine, how fast.

use std::time::Instant;

use entente_he::{HeError, KeyBits, Randomness, Textbook, Tier};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::finding::Finding;

const BITS: u32 = 2048;
/// At once, as kernels take them.
const COUNT: usize = 8;
const TIMES: usize = 5;

/// Chooses a tier as a party does, and tries it.
pub(super) fn examine(out: &mut Vec<Finding>) {
    let tiers: Vec<_> = Tier::available().map(Tier::label).collect();
    let has = tiers.join(", ");
    let tier = match Tier::configured() {
        Ok(tier) => tier,
        Err(error) => {
            let remedy = format!("unset ENTENTE_HE_TIER, or set it to one of {has}");
            return out.push(Finding::failure("encryption", error, remedy));
        }
    };
    out.push(judge_tier(tier.label(), Tier::detected().label(), &has));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let measured = match pool {
        Ok(pool) => pool.install(measure).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    out.push(match measured {
        Ok([encrypt_us, decrypt_us]) => Finding::ok(
            "encryption, speed",
            format!(
                "{BITS} bits, one thread: {encrypt_us:.0} us to encrypt a number as key owner, \
                 {decrypt_us:.0} us to decrypt one"
            ),
        ),
        Err(error) => Finding::failure(
            "encryption, speed",
            error,
            "try another tier: ENTENTE_HE_TIER=portable",
        ),
    });
}

/// Whether the tier is the best that there is.
pub(super) fn judge_tier(tier: &str, best: &str, has: &str) -> Finding {
    let seen = format!("tier {tier} of {has}");
    match tier == best {
        true => Finding::ok("encryption", seen),
        false => Finding::warning(
            "encryption",
            format!("{seen}, and {best} is the fastest"),
            "unset ENTENTE_HE_TIER",
        ),
    }
}

/// Microseconds for one number: the least of a few times, since whatever else
/// runs only adds.
fn measure() -> Result<[f64; 2], HeError> {
    // Of a key that is thrown away with this process.
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let scheme = Textbook::new(KeyBits::new(BITS)?, COUNT, &mut rng)?;
    let m = scheme.uniform(COUNT, &mut rng);
    let mut least = [f64::INFINITY; 2];
    for _ in 0..TIMES {
        let start = Instant::now();
        let c = scheme.encrypt(&m, Randomness::KeyOwner, &mut rng);
        let encrypted = start.elapsed();
        scheme.decrypt(&c)?;
        let took = [encrypted, start.elapsed() - encrypted];
        for (least, took) in least.iter_mut().zip(took) {
            *least = least.min(1e6 * took.as_secs_f64() / COUNT as f64);
        }
    }
    Ok(least)
}
