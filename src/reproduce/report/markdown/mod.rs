//! The report for people.

mod accuracy;
mod inference;
mod training;

use std::fmt::{Display, Write as _};

use self::{
    accuracy::table1,
    inference::{figure1, timings},
    training::{leak, training},
};
use super::{Report, figure::Figure};
use crate::{output, sides::Sides};

/// What is not there.
const NOTHING: &str = "–";

/// The whole report.
pub(super) fn markdown(report: &Report, figures: &[Figure]) -> String {
    let mut out = String::from(
        "# The paper's experiments, again\n\n\
         Zhang and Zhu, \"Additively Homomorphical Encryption based Deep Neural Network for \
         Asymmetrically Collaborative Machine Learning\", arXiv:2007.06849. Written by \
         `entente reproduce`; every figure stands in `report.json` too, and each part as it was \
         measured in `units.jsonl`.\n\n",
    );
    conditions(report, &mut out);
    table1(report, &mut out);
    timings(report, &mut out);
    let is_first = |figure: &&Figure| figure.name.starts_with("figure1");
    figure1(report, figures.iter().filter(is_first), &mut out);
    training(
        report,
        figures.iter().filter(|figure| !is_first(figure)),
        &mut out,
    );
    leak(report, &mut out);
    out
}

/// Whether models are one, in a word.
pub(super) fn identical(identical: Option<bool>) -> &'static str {
    match identical {
        Some(true) => "yes",
        Some(false) => "NO",
        None => NOTHING,
    }
}

/// Writing into a string does not fail.
fn line(out: &mut String, text: impl Display) {
    let _ = writeln!(out, "{text}");
}

fn row<const N: usize>(out: &mut String, cells: [String; N]) {
    line(out, format_args!("| {} |", cells.join(" | ")));
}

fn header<const N: usize>(out: &mut String, cells: [&str; N]) {
    row(out, cells.map(str::to_owned));
    line(out, format_args!("|{}", "---|".repeat(N)));
}

fn maybe<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), text)
}

fn conditions(report: &Report, out: &mut String) {
    let settings = &report.settings;
    let machine = &settings.machine;
    header(out, ["", ""]);
    let build = match machine.release {
        true => "release",
        false => "DEBUG: seconds mean little",
    };
    let kind = match settings.quick {
        true => "`--quick`: fewer epochs, seeds and rows; accuracies are not those of a full run",
        false => "full",
    };
    for (what, value) in [
        ("run", kind.to_owned()),
        ("key", format!("Paillier, {} bits", settings.key_bits)),
        ("processor", machine.cpu.clone()),
        (
            "threads that this process may use",
            machine.threads.to_string(),
        ),
        ("tier of the big-integer engine", machine.he_tier.clone()),
        ("software", format!("entente {}, {build}", settings.version)),
        ("all parts took", output::duration(report.seconds)),
    ] {
        row(out, [what.to_owned(), value]);
    }
    line(out, "");
    if settings.quick {
        line(
            out,
            format_args!(
                "Quick means here: {}; {}; GELU-Net for a batch of 1 alone; and each inference \
                 measured once.\n",
                report.quick.join(", "),
                count(settings.seeds as usize, "seed")
            ),
        );
    }
    for skipped in &report.skipped {
        line(
            out,
            format_args!(
                "**Skipped: {}.** {}\n",
                skipped.dataset.title(),
                skipped.why
            ),
        );
    }
    if !report.unfinished.is_empty() {
        line(
            out,
            format_args!(
                "**Not finished:** {}. The same command with `--resume` goes on.\n",
                report.unfinished.join("; ")
            ),
        );
    }
    for mismatch in &report.mismatches {
        line(
            out,
            format_args!(
                "**A defect: the weights of {mismatch} differ between encryption and plaintext \
                 fixed point. Please report it.**\n"
            ),
        );
    }
}

fn maybe_text(text: Option<String>) -> String {
    text.unwrap_or_default()
}

fn count(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn mebibytes(bytes: Sides<f64>) -> String {
    let [active, passive] = [bytes.active, bytes.passive].map(|bytes| bytes / f64::from(1 << 20));
    format!("{active:.2}, {passive:.2}")
}

fn picture(figure: &Figure, out: &mut String) {
    let name = &figure.name;
    line(
        out,
        format_args!(
            "![{}](figures/{name}.svg)\n\n({}; as [PNG](figures/{name}.png))\n",
            figure.caption, figure.caption
        ),
    );
}
