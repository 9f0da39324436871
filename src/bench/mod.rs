//! `entente bench`: what encryption costs on this machine.
//!
//! One process for each tier of the engine, since a process chooses its tier
//! once; this one starts the others, collects what they measured, and adds
//! OpenSSL's exponentiation of the same minute, so that a ratio means the same
//! on any machine:
//!
//! | what | file |
//! |---|---|
//! | microseconds for a ciphertext, as the literature counts | `primitives.rs` |
//! | a round's operations on the paper's cut, packed and unpacked | `cut.rs` |
//! | whole rounds of both parties | `round.rs` |
//! | whether the clock tells anything of a decryption | `timing.rs` |
//! | what was promised, and whether it is kept here | `promises.rs` |
//! | what a job will cost | `estimate.rs` |
//!
//! And beside it, in `scheduler.rs`, how much a coordinator can do.

pub(crate) mod cut;
pub(crate) mod effort;
mod estimate;
mod kernels;
mod openssl;
mod primitives;
mod print;
mod promises;
pub(crate) mod round;
mod scheduler;
mod timing;
mod welch;

use std::process::{Command, Stdio};

use entente_he::{KeyBits, Layout, Tier};
use serde::{Deserialize, Serialize};

use self::{
    cut::{Cut, Figure},
    effort::{Effort, say},
    kernels::Speed,
    openssl::Yardstick,
    primitives::Primitive,
    promises::Promise,
    round::Round,
    timing::Timing,
};
use crate::{
    cli::{Against, BenchHeArgs, Format},
    exit::Failure,
    output,
};

pub(crate) use self::scheduler::scheduler;

/// A round's operations, and rounds, for one key size and one layout.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    tier: String,
    key_bits: u32,
    layout: String,
    cut: Cut,
    /// Of the operations; of the round they are all that there are.
    threads: usize,
    operations: Vec<Figure>,
    round: Round,
    round_threads: usize,
}

/// What one process measured: one tier.
#[derive(Debug, Default, Serialize, Deserialize)]
struct InOneProcess {
    kernels: Vec<Speed>,
    primitives: Vec<Primitive>,
    measured: Vec<Measured>,
    timing: Vec<Timing>,
}

/// Everything.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    openssl: Vec<Yardstick>,
    kernels: Vec<Speed>,
    primitives: Vec<Primitive>,
    measured: Vec<Measured>,
    timing: Vec<Timing>,
    promises: Vec<Promise>,
}

/// Runs the benchmark, or the estimate.
pub(crate) fn he(args: &BenchHeArgs) -> Result<(), Failure> {
    let format = args.shown.output;
    Tier::configured().map_err(Failure::configuration)?;
    if let (Some(job), Some(rows)) = (&args.estimate, args.rows) {
        return estimate::estimate(job, rows, format);
    }
    let sizes = args
        .key_bits
        .iter()
        .map(|bits| KeyBits::new(*bits).map_err(Failure::configuration))
        .collect::<Result<Vec<_>, _>>()?;
    if args.this_process {
        return output::json(&in_this_process(args, &sizes)?);
    }
    let report = report(args, &sizes)?;
    if format == Format::Json {
        return output::json(&report);
    }
    print::print(&report);
    Ok(())
}

fn report(args: &BenchHeArgs, sizes: &[KeyBits]) -> Result<Report, Failure> {
    let wanted = |tier: &Tier| {
        let label = args.tier.as_deref();
        label.is_none_or(|wanted| wanted == tier.label())
    };
    let tiers: Vec<Tier> = Tier::available().filter(wanted).collect();
    if tiers.is_empty() {
        let known: Vec<&str> = Tier::available().map(Tier::label).collect();
        return Err(Failure::Configuration(format!(
            "this machine has no such tier; it has {}",
            known.join(" and ")
        )));
    }
    let mut all = InOneProcess::default();
    let mut openssl = yardsticks(args, sizes)?;
    for tier in tiers {
        let one = in_another_process(tier, args)?;
        all.kernels.extend(one.kernels);
        all.primitives.extend(one.primitives);
        all.measured.extend(one.measured);
        all.timing.extend(one.timing);
        // Before and after each tier: the quietest moment is nearest to what
        // the processor can do, there as here.
        let again = yardsticks(args, sizes)?.into_iter();
        openssl = openssl
            .into_iter()
            .zip(again)
            .map(|(one, next)| one.or_faster(next))
            .collect();
    }
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        promises: match args.quick {
            // They are about the paper's cut.
            true => Vec::new(),
            false => promises::held(&openssl, &all.primitives, &all.measured),
        },
        openssl,
        kernels: all.kernels,
        primitives: all.primitives,
        measured: all.measured,
        timing: all.timing,
    })
}

/// OpenSSL's exponentiations that go with these key sizes, if they are asked
/// for: half of a decryption, r^n mod n^2, and the one that machines are
/// compared by.
fn yardsticks(args: &BenchHeArgs, sizes: &[KeyBits]) -> Result<Vec<Yardstick>, Failure> {
    let mut powers = vec![openssl::KNOWN_BITS];
    for bits in sizes {
        powers.extend([
            (bits.bits(), bits.bits() / 2),
            (2 * bits.bits(), bits.bits()),
        ]);
    }
    powers.sort_unstable();
    powers.dedup();
    match args.against {
        None => Ok(Vec::new()),
        Some(Against::Openssl) => {
            say("OpenSSL's exponentiation");
            let measured = powers
                .into_iter()
                .map(|(modulus, exponent)| openssl::measure(modulus, exponent));
            let measured = measured.collect();
            say("");
            measured
        }
    }
}

fn in_this_process(args: &BenchHeArgs, sizes: &[KeyBits]) -> Result<InOneProcess, Failure> {
    let pool = |threads: usize| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(Failure::runtime)
    };
    let tier = Tier::current().map_err(Failure::configuration)?;
    // 0 is as many as the process may use, its control group considered.
    let (one, all) = (pool(1)?, pool(0)?);
    let effort = match args.quick {
        true => Effort::Quick,
        false => Effort::Full,
    };
    let mut process = InOneProcess::default();
    if args.timing.is_none() {
        say("kernels");
        process.kernels = kernels::measure(tier);
    }
    for bits in sizes.iter().copied() {
        if let Some(samples) = args.timing {
            let timing = one.install(|| timing::measure(tier.label(), bits, samples))?;
            process.timing.extend(timing);
            continue;
        }
        let primitives = one.install(|| primitives::measure(tier.label(), bits, effort))?;
        process.primitives.extend(primitives);
        for (name, layout, cut) in [
            ("packed", Layout::Packed, effort.packed()),
            ("unpacked", Layout::Unpacked, effort.unpacked()),
        ] {
            let operations = one.install(|| cut::measure(bits, layout, cut, effort))?;
            say(&format!("{} bits, {layout:?}: whole rounds", bits.bits()));
            process.measured.push(Measured {
                tier: tier.label().to_owned(),
                key_bits: bits.bits(),
                layout: name.to_owned(),
                cut,
                threads: 1,
                operations,
                round: all.install(|| round::measure(bits, layout, cut, effort))?,
                round_threads: all.current_num_threads(),
            });
        }
    }
    say("");
    Ok(process)
}

/// The same in a process of its own, which is told its tier. What it says
/// meanwhile, and why it fails if it does, it says on our standard error.
fn in_another_process(tier: Tier, args: &BenchHeArgs) -> Result<InOneProcess, Failure> {
    let sizes: Vec<String> = args.key_bits.iter().map(ToString::to_string).collect();
    let program = std::env::current_exe().map_err(Failure::runtime)?;
    let mut command = Command::new(program);
    command
        .args(["bench", "he", "--this-process", "--key-bits"])
        .arg(sizes.join(","))
        .env(Tier::VARIABLE, tier.label())
        .stderr(Stdio::inherit());
    if args.quick {
        command.arg("--quick");
    }
    if let Some(samples) = args.timing {
        command.arg(format!("--timing={samples}"));
    }
    let output = command.output().map_err(Failure::runtime)?;
    if !output.status.success() {
        return Err(Failure::Runtime(format!(
            "the measurement on the tier {tier} ended with {}",
            output.status
        )));
    }
    serde_json::from_slice(&output.stdout).map_err(Failure::runtime)
}
