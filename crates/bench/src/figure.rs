//! Figures, their targets, and the record that a run of the bench leaves behind.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use double11_load::host::Host;
use serde::Serialize;

/// What a figure has to reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// One figure of one round.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) target: Option<Target>,
    /// Why it was not measured, where it was not.
    pub(crate) value: Result<f64, String>,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            target: None,
            value: Ok(value),
        }
    }

    pub(crate) fn missing(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: "",
            target: None,
            value: Err(why.into()),
        }
    }

    pub(crate) fn at_least(mut self, least: f64) -> Self {
        self.target = Some(Target::AtLeast(least));
        self
    }

    pub(crate) fn at_most(mut self, most: f64) -> Self {
        self.target = Some(Target::AtMost(most));
        self
    }
}

/// A figure over all rounds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) target: Option<Target>,
    /// One value a round, in the order of the rounds.
    pub(crate) values: Vec<f64>,
    /// Their median; of an even number the mean of the middle two.
    pub(crate) median: Option<f64>,
    /// Whether the median meets the target.
    pub(crate) met: Option<bool>,
    /// Why there is no value, or fewer values than rounds.
    pub(crate) not_measured: Vec<String>,
}

/// What a run of the bench leaves behind.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    schema_version: u32,
    commit: Option<String>,
    /// Seconds since 1970.
    began_unix_s: u64,
    pub(crate) host: Host,
    pub(crate) rounds: usize,
    seconds: u64,
    pub(crate) lines: Vec<Line>,
}

impl Record {
    pub(crate) fn begin(folder: &Path, rounds: usize, seconds: u64) -> anyhow::Result<Self> {
        anyhow::ensure!(rounds > 0 && seconds > 0, "nothing to measure");
        let made = std::fs::metadata(folder)?.modified()?;
        let began = made
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Ok(Self {
            schema_version: 1,
            commit: commit(),
            began_unix_s: began.as_secs(),
            host: Host::look(),
            rounds,
            seconds,
            lines: Vec::new(),
        })
    }

    /// Takes the figures of a row.
    pub(crate) fn take(&mut self, figures: Vec<Figure>) {
        for figure in figures {
            let place = self.lines.iter().position(|line| line.name == figure.name);
            let place = place.unwrap_or_else(|| {
                self.lines.push(Line {
                    name: figure.name,
                    unit: figure.unit,
                    target: figure.target,
                    values: Vec::new(),
                    median: None,
                    met: None,
                    not_measured: Vec::new(),
                });
                self.lines.len() - 1
            });
            let Some(line) = self.lines.get_mut(place) else {
                continue;
            };
            match figure.value {
                Ok(value) => {
                    // The round before may have had only a reason.
                    (line.unit, line.target) = (figure.unit, figure.target);
                    line.values.push(value);
                }
                Err(why) => line.not_measured.push(why),
            }
            line.median = median(&line.values);
            line.met = line
                .target
                .zip(line.median)
                .map(|(target, median)| target.is_met(median));
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
}

/// The commit that is measured, `-dirty` behind it where the tree has changes.
fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The middle value; of an even number the mean of the middle two.
fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_become_a_median_that_is_held_to_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::begin(folder.path(), 3, 1).unwrap();
        for value in [9.0, 30.0, 12.0] {
            record.take(vec![
                Figure::new("rate", "/s", value).at_least(12.0),
                Figure::new("time", "ms", value).at_most(10.0),
            ]);
        }
        record.take(vec![Figure::missing("rate", "the machine was busy")]);
        let [rate, time] = record.lines.as_slice() else {
            panic!("{:?}", record.lines);
        };
        assert_eq!((rate.median, rate.met), (Some(12.0), Some(true)));
        assert_eq!(rate.not_measured, ["the machine was busy"]);
        assert_eq!((time.median, time.met), (Some(12.0), Some(false)));
        assert_eq!(median(&[1.0, 4.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
