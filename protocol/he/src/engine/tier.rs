//! Which kernels this machine runs.

use core::fmt;
use std::{cell::Cell, env, str::FromStr, sync::OnceLock};

/// A family of kernels. All give the same numbers, so two parties need not
/// agree on one; they differ in speed alone.
///
/// Chosen once, when the first modulus is made: the fastest that the processor
/// has, or what the environment variable [`Tier::VARIABLE`] says. A build for
/// one processor (`target-cpu=native`) was refused, as it makes binaries that
/// die on the next machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// One number at a time, in whatever words the machine has.
    Portable,
    /// One number at a time, with two chains of carries: BMI2, ADX and AVX2
    /// (x86-64 alone, nearly every server since 2016).
    #[cfg(target_arch = "x86_64")]
    Adx,
    /// Eight numbers at a time by AVX-512 IFMA (x86-64 alone).
    #[cfg(target_arch = "x86_64")]
    Ifma,
    /// [`Tier::Ifma`] with a program in the processor's place, hundreds of
    /// times slower: tests meet the kernels where the processor cannot.
    #[cfg(all(target_arch = "x86_64", any(test, feature = "insecure-test-keys")))]
    Emulated,
}

/// Why a tier cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TierError {
    /// No tier has this name.
    #[error(
        "there is no HE tier named \"{name}\" for this kind of processor; the tiers are: {}",
        Tier::ALL.map(Tier::label).join(", ")
    )]
    Unknown {
        /// As it was given.
        name: String,
    },
    /// It needs what this processor has not.
    #[error("the HE tier \"{name}\" needs an x86-64 processor with {needs}, which this is not")]
    Unavailable {
        /// Of the tier.
        name: &'static str,
        /// The instructions.
        needs: &'static str,
    },
    /// The operating system gave no threads to run on.
    #[error("no threads for the HE tier \"{name}\": {why}")]
    Threads {
        /// Of the tier.
        name: &'static str,
        /// What the operating system said.
        why: String,
    },
}

thread_local! {
    /// What [`Tier::install`] chose for this thread.
    static INSTALLED: Cell<Option<Tier>> = const { Cell::new(None) };
}

impl Tier {
    /// The environment variable that forces a tier by its label. Read once.
    pub const VARIABLE: &str = "ENTENTE_HE_TIER";

    /// Every tier that a machine may have, slowest first.
    #[cfg(target_arch = "x86_64")]
    const ALL: [Self; 3] = [Self::Portable, Self::Adx, Self::Ifma];
    #[cfg(not(target_arch = "x86_64"))]
    const ALL: [Self; 1] = [Self::Portable];

    /// The fastest tier of this machine.
    pub fn detected() -> Self {
        Self::available().last().unwrap_or(Self::Portable)
    }

    /// Every tier of this machine, slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|tier| tier.is_available())
    }

    fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Adx => super::adx::available(),
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => super::ifma::Instructions::find().is_some(),
            #[cfg(all(target_arch = "x86_64", any(test, feature = "insecure-test-keys")))]
            Self::Emulated => true,
        }
    }

    /// Every tier of this machine, and the one that any machine can play.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    pub fn testable() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let emulated = Some(Self::Emulated);
        #[cfg(not(target_arch = "x86_64"))]
        let emulated = None;
        Self::available().chain(emulated)
    }

    /// What [`Tier::VARIABLE`] asks for, or else [`Tier::detected`].
    ///
    /// # Errors
    /// [`TierError::Unknown`], [`TierError::Unavailable`]: to be told to
    /// whoever set the variable, before the first key is made.
    pub fn configured() -> Result<Self, TierError> {
        static CONFIGURED: OnceLock<Result<Tier, TierError>> = OnceLock::new();
        CONFIGURED
            .get_or_init(|| match env::var_os(Self::VARIABLE) {
                None => Ok(Self::detected()),
                Some(name) => name.to_string_lossy().parse(),
            })
            .clone()
    }

    /// What [`Tier::install`] chose for this thread, or else
    /// [`Tier::configured`].
    ///
    /// # Errors
    /// As there.
    pub fn current() -> Result<Self, TierError> {
        INSTALLED.get().map_or_else(Self::configured, Ok)
    }

    /// The tier that a modulus made now, on this thread, computes on. Where
    /// [`Tier::current`] is an error it is the detected one, and nothing comes
    /// of it: a backend asks first, and makes no end then.
    pub(super) fn of_this_thread() -> Self {
        Self::current().unwrap_or_else(|_| Self::detected())
    }

    /// Runs a function on this tier, in a thread pool of its own of the usual
    /// size: how tests and benchmarks meet each tier in one process. Keys that
    /// it returns stay on the tier.
    ///
    /// # Errors
    /// [`TierError::Unavailable`], [`TierError::Threads`].
    pub fn install<T: Send>(self, f: impl FnOnce() -> T + Send) -> Result<T, TierError> {
        self.supported()?;
        let pool = rayon::ThreadPoolBuilder::new()
            .start_handler(move |_| INSTALLED.set(Some(self)))
            .build()
            .map_err(|error| TierError::Threads {
                name: self.label(),
                why: error.to_string(),
            })?;
        Ok(pool.install(f))
    }

    /// Its name: in the environment, in logs, in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Adx => "adx",
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => "ifma",
            #[cfg(all(target_arch = "x86_64", any(test, feature = "insecure-test-keys")))]
            Self::Emulated => "emulated",
        }
    }

    fn supported(self) -> Result<Self, TierError> {
        let needs = match self {
            _ if self.is_available() => return Ok(self),
            Self::Portable => "nothing",
            #[cfg(target_arch = "x86_64")]
            Self::Adx => "BMI2, ADX and AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => "AVX-512 F and IFMA",
            #[cfg(all(target_arch = "x86_64", any(test, feature = "insecure-test-keys")))]
            Self::Emulated => "nothing",
        };
        Err(TierError::Unavailable {
            name: self.label(),
            needs,
        })
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// From a label, if this machine has the tier.
impl FromStr for Tier {
    type Err = TierError;

    fn from_str(name: &str) -> Result<Self, TierError> {
        let known = Self::ALL.into_iter().find(|tier| tier.label() == name);
        match known {
            Some(tier) => tier.supported(),
            None => Err(TierError::Unknown { name: name.into() }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{KeyBits, Paillier, PaillierBackend, conformance};

    #[test]
    fn labels_name_tiers_and_nothing_else_does() {
        for tier in Tier::available() {
            assert_eq!(tier.label().parse(), Ok(tier));
        }
        let error = "avx".parse::<Tier>().unwrap_err();
        assert!(error.to_string().contains("\"avx\""), "{error}");
        assert!(error.to_string().contains("are: portable"), "{error}");
    }

    #[test]
    fn an_installed_tier_holds_for_all_threads_of_its_pool_and_for_no_other() {
        let before = Tier::current();
        for tier in Tier::available() {
            let seen = tier.install(|| rayon::broadcast(|_| Tier::current()));
            assert!(seen.unwrap().into_iter().all(|seen| seen == Ok(tier)));
        }
        assert_eq!(Tier::current(), before);
    }

    #[test]
    fn the_scheme_conforms_on_every_tier() {
        for tier in Tier::testable() {
            for (seed, bits) in [(1, 256), (2, 258), (3, 512)] {
                let bits = KeyBits::insecure_for_tests(bits);
                tier.install(|| {
                    conformance::check::<Paillier>(&PaillierBackend::default(), bits, seed)
                })
                .unwrap();
            }
        }
    }
}
