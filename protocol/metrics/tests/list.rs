//! The list keeps its own rules, and a registry exports the list and no more.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, time::Duration};

use entente_metrics::*;

/// Gauges that count things or say what is, and so have no unit.
const WITHOUT_UNIT: &[&str] = &[
    "entente_he_pool_values",
    "entente_links_up",
    "entente_party_jobs",
    "entente_workers",
    "entente_jobs",
    "entente_leader",
    "entente_draining",
    "entente_key_epoch",
    "entente_parties_connected",
    "entente_build_info",
];

#[test]
fn names_are_unique_and_end_in_a_unit() {
    let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), ALL.len());
    for metric in ALL {
        let name = metric.name;
        assert!(name.starts_with("entente_"), "{name}");
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{name}"
        );
        let units = ["_seconds", "_bytes", "_ratio"];
        let unit = units.iter().any(|unit| name.ends_with(unit));
        match metric.kind {
            "counter" => assert!(name.ends_with("_total"), "{name}"),
            "histogram" => assert!(unit, "{name}"),
            "gauge" => assert!(unit || WITHOUT_UNIT.contains(&name), "{name}"),
            other => unreachable!("{other}"),
        }
    }
    assert!(WITHOUT_UNIT.iter().all(|name| names.contains(name)));
}

#[test]
fn every_metric_has_help_that_is_a_sentence() {
    for metric in ALL {
        assert!(metric.help.len() > 10, "{}", metric.name);
        assert!(metric.help.ends_with('.'), "{}", metric.name);
    }
}

#[test]
fn labels_are_few_distinct_and_never_a_job() {
    for metric in ALL {
        let labels: BTreeSet<_> = metric.labels.iter().collect();
        assert_eq!(labels.len(), metric.labels.len(), "{}", metric.name);
        assert!(labels.len() <= 3, "{}", metric.name);
        for forbidden in ["job", "job_id", "id", "le"] {
            assert!(!labels.contains(&forbidden), "{}", metric.name);
        }
    }
}

#[test]
fn histograms_have_ascending_buckets_and_others_none() {
    for metric in ALL {
        assert_eq!(
            metric.kind == "histogram",
            !metric.buckets.is_empty(),
            "{}",
            metric.name
        );
        assert!(
            metric.buckets.windows(2).all(|pair| pair[0] < pair[1]),
            "{}",
            metric.name
        );
    }
}

/// The names behind `# TYPE`.
fn exported(registry: &Registry) -> BTreeSet<String> {
    registry
        .render()
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|rest| rest.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_fresh_registry_exports_what_has_no_labels_and_the_process() {
    let without_labels = ALL
        .iter()
        .filter(|metric| metric.labels.is_empty())
        .map(|metric| metric.name);
    #[cfg(target_os = "linux")]
    let expected = without_labels.chain(PROCESS.iter().copied());
    #[cfg(not(target_os = "linux"))]
    let expected = without_labels;
    let expected: BTreeSet<_> = expected.map(str::to_owned).collect();
    assert_eq!(exported(&Registry::new().unwrap()), expected);
}

#[test]
fn what_is_measured_is_what_is_rendered() {
    let registry = Registry::new().unwrap();
    let step = registry.family(&STEP_SECONDS);
    let series = step.with(["acml", "active", "expect_masked_logits"]);
    series.observe(Duration::from_millis(3));
    series.observe(Duration::from_secs(1));
    registry
        .family(&MESSAGE_BYTES)
        .with(["masked_logits", SENT])
        .add(512);
    registry
        .family(&HE_SECONDS)
        .with(["forward"])
        .add(Duration::from_millis(1500));
    registry.family(&LINKS_UP).with(["bank-b"]).set(1);
    registry.family(&ROUNDS).with([]).increment();

    let text = registry.render().unwrap();
    for line in [
        "entente_step_seconds_bucket{protocol=\"acml\",role=\"active\",state=\"expect_masked_logits\",le=\"0.004\"} 1",
        "entente_step_seconds_count{protocol=\"acml\",role=\"active\",state=\"expect_masked_logits\"} 2",
        "entente_message_bytes_total{direction=\"sent\",kind=\"masked_logits\"} 512",
        "entente_he_seconds_total{operation=\"forward\"} 1.5",
        "entente_links_up{peer=\"bank-b\"} 1",
        "entente_rounds_total 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert_eq!(series.count(), 2);
    assert!((series.seconds() - 1.003).abs() < 1e-9);
}

#[test]
fn seeded_series_are_there_and_zero_and_removed_ones_are_gone() {
    let registry = Registry::new().unwrap();
    let retries = registry.family(&RETRIES);
    retries.seed([[LINK_CONNECT], [MESSAGE_RESEND], [COORDINATOR_SYNC]]);
    let line = "entente_retries_total{what=\"link_connect\"} 0";
    assert!(registry.render().unwrap().contains(line));
    retries.remove([LINK_CONNECT]);
    retries.remove(["never_there"]);
    let text = registry.render().unwrap();
    assert!(!text.contains(line));
    assert!(text.contains("entente_retries_total{what=\"message_resend\"} 0"));
}

#[test]
fn registries_are_separate_and_clones_are_not() {
    let (one, other) = (Registry::new().unwrap(), Registry::new().unwrap());
    one.clone().family(&SYNCS).with([]).add(3);
    assert_eq!(one.family(&SYNCS).with([]).value(), 3);
    assert_eq!(other.family(&SYNCS).with([]).value(), 0);
}

#[test]
fn series_are_named_as_they_are_scraped() {
    assert_eq!(ROUNDS.metric().series(), ["entente_rounds_total"]);
    assert_eq!(
        API_SECONDS.metric().series(),
        [
            "entente_api_seconds_bucket",
            "entente_api_seconds_sum",
            "entente_api_seconds_count"
        ]
    );
}
