//! Whether a party takes work, and if not, why.
//!
//! Two things are asked for, and neither is the other:
//!
//! | | asked of | false |
//! |---|---|---|
//! | it lives | the mailbox that everything goes through | when that does not answer |
//! | it takes work | the same, the coordinator's last answer, and the signal to end | see [`Unready`] |
//!
//! The mailbox is asked, and not a flag that it sets: a server on a thread of its own
//! would say "alive" for a party whose mailbox has hung up. And whether people drain
//! the party is the mailbox's word too, so that what is said here is what the
//! coordinator is told.

use std::time::Duration;

use actix::{MailboxError, Message, Recipient};
use tokio::{sync::watch, time::timeout};

/// How long the mailbox may take to answer. What it does at a time takes
/// milliseconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Are you there?
#[derive(Debug, Message)]
#[rtype(result = "bool")]
pub(crate) struct IsDrained;

/// Why a party takes no work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unready {
    /// It was told to end.
    Ending,
    /// It does not answer.
    Hung,
    /// Its people have it begin nothing new.
    Drained,
    /// The coordinator did not answer the last question.
    NoCoordinator,
}

impl Unready {
    /// For people, and, by the word before the colon, for programs.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Ending => "ending: it was told to\n",
            Self::Hung => "hung: its mailbox does not answer\n",
            Self::Drained => "drained: nothing new begins here\n",
            Self::NoCoordinator => "no coordinator: it has not answered\n",
        }
    }
}

/// What is asked.
#[derive(Clone)]
pub(crate) struct Readiness {
    party: Recipient<IsDrained>,
    /// Whether the coordinator answered the last question.
    answered: watch::Receiver<bool>,
    ending: watch::Receiver<bool>,
}

impl Readiness {
    pub(crate) fn new(
        party: Recipient<IsDrained>,
        answered: watch::Receiver<bool>,
        ending: watch::Receiver<bool>,
    ) -> Self {
        Self {
            party,
            answered,
            ending,
        }
    }

    /// Whether the party takes work.
    pub(crate) async fn check(&self) -> Result<(), Unready> {
        if *self.ending.borrow() {
            return Err(Unready::Ending);
        }
        match self.ask().await {
            Some(true) => Err(Unready::Drained),
            Some(false) if *self.answered.borrow() => Ok(()),
            Some(false) => Err(Unready::NoCoordinator),
            // It may have been told meanwhile.
            None if *self.ending.borrow() => Err(Unready::Ending),
            None => Err(Unready::Hung),
        }
    }

    /// Whether it answers; one that ends has no mailbox any more, and lives.
    pub(crate) async fn lives(&self) -> Result<(), Unready> {
        match self.check().await {
            Err(hung @ Unready::Hung) => Err(hung),
            _ => Ok(()),
        }
    }

    async fn ask(&self) -> Option<bool> {
        let asked: Result<Result<bool, MailboxError>, _> =
            timeout(ANSWERS_WITHIN, self.party.send(IsDrained)).await;
        asked.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use actix::{Actor, Context, Handler};

    use super::*;

    struct Mailbox {
        drained: bool,
        hung: bool,
    }

    impl Actor for Mailbox {
        type Context = Context<Self>;

        fn started(&mut self, ctx: &mut Context<Self>) {
            if self.hung {
                actix::ActorContext::stop(ctx);
            }
        }
    }

    impl Handler<IsDrained> for Mailbox {
        type Result = bool;

        fn handle(&mut self, _: IsDrained, _: &mut Context<Self>) -> bool {
            self.drained
        }
    }

    #[actix_rt::test]
    async fn what_keeps_a_party_from_work_is_named_and_only_a_dead_mailbox_is_no_life() {
        for (drained, hung, answered, ending, ready, lives) in [
            (false, false, true, false, Ok(()), true),
            (true, false, true, false, Err(Unready::Drained), true),
            // What its people want comes before what the coordinator does.
            (true, false, false, false, Err(Unready::Drained), true),
            (
                false,
                false,
                false,
                false,
                Err(Unready::NoCoordinator),
                true,
            ),
            (false, true, true, false, Err(Unready::Hung), false),
            (false, false, true, true, Err(Unready::Ending), true),
            (false, true, true, true, Err(Unready::Ending), true),
        ] {
            let party = Mailbox { drained, hung }.start();
            let (_answered, answered) = watch::channel(answered);
            let (_ending, ending) = watch::channel(ending);
            let readiness = Readiness::new(party.recipient(), answered, ending);
            assert_eq!(readiness.check().await, ready);
            assert_eq!(readiness.lives().await.is_ok(), lives);
        }
    }
}
