//! The curves of a record as a picture.

mod chart;
mod growth;
mod overload;
mod scale;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::record::Record;

/// Which picture, of what, and where to.
#[derive(Debug, Args)]
pub(crate) struct Plot {
    /// What is drawn.
    which: Which,
    /// The record of a run.
    record: PathBuf,
    /// The picture, in SVG.
    picture: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Good answers, their P99 and what was shed, against what was offered.
    Overload,
    /// Orders per second and the cost of one, against what grows.
    Growth,
}

/// Draws a picture.
pub(crate) fn draw(options: &Plot) -> anyhow::Result<()> {
    let record = Record::read(&options.record)?;
    let curves = Curves::of(&record);
    let picture = match options.which {
        Which::Overload => overload::picture(&curves, &record)?,
        Which::Growth => growth::picture(&curves, &record)?,
    };
    if let Some(folder) = options.picture.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&options.picture, picture)
        .with_context(|| format!("`{}`", options.picture.display()))
}

/// A point of a curve: where it is, and the median there.
type Point = (f64, f64);

/// The curves of a record by their names, each from the left to the right.
#[derive(Debug, Default)]
struct Curves(BTreeMap<String, Vec<Point>>);

impl Curves {
    fn of(record: &Record) -> Self {
        let mut curves: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        for line in &record.lines {
            if let (Some(place), Some(median)) = (&line.place, line.median) {
                let curve = curves.entry(place.curve.clone()).or_default();
                curve.push((place.x, median));
            }
        }
        for curve in curves.values_mut() {
            curve.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        Self(curves)
    }

    /// The points of a curve; none where it was not measured.
    fn get(&self, name: &str) -> &[Point] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// A curve over another one: the values of both at the same place.
    fn over(&self, x: &str, y: &str) -> Vec<Point> {
        let xs = self.get(x);
        let at = |place: f64| xs.iter().find(|(other, _)| other.total_cmp(&place).is_eq());
        let points = self.get(y).iter();
        points
            .filter_map(|(place, y)| Some((at(*place)?.1, *y)))
            .collect()
    }
}

/// Where and when the figures were made, for the foot of a picture.
fn source(record: &Record) -> String {
    let host = &record.host;
    format!(
        "{}, {} processors, {}; commit {}; median of {}",
        host.processor.as_deref().unwrap_or("unknown processor"),
        host.processors,
        host.kernel,
        record.facts.commit.as_deref().unwrap_or("unknown"),
        match record.settings.rounds {
            1 => "1 round".to_owned(),
            rounds => format!("{rounds} rounds"),
        }
    )
}
