//! What waits for a pool, and what it is at, counted.

use entente_metrics::Gauge;

use crate::telemetry::Meters;

/// Where tasks are counted.
#[derive(Debug, Clone)]
pub(super) struct Occupancy {
    waiting: Gauge,
    running: Gauge,
}

/// A task that waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Waits {
    occupancy: Occupancy,
    _one: One,
}

/// One more in a gauge, until this is dropped.
#[derive(Debug)]
pub(super) struct One(Gauge);

impl Occupancy {
    pub(super) fn new(meters: &Meters, threads: usize) -> Self {
        let [waiting, running] = meters.compute(threads);
        Self { waiting, running }
    }

    /// A task is asked for.
    pub(super) fn waits(&self) -> Waits {
        Waits {
            _one: One::more(&self.waiting),
            occupancy: self.clone(),
        }
    }
}

impl Waits {
    /// It has come to a thread.
    pub(super) fn runs(self) -> One {
        One::more(&self.occupancy.running)
    }
}

impl One {
    fn more(gauge: &Gauge) -> Self {
        gauge.add(1);
        Self(gauge.clone())
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::mpsc;

    use entente_metrics::{COMPUTE_QUEUE, COMPUTE_RUNNING, COMPUTE_THREADS, Definition, Registry};

    use super::*;
    use crate::compute::ComputePool;

    #[test]
    fn a_task_waits_then_runs_then_is_gone_whatever_becomes_of_it() {
        let registry = Registry::new().unwrap();
        let gauge =
            |definition: &Definition<Gauge, 0>| registry.family(definition).with([]).value();
        let now = || (gauge(&COMPUTE_QUEUE), gauge(&COMPUTE_RUNNING));
        let meters = Meters::new(registry.clone());
        let pool = ComputePool::new(1).unwrap().measured(&meters);
        assert_eq!(gauge(&COMPUTE_THREADS), 1);

        let (tell, told) = mpsc::channel();
        let (begin, begun) = mpsc::channel();
        let (let_go, may_go) = mpsc::channel::<()>();
        pool.compute(
            move || {
                begin.send(()).unwrap();
                may_go.recv().unwrap();
            },
            |_| {},
        );
        pool.compute(
            || panic!("as asked for"),
            move |outcome| tell.send(outcome.is_err()).unwrap(),
        );
        begun.recv().unwrap();
        assert_eq!(now(), (1, 1));
        let_go.send(()).unwrap();
        assert!(told.recv().unwrap());
        assert_eq!(now(), (0, 0));
    }
}
