//! A drawing as PNG.
//!
//! Lines and dots cover a point of the picture by how far its middle is from
//! them, which is all that a chart needs of a rasteriser; letters come drawn
//! from a crate of them. A library that draws paths, or one that draws SVG,
//! would need a font file beside it, and is twenty times the code.

use std::io::{self, Write};

use flate2::{Compression, Crc, write::ZlibEncoder};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster};

use super::drawing::{BLACK, Colour, Drawing, LETTER, LINE, Mark, Point, dashes};

/// # Errors
/// Of a compressor that writes into memory: none are known.
pub(super) fn png(drawing: &Drawing) -> io::Result<Vec<u8>> {
    let mut picture = Picture::new(drawing.width, drawing.height);
    for mark in &drawing.marks {
        match mark {
            Mark::Line {
                points,
                width,
                colour,
                dashed,
            } => {
                for part in dashes(points, *dashed) {
                    picture.stroke(part, width / 2.0, *colour);
                }
            }
            Mark::Dot { at, radius, colour } => picture.stroke([*at, *at], *radius, *colour),
            Mark::Text { at, anchor, text } => {
                let x = anchor.start(at.0, text.chars().count());
                picture.text((x, at.1 - LINE / 2.0), text);
            }
        }
    }
    picture.encoded()
}

struct Picture {
    width: usize,
    height: usize,
    /// Three bytes each, row by row.
    points: Vec<u8>,
}

impl Picture {
    fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self {
            width,
            height,
            points: vec![255; 3 * width * height],
        }
    }

    /// Puts so much of a colour, 0 to 1, over a point.
    fn blend(&mut self, x: usize, y: usize, colour: Colour, cover: f64) {
        let start = 3 * (y * self.width + x);
        let point = self.points.get_mut(start..start + 3);
        for (below, above) in point.into_iter().flatten().zip(colour) {
            let mixed = f64::from(*below) * (1.0 - cover) + f64::from(above) * cover;
            *below = mixed.round() as u8;
        }
    }

    /// Everything within `reach` of the line between two points.
    fn stroke(&mut self, [from, to]: [Point; 2], reach: f64, colour: Colour) {
        let range = |a: f64, b: f64, end: usize| {
            let low = (a.min(b) - reach - 1.0).floor().max(0.0) as usize;
            let high = (a.max(b) + reach + 1.0).ceil().clamp(0.0, end as f64) as usize;
            low..high
        };
        for y in range(from.1, to.1, self.height) {
            for x in range(from.0, to.0, self.width) {
                let middle = (x as f64 + 0.5, y as f64 + 0.5);
                let cover = (reach + 0.5 - distance(middle, from, to)).clamp(0.0, 1.0);
                if cover > 0.0 {
                    self.blend(x, y, colour, cover);
                }
            }
        }
    }

    /// Letters from this corner on; one that the font does not have is left
    /// blank.
    fn text(&mut self, corner: Point, text: &str) {
        for (place, letter) in text.chars().enumerate() {
            let raster = get_raster(letter, FontWeight::Regular, RasterHeight::Size16);
            let left = corner.0 + place as f64 * LETTER;
            for (row, covers) in raster.iter().flat_map(|letter| letter.rows()).enumerate() {
                for (column, cover) in covers.iter().enumerate() {
                    let x = left.round() + column as f64;
                    let y = corner.1.round() + row as f64;
                    let inside = (0.0..self.width as f64).contains(&x)
                        && (0.0..self.height as f64).contains(&y);
                    if inside && *cover > 0 {
                        let cover = f64::from(*cover) / 255.0;
                        self.blend(x as usize, y as usize, BLACK, cover);
                    }
                }
            }
        }
    }

    /// Eight bits for each of three colours, no filter, one chunk of data.
    fn encoded(&self) -> io::Result<Vec<u8>> {
        let mut header = Vec::new();
        header.extend((self.width as u32).to_be_bytes());
        header.extend((self.height as u32).to_be_bytes());
        header.extend([8, 2, 0, 0, 0]);
        let mut data = ZlibEncoder::new(Vec::new(), Compression::best());
        for row in self.points.chunks(3 * self.width.max(1)) {
            data.write_all(&[0])?;
            data.write_all(row)?;
        }
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut out, b"IHDR", &header);
        chunk(&mut out, b"IDAT", &data.finish()?);
        chunk(&mut out, b"IEND", &[]);
        Ok(out)
    }
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    out.extend((data.len() as u32).to_be_bytes());
    out.extend(kind);
    out.extend(data);
    out.extend(crc.sum().to_be_bytes());
}

/// Of a point from the line between two others.
fn distance(point: Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    let square = dx * dx + dy * dy;
    let along = match square > 0.0 {
        true => ((px * dx + py * dy) / square).clamp(0.0, 1.0),
        false => 0.0,
    };
    (px - along * dx).hypot(py - along * dy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;
    use crate::reproduce::report::figure::drawing::Anchor;

    /// The points of a picture, if it is a PNG as it should be.
    fn decoded(bytes: &[u8]) -> (usize, Vec<u8>) {
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let (mut at, mut width, mut points) = (8, 0, Vec::new());
        while at < bytes.len() {
            let length = number(at) as usize;
            let kind = &bytes[at + 4..at + 8];
            let data = &bytes[at + 8..at + 8 + length];
            let mut crc = Crc::new();
            crc.update(kind);
            crc.update(data);
            assert_eq!(number(at + 8 + length), crc.sum());
            match kind {
                b"IHDR" => width = number(at + 8) as usize,
                b"IDAT" => {
                    ZlibDecoder::new(data).read_to_end(&mut points).unwrap();
                }
                _ => {}
            }
            at += 12 + length;
        }
        (width, points)
    }

    #[test]
    fn lines_dots_and_letters_are_where_they_belong() {
        let red = [200, 0, 0];
        let drawing = Drawing {
            width: 60,
            height: 40,
            marks: vec![
                Mark::Line {
                    points: vec![(0.0, 10.5), (60.0, 10.5)],
                    width: 1.0,
                    colour: red,
                    dashed: false,
                },
                Mark::Dot {
                    at: (30.5, 30.5),
                    radius: 3.0,
                    colour: red,
                },
                Mark::Text {
                    at: (10.0, 25.0),
                    anchor: Anchor::Start,
                    text: "I".to_owned(),
                },
            ],
        };
        let (width, points) = decoded(&png(&drawing).unwrap());
        assert_eq!((width, points.len()), (60, 40 * (1 + 3 * 60)));
        let at = |x: usize, y: usize| {
            let start = y * (1 + 3 * width) + 1 + 3 * x;
            [points[start], points[start + 1], points[start + 2]]
        };
        assert_eq!(at(20, 10), red);
        assert_eq!(at(20, 13), [255; 3]);
        assert_eq!(at(30, 30), red);
        assert_eq!(at(30, 36), [255; 3]);
        let dark = (17..33)
            .flat_map(|y| (10..17).map(move |x| (x, y)))
            .filter(|(x, y)| at(*x, *y)[0] < 128);
        assert!(dark.count() >= 8, "a letter has some ink");
    }
}
