//! A chart of lines.

use super::drawing::{Anchor, BLACK, Colour, Drawing, GREY, Mark, Point};

const WIDTH: u32 = 860;
const HEIGHT: u32 = 460;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 400.0;

/// Told apart by those who do not see all colours (Okabe and Ito).
const COLOURS: [Colour; 4] = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167]];

/// Points that are joined.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<Point>,
    /// Which colour, from 0.
    pub(super) colour: usize,
    pub(super) dashed: bool,
}

/// Lines over two axes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) series: Vec<Series>,
    /// Whether the upward axis begins at zero.
    pub(super) from_zero: bool,
}

/// An axis: where it begins and ends, and from mark to mark.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// Round numbers around all values.
    fn over(values: impl Iterator<Item = f64> + Clone, from_zero: bool) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(f64::NEG_INFINITY, f64::max);
        let (least, most) = match least <= most {
            true => (if from_zero { least.min(0.0) } else { least }, most),
            false => (0.0, 1.0),
        };
        let span = match most - least {
            span if span > 0.0 => span,
            _ => most.abs().max(1.0),
        };
        let rough = span / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .find(|factor| factor * power >= rough * 0.999);
        let step = power * factor.unwrap_or(10.0);
        let low = (least / step + 1e-9).floor() * step;
        let high = (most / step - 1e-9).ceil() * step;
        Self {
            low,
            high: if high > low { high } else { low + step },
            step,
        }
    }

    fn marks(self) -> impl Iterator<Item = f64> {
        let count = ((self.high - self.low) / self.step).round() as u32;
        (0..=count).map(move |mark| self.low + f64::from(mark) * self.step)
    }

    /// 0 to 1.
    fn part(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// A mark, with as many digits as the step needs.
    fn label(self, value: f64) -> String {
        let digits = (0..9).find(|digits| {
            let shifted = self.step * 10_f64.powi(*digits);
            (shifted - shifted.round()).abs() < 1e-6
        });
        let digits = digits.unwrap_or(9) as usize;
        // Not "-0".
        let value = if value.abs() < self.step / 1e6 {
            0.0
        } else {
            value
        };
        format!("{value:.digits$}")
    }
}

impl Chart {
    pub(super) fn drawing(&self) -> Drawing {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = Axis::over(points().map(|point| point.0), self.from_zero);
        let y = Axis::over(points().map(|point| point.1), self.from_zero);
        let place = |(at_x, at_y): Point| {
            (
                LEFT + x.part(at_x) * (RIGHT - LEFT),
                BOTTOM - y.part(at_y) * (BOTTOM - TOP),
            )
        };
        let mut marks = Vec::new();
        let mut line = |points: Vec<Point>, width, colour, dashed| {
            marks.push(Mark::Line {
                points,
                width,
                colour,
                dashed,
            });
        };
        for at in y.marks() {
            let (_, at) = place((x.low, at));
            line(vec![(LEFT, at), (RIGHT, at)], 1.0, GREY, false);
        }
        let axes = vec![(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)];
        line(axes, 1.0, BLACK, false);
        for at in x.marks() {
            let (at, _) = place((at, y.low));
            line(vec![(at, BOTTOM), (at, BOTTOM + 5.0)], 1.0, BLACK, false);
        }
        for (row, series) in self.series.iter().enumerate() {
            let colour = COLOURS[series.colour % COLOURS.len()];
            let points = series.points.iter().copied().map(place).collect();
            line(points, 2.0, colour, series.dashed);
            let key = legend(row);
            let points = vec![(RIGHT + 15.0, key), (RIGHT + 45.0, key)];
            line(points, 2.0, colour, series.dashed);
        }
        for series in &self.series {
            let colour = COLOURS[series.colour % COLOURS.len()];
            let dot = |at| Mark::Dot {
                at,
                radius: 3.0,
                colour,
            };
            marks.extend(series.points.iter().copied().map(place).map(dot));
        }
        let mut text = |at: Point, anchor, text: String| {
            marks.push(Mark::Text { at, anchor, text });
        };
        text((LEFT, 18.0), Anchor::Start, self.title.clone());
        text((LEFT, 42.0), Anchor::Start, self.y.clone());
        let below = ((LEFT + RIGHT) / 2.0, BOTTOM + 40.0);
        text(below, Anchor::Middle, self.x.clone());
        for at in x.marks() {
            let (place, _) = place((at, y.low));
            text((place, BOTTOM + 16.0), Anchor::Middle, x.label(at));
        }
        for at in y.marks() {
            let (_, place) = place((x.low, at));
            text((LEFT - 8.0, place), Anchor::End, y.label(at));
        }
        for (row, series) in self.series.iter().enumerate() {
            text(
                (RIGHT + 52.0, legend(row)),
                Anchor::Start,
                series.name.clone(),
            );
        }
        Drawing {
            width: WIDTH,
            height: HEIGHT,
            marks,
        }
    }
}

/// How far down a row of the legend is.
fn legend(row: usize) -> f64 {
    TOP + 10.0 + 22.0 * row as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_marks_around_all_values() {
        let axis = Axis::over([0.031, 0.472].into_iter(), true);
        assert_eq!((axis.low, axis.step), (0.0, 0.1));
        let labels: Vec<String> = axis.marks().map(|mark| axis.label(mark)).collect();
        assert_eq!(labels, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        let axis = Axis::over([100.0, 3072.0].into_iter(), true);
        let labels: Vec<String> = axis.marks().map(|mark| axis.label(mark)).collect();
        assert_eq!(labels, ["0", "1000", "2000", "3000", "4000"]);
        // One value, and none.
        for values in [vec![0.9], vec![]] {
            let axis = Axis::over(values.into_iter(), false);
            assert!(axis.high > axis.low && axis.marks().count() < 12);
        }
    }

    #[test]
    fn every_series_has_its_line_its_dots_and_its_name() {
        let series = |name: &str, dashed| Series {
            name: name.to_owned(),
            points: vec![(1.0, 0.5), (2.0, 0.75), (3.0, 1.0)],
            colour: 0,
            dashed,
        };
        let chart = Chart {
            title: "title".to_owned(),
            x: "epoch".to_owned(),
            y: "accuracy".to_owned(),
            series: vec![series("one", false), series("two", true)],
            from_zero: false,
        };
        let drawing = chart.drawing();
        let inside = |(x, y): Point| {
            (0.0..f64::from(drawing.width)).contains(&x)
                && (0.0..f64::from(drawing.height)).contains(&y)
        };
        let mut dots = 0;
        for mark in &drawing.marks {
            match mark {
                Mark::Line { points, .. } => assert!(points.iter().copied().all(inside)),
                Mark::Dot { at, .. } => {
                    assert!(inside(*at));
                    dots += 1;
                }
                Mark::Text { at, .. } => assert!(inside(*at)),
            }
        }
        assert_eq!(dots, 6);
        let named = |name: &str| {
            drawing
                .marks
                .iter()
                .any(|mark| matches!(mark, Mark::Text { text, .. } if text == name))
        };
        assert!(["one", "two", "title", "epoch", "accuracy", "0.5", "1.0"].map(named) == [true; 7]);
    }
}
