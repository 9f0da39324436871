//! Lines over time, with axes and a legend.

use std::collections::BTreeMap;

use super::{
    data::Series,
    svg::{Anchor, Svg, fitting, width},
    unit::written,
};
use crate::source::Panel;

/// Told apart by those who do not see all colours (Okabe and Ito), then darker.
const COLOURS: [&str; 12] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#5b2d8e",
    "#7a7a7a", "#00504a", "#8c2f00", "#b0c400",
];
const GREY: &str = "#d8dae0";
pub(super) const TEXT: &str = "#44484f";
const SMALL: f64 = 10.0;
const LEGEND_LINE: f64 = 13.0;
const LEGEND_LINES: usize = 4;

pub(super) fn draw(
    svg: &mut Svg,
    [x, y, w, h]: [f64; 4],
    panel: &Panel,
    series: &[Series],
    window: (f64, f64),
) {
    let legend = legend(series, w);
    let left = x + 52.0;
    let (right, top) = (x + w - 8.0, y + 4.0);
    let bottom = y + h - LEGEND_LINE * legend.len() as f64 - 20.0;
    let tops = stacked(series, panel.stack);
    let values = tops.iter().flatten().map(|top| top.0.1);
    let (low, high, step) = axis(values, panel);
    let place = |(at, value): (f64, f64)| {
        let across = (at - window.0) / (window.1 - window.0);
        let up = (value.clamp(low, high) - low) / (high - low);
        (left + across * (right - left), bottom - up * (bottom - top))
    };
    let marks = ((high - low) / step + 1e-6).floor() as u32;
    for mark in 0..=marks {
        let value = low + f64::from(mark) * step;
        let (_, at) = place((window.0, value));
        svg.line(&[(left, at), (right, at)], GREY, 1.0);
        let text = written(value, &panel.unit);
        svg.write((left - 5.0, at + 3.5), Anchor::End, SMALL, TEXT, &text);
    }
    let seconds = window.1 - window.0;
    for part in [0.0, 0.5, 1.0] {
        let at = left + part * (right - left);
        let anchor = [Anchor::Start, Anchor::Middle, Anchor::End][(part * 2.0) as usize];
        let text = match part {
            1.0 => "now".to_owned(),
            _ => format!("-{}", written((1.0 - part) * seconds, "s")),
        };
        svg.write((at, bottom + 13.0), anchor, SMALL, TEXT, &text);
    }
    // What lies on top is drawn first, and what it stands on over it.
    for (number, line) in tops.iter().enumerate().rev() {
        let colour = COLOURS[number % COLOURS.len()];
        for run in runs(line) {
            let points: Vec<(f64, f64)> = run.iter().map(|top| place(top.0)).collect();
            if panel.stack && points.len() > 1 {
                let back = run.iter().rev();
                let back = back.map(|((at, _), floor)| place((*at, *floor)));
                let around: Vec<(f64, f64)> = points.iter().copied().chain(back).collect();
                svg.area(&bends(&around), colour);
            }
            match points[..] {
                // One point is no line.
                [(at, up)] => svg.line(&[(at - 2.0, up), (at + 2.0, up)], colour, 2.0),
                _ => svg.line(&bends(&points), colour, 1.5),
            }
        }
    }
    let mut at = bottom + 20.0;
    for line in legend {
        at += LEGEND_LINE;
        let mut from = x + 10.0;
        for (number, text) in line {
            if let Some(number) = number {
                let colour = COLOURS[number % COLOURS.len()];
                svg.line(&[(from, at - 7.0), (from + 10.0, at - 7.0)], colour, 3.0);
            }
            svg.write((from + 13.0, at - 3.5), Anchor::Start, SMALL, TEXT, &text);
            from += width(&text, SMALL) + 24.0;
        }
    }
}

/// A point, and what it stands on.
type Top = ((f64, f64), f64);

/// Each line on those before it, if they are to stand on each other.
fn stacked(series: &[Series], stack: bool) -> Vec<Vec<Top>> {
    let mut below: BTreeMap<u64, f64> = BTreeMap::new();
    let lines = series.iter().map(|series| {
        let points = series.points.iter().map(|&(at, value)| {
            if !stack {
                return ((at, value), 0.0);
            }
            let sum = below.entry(at.to_bits()).or_insert(0.0);
            let floor = *sum;
            *sum += value;
            ((at, *sum), floor)
        });
        points.collect()
    });
    lines.collect()
}

/// A line in pieces: where nothing was answered there is a gap, as in Grafana.
fn runs(line: &[Top]) -> Vec<&[Top]> {
    let between = line.windows(2).map(|two| two[1].0.0 - two[0].0.0);
    let step = between.fold(f64::INFINITY, f64::min);
    line.chunk_by(|one, next| next.0.0 - one.0.0 < 1.5 * step)
        .collect()
}

/// Without the points in the midst of a level stretch, which are on the line anyway. Most
/// of most pictures is level, and each of them is kept.
fn bends(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let is_level = |at: usize| {
        let around = at.checked_sub(1).and_then(|from| points.get(from..=at + 1));
        around.is_some_and(|around| around.iter().all(|point| point.1 == points[at].1))
    };
    let kept = (0..points.len()).filter(|at| !is_level(*at));
    kept.map(|at| points[at]).collect()
}

/// From, to, and from mark to mark: round numbers around all values.
fn axis(values: impl Iterator<Item = f64>, panel: &Panel) -> (f64, f64, f64) {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        (least, most) = (least.min(value), most.max(value));
    }
    if least > most {
        (least, most) = (0.0, 1.0);
    }
    // Zero belongs to it, unless all is far away from it.
    if least > 0.0 && least < 0.6 * most {
        least = 0.0;
    }
    least = panel.min.unwrap_or(least);
    most = panel.max.unwrap_or(most);
    if most - least < 1e-12 {
        (least, most) = (least.min(0.0), if most > 0.0 { most } else { 1.0 });
    }
    let rough = (most - least) / 3.0;
    let power = 10_f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    let factor = factors
        .into_iter()
        .find(|factor| factor * power >= rough * 0.999);
    let step = power * factor.unwrap_or(10.0);
    let low = (least / step + 1e-9).floor() * step;
    let low = panel.min.unwrap_or(low);
    let high = (most / step - 1e-9).ceil() * step;
    (low, high.max(low + step), step)
}

/// What stands in each line below: which series, and its name.
type Entry = (Option<usize>, String);

/// Of many lines those are named that leave zero.
fn legend(series: &[Series], room: f64) -> Vec<Vec<Entry>> {
    let moves = |one: &Series| one.points.iter().any(|point| point.1 != 0.0);
    let named = |one: &Series| series.len() <= 4 || moves(one);
    let mut lines: Vec<Vec<Entry>> = vec![Vec::new()];
    let mut used = 20.0;
    let entries = series.iter().enumerate().filter(|(_, one)| named(one));
    let entries = entries.map(|(number, one)| (Some(number), one.name.clone()));
    let still = series.iter().filter(|one| !named(one)).count();
    let still = (still > 0).then(|| (None, format!("{still} at 0")));
    let entries: Vec<Entry> = entries.chain(still).collect();
    let count = entries.len();
    for (place, (number, name)) in entries.into_iter().enumerate() {
        let text = fitting(&name, SMALL, room - 60.0);
        let needed = width(&text, SMALL) + 24.0;
        if used + needed > room && !lines[lines.len() - 1].is_empty() {
            if lines.len() == LEGEND_LINES {
                // In the place of the last one that had room.
                let more = format!("and {} more", count - place + 1);
                if let Some(last) = lines.last_mut().and_then(|line| line.last_mut()) {
                    *last = (None, more);
                }
                return lines;
            }
            lines.push(Vec::new());
            used = 20.0;
        }
        used += needed;
        if let Some(last) = lines.last_mut() {
            last.push((number, text));
        }
    }
    lines
}

#[test]
fn gaps_are_not_drawn_over() {
    let top = |at: f64| ((at, 1.0), 0.0);
    let line = [0.0, 1.0, 2.0, 5.0, 6.0].map(top);
    let pieces: Vec<usize> = runs(&line).iter().map(|run| run.len()).collect();
    assert_eq!(pieces, [3, 2]);
    assert_eq!(runs(&line[..1]).len(), 1);
}

#[test]
fn level_stretches_are_drawn_from_end_to_end() {
    let line = |values: &[f64]| -> Vec<(f64, f64)> {
        let points = values.iter().enumerate();
        points.map(|(at, value)| (at as f64, *value)).collect()
    };
    let kept = |values: &[f64]| -> Vec<f64> {
        let points = bends(&line(values)).into_iter();
        points.map(|point| point.0).collect()
    };
    assert_eq!(kept(&[1.0, 1.0, 1.0, 1.0, 2.0, 2.0]), [0.0, 3.0, 4.0, 5.0]);
    assert_eq!(kept(&[1.0, 2.0, 1.0]), [0.0, 1.0, 2.0]);
    assert_eq!(kept(&[1.0]), [0.0]);
    assert_eq!(kept(&[]), [0.0; 0]);
}
