//! The report, for people.

use super::{
    Measured, Report,
    cut::Cut,
    kernels,
    openssl::{KNOWN_BITS, KNOWN_MICROSECONDS},
    primitives::Primitive,
    promises::{Bound, Promise},
    timing::Timing,
};
use crate::output;

/// Prints what there is of it.
pub(super) fn print(report: &Report) {
    for yardstick in &report.openssl {
        println!(
            "OpenSSL, constant time, {} / {} bits: {:.0} us",
            yardstick.modulus_bits, yardstick.exponent_bits, yardstick.microseconds
        );
    }
    if !report.kernels.is_empty() {
        println!("\n{}", kernels::table(&report.kernels));
    }
    let title = |one: &Primitive| (one.tier.clone(), one.key_bits);
    for chunk in report
        .primitives
        .chunk_by(|one, next| title(one) == title(next))
    {
        let (tier, bits) = chunk.first().map(title).unwrap_or_default();
        println!("\n{tier}, {bits} bits, one number a ciphertext, one thread");
        let rows = chunk.iter().map(|one| {
            [
                one.operation.title().to_owned(),
                digits(one.microseconds),
                one.operation.unit().to_owned(),
            ]
        });
        println!("{}", output::table(["operation", "us", "for one"], rows));
    }
    for measured in &report.measured {
        cut(measured);
    }
    if !report.timing.is_empty() {
        timing(&report.timing);
    }
    if !report.promises.is_empty() {
        promises(report);
    }
}

fn cut(measured: &Measured) {
    let Cut {
        batch,
        width,
        classes,
    } = measured.cut;
    println!(
        "\n{}, {} bits, {}, h = {width}, c = {classes}, B = {batch}",
        measured.tier, measured.key_bits, measured.layout
    );
    let row = |name: &str, seconds: f64, bytes: usize, threads: usize| {
        [
            name.to_owned(),
            format!("{:.2}", 1e3 * seconds),
            format!("{:.3}", 1e3 * seconds / batch as f64),
            if bytes == 0 {
                "-".to_owned()
            } else {
                output::bytes(bytes as f64)
            },
            threads.to_string(),
        ]
    };
    let one = measured.threads;
    let operations = measured
        .operations
        .iter()
        .map(|figure| row(&figure.operation, figure.seconds, figure.bytes, one));
    let (round, all) = (&measured.round, measured.round_threads);
    let bytes = round.active_bytes + round.passive_bytes;
    let rounds = [
        row("set-up of a job", round.set_up_seconds, 0, all),
        row("first round", round.first_seconds, bytes, all),
        row("whole round", round.seconds, bytes, all),
    ];
    let header = ["operation", "ms", "ms a sample", "sends", "threads"];
    println!("{}", output::table(header, operations.chain(rounds)));
}

fn timing(timings: &[Timing]) {
    println!("\nDoes the time of a decryption tell its class? (|t| above 4.5 is suspicious)");
    let rows = timings.iter().map(|timing| {
        [
            format!("{}, {} bits", timing.tier, timing.key_bits),
            timing.classes.title().to_owned(),
            timing.samples.to_string(),
            digits(timing.median_microseconds),
            format!("{:.2}", timing.greatest_t),
            if timing.suspicious {
                "suspicious"
            } else {
                "no"
            }
            .to_owned(),
        ]
    });
    let header = ["tier", "classes", "decryptions", "median us", "|t|", "told"];
    println!("{}", output::table(header, rows));
}

fn promises(report: &Report) {
    let here = report
        .openssl
        .iter()
        .find(|yardstick| (yardstick.modulus_bits, yardstick.exponent_bits) == KNOWN_BITS);
    let here = here.map_or(KNOWN_MICROSECONDS, |yardstick| yardstick.microseconds);
    println!(
        "\nPromises, made for the tier ifma on a machine where OpenSSL takes {KNOWN_MICROSECONDS:.0} us \
         for {} / {} bits; {here:.0} us here, so milliseconds are scaled by {:.3}",
        KNOWN_BITS.0,
        KNOWN_BITS.1,
        KNOWN_MICROSECONDS / here
    );
    let rows = report.promises.iter().map(|promise: &Promise| {
        let (unit, bound) = match promise.bound {
            Bound::TimesFaster(least) => ("x", format!("at least {least} x")),
            Bound::MillisecondsASample(most) => ("ms", format!("at most {most} ms")),
        };
        [
            format!("{}, {} bits", promise.tier, promise.key_bits),
            promise.what.to_owned(),
            format!("{} {unit}", digits(promise.measured)),
            format!("{} {unit}", digits(promise.scaled)),
            bound,
            if promise.met { "met" } else { "not met" }.to_owned(),
        ]
    });
    let header = ["tier", "promise", "here", "scaled", "promised", ""];
    println!("{}", output::table(header, rows));
}

/// Three significant digits, or all before the point.
fn digits(x: f64) -> String {
    match x {
        _ if x < 10.0 => format!("{x:.2}"),
        _ if x < 100.0 => format!("{x:.1}"),
        _ => format!("{x:.0}"),
    }
}
