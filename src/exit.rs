//! How a command ends: a sentence for a person, a number for a program.

use std::process::ExitCode;

use thiserror::Error;

/// Why a command failed. The numbers are documented in `entente --help`.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// 1: it went wrong while running.
    #[error("{0}")]
    Runtime(String),
    /// 3: a configuration, specification, certificate or argument is wrong.
    #[error("{0}")]
    Configuration(String),
    /// 4: the job that was waited for did not succeed.
    #[error("{0}")]
    Job(String),
    /// 5: the demonstration's weights differ from the plaintext reference's.
    #[error("{0}")]
    Mismatch(String),
    /// 6: a file of a public dataset is not as published.
    #[error("{0}")]
    Data(String),
    /// 7: the audit log is not as it was written.
    #[error("{0}")]
    Audit(String),
    /// 8: the doctor has found something that is not well.
    #[error("{0}")]
    Unwell(String),
    /// 130: interrupted.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// The number.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Runtime(_) => 1,
            Self::Configuration(_) => 3,
            Self::Job(_) => 4,
            Self::Mismatch(_) => 5,
            Self::Data(_) => 6,
            Self::Audit(_) => 7,
            Self::Unwell(_) => 8,
            Self::Interrupted => 130,
        })
    }

    /// Something that went wrong while running.
    pub(crate) fn runtime(error: impl ToString) -> Self {
        Self::Runtime(error.to_string())
    }

    /// Something that a person wrote.
    pub(crate) fn configuration(error: impl ToString) -> Self {
        Self::Configuration(error.to_string())
    }
}
