//! How long things are measured, and how somebody who waits is told.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use super::cut::Cut;
use crate::exit::Failure;

/// How much is put into a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Everything once, on a small cut: shows that it works, and little else.
    Quick,
    /// The paper's cut, and repetitions.
    Full,
}

impl Effort {
    /// The batch that packing is made for.
    pub(super) fn packed(self) -> Cut {
        match self {
            Self::Quick => Cut {
                batch: 4,
                width: 3,
                classes: 2,
            },
            Self::Full => Cut {
                batch: 128,
                width: 84,
                classes: 10,
            },
        }
    }

    /// Unpacked, a batch of 128 takes minutes on a portable tier; what it costs
    /// a sample is the same for 16.
    pub(super) fn unpacked(self) -> Cut {
        Cut {
            batch: self.packed().batch.min(16),
            ..self.packed()
        }
    }

    /// Ciphertexts that are measured together.
    pub(super) fn ciphertexts(self) -> usize {
        match self {
            Self::Quick => 8,
            Self::Full => 64,
        }
    }

    /// Rounds of training.
    pub(super) fn rounds(self) -> u32 {
        match self {
            Self::Quick => 2,
            Self::Full => 4,
        }
    }

    /// Repeats an operation until it has been seen often enough, or long
    /// enough: the least time, and what the last one made. Whatever else runs
    /// on a machine only ever adds, so the least is nearest to what the
    /// operation takes. It is no cure for a busy machine: what is longer than a
    /// turn of the scheduler shares the processor in every repetition, while
    /// OpenSSL's single exponentiation may run undisturbed.
    pub(super) fn least<T>(
        self,
        mut operate: impl FnMut() -> Result<T, Failure>,
    ) -> Result<(f64, T), Failure> {
        let (repetitions, patience) = match self {
            Self::Quick => (1, Duration::ZERO),
            Self::Full => (9, Duration::from_secs(3)),
        };
        let (begun, mut least) = (Instant::now(), f64::INFINITY);
        for done in 1.. {
            let since = Instant::now();
            let made = operate()?;
            least = least.min(since.elapsed().as_secs_f64());
            if done >= repetitions || begun.elapsed() > patience {
                return Ok((least, made));
            }
        }
        Err(Failure::Runtime("nothing was measured".to_owned()))
    }
}

/// Says on the standard error what is being done: one line that changes on a
/// terminal, a line each elsewhere.
pub(super) fn say(what: &str) {
    let mut errors = std::io::stderr().lock();
    // Whoever does not listen does not stop the measurement.
    let _ = if errors.is_terminal() {
        write!(errors, "\r\x1b[2K{what}").and_then(|()| errors.flush())
    } else if what.is_empty() {
        Ok(())
    } else {
        writeln!(errors, "{what}")
    };
}
