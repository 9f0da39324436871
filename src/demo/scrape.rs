//! The parties' own metrics, read at the end: what was measured while it ran.

use std::{collections::BTreeMap, net::SocketAddr};

use entente_metrics as metrics;
use entente_tls::{Credentials, Identity, Name};

use super::report::{Operations, Steps};
use crate::{exit::Failure, sides::Sides};

/// One party's samples: name with labels, and value.
pub(super) struct Samples(Vec<(String, BTreeMap<String, String>, f64)>);

impl Samples {
    /// Reads `/metrics` of a party, over mutual TLS.
    pub(super) async fn of(
        credentials: &Credentials,
        party: &str,
        address: SocketAddr,
    ) -> Result<Self, Failure> {
        let name: Name = party.parse().map_err(Failure::runtime)?;
        let config = credentials
            .client_config(&Identity::party(name))
            .map_err(Failure::runtime)?;
        let connector = awc::Connector::new().rustls_0_23(config);
        let client = awc::Client::builder().connector(connector).finish();
        let url = format!("https://localhost:{}/metrics", address.port());
        let complain = |error: String| Failure::Runtime(format!("metrics of {party}: {error}"));
        let mut response = client
            .get(url)
            .send()
            .await
            .map_err(|error| complain(error.to_string()))?;
        if !response.status().is_success() {
            return Err(complain(response.status().to_string()));
        }
        let body = response.body().limit(16 << 20).await;
        let body = body.map_err(|error| complain(error.to_string()))?;
        Ok(Self(
            String::from_utf8_lossy(&body)
                .lines()
                .filter_map(parse)
                .collect(),
        ))
    }

    /// The sum over all label values of a series, of those that carry `label`.
    fn by<'a>(&'a self, name: &'a str, label: &'a str) -> impl Iterator<Item = (String, f64)> + 'a {
        self.0
            .iter()
            .filter(move |(series, ..)| series == name)
            .filter_map(move |(_, labels, value)| Some((labels.get(label)?.clone(), *value)))
    }

    /// Bytes of protocol messages that this party sent.
    pub(super) fn bytes_sent(&self) -> f64 {
        let sent = |(direction, value): (String, f64)| (direction == "sent").then_some(value);
        self.by(metrics::MESSAGE_BYTES.name(), "direction")
            .filter_map(sent)
            .sum()
    }

    /// Seconds by state.
    pub(super) fn steps(&self) -> BTreeMap<String, Steps> {
        let mut steps: BTreeMap<String, Steps> = BTreeMap::new();
        let name = metrics::STEP_SECONDS.name();
        for (state, seconds) in self.by(&format!("{name}_sum"), "state") {
            steps.entry(state).or_default().seconds += seconds;
        }
        for (state, count) in self.by(&format!("{name}_count"), "state") {
            steps.entry(state).or_default().count += count;
        }
        steps.retain(|_, step| step.count > 0.0);
        steps
    }
}

/// Homomorphic operations of both parties.
pub(super) fn operations(parties: &Sides<Samples>) -> BTreeMap<String, Operations> {
    let mut operations: BTreeMap<String, Operations> = BTreeMap::new();
    for samples in [&parties.active, &parties.passive] {
        for (operation, value) in samples.by(metrics::HE_OPERATIONS.name(), "operation") {
            operations.entry(operation).or_default().operations += value;
        }
        for (operation, value) in samples.by(metrics::HE_ITEMS.name(), "operation") {
            operations.entry(operation).or_default().items += value;
        }
        for (operation, value) in samples.by(metrics::HE_SECONDS.name(), "operation") {
            operations.entry(operation).or_default().seconds += value;
        }
    }
    operations.retain(|_, operation| operation.operations > 0.0);
    operations
}

/// A line of the text exposition: `name{label="value",...} 1.5`. Label values
/// of ours hold neither quotes nor commas.
fn parse(line: &str) -> Option<(String, BTreeMap<String, String>, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    if series.starts_with('#') {
        return None;
    }
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
        None => (series, ""),
    };
    let labels = labels
        .split(',')
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_owned(), value.trim_matches('"').to_owned()))
        })
        .collect();
    Some((name.to_owned(), labels, value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_of_the_exposition_are_read() {
        let (name, labels, value) = parse(r#"a_total{x="1",y="two"} 2.5"#).unwrap();
        assert_eq!((name.as_str(), value), ("a_total", 2.5));
        assert_eq!(labels["y"], "two");
        assert_eq!(parse("plain 3").unwrap().2, 3.0);
        assert_eq!(parse("# HELP a_total words 1"), None);
    }
}
