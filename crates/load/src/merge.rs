//! Merging: the run directories of shards become that of one run.
//!
//! Counts are added up and histograms bucket by bucket, from what each shard counted and not from its
//! percentiles, so that the merged figures are exactly those of one generator that saw every sample.
//! Samples and ledger lines are merged as they stand, by the instant at which each ended. What does not
//! belong together is refused before anything is written.

mod agreement;
mod error;
mod health;
mod lines;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::{PhaseShape, RunRecorder, RunShape, RunTallies, Summary, TimeSeries};
use double11_units::UnixMicros;
use serde::de::DeserializeOwned;

use crate::engine::{Ending, MergeFacts, PartFacts, RunManifest, RunOutcome, write_files};
use crate::run_directory::{LEDGER, RUN, RunDirectory, SAMPLES_ENDING, TALLIES, TIME_SERIES};
use crate::shard::Shard;

pub use error::MergeError;
use lines::Form;

/// Shards that begin further apart than this are warned of.
const APART_UNNOTICED: Duration = Duration::from_secs(1);
/// The part of the shortest phase by which shards may begin apart, but for [`APART_UNNOTICED`].
const APART_PART: u32 = 10;

/// The longest run, in seconds: thirty years.
const LENGTH_MAX_S: f64 = 1e9;

/// Shards that belong together.
#[derive(Debug)]
pub struct Shards {
    /// By the number of the shard.
    parts: Vec<Part>,
    count: u32,
    missing: Vec<u32>,
    /// By how much the last one began later than the first.
    apart: Duration,
}

/// One shard's run directory.
#[derive(Debug)]
struct Part {
    directory: PathBuf,
    shard: Shard,
    manifest: RunManifest,
}

/// Everything that was added up.
struct Sum {
    tallies: RunTallies,
    summary: Summary,
    time_series: TimeSeries,
    verdict_times: Vec<LatencyHistogram>,
}

impl Shards {
    /// Looks whether these run directories are the shards of one run. A run that was not divided is
    /// its own only shard. With `partial` some may be missing.
    ///
    /// # Errors
    /// [`MergeError`] when one cannot be read, or they do not belong together.
    pub fn read(directories: &[PathBuf], partial: bool) -> Result<Self, MergeError> {
        let mut parts = Vec::with_capacity(directories.len());
        for directory in directories {
            let path = directory.join(RUN);
            let manifest: RunManifest = json(&path)?;
            check_lengths(&manifest).map_err(|source| MergeError::Form { path, source })?;
            if manifest.merged.is_some() {
                return Err(MergeError::Merged {
                    directory: directory.clone(),
                });
            }
            parts.push(Part {
                directory: directory.clone(),
                shard: manifest.shard.unwrap_or(Shard::WHOLE),
                manifest,
            });
        }
        parts.sort_by_key(|part| part.shard);
        let count = agreement::check(&parts)?;
        let is_there = |index: &u32| parts.iter().any(|part| part.shard.index() == *index);
        let missing: Vec<u32> = (0..count).filter(|index| !is_there(index)).collect();
        if !missing.is_empty() && !partial {
            return Err(MergeError::Missing { missing, count });
        }
        let apart = agreement::starts_apart(&parts)?;
        Ok(Self {
            parts,
            count,
            missing,
            apart,
        })
    }

    /// Their directories, by the number of the shard.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(|part| part.directory.as_path())
    }

    /// `run.json` of the first one; what all have in common is in it.
    ///
    /// # Panics
    /// Never: shards that were read are at least one.
    pub fn manifest(&self) -> &RunManifest {
        &self.first().manifest
    }

    /// What a reader of the merged figures has to know.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.missing.is_empty() {
            let missing = list(&self.missing, self.count);
            warnings.push(format!("partial: without shard {missing}"));
        }
        if self.apart > APART_UNNOTICED {
            warnings.push(format!(
                "the shards began {:.1} s apart, so that phases overlap by as much",
                self.apart.as_secs_f64()
            ));
        }
        let machine = |part: &Part| {
            let host = &part.manifest.host;
            (
                host.processor.clone(),
                host.processors,
                host.architecture.clone(),
            )
        };
        if let [first, rest @ ..] = self.parts.as_slice()
            && rest.iter().any(|part| machine(part) != machine(first))
        {
            let text =
                "the shards ran on machines of different kinds; `run.json` names each".to_owned();
            warnings.push(text);
        }
        for part in &self.parts {
            if part.manifest.ending != Ending::Complete {
                let directory = part.directory.display();
                warnings.push(format!("`{directory}` did not come to its planned end"));
            }
        }
        warnings
    }

    /// Writes the merged run, whose command line is given. `run.json` comes last, so that a directory
    /// without it was not finished.
    ///
    /// # Errors
    /// [`MergeError`] when a shard's file is damaged, or the output cannot be written.
    pub fn merge(
        &self,
        output: &RunDirectory,
        command_line: Vec<String>,
    ) -> Result<(RunManifest, RunOutcome), MergeError> {
        let samples = self.sample_files()?;
        output.reserve(self.bytes(&samples))?;
        let merged = self.write(output, command_line, &samples);
        output.release();
        merged
    }

    fn write(
        &self,
        output: &RunDirectory,
        command_line: Vec<String>,
        samples: &[String],
    ) -> Result<(RunManifest, RunOutcome), MergeError> {
        let sum = self.add_up()?;
        for name in samples {
            self.merge_lines(name, Form::Samples, output)?;
        }
        self.merge_lines(LEDGER, Form::Ledger, output)?;
        let manifest = self.merged_manifest(command_line);
        let outcome = RunOutcome {
            summary: sum.summary,
            time_series: sum.time_series,
            verdict_times: sum.verdict_times,
            health: manifest.generator.clone(),
            ending: manifest.ending,
            write_error: None,
            started: UnixMicros::new(manifest.started_unix_us),
            duration: Duration::from_secs_f64(manifest.duration_s),
            writes_acknowledged: manifest.writes.acknowledged,
            writes_refused: manifest.writes.refused,
            writes_unknown: manifest.writes.unknown,
            visits_cut: manifest.visits_cut,
            writes: manifest.plan.writes.clone().into_iter().collect(),
            asked: manifest.plan.asked.clone(),
            directory: Some(output.path().to_owned()),
        };
        write_files(output, &manifest, &outcome, &sum.tallies)?;
        Ok((manifest, outcome))
    }

    fn first(&self) -> &Part {
        self.parts
            .first()
            .expect("shards that were read are at least one")
    }

    /// Wall-clock time of the earliest start.
    fn started(&self) -> UnixMicros {
        let starts = self.parts.iter().map(Part::started);
        starts.min().unwrap_or_default()
    }

    /// Length of the longest.
    fn duration_s(&self) -> f64 {
        let lengths = self.parts.iter().map(|part| part.manifest.duration_s);
        lengths.fold(0.0, f64::max)
    }

    /// Adds up what was counted, one shard after the other, so that only one is held besides the sum.
    fn add_up(&self) -> Result<Sum, MergeError> {
        let first = self.first();
        let timeout = Duration::from_secs_f64(first.manifest.limits.request_timeout_s);
        let mut recorder = RunRecorder::new(self.shape(), timeout);
        let mut time_series = TimeSeries {
            schema_version: double11_measure::run::SCHEMA_VERSION,
            start_unix_ms: Some(self.started().millis()),
            steps: first.manifest.plan.steps.clone(),
            seconds: Vec::new(),
        };
        for part in &self.parts {
            let figures = |path: &Path| {
                let path = path.to_owned();
                move |source| MergeError::Figures { path, source }
            };
            let path = part.directory.join(TALLIES);
            recorder.add(&json(&path)?).map_err(figures(&path))?;
            let path = part.directory.join(TIME_SERIES);
            let later = part.started().since(self.started()) + Duration::from_millis(500);
            let later = u32::try_from(later.as_secs()).unwrap_or(u32::MAX);
            let own: TimeSeries = json(&path)?;
            time_series.add(&own, later).map_err(figures(&path))?;
        }
        let tallies = recorder.tallies();
        let verdict_times = recorder.verdict_times();
        let (summary, _) = recorder.finish(Duration::from_secs_f64(self.duration_s()));
        Ok(Sum {
            tallies,
            summary,
            time_series,
            verdict_times,
        })
    }

    /// The phases and steps of the whole run; of a partial one with what its shards offer.
    fn shape(&self) -> RunShape {
        let manifest = self.manifest();
        let offered = |whole: f64| {
            let part = self.parts.len() as f64;
            if self.missing.is_empty() {
                whole
            } else {
                whole * part / f64::from(self.count)
            }
        };
        let mut start = Duration::ZERO;
        let phases = manifest.phases.iter().map(|phase| {
            let duration = Duration::from_secs_f64(phase.duration_s);
            let shape = PhaseShape {
                name: phase.name.clone(),
                start,
                duration,
                measured: phase.measured,
                offered_per_second: phase.offered_per_second.map(offered),
            };
            start += duration;
            shape
        });
        RunShape {
            phases: phases.collect(),
            steps: manifest.plan.steps.clone(),
        }
    }

    /// Names of the sample files, each of which every shard must have.
    fn sample_files(&self) -> Result<Vec<String>, MergeError> {
        let mut names = Vec::new();
        for part in &self.parts {
            let unreadable = |source| MergeError::Read {
                path: part.directory.clone(),
                source,
            };
            for entry in fs::read_dir(&part.directory).map_err(unreadable)? {
                let name = entry.map_err(unreadable)?.file_name();
                let name = name.to_str().filter(|name| name.ends_with(SAMPLES_ENDING));
                if let Some(name) = name
                    && !names.iter().any(|known| known == name)
                {
                    names.push(name.to_owned());
                }
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Bytes of the files that grow with a run.
    fn bytes(&self, samples: &[String]) -> u64 {
        let of = |name: &str| -> u64 {
            let files = self.parts.iter().map(|part| part.directory.join(name));
            // A file that is not there is told of when it is read.
            let sizes = files.map(|file| fs::metadata(file).map_or(0, |found| found.len()));
            sizes.sum()
        };
        let names = samples.iter().map(String::as_str);
        let names = names.chain([LEDGER, TALLIES, TIME_SERIES]);
        names.map(of).fold(0, u64::saturating_add)
    }

    fn merge_lines(&self, name: &str, form: Form, output: &RunDirectory) -> Result<(), MergeError> {
        let sources: Vec<PathBuf> = self
            .parts
            .iter()
            .map(|part| part.directory.join(name))
            .collect();
        lines::merge(&sources, form, &output.file(name))
    }

    /// `run.json` of the whole.
    fn merged_manifest(&self, command_line: Vec<String>) -> RunManifest {
        let mut merged = self.manifest().clone();
        let all = || self.parts.iter().map(|part| &part.manifest);
        merged.shard = None;
        merged.merged = Some(MergeFacts {
            shards: self.count,
            missing: self.missing.clone(),
            start_spread_s: self.apart.as_secs_f64(),
            parts: self.parts.iter().map(Part::facts).collect(),
        });
        merged.limits.threads = all().map(|run| run.limits.threads).sum();
        merged.limits.pinned_to = all().flat_map(|run| run.limits.pinned_to.clone()).collect();
        merged.limits.pinned_to.sort_unstable();
        merged.limits.pinned_to.dedup();
        merged.started_unix_us = self.started().get();
        merged.duration_s = self.duration_s();
        let worst = [Ending::WriteFailed, Ending::Stopped];
        merged.ending = worst
            .into_iter()
            .find(|ending| all().any(|run| run.ending == *ending))
            .unwrap_or(Ending::Complete);
        merged.writes.acknowledged = all().map(|run| run.writes.acknowledged).sum();
        merged.writes.refused = all().map(|run| run.writes.refused).sum();
        merged.writes.unknown = all().map(|run| run.writes.unknown).sum();
        merged.visits_cut = all().map(|run| run.visits_cut).sum();
        merged.command_line = command_line;
        let parts = self.parts.iter();
        merged.generator = health::merged(parts.map(|part| (part.shard, &part.manifest.generator)));
        merged
    }
}

impl Part {
    fn started(&self) -> UnixMicros {
        UnixMicros::new(self.manifest.started_unix_us)
    }

    fn facts(&self) -> PartFacts {
        PartFacts {
            shard: self.shard,
            directory: self.directory.display().to_string(),
            started_unix_us: self.manifest.started_unix_us,
            duration_s: self.manifest.duration_s,
            ending: self.manifest.ending,
            generator_limited: self.manifest.generator.generator_limited,
            command_line: self.manifest.command_line.clone(),
            host: self.manifest.host.clone(),
        }
    }
}

/// Shards by their numbers: `1/4, 3/4`.
fn list(indexes: &[u32], count: u32) -> String {
    let names = indexes.iter().map(|index| format!("{index}/{count}"));
    names.collect::<Vec<_>>().join(", ")
}

/// Refuses lengths of time that are none: `run.json` is a file like any other.
fn check_lengths(manifest: &RunManifest) -> Result<(), serde_json::Error> {
    let phases = manifest.phases.iter().map(|phase| phase.duration_s);
    let others = [manifest.duration_s, manifest.limits.request_timeout_s];
    match phases
        .chain(others)
        .find(|length| !(0.0..=LENGTH_MAX_S).contains(length))
    {
        None => Ok(()),
        Some(length) => Err(serde::de::Error::custom(format!(
            "{length} s is no length of a run or of a part of it"
        ))),
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, MergeError> {
    let file = File::open(path).map_err(|source| MergeError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_reader(BufReader::new(file)).map_err(|source| MergeError::Form {
        path: path.to_owned(),
        source,
    })
}
