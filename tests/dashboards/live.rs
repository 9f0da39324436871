//! With real processes and a real Prometheus: every query of every dashboard
//! answers, and alerts fire when what they are about has happened.
//!
//! `ENTENTE_PICTURES=120 cargo test --test dashboards live` lets everything run for
//! so many seconds and draws the pictures of `dashboards/README.md` anew.

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    house::{PATIENCE, eventually, succeed},
    picture::{Picture, View, picture},
    prometheus::{Prometheus, installed},
    promql::mentions,
    rules::rules,
    source::{DASHBOARDS, Dashboard, room},
    watched::{Watched, fill},
};

/// Panels that show something only once something has gone wrong: dashboard and
/// title. What goes wrong is below.
const AFTER_A_FAULT: [(&str, &str); 2] = [("overview", "Alerts"), ("job", "Held up now")];

/// Alerts that are fired here, for real; the others, which take weeks or a
/// broken disk, by `promtool test rules`.
const FIRED: [(&str, &str); 10] = [
    ("EntenteCertificateExpiring", "ticket"),
    ("EntenteRevocationListExpiring", "page"),
    ("EntenteJobFailed", "ticket"),
    ("EntenteQueueNotMoving", "ticket"),
    ("EntentePartyDown", "ticket"),
    ("EntentePartyAway", "page"),
    ("EntenteLinkDown", "ticket"),
    ("EntenteJobStalled", "page"),
    ("EntenteCoordinatorDown", "page"),
    ("EntenteNoLeader", "page"),
];

/// For how many seconds everything is to run before pictures are drawn, if they
/// are to be kept.
fn pictures() -> Option<u64> {
    let set = env::var("ENTENTE_PICTURES").ok()?;
    Some(
        set.parse()
            .expect("ENTENTE_PICTURES is a number of seconds"),
    )
}

/// The sample job, longer, and with everything that there is to be shown.
fn job(epochs: &str) -> Vec<(&'static str, String)> {
    let more = "[privacy]\nmax_leak_auc = 1.0\n\n[keys]\nrotate_every_rounds = 40\n\n[liveness]";
    vec![
        ("epochs = 30", format!("epochs = {epochs}")),
        (
            "test_fraction = 0.2",
            "test_fraction = 0.2\nvalidation_fraction = 0.1".to_owned(),
        ),
        ("[liveness]", more.to_owned()),
        ("stall_budget_s = 1800", "stall_budget_s = 90".to_owned()),
    ]
}

fn submit(watched: &Watched, changes: &[(&'static str, String)]) -> String {
    let changes = changes.iter().map(|(from, to)| (*from, to.as_str()));
    watched.house.submit(&changes.collect::<Vec<_>>())
}

/// A query, and where it stands.
struct Question {
    place: String,
    query: String,
}

impl Question {
    /// Whether there is an answer with a number in it.
    fn is_answered(&self, prometheus: &Prometheus) -> bool {
        let samples = prometheus.now(&self.query);
        let samples = samples.unwrap_or_else(|error| panic!("{}: {error}", self.place));
        samples.iter().any(|sample| !sample.value.is_nan())
    }
}

/// All queries of all panels, and all series that rules look at: what a rule
/// concludes from them is empty while nothing is wrong.
fn questions(variables: &BTreeMap<String, String>, after_a_fault: bool) -> Vec<Question> {
    let mut questions = Vec::new();
    for name in DASHBOARDS {
        let dashboard = Dashboard::read(name);
        for panel in dashboard.panels() {
            if AFTER_A_FAULT.contains(&(name, panel.title.as_str())) == after_a_fault {
                questions.extend(panel.queries.iter().map(|query| Question {
                    place: format!("{name}, {}: {}", panel.title, query.expr),
                    query: fill(&query.expr, variables),
                }));
            }
        }
    }
    if !after_a_fault {
        for rule in rules() {
            let selectors = mentions(&rule.expr).selectors.into_iter();
            questions.extend(selectors.map(|selector| Question {
                place: format!("{}: {}", rule.alert, selector.text),
                query: selector.text,
            }));
        }
    }
    questions
}

/// Waits until nothing is missing any more.
fn expect(what: &str, mut missing: impl FnMut() -> Vec<String>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let missing = missing();
        if missing.is_empty() {
            return;
        }
        let words = missing.join("\n");
        assert!(
            Instant::now() < deadline,
            "{what} within {PATIENCE:?}:\n{words}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until all are answered.
fn expect_answers(prometheus: &Prometheus, mut open: Vec<Question>) {
    assert!(!open.is_empty());
    expect("an answer", || {
        open.retain(|question| !question.is_answered(prometheus));
        open.iter().map(|question| question.place.clone()).collect()
    });
}

/// Waits until all of them have fired. What they look at is said if they do not.
fn expect_fired(prometheus: &Prometheus, alerts: &[(&str, &str)]) {
    let looked_at = |alert: &str| {
        let rules = rules().into_iter().filter(|rule| rule.alert == alert);
        let selectors = rules.flat_map(|rule| mentions(&rule.expr).selectors);
        let values = selectors.map(|one| format!("{alert}: {:?}", prometheus.now(&one.text)));
        values.collect::<Vec<_>>()
    };
    expect("alerts fire", || {
        let silent = alerts
            .iter()
            .filter(|(alert, severity)| !prometheus.has_fired(alert, severity));
        silent.flat_map(|(alert, _)| looked_at(alert)).collect()
    });
}

#[test]
fn every_query_answers_and_alerts_fire() {
    let Some(program) = installed("prometheus") else {
        return;
    };
    let mut watched = Watched::start(&program);
    let epochs = if pictures().is_some() {
        "400"
    } else {
        "100000"
    };
    submit(&watched, &job(epochs));
    let variables = watched.variables();
    expect_answers(&watched.prometheus, questions(&variables, false));
    assert_eq!(watched.prometheus.broken_rules(), Vec::<String>::new());
    draw(&watched, &variables);

    let prometheus = &watched.prometheus;
    expect_fired(prometheus, &FIRED[..2]);
    // Iris has four columns.
    submit(&watched, &[("inputs = 4", "inputs = 5".to_owned())]);
    expect_fired(prometheus, &FIRED[2..3]);
    let house = watched.house.path();
    succeed(house, &["party", "drain", "--config", "bank-b.toml"]);
    eventually("the coordinator hears of it", || {
        let printed = succeed(house, &["coordinator", "parties", "-o", "json"]);
        let parties: Value = serde_json::from_str(&printed).unwrap();
        let mut parties = parties.as_array()?.iter();
        parties.find(|party| party["name"] == "bank-b" && party["draining"] == true)?;
        Some(())
    });
    submit(&watched, &[]);
    expect_fired(prometheus, &FIRED[3..4]);

    watched.house.passive.kill();
    let prometheus = &watched.prometheus;
    expect_fired(prometheus, &FIRED[4..7]);
    expect_answers(prometheus, questions(&variables, true));
    expect_fired(prometheus, &FIRED[7..8]);

    watched.house.coordinator.kill();
    let prometheus = &watched.prometheus;
    expect_fired(prometheus, &FIRED[8..]);
    assert_eq!(prometheus.broken_rules(), Vec::<String>::new());
    // And its workers with it.
    watched.house.active.stop();
}

/// Draws all dashboards as they look now: each into an image that is not empty
/// and not large.
fn draw(watched: &Watched, variables: &BTreeMap<String, String>) {
    let prometheus = &watched.prometheus;
    let number = |query: &str| {
        let samples = prometheus.now(query).unwrap();
        samples.first().map(|sample| sample.value)
    };
    let began = "max(process_start_time_seconds{job=\"entente-coordinator\"})";
    let began = number(began).unwrap();
    let now = || number("vector(time())").unwrap();
    let folder = match pictures() {
        Some(seconds) => {
            while now() - began < seconds as f64 {
                thread::sleep(Duration::from_millis(500));
            }
            room().join("pictures")
        }
        None => watched.house.path().to_path_buf(),
    };
    let window = (began, now());
    let view = View {
        prometheus,
        variables,
        window,
    };
    for name in DASHBOARDS {
        let dashboard = Dashboard::read(name);
        let Picture { svg, mut empty } = picture(&dashboard, &view);
        let file: PathBuf = folder.join(format!("{name}.svg"));
        fs::write(&file, &svg).unwrap();
        assert!(svg.len() < 150_000, "{name}.svg has {} bytes", svg.len());
        empty.retain(|title| !AFTER_A_FAULT.contains(&(name, title.as_str())));
        assert_eq!(empty, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_is_fired_is_an_alert_and_the_faulty_are_panels() {
    for (alert, severity) in FIRED {
        let known = rules()
            .iter()
            .any(|rule| rule.alert == alert && rule.labels["severity"] == severity);
        assert!(known, "{alert}");
    }
    for (name, title) in AFTER_A_FAULT {
        let dashboard = Dashboard::read(name);
        assert!(
            dashboard.panels().any(|panel| panel.title == title),
            "{title}"
        );
    }
}
