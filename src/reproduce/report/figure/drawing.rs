//! A drawing: what is on it, and nothing of how it is written.

/// Points, from the upper left corner.
pub(super) type Point = (f64, f64);

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

pub(super) const BLACK: Colour = [32, 32, 32];
pub(super) const GREY: Colour = [205, 205, 205];

/// Height of a letter's box; its width is [`LETTER`]. Both are those of the
/// letters that a PNG is written with.
pub(super) const LINE: f64 = 16.0;
/// Width of a letter.
pub(super) const LETTER: f64 = 7.0;

/// Where a text stands, seen from its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// Something on a drawing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// From point to point.
    Line {
        points: Vec<Point>,
        width: f64,
        colour: Colour,
        dashed: bool,
    },
    /// A filled circle.
    Dot {
        at: Point,
        radius: f64,
        colour: Colour,
    },
    /// A text; its point is the middle of its box's height.
    Text {
        at: Point,
        anchor: Anchor,
        text: String,
    },
}

/// Marks on a white ground, the first lowest.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Drawing {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) marks: Vec<Mark>,
}

impl Anchor {
    /// Where a text of so many letters begins.
    pub(super) fn start(self, x: f64, letters: usize) -> f64 {
        let width = letters as f64 * LETTER;
        match self {
            Self::Start => x,
            Self::Middle => x - width / 2.0,
            Self::End => x - width,
        }
    }
}

/// Length and pause of a dash.
pub(super) const DASH: Point = (7.0, 5.0);

/// The dashes of a line, or the line itself.
pub(super) fn dashes(points: &[Point], dashed: bool) -> Vec<[Point; 2]> {
    let mut parts = Vec::new();
    // How far into a dash and its pause.
    let mut phase = 0.0;
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        if !dashed {
            parts.push([from, to]);
            continue;
        }
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        let at = |way: f64| {
            let part = way / length;
            (from.0 + part * dx, from.1 + part * dy)
        };
        let mut way = 0.0;
        while way < length {
            let (dash, period) = (DASH.0, DASH.0 + DASH.1);
            let (left, is_dash) = match phase < dash {
                true => (dash - phase, true),
                false => (period - phase, false),
            };
            let end = (way + left).min(length);
            if is_dash {
                parts.push([at(way), at(end)]);
            }
            phase = (phase + end - way) % period;
            // What is left of a dash may round to nothing.
            way = if end > way { end } else { length };
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_and_pauses_fill_the_line() {
        let whole = [(0.0, 0.0), (60.0, 0.0), (60.0, 60.0)];
        assert_eq!(dashes(&whole, false).len(), 2);
        let parts = dashes(&whole, true);
        let length: f64 = parts
            .iter()
            .map(|[from, to]| (to.0 - from.0).hypot(to.1 - from.1))
            .sum();
        assert!((length - 70.0).abs() < 1.0, "{length} of 120 are dashes");
        assert_eq!(parts[0], [(0.0, 0.0), (7.0, 0.0)]);
    }

    #[test]
    fn a_text_is_where_its_anchor_says() {
        assert_eq!(Anchor::Start.start(50.0, 4), 50.0);
        assert_eq!(Anchor::Middle.start(50.0, 4), 36.0);
        assert_eq!(Anchor::End.start(50.0, 4), 22.0);
    }
}
