//! What running services tell of themselves: every metric of the list is set by something,
//! and series that name a job go with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use entente_metrics::{ALL, Service};
use entente_tls::Identity;
use house::{House, eventually, get, get_as, succeed};

/// What a party has no occasion to tell of while all goes well.
const WITHOUT_OCCASION: &[&str] = &[
    "entente_protocol_errors_total",
    "entente_label_leak_auc_ratio",
];

/// What the active party does, and the passive one.
const PRIMITIVES: [(usize, &str); 7] = [
    (0, "encrypt"),
    (0, "decrypt"),
    (1, "multiply"),
    (1, "add"),
    (1, "rerandomise"),
    (0, "pack"),
    (1, "pack"),
];

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|other| other.starts_with(line))
}

fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    let value = line.unwrap_or_else(|| panic!("no {series} in\n{text}"));
    value.trim().parse().unwrap()
}

#[test]
fn every_metric_of_a_party_is_set_and_what_names_a_job_goes_with_it() {
    everything_is_told(&House::start(|port| port));
}

#[test]
fn a_party_tells_the_same_of_jobs_that_run_in_workers() {
    let launcher = "[launcher]\nkind = \"process\"\n";
    let house = House::with_datasets(|port| port, [launcher; 2], |_| ());
    everything_is_told(&house);
}

fn everything_is_told(house: &House) {
    let id = house.submit(&[("epochs = 30", "epochs = 100000")]);
    let called = format!("job_id=\"{id}\",protocol=\"acml\",role=\"");
    let texts = eventually("a job runs, and links have been pinged", || {
        let texts = ["bank-a", "bank-b"].map(|party| house.scrape(party));
        let tells = |text: &String| {
            has(text, "entente_link_round_trip_seconds{")
                && value(text, "entente_rounds_total ") > 1.0
        };
        // A worker tells every few seconds.
        let works = PRIMITIVES.iter().all(|(party, primitive)| {
            let series = format!("entente_he_primitives_total{{primitive=\"{primitive}\"}} ");
            value(&texts[*party], &series) > 0.0
        });
        (works && texts.iter().all(tells)).then_some(texts)
    });
    for text in &texts {
        for metric in ALL.iter().filter(|m| m.service != Service::Coordinator) {
            let name = metric.name;
            if WITHOUT_OCCASION.contains(&name) {
                continue;
            }
            assert!(
                has(text, &format!("# TYPE {name} {}", metric.kind)),
                "{name}"
            );
        }
        assert!(text.contains(&called), "{text}");
        assert!(value(text, "entente_compute_threads ") >= 1.0);
        let waited = value(text, "entente_waiting_seconds_total{for=\"message\"} ");
        assert!(waited > 0.0, "{text}");
    }
    for (party, primitive) in PRIMITIVES {
        let series = format!("entente_he_primitive_seconds_total{{primitive=\"{primitive}\"}} ");
        assert!(value(&texts[party], &series) > 0.0, "{series}");
    }
    let [active, passive] = &texts;
    for (text, operation) in [(active, "encrypt_activations"), (passive, "forward")] {
        let of = |name| value(text, &format!("{name}{{operation=\"{operation}\"}} "));
        let fill = of("entente_he_packing_fill_ratio");
        assert!(fill > 0.0 && fill <= 1.0, "{fill}");
        // At 2048 bits a ciphertext has 512 bytes.
        let bytes_each = of("entente_he_bytes_total") / of("entente_he_ciphertexts_total");
        assert!((512.0..700.0).contains(&bytes_each), "{bytes_each}");
    }

    // What a peer sees names no job.
    let url = format!("https://localhost:{}/metrics", house.active.port("metrics"));
    let bank_a = Identity::party("bank-a".parse().unwrap());
    let (status, totals) = get_as(house.path(), "bank-b", &bank_a, &url);
    assert_eq!(status, 200, "{totals}");
    assert!(has(&totals, "entente_rounds_total ") && !totals.contains(&id));

    let coordinator = format!("{}/metrics", house.coordinator.url().trim_end_matches('/'));
    let of = Identity::coordinator("coordinator".parse().unwrap());
    let scrape = || get(house.path(), &of, &coordinator).1;
    assert!(has(
        &scrape(),
        &format!("entente_job_rounds{{job_id=\"{id}\"}} ")
    ));
    succeed(house.path(), &["job", "cancel", &id]);
    assert_eq!(house.end_of(&id)["state"], "cancelled");
    assert!(!scrape().contains("job_id="));
    for party in ["bank-a", "bank-b"] {
        eventually("what named the job is gone with it", || {
            let text = house.scrape(party);
            let gone = !text.contains("job_id=") && value(&text, "entente_outbox_messages ") == 0.0;
            gone.then_some(())
        });
    }
}
