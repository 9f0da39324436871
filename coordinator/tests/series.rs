//! Series that name jobs and parties: there while what they name is, and for those alone
//! who may look at all of them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use entente_metrics::{ALL, Service};
use house::Field;

/// Lines that speak of a job.
fn of_jobs(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.contains("job_id="))
        .collect()
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|other| other.starts_with(line))
}

#[actix_rt::test]
async fn a_jobs_series_are_there_while_it_runs_and_gone_when_it_has_ended() {
    let mut field = Field::new().await;
    let alice = field.caller("user/alice");
    let scrape = async || {
        let (status, text) = alice.get("/metrics").await;
        assert_eq!(status, 200, "{text}");
        text
    };
    (field.active.exchanges, field.passive.exchanges) = (10_000, 10_000);
    let id = field.submit().await;
    assert!(of_jobs(&scrape().await).is_empty(), "it waits");

    let view = field
        .go_on(id, |view| {
            let side = |side: &entente_protocol::control::Progress| side.rounds_done;
            side(&view.sides.active.progress).min(side(&view.sides.passive.progress)) > 20
        })
        .await;
    let text = scrape().await;
    let correlation = view.correlation;
    for line in [
        &*format!(
            "entente_job_info{{active=\"bank-a\",correlation=\"{correlation}\",job_id=\"{id}\",\
             kind=\"train\",name="
        ),
        &format!("entente_job_rounds{{job_id=\"{id}\"}} "),
        &format!("entente_job_planned_rounds{{job_id=\"{id}\"}} 10000"),
        &format!("entente_job_loss{{job_id=\"{id}\"}} 0."),
        &format!("entente_job_validation_accuracy_ratio{{job_id=\"{id}\"}} 0.9"),
        &format!("entente_job_validation_loss{{job_id=\"{id}\"}} 0.25"),
        &format!("entente_job_eta_seconds{{job_id=\"{id}\"}} "),
        &format!("entente_job_started_timestamp_seconds{{job_id=\"{id}\"}} 1"),
        &format!("entente_job_progress_timestamp_seconds{{job_id=\"{id}\"}} 1"),
        &format!("entente_job_still_seconds{{job_id=\"{id}\"}} "),
        &format!("entente_job_stall_budget_seconds{{job_id=\"{id}\"}} "),
        &format!("entente_job_waiting_seconds{{job_id=\"{id}\"}} 0"),
        "entente_party_up{party=\"bank-a\"} 1",
        "entente_party_heard_timestamp_seconds{party=\"bank-b\"} 1",
        "entente_party_places{party=\"bank-b\"} 2",
        "entente_party_places_taken{party=\"bank-b\"} 1",
        "entente_jobs{state=\"running\"} 1",
        "entente_queue_starts_total 1",
        "entente_jobs_unlisted 0",
    ] {
        assert!(has(&text, line), "no {line} in\n{text}");
    }
    // What is not known is not there.
    for name in ["entente_job_key_epoch{", "entente_job_leak_bound_ratio{"] {
        assert!(!has(&text, name), "{text}");
    }

    // A party may look at its own jobs alone, and series have no owner.
    let (status, totals) = field.caller("party/bank-a").get("/metrics").await;
    assert_eq!(status, 200);
    assert!(has(&totals, "entente_jobs{state=\"running\"} 1"));
    assert!(
        of_jobs(&totals).is_empty() && !totals.contains("bank-"),
        "{totals}"
    );

    field.client.cancel(id).await.unwrap();
    field.go_on(id, |view| view.state.is_ended()).await;
    let text = scrape().await;
    assert!(of_jobs(&text).is_empty(), "{text}");
    assert!(has(&text, "entente_party_places_taken{party=\"bank-a\"} 0"));
    field.stop().await;
}

/// Those that this run has no occasion for: what did not happen cannot be there, but as a
/// zero where its labels are known.
const WITHOUT_OCCASION: &[&str] = &[
    "entente_job_label_leak_auc_ratio",
    "entente_job_leak_bound_ratio",
    "entente_job_key_epoch",
    "entente_job_key_since_timestamp_seconds",
    "entente_job_waiting",
];

#[actix_rt::test]
async fn every_metric_of_the_coordinator_is_set_by_something() {
    let mut field = Field::new().await;
    (field.active.exchanges, field.passive.exchanges) = (10_000, 10_000);
    let id = field.submit().await;
    field
        .go_on(id, |view| {
            view.sides.passive.progress.rounds_done > 20
                && view.sides.active.progress.rounds_done > 20
        })
        .await;
    let (_, text) = field.caller("user/alice").get("/metrics").await;
    for metric in ALL.iter().filter(|metric| metric.service != Service::Party) {
        let there = has(&text, &format!("# TYPE {} {}", metric.name, metric.kind));
        let expected = !WITHOUT_OCCASION.contains(&metric.name);
        assert_eq!(there, expected, "{}", metric.name);
    }
    field.stop().await;
}
