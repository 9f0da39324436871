//! What the meters have heard of one end of a scheme.

use std::sync::Mutex;

use entente_he::{Ahead, Done, Primitive, Tallied};
use entente_metrics::{
    Counter, HE_POOL_CAPACITY, HE_POOL_VALUES, HE_PRIMITIVE_SECONDS, HE_PRIMITIVES, SecondsCounter,
};

use super::{Meters, share::Share};

/// What the meters have heard of one end of a scheme: what lies ready in it, and what it
/// has done.
#[derive(Debug)]
pub(super) struct Heard {
    depth: Share,
    capacity: Share,
    done: Mutex<[Told; Primitive::ALL.len()]>,
}

#[derive(Debug)]
struct Told {
    primitive: Primitive,
    done: Done,
    items: Counter,
    seconds: SecondsCounter,
}

impl Heard {
    /// Of a new end of this kind.
    pub(super) fn new(meters: &Meters, end: &str) -> Self {
        let registry = meters.registry();
        let share = |definition| Share::new(registry.family(definition).with([end]));
        Self {
            depth: share(&HE_POOL_VALUES),
            capacity: share(&HE_POOL_CAPACITY),
            done: Mutex::new(Primitive::ALL.map(|primitive| {
                Told {
                    primitive,
                    done: Done::default(),
                    items: registry.family(&HE_PRIMITIVES).with([primitive.label()]),
                    seconds: registry
                        .family(&HE_PRIMITIVE_SECONDS)
                        .with([primitive.label()]),
                }
            })),
        }
    }

    /// Hears what the end has come to have and do.
    ///
    /// Waits for nobody: the thread that tells at this moment may have time, and be made
    /// to wait. What it leaves out is told with the next operation.
    pub(super) fn hear<T: Ahead + Tallied + ?Sized>(&self, end: &T) {
        self.depth.tell(end.depth());
        self.capacity.tell(end.capacity());
        let Ok(mut told) = self.done.try_lock() else {
            return;
        };
        for told in told.iter_mut() {
            let done = end.tally().of(told.primitive);
            let more = done.since(told.done);
            told.items.add(more.items);
            told.seconds.add(more.time);
            told.done = done;
        }
    }
}
