//! What others have counted is served as if it had been counted here: in whatever order
//! they tell it, however often they say it, and whoever of them ends.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, time::Duration};

use entente_metrics::*;
use proptest::prelude::*;

/// Series and their values, of what is only ever added to.
fn amounts(registry: &Registry) -> BTreeMap<String, f64> {
    let text = registry.render(Sight::Everything).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("entente_"));
    let lines = lines.filter_map(|line| line.rsplit_once(' '));
    lines
        .filter(|(series, _)| {
            let name = series.split('{').next().unwrap();
            let amount = ["_total", "_bucket", "_sum", "_count"];
            // What a process uses is its own.
            amount.iter().any(|end| name.ends_with(end)) && !name.starts_with("entente_worker_")
        })
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap()))
        .collect()
}

fn gauge(registry: &Registry, series: &str) -> Option<f64> {
    let text = registry.render(Sight::Everything).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(series))?;
    line.trim().parse().ok()
}

/// Something that is counted.
#[derive(Debug, Clone)]
enum Happens {
    Forward(u64),
    /// In eighths of a second, which floats add up without a rest.
    Took(u64),
    Step(&'static str, u64),
    Waiting(i64),
}

impl Happens {
    fn count(&self, registry: &Registry) {
        let eighths = |n: u64| Duration::from_millis(125 * n);
        match self {
            Self::Forward(n) => registry.family(&HE_ITEMS).with(["forward"]).add(*n),
            Self::Took(n) => registry
                .family(&HE_SECONDS)
                .with(["forward"])
                .add(eighths(*n)),
            Self::Step(state, n) => {
                let steps = registry.family(&STEP_SECONDS);
                steps.with(["acml", "active", state]).observe(eighths(*n));
            }
            Self::Waiting(n) => registry.family(&OUTBOX).with([]).set(*n),
        }
    }
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (0..1000_u64).prop_map(Happens::Forward),
        (0..1000_u64).prop_map(Happens::Took),
        (prop::sample::select(vec!["a", "b"]), 0..4000_u64)
            .prop_map(|(state, n)| Happens::Step(state, n)),
        (0..9_i64).prop_map(Happens::Waiting),
    ]
}

/// What befalls one of three workers, or the party itself.
#[derive(Debug, Clone)]
enum Event {
    Counts(usize, Happens),
    CountsHere(Happens),
    Tells(usize),
    IsAway(usize),
    /// It has told all, ends, and is made again.
    Ends(usize),
    /// The same, of a process that has told another party before.
    ComesFromElsewhere(usize, Vec<Happens>),
}

const WORKERS: usize = 3;

fn event() -> impl Strategy<Value = Event> {
    let worker = || 0..WORKERS;
    prop_oneof![
        8 => (worker(), happens()).prop_map(|(at, what)| Event::Counts(at, what)),
        1 => happens().prop_map(Event::CountsHere),
        4 => worker().prop_map(Event::Tells),
        1 => worker().prop_map(Event::IsAway),
        1 => worker().prop_map(Event::Ends),
        1 => (worker(), prop::collection::vec(happens(), 0..3))
            .prop_map(|(at, before)| Event::ComesFromElsewhere(at, before)),
    ]
}

/// A worker as its party knows it, and what it counts.
struct Worker {
    own: Registry,
    teller: Teller,
}

impl Worker {
    fn new(party: &Registry, before: &[Happens]) -> Self {
        let own = Registry::new().unwrap();
        before.iter().for_each(|what| what.count(&own));
        let teller = party.teller(own.counts());
        Self { own, teller }
    }

    fn tells(&mut self) {
        self.teller.tells(&self.own.counts());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Nothing falls while the party lives; and when all is told, what the party shows is
    /// what one process would show that had counted all of it, histograms among it.
    #[test]
    fn all_of_them_together_are_one(events in prop::collection::vec(event(), 0..60)) {
        let (party, one) = (Registry::new().unwrap(), Registry::new().unwrap());
        let mut workers: Vec<Worker> = (0..WORKERS).map(|_| Worker::new(&party, &[])).collect();
        let mut last = amounts(&party);
        for event in events {
            match event {
                Event::Counts(at, what) => {
                    what.count(&workers[at].own);
                    what.count(&one);
                }
                Event::CountsHere(what) => {
                    what.count(&party);
                    what.count(&one);
                }
                Event::Tells(at) => workers[at].tells(),
                Event::IsAway(at) => workers[at].teller.is_away(),
                Event::Ends(at) => {
                    workers[at].tells();
                    workers[at] = Worker::new(&party, &[]);
                }
                Event::ComesFromElsewhere(at, before) => {
                    workers[at].tells();
                    workers[at] = Worker::new(&party, &before);
                }
            }
            let now = amounts(&party);
            for (series, value) in &last {
                prop_assert!(now.get(series) >= Some(value), "{series} fell from {value}");
            }
            last = now;
        }
        workers.iter_mut().for_each(Worker::tells);
        let mut all = amounts(&party);
        let expected = amounts(&one);
        // A series that one process has told another party alone is there, and nothing.
        all.retain(|series, value| expected.contains_key(series) || *value != 0.0);
        prop_assert_eq!(all, expected);
    }

    /// Tellings of workers in any order, each as often as it likes, come to what the last
    /// of each says.
    #[test]
    fn order_and_repetition_do_not_matter(
        told in prop::collection::vec(prop::collection::vec(happens(), 1..5), WORKERS),
        shuffled in Just((0..WORKERS * 8).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let (party, plain) = (Registry::new().unwrap(), Registry::new().unwrap());
        let mut tellings = Vec::new();
        let mut tellers: Vec<Teller> = told.iter().map(|_| party.teller(Counts::default())).collect();
        let mut last = Vec::new();
        for (at, happenings) in told.iter().enumerate() {
            let own = Registry::new().unwrap();
            for what in happenings {
                what.count(&own);
                tellings.push((at, own.counts()));
            }
            let mut teller = plain.teller(Counts::default());
            teller.tells(&own.counts());
            last.push(teller);
        }
        // Each at least once, since there are fewer.
        let several = shuffled.iter().map(|at| at % tellings.len());
        for at in several.chain(0..tellings.len()) {
            let (worker, counts) = &tellings[at];
            tellers[*worker].tells(counts);
        }
        prop_assert_eq!(amounts(&party), amounts(&plain));
    }
}

#[test]
fn gauges_are_of_those_that_are_there() {
    let party = Registry::new().unwrap();
    let workers = [3, 4].map(|n| {
        let own = Registry::new().unwrap();
        own.family(&OUTBOX).with([]).set(n);
        let fill = own.family(&HE_PACKING_FILL).with(["forward"]);
        fill.set(1.0 / n as f64);
        // Its party speaks of links and rounds itself.
        own.family(&LINKS_UP).with(["bank-b"]).set(1);
        own.family(&ROUNDS).with([]).add(9);
        own
    });
    party.family(&OUTBOX).with([]).set(1);
    let outbox = || gauge(&party, "entente_outbox_messages ");
    let fill = || {
        gauge(
            &party,
            "entente_he_packing_fill_ratio{operation=\"forward\"} ",
        )
    };
    let [mut one, mut other] = workers.each_ref().map(|own| {
        let mut teller = party.teller(Counts::default());
        teller.tells(&own.counts());
        teller
    });
    assert_eq!((outbox(), fill()), (Some(8.0), Some(1.0 / 3.0)));
    assert_eq!(gauge(&party, "entente_links_up{"), None);
    assert_eq!(gauge(&party, "entente_rounds_total "), Some(0.0));
    one.is_away();
    assert_eq!((outbox(), fill()), (Some(5.0), Some(0.25)));
    one.tells(&workers[0].counts());
    assert_eq!(outbox(), Some(8.0));
    drop(one);
    // A series that is gone there is gone here.
    let empty = Registry::new().unwrap();
    other.tells(&empty.counts());
    assert_eq!((outbox(), fill()), (Some(1.0), None));
}

/// A worker's processor time and memory are not the party's, and are shown as what they
/// are.
#[cfg(target_os = "linux")]
#[test]
fn what_workers_use_is_beside_what_the_party_uses() {
    let (party, worker) = (Registry::new().unwrap(), Registry::new().unwrap());
    let memory = || gauge(&party, "entente_worker_resident_memory_bytes ");
    assert_eq!(memory(), Some(0.0));
    assert_eq!(
        gauge(&party, "entente_worker_cpu_seconds_total "),
        Some(0.0)
    );
    let mut teller = party.teller(Counts::default());
    let counts = worker.counts();
    assert!(counts.families().all(|(name, _)| !PROCESS.contains(&name)));
    let used = Value::Counter(7.0);
    let mut counts = counts.clone();
    assert!(counts.insert(WORKER_CPU_SECONDS.name(), Vec::new(), used));
    teller.tells(&counts);
    assert!(memory().unwrap() > 1e6);
    drop(teller);
    assert_eq!(memory(), Some(0.0));
    assert_eq!(
        gauge(&party, "entente_worker_cpu_seconds_total "),
        Some(7.0)
    );
}

#[test]
fn what_workers_do_not_tell_of_or_what_has_another_form_is_not_taken() {
    let mut counts = Counts::default();
    let one = || Value::Counter(1.0);
    let label = || vec!["forward".to_owned()];
    let observed = |up_to: Vec<u64>, count, sum| Value::Histogram(Observed { up_to, count, sum });
    let edges = STEP_SECONDS.metric().buckets.len();
    let step = || vec!["acml".to_owned(), "active".to_owned(), "a".to_owned()];
    for (name, labels, value) in [
        ("entente_nobodys_total", label(), one()),
        ("process_cpu_seconds_total", Vec::new(), one()),
        (ROUNDS.name(), Vec::new(), one()),
        (LINKS_UP.name(), label(), Value::Gauge(1.0)),
        (HE_ITEMS.name(), Vec::new(), one()),
        (HE_ITEMS.name(), label(), Value::Gauge(1.0)),
        (HE_ITEMS.name(), label(), Value::Counter(-1.0)),
        (HE_ITEMS.name(), label(), Value::Counter(f64::NAN)),
        (OUTBOX.name(), Vec::new(), Value::Gauge(f64::INFINITY)),
        (
            STEP_SECONDS.name(),
            step(),
            observed(vec![0; edges - 1], 0, 0.0),
        ),
        (
            STEP_SECONDS.name(),
            step(),
            observed(vec![2; edges], 1, 0.0),
        ),
        (
            STEP_SECONDS.name(),
            step(),
            observed(vec![0; edges], 0, -1.0),
        ),
    ] {
        assert!(
            !counts.insert(name, labels, value.clone()),
            "{name} {value:?}"
        );
    }
    assert_eq!(counts, Counts::default());
    assert!(counts.insert(
        STEP_SECONDS.name(),
        step(),
        observed(vec![1; edges], 1, 0.1)
    ));
}

/// The list says it of every metric that a party and its workers both have, and sums what
/// can be summed alone.
#[test]
fn amounts_are_summed_and_the_coordinators_are_nobody_elses() {
    for metric in ALL {
        let of_workers = metric.of_workers;
        assert!(
            metric.service == Service::Party || of_workers == OfWorkers::Unheard,
            "{}",
            metric.name
        );
        let of_what_is = metric.kind == "gauge" && metric.name.ends_with("_ratio");
        assert!(
            !of_what_is || of_workers != OfWorkers::Summed,
            "{}",
            metric.name
        );
        assert!(
            metric.kind == "gauge" || of_workers != OfWorkers::Largest,
            "{}",
            metric.name
        );
    }
}
