//! A Prometheus of a test's own, and what it answers.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::house::{PATIENCE, eventually};

/// Where a program is that this machine may not have; said if it has not.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: {program} is not installed");
    }
    found
}

/// A running Prometheus; killed when dropped.
pub(crate) struct Prometheus {
    child: Child,
    port: u16,
}

/// One line of an answer, with its last value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// One line of an answer over time: seconds since 1970, and values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Prometheus {
    /// Starts `program` with the configuration in `file`; its data go to `folder`.
    pub(crate) fn start(program: &Path, file: &Path, folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = folder.join("prometheus.log");
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("tsdb").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut prometheus = Self { child, port };
        eventually("Prometheus is ready", || {
            let ended = prometheus.child.try_wait().unwrap();
            assert!(ended.is_none(), "{}", fs::read_to_string(&log).unwrap());
            prometheus
                .get("/-/ready")
                .filter(|(status, _)| *status == 200)
        });
        prometheus
    }

    /// What it answers: status and text; nothing while it does not listen.
    fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Version 1.0 has neither chunks nor connections that stay.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, text) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, text.to_owned()))
    }

    /// What the API answers to a question.
    ///
    /// # Errors
    /// What it says of a query that it cannot answer.
    fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(parameters).finish();
        let (_, text) = self
            .get(&format!("/api/v1/{path}?{query}"))
            .expect("an answer");
        let answer: Value = serde_json::from_str(&text).map_err(|_| text)?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].clone()),
            _ => Err(answer["error"].to_string()),
        }
    }

    /// The answer to `query` now.
    pub(crate) fn now(&self, query: &str) -> Result<Vec<Sample>, String> {
        let data = self.ask("query", &[("query", query)])?;
        let samples = data["result"].as_array().into_iter().flatten();
        let samples = samples.map(|one| Sample {
            labels: labels(&one["metric"]),
            value: number(&one["value"][1]),
        });
        Ok(samples.collect())
    }

    /// The answer over time; both ends in seconds since 1970.
    pub(crate) fn over_time(
        &self,
        query: &str,
        (start, end): (f64, f64),
        step_s: f64,
    ) -> Result<Vec<Line>, String> {
        let [start, end, step] = [start, end, step_s].map(|number| number.to_string());
        let parameters = [
            ("query", query),
            ("start", &start),
            ("end", &end),
            ("step", &step),
        ];
        let data = self.ask("query_range", &parameters)?;
        let lines = data["result"].as_array().into_iter().flatten();
        let point = |point: &Value| Some((point[0].as_f64()?, number(&point[1])));
        let lines = lines.map(|one| Line {
            labels: labels(&one["metric"]),
            points: one["values"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(point)
                .collect(),
        });
        Ok(lines.collect())
    }

    /// Rules that it could not evaluate, and why.
    pub(crate) fn broken_rules(&self) -> Vec<String> {
        let data = self.ask("rules", &[]).unwrap();
        let groups = data["groups"].as_array().into_iter().flatten();
        let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        rules
            .filter(|rule| rule["health"] == "err")
            .map(|rule| format!("{}: {}", rule["name"], rule["lastError"]))
            .collect()
    }

    /// Whether an alert fires, or has fired within the last minutes.
    pub(crate) fn has_fired(&self, alert: &str, severity: &str) -> bool {
        let query = format!(
            "max_over_time(ALERTS{{alertname={alert:?}, severity={severity:?}, alertstate=\"firing\"}}[10m])"
        );
        !self.now(&query).unwrap().is_empty()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn labels(metric: &Value) -> BTreeMap<String, String> {
    let pairs = metric.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Prometheus writes numbers as text, since JSON has no infinity.
fn number(value: &Value) -> f64 {
    match value.as_str().unwrap_or_default() {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or(f64::NAN),
    }
}
