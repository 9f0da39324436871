//! `entente reproduce ...`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::reproduce::Dataset;

/// What can be reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Experiment {
    /// Accuracy on four datasets: under encryption, in plaintext, with the
    /// square for activation.
    Table1,
    /// Tables 2, 3 and 4: seconds per inference.
    #[value(aliases = ["table3", "table4"])]
    Table2,
    /// Seconds per inference against the width of the input.
    Figure1,
    /// Not in the paper: seconds and bytes of an epoch, accuracy by epoch.
    Training,
    /// Not in the paper: what released gradients tell of labels.
    Leak,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  entente reproduce --quick                       everything, small: within ten minutes
  entente reproduce                               everything; says first how long it will take
  entente reproduce --resume                      go on after Ctrl-C, a crash, a power cut
  entente reproduce --only table1 --dataset mnist the digits alone
  entente reproduce --only figure1,leak --out small

Every finished part is on disk at once, in units.jsonl below the folder that --out
names; report.md, report.json and figures/ are written at the end.

Exit code 5 if a network trained under encryption differs from the same one
trained in plaintext fixed point.")]
pub(crate) struct ReproduceArgs {
    /// Fewer epochs, seeds and rows: shows that all of it works, within ten
    /// minutes on two cores. The report says what was left out.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only some of the experiments.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Experiment>,
    /// Only some of the datasets that networks are trained on.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) dataset: Vec<Dataset>,
    /// Where results and the report go.
    #[arg(long, value_name = "DIR", default_value = "reproduction")]
    pub(crate) out: PathBuf,
    /// Go on with what is in that folder: what is finished is not done again.
    #[arg(long, conflicts_with = "restart")]
    pub(crate) resume: bool,
    /// Throw away the results in that folder, and begin anew.
    #[arg(long)]
    pub(crate) restart: bool,
    /// The folder that has one folder for each dataset that is read from
    /// files, as `entente data check` takes it. What is missing is skipped.
    #[arg(
        long,
        value_name = "DIR",
        env = "ENTENTE_DATA_DIR",
        default_value = "../shared/data"
    )]
    pub(crate) data: PathBuf,
    /// Bits of the Paillier key: 2048, 3072 or 4096.
    #[arg(long, default_value_t = 2048)]
    pub(crate) key_bits: u32,
    /// Seeds of Table 1, from 1: splits, orders and initial weights. Left out:
    /// 5, or 2 with --quick. (The digits come with their own split and are
    /// trained under one seed.)
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) seeds: Option<u64>,
}
