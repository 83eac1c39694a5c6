//! The record that a run of the bench leaves behind.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use double11_load::host::Host;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::figure::{Figure, Place, Target};
use crate::settings::Settings;

/// A figure over all rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) row: String,
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) target: Option<Target>,
    /// One value a round, in the order of the rounds.
    pub(crate) values: Vec<f64>,
    /// Their median; of an even number the mean of the middle two.
    pub(crate) median: Option<f64>,
    /// Whether the median meets the target.
    pub(crate) met: Option<bool>,
    /// Why there is no value, or fewer values than rounds.
    pub(crate) not_measured: Vec<String>,
    /// What has to be known beside the values.
    pub(crate) notes: Vec<String>,
    /// Where it stands in a plot.
    pub(crate) place: Option<Place>,
    /// Whether the table leaves it out.
    pub(crate) is_detail: bool,
}

/// What a run of the bench leaves behind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    schema_version: u32,
    /// Where and of what the figures are.
    pub(crate) facts: Facts,
    pub(crate) host: Host,
    pub(crate) settings: Settings,
    pub(crate) lines: Vec<Line>,
    /// Reasons of whole rows that have no line yet.
    #[serde(skip)]
    failed: Vec<(String, String)>,
}

impl Record {
    pub(crate) fn begin(facts: Facts, settings: Settings) -> Self {
        Self {
            schema_version: 2,
            facts,
            host: Host::look(),
            settings,
            lines: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Takes the figures of a row, or the reason why there are none.
    pub(crate) fn take(&mut self, row: &str, figures: Result<Vec<Figure>, String>) {
        match figures {
            Ok(figures) => {
                for figure in figures {
                    self.take_figure(row, figure);
                }
            }
            Err(why) => {
                let mut is_known = false;
                for line in self.lines.iter_mut().filter(|line| line.row == row) {
                    is_known = true;
                    line.not_measured.push(why.clone());
                }
                if !is_known {
                    self.failed.push((row.to_owned(), why));
                }
            }
        }
    }

    fn take_figure(&mut self, row: &str, figure: Figure) {
        let is_same = |line: &Line| line.row == row && line.name == figure.name;
        let place = self.lines.iter().position(is_same).unwrap_or_else(|| {
            let earlier = self.failed.iter().filter(|(failed, _)| failed == row);
            let line = Line {
                row: row.to_owned(),
                name: figure.name.clone(),
                unit: figure.unit.to_owned(),
                target: figure.target,
                values: Vec::new(),
                median: None,
                met: None,
                not_measured: earlier.map(|(_, why)| why.clone()).collect(),
                notes: Vec::new(),
                place: figure.place.clone(),
                is_detail: figure.is_detail,
            };
            self.lines.push(line);
            self.lines.len() - 1
        });
        let Some(line) = self.lines.get_mut(place) else {
            return;
        };
        match figure.value {
            Ok(value) => {
                // The round before may have had only a reason.
                (line.unit, line.target) = (figure.unit.to_owned(), figure.target);
                line.place = figure.place;
                line.values.push(value);
            }
            Err(why) => line.not_measured.push(why),
        }
        if let Some(note) = figure.note.filter(|note| !line.notes.contains(note)) {
            line.notes.push(note);
        }
        line.median = median(&line.values);
        line.met = line
            .target
            .zip(line.median)
            .map(|(target, median)| target.is_met(median));
    }

    /// Gives rows of which nothing was ever measured a line that says why.
    pub(crate) fn finish(&mut self) {
        for (row, why) in std::mem::take(&mut self.failed) {
            if self
                .lines
                .iter()
                .all(|line| line.row != row || line.name == row)
            {
                self.take_figure(&row, Figure::missing(row.clone(), why));
            }
        }
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = File::create(path).with_context(|| format!("`{}`", path.display()))?;
        serde_json::to_writer_pretty(file, self)?;
        Ok(())
    }

    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(path).with_context(|| format!("`{}`", path.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("`{}` is no record of the bench", path.display()))
    }
}

/// The middle value; of an even number the mean of the middle two.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::begin(Facts::default(), Settings::default())
    }

    #[test]
    fn rounds_become_a_median_that_is_held_to_its_target() {
        let mut record = record();
        for value in [9.0, 30.0, 12.0] {
            let figures = vec![
                Figure::new("rate", "/s", value).at_least(12.0),
                Figure::new("time", "ms", value).at_most(10.0),
            ];
            record.take("row", Ok(figures));
        }
        let why = "the machine was busy".to_owned();
        record.take("row", Ok(vec![Figure::missing("rate", why)]));
        record.finish();
        let [rate, time] = record.lines.as_slice() else {
            panic!("{:?}", record.lines);
        };
        assert_eq!((rate.median, rate.met), (Some(12.0), Some(true)));
        assert_eq!(rate.not_measured, ["the machine was busy"]);
        assert_eq!((time.median, time.met), (Some(12.0), Some(false)));
        assert_eq!(median(&[1.0, 4.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_row_that_fails_is_never_silently_absent() {
        let mut record = record();
        record.take("late", Err("no room".to_owned()));
        record.take("late", Ok(vec![Figure::new("late: rate", "/s", 2.0)]));
        record.take("late", Err("no ports".to_owned()));
        record.take("never", Err("no tool".to_owned()));
        record.take("never", Err("no tool".to_owned()));
        record.finish();
        let [late, never] = record.lines.as_slice() else {
            panic!("{:?}", record.lines);
        };
        assert_eq!(late.not_measured, ["no room", "no ports"]);
        assert_eq!(late.values, [2.0]);
        assert_eq!((never.name.as_str(), never.median), ("never", None));
        assert_eq!(never.not_measured, ["no tool", "no tool"]);
    }
}
