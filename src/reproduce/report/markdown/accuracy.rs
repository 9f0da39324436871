//! Table 1.

use super::{count, header, identical, line, maybe, maybe_text, mebibytes, row};
use crate::reproduce::report::{Report, accuracy::Accuracy, statistic::Statistic};

pub(super) fn table1(report: &Report, out: &mut String) {
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
