//! A coordinator, asked over HTTP: whether it answers, how fast, and what its
//! clock says.

use std::time::{Duration, Instant, SystemTime};

use awc::{Client, Connector};
use entente_tls::{Credentials, Identity};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use url::Url;

use super::{PATIENCE, finding::Finding, refused, throughput::bytes_per_s};
use crate::{
    line::{self, Deadline},
    output, serve,
};

/// Round trips of which the shortest counts.
const TRIPS: usize = 8;
/// As much is fetched to measure throughput, or as much as comes meanwhile. Nothing
/// large is sent the other way: the API keeps what it takes, and what parties tell a
/// coordinator is small.
const FETCH_BYTES: usize = 1 << 20;
const FETCH_FOR: Duration = Duration::from_secs(2);
/// The largest answer that is of no state.
const FETCHED: &str = "v1/openapi.json";

/// Calls a coordinator at `url`.
pub(super) fn examine(
    url: &Url,
    credentials: &Credentials,
    expected: &Identity,
    out: &mut Vec<Finding>,
) {
    let check = format!("coordinator {url}");
    let address = match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        _ => {
            let remedy = "write https://host:port/ into [coordinator] url";
            return out.push(Finding::failure(check, "it has no host", remedy));
        }
    };
    match line::open(&address, credentials, expected, Deadline::within(PATIENCE)) {
        Ok((_, agreed)) => out.push(Finding::ok(check.clone(), agreed.seen())),
        Err(error) => {
            let whom = expected.to_string();
            return out.push(refused::finding(&error, check, &whom, &address));
        }
    }
    match serve::runtime().block_on(ask(url, credentials, expected)) {
        Ok(answers) => out.extend(answers.findings(&check)),
        Err(error) => out.push(Finding::failure(
            format!("{check}, answers"),
            error,
            "its log says why; it must take our certificate ([tls] ca there)",
        )),
    }
}

/// What it answered.
struct Answers {
    ready: Result<(), String>,
    round_trip: Duration,
    down_bytes_per_s: u64,
    skew_s: Option<f64>,
    software: Option<String>,
}

impl Answers {
    fn findings(&self, check: &str) -> Vec<Finding> {
        let mut findings = vec![match &self.ready {
            Ok(()) => Finding::ok(format!("{check}, ready"), "it takes requests"),
            Err(said) => Finding::warning(
                format!("{check}, ready"),
                said,
                "of several coordinators one leads; of one, see its log and its store",
            ),
        }];
        let round_trip_us = u64::try_from(self.round_trip.as_micros()).unwrap_or(u64::MAX);
        let speed = Finding::ok(
            format!("{check}, speed"),
            format!(
                "{:.1} ms a round trip, {}/s down",
                self.round_trip.as_secs_f64() * 1e3,
                output::bytes(self.down_bytes_per_s as f64)
            ),
        );
        findings.push(
            speed
                .measured("round_trip_us", round_trip_us)
                .measured("down_bytes_per_s", self.down_bytes_per_s),
        );
        findings.push(judge_skew(check, self.skew_s));
        let ours = env!("CARGO_PKG_VERSION");
        let check = format!("{check}, versions");
        findings.push(match &self.software {
            Some(theirs) => {
                let seen = format!("entente {theirs} there, {ours} here; API v1");
                Finding::ok(check, seen)
            }
            None => Finding::warning(
                check,
                format!("it does not say; {ours} here"),
                "bring both to one release",
            ),
        });
        findings
    }
}

async fn ask(url: &Url, credentials: &Credentials, of: &Identity) -> Result<Answers, String> {
    let tls = credentials.client_config(of).map_err(|e| e.to_string())?;
    let connector = Connector::new().rustls_0_23(tls).timeout(PATIENCE);
    let http = Client::builder().connector(connector).timeout(PATIENCE);
    let http = http.finish();
    let at = |path: &str| url.join(path).map(String::from).map_err(|e| e.to_string());
    // `SendRequestError` may not be sent; its text may.
    let get = async |path: &str| {
        let mut response = http
            .get(at(path)?)
            .send()
            .await
            .map_err(|e| e.to_string())?;
        let body = response
            .body()
            .limit(16 << 20)
            .await
            .map_err(|e| e.to_string())?;
        let date = response.headers().get("date").cloned();
        Ok::<_, String>((response.status(), date, body))
    };
    get("healthz").await?;
    let (mut round_trip, mut skew_s) = (Duration::MAX, None);
    for _ in 0..TRIPS {
        let (before, clock) = (Instant::now(), SystemTime::now());
        let (_, date, _) = get("healthz").await?;
        let took = before.elapsed();
        if took < round_trip {
            round_trip = took;
            let date = date.as_ref().and_then(|date| date.to_str().ok());
            skew_s = date.and_then(|date| skew(date, clock + took / 2));
        }
    }
    let (status, _, said) = get("readyz").await?;
    let ready = match status.is_success() {
        true => Ok(()),
        false => Err(title(&said)),
    };
    let (_, _, metrics) = get("metrics").await?;
    let software = version(&String::from_utf8_lossy(&metrics));
    // It may make it only when it is asked for the first time.
    get(FETCHED).await?;
    let (start, mut fetched, mut waited) = (Instant::now(), 0, Duration::ZERO);
    while fetched < FETCH_BYTES && start.elapsed() < FETCH_FOR {
        let (_, _, text) = get(FETCHED).await?;
        if text.is_empty() {
            break;
        }
        fetched += text.len();
        waited += round_trip;
    }
    Ok(Answers {
        ready,
        round_trip,
        down_bytes_per_s: bytes_per_s(fetched as u64, start.elapsed(), waited),
        skew_s,
        software,
    })
}

/// What a problem (RFC 9457) says in short.
fn title(said: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(said).ok();
    let text = problem.and_then(|problem| {
        let of = |key| Some(problem.get(key)?.as_str()?.to_owned());
        of("detail").or_else(|| of("title"))
    });
    text.unwrap_or_else(|| "it is not ready".to_owned())
}

/// The version in what a service says of its build.
pub(super) fn version(metrics: &str) -> Option<String> {
    let line = metrics
        .lines()
        .find(|line| line.starts_with("entente_build_info{"))?;
    let (_, rest) = line.split_once("version=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// How many seconds another clock is ahead of ours. An HTTP date is cut to a
/// whole second, so half of one is added.
pub(super) fn skew(date: &str, ours: SystemTime) -> Option<f64> {
    let date = date.replace("GMT", "+0000");
    let theirs = OffsetDateTime::parse(&date, &Rfc2822).ok()?;
    let ours = OffsetDateTime::from(ours);
    Some((theirs - ours).as_seconds_f64() + 0.5)
}

/// Beyond this, logs of two machines are hard to lay side by side.
const NOTICEABLE_S: f64 = 5.0;
/// Certificates are dated back by so much: beyond it a fresh one is refused.
const BACKDATED_S: f64 = 300.0;

/// Whether two clocks agree well enough.
pub(super) fn judge_skew(check: &str, skew_s: Option<f64>) -> Finding {
    let check = format!("{check}, clock");
    let remedy = "set both machines' clocks by NTP";
    let Some(skew_s) = skew_s else {
        return Finding::warning(check, "its answers have no date", remedy);
    };
    let seen = match skew_s {
        ..0.0 => format!("{:.1} s behind ours", -skew_s),
        _ => format!("{skew_s:.1} s ahead of ours"),
    };
    match skew_s.abs() {
        ..=NOTICEABLE_S => Finding::ok(check, format!("{seen}; told to a second")),
        ..=BACKDATED_S => Finding::warning(check, seen, remedy),
        _ => Finding::failure(
            check,
            format!("{seen}: fresh certificates are refused"),
            remedy,
        ),
    }
}
