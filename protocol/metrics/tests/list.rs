//! The list keeps its own rules, and a registry exports the list and no more.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, time::Duration};

use entente_metrics::*;

/// What gauges end in that count things or say what is, and so have no unit.
const THINGS: &[&str] = &[
    "_values",
    "_threads",
    "_tasks",
    "_frames",
    "_messages",
    "_up",
    "_jobs",
    "_workers",
    "_places",
    "_places_taken",
    "_rounds",
    "_samples",
    "_epoch",
    "_info",
    "_connected",
    "_unlisted",
    "_blocked",
    "_leader",
    "_draining",
    "_waiting",
    // A loss has the unit of its objective, which the job knows.
    "_loss",
];

#[test]
fn names_are_unique_and_end_in_a_unit() {
    let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), ALL.len());
    let ends_in_one_of = |name: &str, ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    for metric in ALL {
        let name = metric.name;
        assert!(name.starts_with("entente_"), "{name}");
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{name}"
        );
        let unit = ends_in_one_of(name, &["_seconds", "_bytes", "_ratio"]);
        match metric.kind {
            "counter" => assert!(name.ends_with("_total"), "{name}"),
            "histogram" => assert!(unit, "{name}"),
            "gauge" => assert!(unit || ends_in_one_of(name, THINGS), "{name}"),
            other => unreachable!("{other}"),
        }
    }
    for end in THINGS {
        assert!(names.iter().any(|name| name.ends_with(end)), "{end}");
    }
}

#[test]
fn every_metric_has_help_that_is_a_sentence() {
    for metric in ALL {
        assert!(metric.help.len() > 10, "{}", metric.name);
        assert!(metric.help.ends_with('.'), "{}", metric.name);
    }
}

#[test]
fn labels_are_few_distinct_and_documented() {
    let documented: BTreeSet<_> = LABELS.iter().map(|label| label.name).collect();
    assert!(LABELS.is_sorted_by_key(|label| label.name));
    assert_eq!(documented.len(), LABELS.len());
    for label in LABELS {
        assert!(label.help.ends_with('.'), "{}", label.name);
        assert!(label.bound.len() > 2, "{}", label.name);
    }
    let mut used = BTreeSet::new();
    for metric in ALL {
        let labels: BTreeSet<_> = metric.labels.iter().copied().collect();
        assert_eq!(labels.len(), metric.labels.len(), "{}", metric.name);
        // What says who is who is one series for each.
        let info = metric.name.ends_with("_info");
        assert!(labels.len() <= if info { 6 } else { 3 }, "{}", metric.name);
        // These are Prometheus's own.
        for forbidden in ["job", "instance", "le", "quantile"] {
            assert!(!labels.contains(forbidden), "{}", metric.name);
        }
        used.extend(labels);
    }
    assert_eq!(used, documented);
}

#[test]
fn what_names_a_job_says_so_and_is_not_for_everybody() {
    for metric in ALL {
        let name = metric.name;
        let of_a_job = metric.labels.contains(&"job_id");
        let says_so = name.starts_with("entente_job_") || name.starts_with("entente_party_job_");
        assert!(says_so || !of_a_job, "{name}");
        let names = [
            "job_id",
            "name",
            "correlation",
            "active",
            "passive",
            "party",
        ];
        let names = names.iter().any(|label| metric.labels.contains(label));
        assert_eq!(metric.names_others(), names, "{name}");
        assert!(!(of_a_job && metric.kind == "counter"), "{name} is removed");
    }
    for (metric, most) in [
        (JOBS_UNLISTED.metric(), NAMED_JOBS),
        (PARTIES_UNLISTED.metric(), NAMED_PARTIES),
    ] {
        assert!(metric.help.contains(&format!("more than {most}")));
    }

    let registry = Registry::new().unwrap();
    let rounds = registry.family(&JOB_ROUNDS);
    rounds.with(["0190"]).set(7);
    registry.family(&PARTY_UP).with(["bank-a"]).set(1);
    let line = "entente_job_rounds{job_id=\"0190\"} 7";
    let everything = registry.render(Sight::Everything).unwrap();
    assert!(everything.contains(line) && everything.contains("bank-a"));
    let totals = registry.render(Sight::Totals).unwrap();
    assert!(!totals.contains("0190") && !totals.contains("bank-a"));
    assert!(totals.contains("entente_leader 0"));
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
        .render(Sight::Everything)
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

    let text = registry.render(Sight::Everything).unwrap();
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
    assert!(registry.render(Sight::Everything).unwrap().contains(line));
    retries.remove([LINK_CONNECT]);
    retries.remove(["never_there"]);
    let text = registry.render(Sight::Everything).unwrap();
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
