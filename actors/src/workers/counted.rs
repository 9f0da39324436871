//! What a worker has counted, in bytes.
//!
//! ```text
//!   u8   version of this format
//!   u32  families, each:
//!          name; u8 kind; u8 labels; u8 edges of buckets
//!          u32  series, each:
//!                 values of its labels, in the order of the list
//!                 counter, gauge: f64       histogram: u64 for each edge, u64, f64
//! ```
//!
//! Integers are big-endian, floats by their bits, text behind a u32 length. A family says
//! of itself how its series are read: so one that is not on the reader's list, or is
//! another one there, is read over, and nothing of it is served.

use entente_metrics::{Counts, Observed, Value};
use entente_wire::{Decode, DecodeError, Encode, Reader};

const FORMAT: u8 = 1;
/// All that a worker may have counted. What there is takes a fifth of it at most.
pub(super) const MAX_BYTES: usize = 256 << 10;
const MAX_FAMILIES: usize = 256;
const MAX_SERIES: usize = 1 << 12;
const MAX_TEXT_BYTES: usize = 256;

const COUNTER: u8 = 1;
const GAUGE: u8 = 2;
const HISTOGRAM: u8 = 3;

/// What a worker has counted, on its way to its party.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Counted(pub(super) Counts);

impl Encode for Counted {
    fn encode(&self, out: &mut Vec<u8>) {
        FORMAT.encode(out);
        let families = self.0.families();
        (families.len() as u32).encode(out);
        for (name, series) in families {
            text(out, name);
            // A family has series, and all of them are of one form.
            let first = series.first_key_value();
            let (kind, edges) = first.map_or((GAUGE, 0), |(_, value)| form(value));
            kind.encode(out);
            first
                .map_or(0, |(labels, _)| labels.len() as u8)
                .encode(out);
            edges.encode(out);
            (series.len() as u32).encode(out);
            for (labels, value) in series {
                labels.iter().for_each(|label| text(out, label));
                put(out, value);
            }
        }
    }
}

impl Decode for Counted {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if input.u8("format")? != FORMAT {
            return Err(invalid("format", "another version of it"));
        }
        let mut counts = Counts::default();
        for _ in 0..input.count("families", MAX_FAMILIES)? {
            let name = read_text(input, "name")?;
            let kind = input.u8("kind")?;
            let labels = input.u8("labels")?;
            let edges = input.u8("edges")?;
            for _ in 0..input.count("series", MAX_SERIES)? {
                let labels = (0..labels)
                    .map(|_| read_text(input, "label").map(str::to_owned))
                    .collect::<Result<_, _>>()?;
                let value = read_value(input, kind, edges)?;
                // One that is not on the list is none.
                counts.insert(name, labels, value);
            }
        }
        Ok(Self(counts))
    }
}

fn form(value: &Value) -> (u8, u8) {
    match value {
        Value::Counter(_) => (COUNTER, 0),
        Value::Gauge(_) => (GAUGE, 0),
        Value::Histogram(observed) => (HISTOGRAM, observed.up_to.len() as u8),
    }
}

fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Counter(value) | Value::Gauge(value) => value.to_bits().encode(out),
        Value::Histogram(observed) => {
            observed.up_to.iter().for_each(|count| count.encode(out));
            observed.count.encode(out);
            observed.sum.to_bits().encode(out);
        }
    }
}

fn read_value(input: &mut Reader<'_>, kind: u8, edges: u8) -> Result<Value, DecodeError> {
    match kind {
        COUNTER => Ok(Value::Counter(read_float(input)?)),
        GAUGE => Ok(Value::Gauge(read_float(input)?)),
        HISTOGRAM => {
            let up_to = (0..edges).map(|_| input.u64("bucket"));
            Ok(Value::Histogram(Observed {
                up_to: up_to.collect::<Result<_, _>>()?,
                count: input.u64("count")?,
                sum: read_float(input)?,
            }))
        }
        _ => Err(invalid("kind", "none that there is")),
    }
}

fn read_float(input: &mut Reader<'_>) -> Result<f64, DecodeError> {
    Ok(f64::from_bits(input.u64("value")?))
}

fn text(out: &mut Vec<u8>, text: &str) {
    (text.len() as u32).encode(out);
    out.extend_from_slice(text.as_bytes());
}

fn read_text<'a>(input: &mut Reader<'a>, what: &'static str) -> Result<&'a str, DecodeError> {
    let bytes = input.bytes(what, MAX_TEXT_BYTES)?;
    std::str::from_utf8(bytes).map_err(|_| invalid(what, "no text"))
}

fn invalid(what: &'static str, why: &'static str) -> DecodeError {
    DecodeError::Invalid { what, why }
}

#[cfg(test)]
mod tests;
