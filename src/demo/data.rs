//! The demonstration's datasets.

use crate::{
    cli::{DemoArgs, DemoDataset},
    data::declared::{self, Half},
    exit::Failure,
    sides::Sides,
};

impl DemoDataset {
    /// For people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Iris => "Iris",
            Self::Mnist => "MNIST",
        }
    }

    /// The job that is submitted if the command line says nothing else.
    pub(super) fn job(self) -> &'static str {
        match self {
            Self::Iris => include_str!("../../deploy/iris.toml"),
            Self::Mnist => include_str!("../../deploy/mnist.toml"),
        }
    }

    /// How many rows are taken of files that have more: so few that a person
    /// waits for the end. What comes with the software is small, and taken as a
    /// whole.
    fn usual_rows(self) -> Option<u64> {
        match self {
            Self::Iris => None,
            Self::Mnist => Some(600),
        }
    }
}

/// Both halves of the dataset `name`, with files that are there.
pub(super) fn halves(args: &DemoArgs, name: &str) -> Result<Sides<Half>, Failure> {
    let usual = args.dataset.usual_rows();
    if usual.is_none() && args.rows.is_some() {
        return Err(Failure::Configuration(format!(
            "--rows: {name} has no files to take fewer rows of; leave it out"
        )));
    }
    declared::halves(name, args.rows.or(usual), &args.data)
}
