//! Pictures of dashboards: what Prometheus answers, drawn where Grafana would
//! draw it.
//!
//! No Grafana draws them, and they do not pretend to be its work. Places, titles,
//! units and colours are those of the compact source; every number is an answer
//! of a Prometheus to the query that the dashboard has.

mod chart;
mod data;
mod svg;
mod unit;

pub(crate) use data::View;

use data::{Cell, Shown};
use svg::{Anchor, Svg, fitting, width};
use unit::written;

use crate::source::{Dashboard, Kind, Panel};

/// Of a column of Grafana's grid, and of a row.
const COLUMN: f64 = 50.0;
const ROW: f64 = 28.0;
const HEADING: f64 = 30.0;
const GAP: f64 = 3.0;
const TITLE: &str = "#1f2329";
const NAMES: f64 = 11.0;

/// A dashboard as it looks now.
pub(crate) struct Picture {
    pub(crate) svg: String,
    /// Titles of panels that have nothing to show.
    pub(crate) empty: Vec<String>,
}

/// Asks for everything, and draws it.
pub(crate) fn picture(dashboard: &Dashboard, view: &View<'_>) -> Picture {
    let mut empty = Vec::new();
    let rows = dashboard.rows.iter();
    let height: f64 = rows.map(|row| HEADING + f64::from(row.height) * ROW).sum();
    let mut svg = Svg::new(24.0 * COLUMN, height + HEADING);
    svg.write((10.0, 21.0), Anchor::Start, 16.0, TITLE, &dashboard.title);
    let mut y = HEADING;
    for row in &dashboard.rows {
        svg.write((10.0, y + 20.0), Anchor::Start, 14.0, TITLE, &row.title);
        y += HEADING;
        let mut x = 0.0;
        for panel in &row.panels {
            let w = f64::from(panel.width) * COLUMN;
            let h = f64::from(row.height) * ROW;
            let place = [x + GAP, y + GAP, w - 2.0 * GAP, h - 2.0 * GAP];
            if !draw(&mut svg, place, panel, view) {
                empty.push(panel.title.clone());
            }
            x += w;
        }
        y += f64::from(row.height) * ROW;
    }
    let svg = svg.finish();
    Picture { svg, empty }
}

/// Whether there is anything in it.
fn draw(svg: &mut Svg, [x, y, w, h]: [f64; 4], panel: &Panel, view: &View<'_>) -> bool {
    svg.rectangle([x, y, w, h], "#ffffff", "#dfe1e6");
    let title = fitting(&panel.title, 12.0, w - 16.0);
    svg.write((x + 8.0, y + 16.0), Anchor::Start, 12.0, TITLE, &title);
    let inside = [x, y + 22.0, w, h - 24.0];
    match view.shown(panel) {
        Shown::Lines(series) if !series.is_empty() => {
            chart::draw(svg, inside, panel, &series, view.window);
        }
        Shown::Values(values) if !values.is_empty() => match panel.kind {
            Kind::Bargauge => bars(svg, inside, panel, &values),
            _ => numbers(svg, inside, panel, &values),
        },
        Shown::Table { headings, rows } if !rows.is_empty() => {
            table(svg, inside, &headings, &rows);
        }
        _ => {
            let middle = (x + w / 2.0, y + h / 2.0 + 8.0);
            svg.write(middle, Anchor::Middle, 14.0, "#9aa0aa", "no data");
            return false;
        }
    }
    true
}

/// The colour that a value has by the panel's thresholds.
fn colour(panel: &Panel, value: f64) -> &'static str {
    let reached = panel
        .thresholds
        .iter()
        .rfind(|step| step.from().is_none_or(|from| value >= from));
    match reached.map_or("green", |step| step.colour()) {
        "green" => "#2a8c3c",
        "yellow" => "#b87a00",
        "red" => "#c4162a",
        "blue" => "#1f60c4",
        other => panic!("no colour {other}"),
    }
}

fn numbers(svg: &mut Svg, [x, y, w, h]: [f64; 4], panel: &Panel, values: &[(String, f64)]) {
    let share = h / values.len() as f64;
    let size = (share * 0.5).clamp(14.0, 30.0);
    for (number, (name, value)) in values.iter().enumerate() {
        let text = match values.len() {
            1 => written(*value, &panel.unit),
            _ => format!("{name}: {}", written(*value, &panel.unit)),
        };
        let size = size.min((w - 16.0) / width(&text, 1.0));
        let at = y + share * (number as f64 + 0.5) + size * 0.35;
        let middle = (x + w / 2.0, at);
        svg.write(middle, Anchor::Middle, size, colour(panel, *value), &text);
    }
}

fn bars(svg: &mut Svg, [x, y, w, h]: [f64; 4], panel: &Panel, values: &[(String, f64)]) {
    let share = (h / values.len() as f64).min(26.0);
    let most = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let most = panel.max.unwrap_or(most).max(1e-9);
    let (names, numbers) = (w * 0.42, 62.0);
    for (number, (name, value)) in values.iter().enumerate() {
        let at = y + share * number as f64;
        let middle = at + share * 0.5 + 4.0;
        let name = fitting(name, NAMES.min(share * 0.8), names - 12.0);
        let size = NAMES.min(share * 0.8);
        svg.write(
            (x + names - 4.0, middle),
            Anchor::End,
            size,
            chart::TEXT,
            &name,
        );
        let room = w - names - numbers;
        let long = (value / most).clamp(0.0, 1.0) * room;
        let colour = colour(panel, *value);
        let thick = share * 0.6;
        svg.rectangle(
            [x + names, at + share * 0.2, room, thick],
            "#eceef2",
            "none",
        );
        svg.rectangle([x + names, at + share * 0.2, long, thick], colour, "none");
        let text = written(*value, &panel.unit);
        svg.write((x + w - 6.0, middle), Anchor::End, size, colour, &text);
    }
}

fn table(svg: &mut Svg, [x, y, w, h]: [f64; 4], headings: &[String], rows: &[Vec<Cell>]) {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(value, unit) => written(*value, unit),
        Cell::Empty => "–".to_owned(),
    };
    // Columns are as wide as what is in them, and share the rest.
    let needed: Vec<f64> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().map(|row| width(&text(&row[column]), NAMES));
            cells.fold(width(heading, NAMES), f64::max) + 14.0
        })
        .collect();
    let stretch = (w - 16.0) / needed.iter().sum::<f64>();
    let lines = ((h - 8.0) / 18.0) as usize;
    let mut from = x + 8.0;
    for (column, heading) in headings.iter().enumerate() {
        let room = needed[column] * stretch;
        let fit = |text: &str| fitting(text, NAMES, room - 6.0);
        svg.write(
            (from, y + 14.0),
            Anchor::Start,
            NAMES,
            "#7a808a",
            &fit(heading),
        );
        for (line, row) in rows.iter().take(lines.saturating_sub(1)).enumerate() {
            let at = y + 14.0 + 18.0 * (line as f64 + 1.0);
            svg.write(
                (from, at),
                Anchor::Start,
                NAMES,
                TITLE,
                &fit(&text(&row[column])),
            );
        }
        from += room;
    }
}
