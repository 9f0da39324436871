//! Which jobs start, one after the other.
//!
//! Looked at are the lines that were stirred up: where a job came, or a party
//! has room that it had not. All others could start nothing the last time, and
//! nothing has changed for them since. While jobs start, room only shrinks,
//! a claim becomes places, and usage grows: a line whose first cannot start is
//! done with, and a line's standing only falls, so that the one that is taken out
//! first is the first of all, once it has been looked at anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use entente_protocol::job::JobId;
use entente_tls::Identity;

use super::{Class, Floor, Queue, Share, Standing};
use crate::clock::Millis;

/// One look at what was stirred up.
#[derive(Debug, Default)]
pub(in crate::engine) struct Pass {
    firsts: BTreeSet<(Standing, Arc<Class>)>,
    /// What submitters have had; it is asked for often.
    usage: BTreeMap<Identity, u64>,
}

impl Pass {
    /// The next job that starts. Whoever asks starts it before asking again:
    /// takes it out of the queue, its places, and its share.
    pub(in crate::engine) fn next(
        &mut self,
        queue: &mut Queue,
        floor: &impl Floor,
        share: &Share,
        now: Millis,
    ) -> Option<JobId> {
        loop {
            queue.keep(floor, now);
            for class in core::mem::take(&mut queue.stirred) {
                self.look_at(queue, class, share, now);
            }
            let (standing, class) = self.firsts.pop_first()?;
            if self.first_of(queue, &class, share, now) != Some(standing) {
                self.look_at(queue, class, share, now);
                continue;
            }
            let Some(entry) = queue.entry(standing.id()) else {
                continue;
            };
            if floor.admits(queue, entry) {
                self.usage.remove(&entry.by);
                return Some(standing.id());
            }
        }
    }

    fn look_at(&mut self, queue: &Queue, class: Arc<Class>, share: &Share, now: Millis) {
        let first = self.first_of(queue, &class, share, now);
        self.firsts.extend(first.map(|first| (first, class)));
    }

    fn first_of(
        &mut self,
        queue: &Queue,
        class: &Class,
        share: &Share,
        now: Millis,
    ) -> Option<Standing> {
        let usage = &mut self.usage;
        queue.line(class)?.first(now, |who| {
            if let Some(known) = usage.get(who) {
                return *known;
            }
            let had = share.usage(who, now);
            usage.insert(who.clone(), had);
            had
        })
    }
}
