//! What can be wrong with a model. The texts end up in records that others
//! read: no path stands in them.

use std::io;

use entente_protocol::{
    job::{JobId, ModelName, PartyName},
    network::NetworkError,
};
use thiserror::Error;

use crate::network::weights::WeightsError;

/// Why a model cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No version goes by what was asked for.
    #[error("there is no model '{wanted}' at this party{}", listed(.known))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Several versions go by what was asked for.
    #[error("'{wanted}' may be any of {}: say more of the version", .versions.join(", "))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The versions.
        versions: Vec<String>,
    },
    /// This party has no such version.
    #[error(
        "this party has no half of version {0}: it was deleted, or never saved here; train the \
         model again, or name another version (entente model list shows them)"
    )]
    NoVersion(JobId),
    /// The version is one of another model.
    #[error("version {version} is of the model '{is}', and the job names '{wanted}'")]
    OtherName {
        /// The version.
        version: JobId,
        /// Its model.
        is: ModelName,
        /// The job's.
        wanted: ModelName,
    },
    /// The job does not fix a version.
    #[error(
        "the job names model '{0}' without a version; a coordinator puts it in, and this one did \
         not"
    )]
    WithoutVersion(ModelName),
    /// The half belongs to a training with somebody else.
    #[error(
        "the model was trained by {active} (features) and {passive} (labels): its half is shown to \
         nobody else, and both must take the sides that they had"
    )]
    OtherParties {
        /// Who owned the features.
        active: PartyName,
        /// Who owned the labels.
        passive: PartyName,
    },
    /// The labels' side does not let the features' side see logits.
    #[error(
        "the predictions are for the features' side, which can work out this party's half from \
         them (after h + 1 rows): the operator of this party must allow it with [models] \
         give_logits = true, or the job have results_at = \"passive\""
    )]
    KeepsLogits,
    /// Saving it was interrupted.
    #[error(
        "version {0} has no manifest: its saving was interrupted, or it is of an earlier version \
         of this software; delete it, and train the model again"
    )]
    Unfinished(JobId),
    /// The manifest makes no sense.
    #[error("the manifest of version {version} cannot be read: {problem}")]
    Manifest {
        /// The version.
        version: JobId,
        /// What is wrong with it.
        problem: String,
    },
    /// The half makes no sense.
    #[error("the half of version {version} {problem}; restore a copy, or train the model again")]
    Half {
        /// The version.
        version: JobId,
        /// What is wrong with it.
        problem: String,
    },
    /// A job asks it.
    #[error("version {0} is asked by a job that runs now: wait for its end, or cancel it")]
    InUse(JobId),
    /// What is to be exported is held by the other side.
    #[error(
        "the labels' side has no network below the cut to export; --half exports its half, which \
         is useless alone"
    )]
    NoNetworkHere,
    /// A file is there already.
    #[error("the file to export to is there already: name another, nothing is overwritten")]
    FileExists,
    /// The weights cannot be written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The network does not take its own weights.
    #[error("the half does not fit the network that it was trained as: {0}")]
    Network(#[from] NetworkError),
    /// The file system refuses.
    #[error("the models of this party cannot be reached: {0}")]
    File(#[from] io::Error),
}

fn listed(known: &[String]) -> String {
    match known.is_empty() {
        true => ", nor any other".to_owned(),
        false => format!(" (there are: {})", known.join(", ")),
    }
}

impl ModelError {
    pub(super) fn half(version: JobId, problem: impl Into<String>) -> Self {
        Self::Half {
            version,
            problem: problem.into(),
        }
    }

    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unknown { .. } | Self::NoVersion(_) => "no_model",
            Self::Ambiguous { .. } | Self::WithoutVersion(_) => "ambiguous_model",
            Self::OtherName { .. } => "other_model",
            Self::OtherParties { .. } => "other_parties",
            Self::KeepsLogits => "keeps_logits",
            Self::Unfinished(_) => "unfinished_model",
            Self::Manifest { .. } | Self::Half { .. } => "damaged_model",
            Self::InUse(_) => "model_in_use",
            Self::NoNetworkHere | Self::FileExists | Self::Weights(_) => "export",
            Self::Network(_) => "network",
            Self::File(_) => "model_file",
        }
    }
}
