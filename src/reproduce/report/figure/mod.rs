//! The figures of a report, each as SVG and as PNG, from one drawing.

mod chart;
mod drawing;
mod png;
mod svg;

use std::{fs, path::Path};

use self::chart::{Chart, Series};
use super::{
    inference::{Dimension, InputDimension},
    training::Curves,
};
use crate::{exit::Failure, reproduce::folder::whole};

/// A figure, and the name of its files.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    pub(super) name: String,
    /// For those who cannot see it.
    pub(super) caption: String,
    chart: Chart,
}

impl Figure {
    /// Seconds against the dimension of the input, of one batch size.
    pub(super) fn of_dimensions(input: &InputDimension, key_bits: u32) -> Self {
        let line = |name: &str, colour, of: fn(&Dimension) -> Option<f64>| Series {
            name: name.to_owned(),
            points: input
                .points
                .iter()
                .filter_map(|point| Some((point.inputs as f64, of(point)?)))
                .collect(),
            colour,
            dashed: false,
        };
        let batch = input.batch;
        Self {
            name: format!("figure1-batch-{batch}"),
            caption: format!(
                "Seconds per inference against the input's dimension, batch {batch}, {key_bits} bits"
            ),
            chart: Chart {
                title: format!("Figure 1: {key_bits} bits, batch {batch}"),
                x: "dimension of the input".to_owned(),
                y: "seconds per sample".to_owned(),
                series: vec![
                    line("ours (84 at the cut)", 0, |point| point.ours),
                    line("MLR, all encrypted", 1, |point| point.encrypted_mlr),
                ],
                from_zero: true,
            },
        }
    }

    /// Accuracy by epoch.
    pub(super) fn of_curves(curves: &Curves, key_bits: u32) -> Self {
        let title = curves.dataset.title();
        let mut series = Vec::new();
        // Floating point below, so that the two that coincide are seen to.
        for (name, values, colour, dashed) in [
            ("floating point", &curves.floating_point, 2, false),
            ("encrypted", &curves.encrypted, 0, false),
            ("fixed point", &curves.fixed_point, 1, true),
        ] {
            if values.is_empty() {
                continue;
            }
            series.push(Series {
                name: name.to_owned(),
                points: (1..).map(f64::from).zip(values.iter().copied()).collect(),
                colour,
                dashed,
            });
        }
        Self {
            name: format!("training-{}", curves.dataset.name()),
            caption: format!("Accuracy on validation rows by epoch, {title}, {key_bits} bits"),
            chart: Chart {
                title: format!("{title}, {key_bits} bits: accuracy on validation rows"),
                x: "epoch".to_owned(),
                y: "accuracy".to_owned(),
                series,
                from_zero: false,
            },
        }
    }

    /// Writes `NAME.svg` and `NAME.png` into a folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::Runtime(format!("{}: {error}", folder.display())))?;
        let drawing = self.chart.drawing();
        let path = |extension: &str| folder.join(format!("{}.{extension}", self.name));
        whole(&path("svg"), svg::svg(&drawing).as_bytes())?;
        let png = png::png(&drawing).map_err(Failure::runtime)?;
        whole(&path("png"), &png)
    }
}
