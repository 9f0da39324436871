//! Bytes of what was counted, right and wrong.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use entente_metrics::{
    HE_ITEMS, HE_SECONDS, OUTBOX, PARTY_JOB_INFO, RECEIVED, Registry, SENT, STEP_SECONDS,
};
use entente_wire::decode_exactly;
use proptest::prelude::*;

use super::*;
use crate::telemetry::Meters;

fn decoded(bytes: &[u8]) -> Result<Counted, DecodeError> {
    decode_exactly(&(), bytes)
}

/// What is in a registry of which everything is used.
fn counted() -> Counted {
    let registry = Registry::new().unwrap();
    registry
        .family(&HE_ITEMS)
        .with(["forward"])
        .add(u64::MAX >> 12);
    let seconds = registry.family(&HE_SECONDS).with(["forward"]);
    seconds.add(Duration::from_nanos(1));
    registry.family(&OUTBOX).with([]).set(-3);
    let steps = registry.family(&STEP_SECONDS);
    for (state, ms) in [
        ("expect_shares", 3),
        ("expect_shares", 9000),
        ("expect_key", 1),
    ] {
        let step = steps.with(["acml", "active", state]);
        step.observe(Duration::from_millis(ms));
    }
    let info = [
        "0190a000-0000-7000-8000-000000000000",
        "acml",
        "active",
        "a \"quoted\" ü",
    ];
    registry.family(&PARTY_JOB_INFO).with(info).set(1);
    Counted(registry.counts())
}

fn series(counted: &Counted) -> usize {
    counted.0.families().map(|(_, series)| series.len()).sum()
}

#[test]
fn what_was_counted_comes_back_as_it_was() {
    for counted in [counted(), Counted::default()] {
        assert_eq!(decoded(&counted.encoded()).unwrap(), counted);
    }
    assert!(series(&counted()) > 10);
}

#[test]
fn what_is_cut_short_or_goes_on_is_refused() {
    let bytes = counted().encoded();
    for length in 0..bytes.len() {
        let error = decoded(&bytes[..length]).unwrap_err();
        assert_eq!(error.label(), "truncated", "{length}: {error}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(decoded(&longer).unwrap_err().label(), "trailing");
    let mut newer = bytes;
    newer[0] += 1;
    assert_eq!(decoded(&newer).unwrap_err().label(), "invalid");
}

/// One family, of series without labels.
fn family(name: &str, kind: u8, edges: u8, values: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    1_u32.encode(&mut bytes);
    text(&mut bytes, name);
    bytes.extend([kind, 0, edges]);
    (values.len() as u32).encode(&mut bytes);
    values
        .iter()
        .for_each(|value| bytes.extend_from_slice(value));
    bytes
}

#[test]
fn what_is_not_on_the_list_is_read_over() {
    let one = 1_f64.to_bits().to_be_bytes();
    let own = family(OUTBOX.name(), GAUGE, 0, &[&one]);
    assert_eq!(series(&decoded(&own).unwrap()), 1);
    for (name, kind, edges, value) in [
        ("entente_of_tomorrow_total", COUNTER, 0, &one[..]),
        ("process_cpu_seconds_total", COUNTER, 0, &one),
        ("entente_rounds_total", COUNTER, 0, &one),
        // Of another form there.
        (OUTBOX.name(), COUNTER, 0, &one),
        (STEP_SECONDS.name(), HISTOGRAM, 1, &[0; 24]),
    ] {
        let bytes = family(name, kind, edges, &[value]);
        assert_eq!(decoded(&bytes).unwrap(), Counted::default(), "{name}");
    }
}

#[test]
fn numbers_beyond_their_limits_are_refused_before_anything_is_read() {
    let mut families = vec![FORMAT];
    (MAX_FAMILIES as u32 + 1).encode(&mut families);
    let mut name = vec![FORMAT, 0, 0, 0, 1];
    (MAX_TEXT_BYTES as u32 + 1).encode(&mut name);
    let mut series = family(OUTBOX.name(), GAUGE, 0, &[]);
    let count = series.len() - 4;
    series.truncate(count);
    (MAX_SERIES as u32 + 1).encode(&mut series);
    for bytes in [families, name, series] {
        assert_eq!(decoded(&bytes).unwrap_err().label(), "over_limit");
    }
    let kindless = family(OUTBOX.name(), 9, 0, &[&[0; 8]]);
    assert_eq!(decoded(&kindless).unwrap_err().label(), "invalid");
}

/// A worker tells all that there is in a part of what it may, were there twice as many
/// states and messages as in the largest protocol.
#[test]
fn there_is_room() {
    let registry = Registry::new().unwrap();
    let meters = Meters::new(registry.clone());
    meters.seed([].iter());
    for number in 0..50 {
        let name = format!("{number:0>24}");
        meters.step("acml-inference", "passive", &name, Duration::from_secs(1));
        for direction in [SENT, RECEIVED] {
            meters.message(&name, direction, 1000);
        }
    }
    let length = Counted(registry.counts()).encoded().len();
    assert!(length * 5 < MAX_BYTES, "{length}");
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for start in [&[][..], &[FORMAT], &[FORMAT, 0, 0, 0, 1, 0, 0, 0, 0, COUNTER, 0, 0]] {
            let bytes = [start, &bytes].concat();
            if let Ok(counted) = decoded(&bytes) {
                prop_assert_eq!(decoded(&counted.encoded()).unwrap(), counted);
            }
        }
    }

    #[test]
    fn what_was_changed_on_its_way_is_read_or_refused(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = counted().encoded();
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(counted) = decoded(&bytes) {
            prop_assert_eq!(decoded(&counted.encoded()).unwrap(), counted);
        }
    }
}
