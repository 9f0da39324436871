//! The report for people.

use std::fmt::{Display, Write as _};

use super::{
    Report,
    accuracy::Accuracy,
    figure::Figure,
    inference::{Each, Timing},
    statistic::Statistic,
};
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

fn table1(report: &Report, out: &mut String) {
    if report.table1.is_empty() {
        return;
    }
    let bits = report.settings.key_bits;
    line(out, "## Table 1: accuracy on test rows\n");
    header(
        out,
        [
            "dataset",
            "network",
            &format!("ours, encrypted, {bits} bits"),
            "the same in plaintext",
            "squares (CryptoNets), plaintext",
            "paper: ours",
            "paper: CryptoNets",
            "paper: GELU-Net",
            "not below the paper",
        ],
    );
    let statistic = |value: Option<Statistic>| maybe(value, |value| value.to_string());
    for one in &report.table1 {
        row(
            out,
            [
                one.dataset.title().to_owned(),
                one.network.to_owned(),
                statistic(one.encrypted),
                statistic(one.floating_point),
                statistic(one.square),
                format!("{:.3}", one.paper.ours),
                format!("{:.3}", one.paper.cryptonets),
                format!("{:.3}", one.paper.gelu_net),
                maybe(one.reaches_the_paper(), |reaches| {
                    if reaches { "yes" } else { "no" }.to_owned()
                }),
            ],
        );
    }
    line(
        out,
        "\nMean ± standard deviation over seeds. A seed fixes which fifth of the rows is tested on, \
         the order of samples and the initial weights: five seeds test on every row once (five \
         folds of one deal by a keyed hash). The paper does not say how it splits. The digits come \
         with a split of their own and are trained under one seed. Learning rates, epochs and batch sizes were chosen on \
         validation rows, never on test rows (see the comments of `src/reproduce/jobs/`). \
         Plaintext is floating point. The column of squares is the same network with x² for tanh, \
         as CryptoNets computes it.\n",
    );
    line(
        out,
        format_args!(
            "How they were trained (encrypted, {bits} bits, both roles in one process):\n"
        ),
    );
    header(
        out,
        [
            "dataset",
            "rows: learnt from, tested",
            "epochs, batch",
            "seeds",
            "seconds",
            "samples/s",
            "MiB an epoch: features' side, labels' side",
            "weights equal plaintext fixed point, bit for bit",
        ],
    );
    for one in &report.table1 {
        trained(one, out);
    }
    line(out, "");
}

fn trained(one: &Accuracy, out: &mut String) {
    let first = maybe_text(one.first_rows.map(|rows| format!(" (the first {rows})")));
    let weights = one.bit_identical.first().map(|pair| pair.weights);
    let identical = match (one.is_bit_identical(), weights) {
        (Some(true), Some(weights)) => {
            let seeds = one.bit_identical.len();
            format!("yes: all {weights}, {}", count(seeds, "seed"))
        }
        (verdict, _) => identical(verdict).to_owned(),
    };
    row(
        out,
        [
            one.dataset.title().to_owned(),
            format!("{}, {}{first}", one.training_rows, one.test_rows),
            format!("{}, {}", one.epochs, one.batch_size),
            maybe(one.encrypted, |of| of.values.to_string()),
            maybe(one.cost, |cost| format!("{:.1}", cost.seconds)),
            maybe(one.cost, |cost| format!("{:.0}", cost.samples_per_second)),
            maybe(one.cost, |cost| mebibytes(cost.bytes_per_epoch)),
            identical,
        ],
    );
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

fn timings(report: &Report, out: &mut String) {
    if report.tables_2_3_4.is_empty() {
        return;
    }
    let bits = report.settings.key_bits;
    line(
        out,
        format_args!("## Tables 2, 3 and 4: seconds per inference, {bits} bits\n"),
    );
    header(
        out,
        [
            "network",
            "data",
            "values encrypted, of",
            "batch",
            "ours",
            "of that, encrypted part",
            "KiB sent",
            "paper: ours",
            "GELU-Net",
            "KiB sent, round trips",
            "paper: GELU-Net",
            "GELU-Net packed for one sample",
        ],
    );
    for timing in &report.tables_2_3_4 {
        timed(timing, out);
    }
    line(
        out,
        "\nSeconds and bytes are of one sample: of the whole batch, over its size. All is measured \
         in one run, with both parties' work in one process and on all threads; a network between \
         them would come on top. Keys, and what is made once under a key, are left out. Ours and \
         GELU-Net share one engine, one key size and one packing, over samples; the last column \
         is GELU-Net with a packing that it does not have, in favour of few samples. The paper does not say its key \
         size: its seconds are for the ratios below, and not to be held against ours. Images and \
         weights are made up, since times do not hang on them. A batch of 1 leaves all but one \
         slot of a plaintext empty.\n",
    );
    if report.ratios.is_empty() {
        return;
    }
    line(out, format_args!("### Ratios, {bits} bits\n"));
    header(out, ["", "batch", "paper", "here", "here, encrypted part"]);
    for ratio in &report.ratios {
        row(
            out,
            [
                ratio.what.to_owned(),
                ratio.batch.to_string(),
                format!("{:.2}", ratio.paper),
                format!("{:.2}", ratio.here),
                format!("{:.2}", ratio.encrypted_here),
            ],
        );
    }
    line(out, "");
}

fn timed(timing: &Timing, out: &mut String) {
    for batch in &timing.batches {
        let seconds = |each: Option<Each>| maybe(each, |each| format!("{:.5}", each.seconds));
        row(
            out,
            [
                timing.network.to_owned(),
                timing.data.to_owned(),
                format!("{}, {}", timing.encrypted, timing.inputs),
                batch.batch.to_string(),
                seconds(batch.ours),
                maybe(batch.ours, |each| format!("{:.5}", each.encrypted_seconds)),
                maybe(batch.ours, |each| format!("{:.1}", each.bytes / 1024.0)),
                format!("{:.4}", timing.paper_seconds),
                seconds(batch.gelu_net),
                maybe(batch.gelu_net, |each| {
                    format!("{:.1}, {}", each.bytes / 1024.0, each.round_trips)
                }),
                maybe(timing.paper_gelu_net_seconds, |seconds| {
                    format!("{seconds:.4}")
                }),
                seconds(batch.gelu_net_packed),
            ],
        );
    }
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

fn figure1<'a>(report: &Report, figures: impl Iterator<Item = &'a Figure>, out: &mut String) {
    if report.figure1.is_empty() {
        return;
    }
    let bits = report.settings.key_bits;
    line(
        out,
        format_args!("## Figure 1: seconds per inference by the input's dimension, {bits} bits\n"),
    );
    header(
        out,
        [
            "dimension",
            "batch",
            "ours: 84 at the cut",
            "MLR, all encrypted",
        ],
    );
    for figure in &report.figure1 {
        for point in &figure.points {
            let seconds = |value: Option<f64>| maybe(value, |seconds| format!("{seconds:.5}"));
            row(
                out,
                [
                    point.inputs.to_string(),
                    figure.batch.to_string(),
                    seconds(point.ours),
                    seconds(point.encrypted_mlr),
                ],
            );
        }
    }
    line(out, "");
    figures.for_each(|figure| picture(figure, out));
}

fn training<'a>(report: &Report, figures: impl Iterator<Item = &'a Figure>, out: &mut String) {
    if report.training.is_empty() {
        return;
    }
    let bits = report.settings.key_bits;
    line(
        out,
        format_args!("## Beyond the paper: training, {bits} bits\n"),
    );
    header(
        out,
        [
            "dataset",
            "rows learnt from",
            "batch, epochs",
            "seconds an epoch, three processes over TLS",
            "the whole job, keys and testing included",
            "seconds an epoch, one process, all threads",
            "MiB an epoch: features' side, labels' side",
            "weights equal plaintext fixed point",
        ],
    );
    for one in &report.training {
        let processes = one.processes.as_ref();
        let also = processes.map(|processes| processes.weights_bit_identical);
        let both = match (one.curves.bit_identical, also) {
            (Some(one), Some(other)) => Some(one && other),
            (one, other) => one.or(other),
        };
        row(
            out,
            [
                one.dataset.title().to_owned(),
                maybe(one.training_rows, |rows| rows.to_string()),
                maybe(processes, |of| format!("{}, {}", of.batch_size, of.epochs)),
                maybe(processes.and_then(|of| of.seconds_per_epoch), |seconds| {
                    format!("{seconds:.2}")
                }),
                maybe(processes, |of| {
                    let sent = of.bytes_sent;
                    let sent = output::bytes((sent.active + sent.passive) as f64);
                    format!("{:.1} s, {sent} sent", of.seconds)
                }),
                maybe(one.one_process_seconds_per_epoch, |seconds| {
                    format!("{seconds:.2}")
                }),
                maybe(one.bytes_per_epoch, mebibytes),
                identical(both).to_owned(),
            ],
        );
    }
    line(
        out,
        "\nIn three processes each party has one thread, and makes randomness ahead while it \
         waits. An epoch's bytes are those of its messages; what a whole job sends includes \
         envelopes and frames, key, test and validation rows. TLS comes on top of both. The \
         digits are a part of the training images, since validation rows are classified after each \
         epoch.\n",
    );
    figures.for_each(|figure| picture(figure, out));
    line(out, "Accuracy on validation rows after each epoch:\n");
    header(
        out,
        [
            "dataset",
            "epoch",
            "encrypted",
            "fixed point",
            "floating point",
        ],
    );
    for one in &report.training {
        let curves = &one.curves;
        let lines = [
            &curves.encrypted,
            &curves.fixed_point,
            &curves.floating_point,
        ];
        let epochs = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        for epoch in 0..epochs {
            let [encrypted, fixed, floating] =
                lines.map(|line| maybe(line.get(epoch), |accuracy| format!("{accuracy:.4}")));
            row(
                out,
                [
                    curves.dataset.title().to_owned(),
                    (epoch + 1).to_string(),
                    encrypted,
                    fixed,
                    floating,
                ],
            );
        }
    }
    line(out, "");
}

fn leak(report: &Report, out: &mut String) {
    if report.leak.is_empty() {
        return;
    }
    let bits = report.settings.key_bits;
    line(
        out,
        format_args!("## Beyond the paper: what released gradients tell of labels, {bits} bits\n"),
    );
    header(
        out,
        [
            "dataset",
            "defence",
            "norm attack, AUC: first epoch, last",
            "cosine attack, AUC: first epoch, last",
            "test accuracy",
        ],
    );
    for one in &report.leak {
        let of = |pick: fn(entente_protocol::privacy::Leak) -> f64| {
            let value = |leak: Option<_>| maybe(leak.map(pick), |auc| format!("{auc:.3}"));
            format!("{}, {}", value(one.first), value(one.last))
        };
        row(
            out,
            [
                one.dataset.title().to_owned(),
                one.defence.clone(),
                of(|leak| leak.norm_auc),
                of(|leak| leak.cosine_auc),
                maybe(one.test_accuracy, |accuracy| format!("{accuracy:.4}")),
            ],
        );
    }
    line(
        out,
        format_args!(
            "\nAn area of 0.5 is guessing, 1 is certainty. Trained under encryption for {}, seed 1. \
             The paper claims that labels stay private: without a defence they do not.\n",
            count(report.leak.first().map_or(0, |one| one.epochs), "epoch")
        ),
    );
}
