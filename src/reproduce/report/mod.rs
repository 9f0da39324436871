//! The report: what was measured, put together, beside what the paper prints.
//!
//! `report.json` has everything that `report.md` has, and each unit as it was
//! measured.

mod accuracy;
mod figure;
mod inference;
mod markdown;
mod statistic;
#[cfg(test)]
mod tests;
mod training;

use std::path::Path;

use serde::Serialize;

use self::{
    accuracy::Accuracy,
    figure::Figure,
    inference::{InputDimension, Ratio, Timing},
    training::{Leaking, Training},
};
use super::{
    dataset::Dataset,
    folder::whole,
    plan::Skipped,
    settings::Settings,
    unit::{Finished, Measured, Trained},
};
use crate::{exit::Failure, output};

/// Everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Report {
    paper: &'static str,
    settings: Settings,
    /// What a quick run does less of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quick: Vec<String>,
    /// Datasets that are not there.
    skipped: Vec<Skipped>,
    /// What was to be done, and is not finished.
    unfinished: Vec<String>,
    /// Of all finished units.
    seconds: f64,
    table1: Vec<Accuracy>,
    tables_2_3_4: Vec<Timing>,
    ratios: Vec<Ratio>,
    figure1: Vec<InputDimension>,
    training: Vec<Training>,
    leak: Vec<Leaking>,
    /// Encrypted and plaintext fixed-point training that did not end in the
    /// same weights: none, or there is a defect.
    mismatches: Vec<String>,
    units: Vec<Finished>,
}

impl Report {
    pub(super) fn new(
        settings: &Settings,
        finished: &[Finished],
        skipped: Vec<Skipped>,
        unfinished: Vec<String>,
    ) -> Self {
        let of_table1 = finished
            .iter()
            .filter(|finished| finished.unit.starts_with("table1/"));
        let trained: Vec<&Trained> = of_table1
            .filter_map(|finished| match &finished.measured {
                Measured::Trained(trained) => Some(trained),
                _ => None,
            })
            .collect();
        let inferred: Vec<_> = finished
            .iter()
            .filter_map(|finished| match &finished.measured {
                Measured::Inferred(inference) => Some(inference),
                _ => None,
            })
            .collect();
        let (table1, training) = (accuracy::rows(&trained), training::training(finished));
        let mismatches = mismatches(&table1, &training);
        Self {
            paper: "arXiv:2007.06849",
            settings: settings.clone(),
            quick: match settings.quick {
                // Jobs of this binary; a test reads them.
                true => Dataset::ALL
                    .into_iter()
                    .filter_map(|one| one.shortened().ok())
                    .collect(),
                false => Vec::new(),
            },
            skipped,
            unfinished,
            seconds: finished.iter().map(|finished| finished.seconds).sum(),
            table1,
            tables_2_3_4: inference::rows(&inferred),
            ratios: inference::ratios(&inferred),
            figure1: inference::dimensions(&inferred),
            training,
            leak: training::leaks(finished),
            mismatches,
            units: finished.to_vec(),
        }
    }

    /// Encrypted training that differs from plaintext fixed point.
    pub(super) fn mismatches(&self) -> &[String] {
        &self.mismatches
    }

    fn figures(&self) -> Vec<Figure> {
        let key_bits = self.settings.key_bits;
        let dimensions = self.figure1.iter();
        let dimensions = dimensions.map(|figure| Figure::of_dimensions(figure, key_bits));
        let curves = self.training.iter().map(|training| &training.curves);
        let drawn = curves.filter(|curves| !curves.encrypted.is_empty());
        dimensions
            .chain(drawn.map(|curves| Figure::of_curves(curves, key_bits)))
            .collect()
    }

    /// Writes all of it into the folder of the run.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let figures = self.figures();
        for figure in &figures {
            figure.write(&folder.join("figures"))?;
        }
        let markdown = markdown::markdown(self, &figures);
        whole(&folder.join("report.md"), markdown.as_bytes())?;
        let json = serde_json::to_string_pretty(self).map_err(Failure::runtime)?;
        whole(&folder.join("report.json"), (json + "\n").as_bytes())
    }

    /// The heart of it for a person who waits at a terminal.
    pub(super) fn print(&self) {
        if !self.table1.is_empty() {
            let rows = self.table1.iter().map(|row| {
                let text = |value: &Option<statistic::Statistic>| {
                    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
                };
                [
                    row.dataset.title().to_owned(),
                    text(&row.encrypted),
                    text(&row.floating_point),
                    text(&row.square),
                    format!("{:.3}", row.paper.ours),
                    markdown::identical(row.is_bit_identical()).to_owned(),
                ]
            });
            let header = [
                "Table 1",
                "encrypted",
                "plaintext",
                "square",
                "paper",
                "bit for bit",
            ];
            println!("\n{}", output::table(header, rows));
        }
        if !self.tables_2_3_4.is_empty() {
            let rows = self.tables_2_3_4.iter().flat_map(|row| {
                row.batches.iter().map(move |batch| {
                    let seconds = |each: Option<inference::Each>| {
                        each.map_or_else(|| "-".to_owned(), |each| format!("{:.4}", each.seconds))
                    };
                    [
                        format!("{}, {}", row.network, row.data),
                        batch.batch.to_string(),
                        seconds(batch.ours),
                        seconds(batch.gelu_net),
                        format!("{:.4}", row.paper_seconds),
                    ]
                })
            });
            let header = [
                "Seconds per inference",
                "batch",
                "ours",
                "GELU-Net",
                "paper",
            ];
            println!("\n{}", output::table(header, rows));
        }
    }
}

fn mismatches(table1: &[Accuracy], training: &[Training]) -> Vec<String> {
    let of_table1 = table1.iter().flat_map(|row| {
        let differ = row.bit_identical.iter().filter(|pair| !pair.identical);
        differ.map(|pair| format!("{}, seed {}", row.dataset.title(), pair.seed))
    });
    let of_training = training.iter().filter(|one| {
        let processes = one.processes.as_ref();
        one.curves.bit_identical == Some(false)
            || processes.is_some_and(|processes| !processes.weights_bit_identical)
    });
    of_table1
        .chain(of_training.map(|one| format!("{}, by epoch", one.dataset.title())))
        .collect()
}
