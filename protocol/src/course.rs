//! A schedule as a party goes through it, and what the verdicts on the epochs
//! make of it.
//!
//! ```text
//!   patience = 2   epoch      0       1       2       3
//!                  verdict    best    best    not     not ──▶ stop: test rows
//!                                      │                         ▲
//!                                      └─ copied, and put back ──┘
//! ```
//!
//! The labels' side alone can tell how good an epoch was. It says one bit,
//! [`Verdict`], and everything else follows from the bits by the one rule here:
//! when training stops, of which epoch a copy is taken, and when it takes the
//! place of what came after. The obvious design, a message that says "stop", was
//! refused: it could contradict the patience that both agreed to, or come when
//! nothing may stop, and each such case would want a check. Two courses that hear
//! the same bits cannot differ, so both parties go through the same exchanges; no
//! clock and no coordinator has a say in it, and whoever resumes a job from its
//! checkpoints hears the same bits again.

use entente_wire::{DecodeError, Encode, Reader};

use crate::{
    ProtocolError,
    checkpoint::{option, put_option},
    job::{Job, Keep, Selection},
    rows::RowIds,
    schedule::{Exchange, Place, Schedule},
    verdict::Verdict,
};

#[cfg(test)]
mod tests;

/// A schedule on its way.
#[derive(Debug, Clone)]
pub struct Course {
    schedule: Schedule,
    selection: Option<Selection>,
    /// The order of the training rows, of the epoch that was asked for last.
    order: Option<(u32, Vec<usize>)>,
    /// The best epoch so far.
    best: Option<u32>,
}

/// What becomes of a party's half of the model after an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copying {
    /// Nothing is to be done.
    Leave,
    /// The best so far: a copy is taken, in the place of the last one.
    Take,
    /// Training is over: the copy takes the place of what was learnt since.
    PutBack,
    /// Training is over with its best epoch: no copy is needed any more.
    Drop,
}

impl Copying {
    /// Does so to the copy that there is; returns what is to be put back.
    pub fn on<T>(self, copy: &mut Option<T>, take: impl FnOnce() -> T) -> Option<T> {
        match self {
            Self::Leave => None,
            Self::Take => {
                *copy = Some(take());
                None
            }
            Self::PutBack => copy.take(),
            Self::Drop => {
                *copy = None;
                None
            }
        }
    }
}

impl Course {
    /// Of a job over these rows, before its first exchange.
    ///
    /// # Errors
    /// [`ProtocolError::NoValidationRows`] when epochs are to be compared and
    /// the rows are too few for any to be set apart for that.
    pub fn new(job: &Job, rows: impl Into<RowIds>) -> Result<Self, ProtocolError> {
        let schedule = job.schedule(rows);
        let selection = job.selection();
        if selection.is_some() && schedule.validation_rows().is_empty() {
            return Err(ProtocolError::NoValidationRows {
                fraction: job.spec().data.validation_fraction,
            });
        }
        Ok(Self {
            schedule,
            selection,
            order: None,
            best: None,
        })
    }

    /// The exchanges, as far as is known now.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Exchange `index`; `None` past the end. Puts the rows in order once an
    /// epoch.
    pub fn exchange(&mut self, index: u64) -> Option<Exchange> {
        if let Some(Place::Train { epoch, .. }) = self.schedule.place(index)
            && self.order.as_ref().is_none_or(|(of, _)| *of != epoch)
        {
            self.order = Some((epoch, self.schedule.order(epoch)));
        }
        let order = self.order.as_ref().map_or(&[][..], |(_, order)| order);
        self.schedule.exchange_in(index, order)
    }

    /// Whether a verdict follows the last of an epoch's validation rows.
    pub fn hears_verdicts(&self) -> bool {
        self.selection.is_some()
    }

    /// The best epoch so far, from 0; `None` before a verdict.
    pub fn best(&self) -> Option<u32> {
        self.best
    }

    /// Goes to where another course of the same job had come, as it was encoded.
    ///
    /// # Errors
    /// [`DecodeError`] for what no course of this job comes to; nothing has
    /// changed then.
    pub(crate) fn resume(&mut self, input: &mut Reader<'_>) -> Result<(), DecodeError> {
        let epochs = input.u32("epochs gone through")?;
        let best = option("best epoch", input, |input| input.u32("best epoch"))?;
        let in_range =
            (1..=self.schedule.epochs()).contains(&epochs) && best.is_none_or(|best| best < epochs);
        let untouched = epochs == self.schedule.epochs() && best.is_none();
        if !in_range || (self.selection.is_none() && !untouched) {
            return Err(DecodeError::Invalid {
                what: "course",
                why: "this job does not come there",
            });
        }
        self.best = best;
        if let Some(last) = epochs.checked_sub(1) {
            self.schedule.stop_after(last);
        }
        Ok(())
    }

    /// Takes in the verdict on `epoch` (from 0): leaves out what follows if it
    /// is time to stop, and says what to do with the model.
    pub fn hear(&mut self, epoch: u32, verdict: Verdict) -> Copying {
        let Some(selection) = self.selection else {
            return Copying::Leave;
        };
        if verdict == Verdict::Best {
            self.best = Some(epoch);
        }
        let since_best = epoch.saturating_sub(self.best.unwrap_or_default());
        if selection
            .patience
            .is_some_and(|patience| since_best >= patience)
        {
            self.schedule.stop_after(epoch);
        }
        let over = self.schedule.ends_with(epoch);
        match (selection.keep, verdict) {
            (Keep::Last, _) => Copying::Leave,
            (Keep::Best, Verdict::Best) if over => Copying::Drop,
            (Keep::Best, Verdict::Best) => Copying::Take,
            (Keep::Best, Verdict::NotBest) if over => Copying::PutBack,
            (Keep::Best, Verdict::NotBest) => Copying::Leave,
        }
    }
}

/// How far it has come. What it goes by is the job's.
impl Encode for Course {
    fn encode(&self, out: &mut Vec<u8>) {
        self.schedule.epochs().encode(out);
        put_option(self.best.as_ref(), out, Encode::encode);
    }
}
