//! Looking at the files again and again.
//!
//! By reading them and not by inotify: what is mounted from elsewhere (a secret of
//! Kubernetes, NFS) tells of no change, or of one in a folder that is gone; and a
//! few kilobytes every ten seconds are nothing. On a thread of its own, since disks
//! can hang, and whoever would wait here has handshakes to make.
//!
//! ```text
//!   the same                         ─▶ nothing
//!   something else, and all of it good ─▶ in force, as one
//!   half of it written, mixed up, ended, somebody else's, older
//!                                    ─▶ what was in force stays; said once
//! ```

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::credentials::{Credentials, Refresh};
use crate::error::TlsError;
use crate::identity::Identity;
use crate::revocation::{Revocation, moment};

/// What a look at the files has shown.
#[derive(Debug)]
pub struct Seen {
    /// What became of it.
    pub look: Look,
    /// Whose handshakes were refused since the last look, since their certificates
    /// were revoked.
    pub turned_away: Vec<(Identity, Revocation)>,
}

/// What became of a look at the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// They say what they said.
    Same,
    /// What they say is in force now.
    Reloaded,
    /// What they say cannot be used, and was not said before; what was in force
    /// stays.
    Refused,
}

impl Look {
    /// The labels of what is counted: that something was put in force, or not.
    pub const LABELS: [&'static str; 2] = ["reloaded", "refused"];

    /// Its label, if it is counted.
    #[must_use]
    pub fn label(self) -> Option<&'static str> {
        let [reloaded, refused] = Self::LABELS;
        match self {
            Self::Same => None,
            Self::Reloaded => Some(reloaded),
            Self::Refused => Some(refused),
        }
    }
}

/// A thread that looks at the files of credentials; ends when this is dropped. It is
/// not waited for: a disk that hangs must not keep a process from its end.
#[derive(Debug)]
pub struct Watch {
    /// Hung up with the watch, which wakes the thread.
    _end: Sender<()>,
}

/// How often a warning is said again.
const AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

impl Watch {
    /// Looks as often as the configuration says, and tells `tell` of every look.
    /// What people should know goes to the log.
    ///
    /// # Errors
    /// [`TlsError::Watch`] when there can be no further thread.
    pub fn start(
        credentials: Arc<Credentials>,
        mut tell: impl FnMut(&Seen) + Send + 'static,
    ) -> Result<Self, TlsError> {
        let (end, ended) = mpsc::channel();
        let every = credentials.files().reload_s.duration();
        let mut warnings = Warnings::default();
        warnings.of(&credentials, Instant::now());
        let run = move || {
            let mut refused: Refused = None;
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                tell(&look(&credentials, &mut refused));
                warnings.of(&credentials, Instant::now());
            }
        };
        let thread = thread::Builder::new().name("certificates".to_owned());
        thread.spawn(run).map_err(TlsError::Watch)?;
        Ok(Self { _end: end })
    }
}

/// What was refused, so that it is said once.
type Refused = Option<(String, Option<[u8; 32]>)>;

/// Looks once. `refused` is what was wrong the last time.
fn look(credentials: &Credentials, refused: &mut Refused) -> Seen {
    let look = match credentials.refresh() {
        Refresh::Same => {
            *refused = None;
            Look::Same
        }
        Refresh::Renewed => {
            *refused = None;
            let (serial, end) = (credentials.serial(), credentials.not_after_unix_s());
            tracing::info!(
                identity = %credentials.identity(), serial, not_after = moment(end),
                "certificates were reloaded"
            );
            Look::Reloaded
        }
        Refresh::Refused(error, digest) => {
            let now = (error.to_string(), digest);
            if refused.as_ref() == Some(&now) {
                Look::Same
            } else {
                *refused = Some(now);
                tracing::warn!(
                    label = error.label(), %error,
                    "what lies in the files of [tls] is not taken; what was in force stays"
                );
                Look::Refused
            }
        }
    };
    let turned_away = credentials.turned_away();
    for (who, revocation) in &turned_away {
        tracing::warn!(%who, "turned away: {revocation}");
    }
    Seen { look, turned_away }
}

/// Warns of what will end.
#[derive(Default)]
struct Warnings {
    said: Option<Instant>,
    of_generation: Option<u64>,
}

impl Warnings {
    fn of(&mut self, credentials: &Credentials, now: Instant) {
        let generation = credentials.generation();
        let loaded = credentials.loaded();
        if self.of_generation.replace(generation) != Some(generation) {
            self.said = None;
            for authority in &loaded.silent {
                tracing::warn!(
                    authority,
                    "[tls] crls has no list of this authority: what it revokes is not heard of"
                );
            }
        }
        if self
            .said
            .is_some_and(|said| now.duration_since(said) < AGAIN)
        {
            return;
        }
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let unix_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        if credentials.is_nearly_over(unix_s) {
            self.said = Some(now);
            tracing::warn!(
                identity = %credentials.identity(), serial = loaded.serial, not_after = moment(loaded.not_after_unix_s),
                "less than a third of the certificate's life is left: renew it (entente cert renew)"
            );
        }
        if let Some(life) = loaded.trust.lists.first_life()
            && is_nearly_over(life, unix_s)
        {
            self.said = Some(now);
            tracing::warn!(
                next_update = moment(life.1),
                "less than a third of a revocation list's life is left: after it, no certificate \
                 of its authority is taken (entente ca crl makes a new one)"
            );
        }
    }
}

/// Whether less than a third of a life is left.
pub(crate) fn is_nearly_over((from, to): (i64, i64), now: i64) -> bool {
    let (whole, left) = (to.saturating_sub(from), to.saturating_sub(now));
    left.saturating_mul(3) < whole
}

#[cfg(test)]
mod tests {
    use super::is_nearly_over;

    #[test]
    fn the_last_third_of_a_life_is_warned_of() {
        let life = (1000, 4000);
        assert!(!is_nearly_over(life, 1000));
        assert!(!is_nearly_over(life, 3000));
        assert!(is_nearly_over(life, 3001));
        assert!(is_nearly_over(life, 5000));
    }
}
