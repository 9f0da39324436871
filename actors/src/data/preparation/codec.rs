//! The encoding in which a preparation is saved with the half of a model.

use entente_wire::{Decode, DecodeError, Encode, Reader, decode_exactly};

use super::{Preparation, PreparedColumn, PreparedKind, Scale};

const TITLE: &[u8] = b"entente preparation 1";

/// Limits of what is read back: far above what is written.
const MAX_COLUMNS: usize = 1 << 24;
const MAX_TEXT_BYTES: usize = 1 << 16;

impl Preparation {
    /// Reads what [`Encode::encoded`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are no preparation of this version.
    pub fn decoded(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_exactly(&(), bytes)
    }
}

impl Encode for Preparation {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(TITLE);
        match self {
            Self::Table(columns) => {
                0_u8.encode(out);
                (columns.len() as u32).encode(out);
                columns.iter().for_each(|column| column.encode(out));
            }
            Self::Array { width, scales } => {
                1_u8.encode(out);
                (*width as u32).encode(out);
                (scales.len() as u32).encode(out);
                scales.iter().for_each(|scale| scale.encode(out));
            }
        }
    }
}

impl Encode for PreparedColumn {
    fn encode(&self, out: &mut Vec<u8>) {
        put_text(out, &self.name);
        match &self.kind {
            PreparedKind::Number { fill, scale } => {
                0_u8.encode(out);
                u8::from(fill.is_some()).encode(out);
                fill.unwrap_or_default().to_bits().encode(out);
                scale.encode(out);
            }
            PreparedKind::OneHot { categories } => {
                1_u8.encode(out);
                put_texts(out, categories);
            }
            PreparedKind::Index { categories, scale } => {
                2_u8.encode(out);
                put_texts(out, categories);
                scale.encode(out);
            }
        }
    }
}

impl Encode for Scale {
    fn encode(&self, out: &mut Vec<u8>) {
        self.mean.to_bits().encode(out);
        self.deviation.to_bits().encode(out);
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    (text.len() as u32).encode(out);
    out.extend_from_slice(text.as_bytes());
}

fn put_texts(out: &mut Vec<u8>, texts: &[String]) {
    (texts.len() as u32).encode(out);
    texts.iter().for_each(|text| put_text(out, text));
}

fn invalid(why: &'static str) -> DecodeError {
    DecodeError::Invalid {
        what: "preparation",
        why,
    }
}

impl Decode for Preparation {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if input.take("title", TITLE.len())? != TITLE {
            return Err(invalid("another version, or no such thing"));
        }
        match input.u8("kind")? {
            0 => {
                let count = input.count("columns", MAX_COLUMNS)?;
                let columns = (0..count).map(|_| PreparedColumn::decode(&(), input));
                columns.collect::<Result<_, _>>().map(Self::Table)
            }
            1 => {
                let width = input.count("width", MAX_COLUMNS)?;
                let count = input.count("scales", MAX_COLUMNS)?;
                if count == 0 || width == 0 || width % count != 0 {
                    return Err(invalid("scales that do not divide a row"));
                }
                let scales = (0..count).map(|_| Scale::decode(&(), input));
                let scales = scales.collect::<Result<_, _>>()?;
                Ok(Self::Array { width, scales })
            }
            _ => Err(invalid("an unknown kind")),
        }
    }
}

impl Decode for PreparedColumn {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = text(input)?;
        let kind = match input.u8("kind")? {
            0 => {
                let filled = input.u8("fill")?;
                let fill = number(input)?;
                PreparedKind::Number {
                    fill: match filled {
                        0 => None,
                        1 => Some(fill),
                        _ => return Err(invalid("a fill that is neither there nor not")),
                    },
                    scale: Scale::decode(&(), input)?,
                }
            }
            1 => PreparedKind::OneHot {
                categories: texts(input)?,
            },
            2 => PreparedKind::Index {
                categories: texts(input)?,
                scale: Scale::decode(&(), input)?,
            },
            _ => return Err(invalid("an unknown kind of column")),
        };
        Ok(Self { name, kind })
    }
}

impl Decode for Scale {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (mean, deviation) = (number(input)?, number(input)?);
        if deviation == 0.0 {
            return Err(invalid("a deviation of 0"));
        }
        Ok(Self { mean, deviation })
    }
}

fn number(input: &mut Reader<'_>) -> Result<f64, DecodeError> {
    let number = f64::from_bits(input.u64("number")?);
    if number.is_finite() {
        return Ok(number);
    }
    Err(invalid("a number that is not finite"))
}

fn text(input: &mut Reader<'_>) -> Result<String, DecodeError> {
    let bytes = input.bytes("text", MAX_TEXT_BYTES)?;
    let text = core::str::from_utf8(bytes).map_err(|_| invalid("no UTF-8"))?;
    Ok(text.to_owned())
}

fn texts(input: &mut Reader<'_>) -> Result<Vec<String>, DecodeError> {
    let count = input.count("categories", MAX_COLUMNS)?;
    (0..count).map(|_| text(input)).collect()
}
