//! `entente demo ...`.

use std::path::PathBuf;

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use entente_protocol::job::Preset;

/// What a demonstration can learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoDataset {
    /// Fisher's irises, which come with this software: 150 rows.
    Iris,
    /// Handwritten digits, of which the first 600 are taken unless --rows says
    /// otherwise; from files (see --data).
    Mnist,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  entente demo --epochs 5 --report report.json
  entente demo --epochs 100 --patience 5
  entente demo --dataset mnist --model lenet5 --data data")]
pub(crate) struct DemoArgs {
    /// What to learn from.
    #[arg(long, value_enum, default_value_t = DemoDataset::Iris)]
    pub(crate) dataset: DemoDataset,
    /// The network below the cut. Left out: 4-5-3 for iris, lenet5 for mnist.
    #[arg(long, value_parser = preset())]
    pub(crate) model: Option<Preset>,
    /// Take only so many rows of the dataset's files, the first.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rows: Option<u64>,
    /// The folder that has one folder for each dataset that is read from
    /// files, as `entente data check` takes it.
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
    /// Passes over the training rows. Left out: 30 for iris, 2 for mnist.
    #[arg(long)]
    pub(crate) epochs: Option<u32>,
    /// Stop when the loss on validation rows, a fifth of all, has not become
    /// less for so many epochs, and keep the best epoch's weights.
    #[arg(long, value_name = "EPOCHS")]
    pub(crate) patience: Option<u32>,
    /// Samples of a mini-batch. Left out: 16.
    #[arg(long)]
    pub(crate) batch_size: Option<usize>,
    /// Fixes the split, the order of samples and the initial weights.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub(crate) seed: u64,
    /// Write everything that is shown at the end to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Leave the three processes running at the end, until Ctrl-C.
    #[arg(long)]
    pub(crate) keep_running: bool,
}

/// A preset by its name in a job; another word is answered with all of them.
fn preset() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(Preset::ALL.map(Preset::name)).try_map(|name| {
        let mut all = Preset::ALL.into_iter();
        all.find(|preset| preset.name() == name)
            .ok_or("there is no preset of this name")
    })
}
