//! What the paper has nothing of.

use super::{count, header, identical, line, maybe, mebibytes, picture, row};
use crate::{
    output,
    reproduce::report::{Report, figure::Figure},
};

pub(super) fn training<'a>(
    report: &Report,
    figures: impl Iterator<Item = &'a Figure>,
    out: &mut String,
) {
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

pub(super) fn leak(report: &Report, out: &mut String) {
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
