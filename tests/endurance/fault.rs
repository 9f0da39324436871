//! What can happen to a household, and how often.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::proxy::Mishap;

/// Whom it happens to, of the parties of a household by number.
pub(crate) type Party = usize;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The coordinator is killed, and started again.
    KillCoordinator,
    /// A party is.
    KillParty(Party),
    /// All parties are, at once.
    KillParties,
    /// Everything is, at once.
    KillAll,
    /// On the way between the parties.
    BetweenParties(Mishap),
    /// On a party's way to the coordinator.
    ToCoordinator(Party, Mishap),
}

impl Fault {
    /// To count them by.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::KillCoordinator => "coordinator killed",
            Self::KillParty(_) => "party killed",
            Self::KillParties => "both parties killed",
            Self::KillAll => "everything killed",
            Self::BetweenParties(_) => "link between the parties",
            Self::ToCoordinator(..) => "way to the coordinator",
        }
    }
}

/// Draws faults, and the moments between them, from a seed.
pub(crate) struct Dice {
    rng: ChaCha20Rng,
    parties: usize,
    half_open: u32,
}

/// A connection that is open to one side only is noticed by its silence, after
/// 20 s; so few of them in a run.
const MOST_HALF_OPEN: u32 = 2;

impl Dice {
    pub(crate) fn new(seed: u64, parties: usize) -> Self {
        Self {
            rng: ChaCha20Rng::seed_from_u64(seed),
            parties,
            half_open: 0,
        }
    }

    /// At least 0 and below `sides`.
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.rng.next_u64() % sides.max(1)
    }

    fn party(&mut self) -> Party {
        self.below(self.parties as u64) as usize
    }

    /// A moment that nobody chose. Long enough, mostly, for something to go on
    /// before.
    pub(crate) fn moment(&mut self) -> Duration {
        Duration::from_micros(self.below(1_500_000))
    }

    pub(crate) fn fault(&mut self) -> Fault {
        match self.below(20) {
            0..3 => Fault::KillCoordinator,
            3..10 => Fault::KillParty(self.party()),
            10..12 => Fault::KillParties,
            12 => Fault::KillAll,
            13..17 => Fault::BetweenParties(self.mishap()),
            _ => Fault::ToCoordinator(self.party(), self.mishap()),
        }
    }

    fn mishap(&mut self) -> Mishap {
        match self.below(7) {
            0 => Mishap::Cut,
            1 if self.half_open < MOST_HALF_OPEN => {
                self.half_open += 1;
                Mishap::HalfOpen
            }
            2 => Mishap::Delay(Duration::from_millis(50 + self.below(1_000))),
            3 => Mishap::Drop,
            4 => Mishap::Truncate,
            5 => Mishap::Duplicate,
            _ => Mishap::Reset,
        }
    }
}
