//! The table of metrics that people read is the list, and nothing else.
#![allow(clippy::unwrap_used)]

use std::{fmt::Write, fs, path::PathBuf};

use entente_metrics::{ALL, LABELS, OfWorkers, PROCESS, Service};

fn table() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         Every metric that `/metrics` of a party or a coordinator has, and no other. The text is \
         made of the list in `protocol/metrics/src/list.rs`, and a test holds it.\n\n\
         Series with the label `job_id` are there while the job runs (at the coordinator: while it \
         is reserved, running or parked) and are removed when it ends, when it is paused, and when \
         the coordinator steps down. They, and those with the label `party`, are shown to users, \
         operators and readers, and not to parties, which may look at their own jobs alone. \
         From a job to its lines in the logs leads the label `correlation` of \
         `entente_job_info` and `entente_party_job_info`.\n\n\
         A party with a `[launcher]` serves what its workers count as well, under the same names: \
         where the column says so, its own value and those of its workers are added up, or the \
         largest of them is shown. Of workers that have ended, counters and histograms stay in \
         the sum, which never falls while the party runs; gauges go with their worker. A worker \
         tells every five seconds and before it parts: one that is killed takes with it what it \
         counted since. What other metrics say, the party knows itself.\n",
    );
    for (service, title) in [
        (Service::Party, "Of a party"),
        (Service::Coordinator, "Of the coordinator"),
        (Service::Both, "Of both"),
    ] {
        writeln!(text, "\n## {title}\n").unwrap();
        text.push_str(
            "| name | kind | labels | unit | of workers | |\n|---|---|---|---|---|---|\n",
        );
        for metric in ALL.iter().filter(|metric| metric.service == service) {
            let labels: Vec<String> = metric.labels.iter().map(|l| format!("`{l}`")).collect();
            writeln!(
                text,
                "| `{}` | {} | {} | {} | {} | {} |",
                metric.name,
                metric.kind,
                labels.join(", "),
                unit(metric.name),
                of_workers(metric.of_workers),
                metric.help
            )
            .unwrap();
        }
    }
    text.push_str("\nBoth have what Prometheus's libraries call the same everywhere: ");
    let process: Vec<String> = PROCESS.iter().map(|name| format!("`{name}`")).collect();
    writeln!(text, "{} (on Linux).", process.join(", ")).unwrap();
    text.push_str("\n## Labels\n\n| label | says | values |\n|---|---|---|\n");
    for label in LABELS {
        writeln!(
            text,
            "| `{}` | {} | {} |",
            label.name, label.help, label.bound
        )
        .unwrap();
    }
    text
}

fn of_workers(of_workers: OfWorkers) -> &'static str {
    match of_workers {
        OfWorkers::Unheard => "",
        OfWorkers::Summed => "summed",
        OfWorkers::Largest => "largest",
    }
}

fn unit(name: &str) -> &'static str {
    let name = name.strip_suffix("_total").unwrap_or(name);
    let units = ["seconds", "bytes", "ratio"];
    units
        .into_iter()
        .find(|unit| name.ends_with(&format!("_{unit}")))
        .unwrap_or_default()
}

#[test]
fn the_table_that_people_read_is_the_list() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/METRICS.md");
    if std::env::var_os("ENTENTE_WRITE_TABLES").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, table()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(
        written == table(),
        "dashboards/METRICS.md is not what the list says: write it anew with \
         ENTENTE_WRITE_TABLES=1 cargo test -p entente-metrics --test table"
    );
}
