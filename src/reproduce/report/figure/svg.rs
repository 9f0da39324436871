//! A drawing as SVG.

use std::fmt::Write as _;

use super::drawing::{Anchor, BLACK, Colour, DASH, Drawing, LETTER, Mark, Point};

pub(super) fn svg(drawing: &Drawing) -> String {
    let (width, height) = (drawing.width, drawing.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for mark in &drawing.marks {
        // Writing into a string does not fail.
        let _ = match mark {
            Mark::Line {
                points,
                width,
                colour,
                dashed,
            } => {
                let points: Vec<String> = points.iter().copied().map(point).collect();
                let dash = match dashed {
                    true => format!(" stroke-dasharray=\"{} {}\"", DASH.0, DASH.1),
                    false => String::new(),
                };
                writeln!(
                    out,
                    "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" \
                     stroke-width=\"{width}\"{dash}/>",
                    points.join(" "),
                    hex(*colour)
                )
            }
            Mark::Dot { at, radius, colour } => writeln!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\" fill=\"{}\"/>",
                at.0,
                at.1,
                hex(*colour)
            ),
            Mark::Text { at, anchor, text } => {
                let name = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                writeln!(
                    out,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{name}\" \
                     dominant-baseline=\"central\" textLength=\"{}\" fill=\"{}\">{}</text>",
                    at.0,
                    at.1,
                    text.chars().count() as f64 * LETTER,
                    hex(BLACK),
                    escaped(text)
                )
            }
        };
    }
    out + "</svg>\n"
}

fn point((x, y): Point) -> String {
    format!("{x:.1},{y:.1}")
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_written_and_text_is_escaped() {
        let drawing = Drawing {
            width: 100,
            height: 50,
            marks: vec![
                Mark::Line {
                    points: vec![(1.0, 2.0), (3.25, 4.0)],
                    width: 1.5,
                    colour: [255, 0, 10],
                    dashed: true,
                },
                Mark::Dot {
                    at: (5.0, 6.0),
                    radius: 3.0,
                    colour: [0, 0, 0],
                },
                Mark::Text {
                    at: (7.0, 8.0),
                    anchor: Anchor::End,
                    text: "a < b & c".to_owned(),
                },
            ],
        };
        let text = svg(&drawing);
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        for part in [
            "points=\"1.0,2.0 3.2,4.0\"",
            "stroke=\"#ff000a\"",
            "stroke-dasharray=\"7 5\"",
            "<circle cx=\"5.0\"",
            "text-anchor=\"end\"",
            "a &lt; b &amp; c</text>",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
