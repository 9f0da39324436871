//! Tables 2 to 4, and Figure 1.

use super::{header, line, maybe, picture, row};
use crate::reproduce::report::{Report, figure::Figure, inference::Each, inference::Timing};

pub(super) fn timings(report: &Report, out: &mut String) {
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

pub(super) fn figure1<'a>(
    report: &Report,
    figures: impl Iterator<Item = &'a Figure>,
    out: &mut String,
) {
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
