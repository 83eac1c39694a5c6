//! From counts to the figures of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::accumulator::{Accumulator, Availabilities, Cell, Window, second_of};
use super::labels::{Label, Labels};
use super::sparse::SparseCounts;
use super::windows::Windows;
use super::{JtlSummary, TimeStamps, Warning};
use crate::histogram::{HistogramEncoder, LatencyHistogram, nearest_rank};
use crate::run::{
    Availability, PhaseSummary, Quantiles, SCHEMA_VERSION, Second, SecondStep, SessionSummary,
    StepSummary, Summary, TimeSeries, availability, milliseconds,
};

/// Sums up everything that was counted, with the warnings that were met in reading.
pub(super) fn finish(accumulator: Accumulator, mut warnings: Vec<Warning>) -> JtlSummary {
    warnings.extend(warnings_of(&accumulator));
    let Accumulator {
        rows,
        samples,
        dates,
        spans,
        labels,
        windows,
        seconds,
        ..
    } = accumulator;
    let counted = Counted {
        controllers: samples == 0 && rows > 0,
    };
    let span = spans[usize::from(counted.controllers)];
    let duration = span.map_or(Duration::ZERO, |(first, last)| {
        Duration::from_millis(last.abs_diff(first))
    });
    let window_seconds = windows.width_seconds();
    let windows = windows.into_sorted();
    let LabelFigures {
        total,
        steps,
        controllers,
        step_of_label,
    } = steps_of(&labels, &windows, counted, duration);
    let first_second = span.map(|(first, _)| second_of(first) / window_seconds * window_seconds);
    let time_series = time_series(&steps, &step_of_label, windows, first_second);
    let whole = PhaseSummary {
        name: "whole".to_owned(),
        measured: true,
        start_s: 0.0,
        duration_s: duration.as_secs_f64(),
        offered_per_second: None,
        visits: 0,
        total,
        steps,
        availability: availability_of(seconds, counted),
    };
    JtlSummary {
        summary: Summary {
            schema_version: SCHEMA_VERSION,
            phases: vec![whole.clone()],
            whole,
            sessions: SessionSummary {
                count: 0,
                mean_duration_ms: None,
            },
        },
        time_series,
        window_seconds,
        first_start_unix_ms: span.map(|(first, _)| first),
        last_end_unix_ms: span.map(|(_, last)| last),
        time_stamps: if dates > 0 {
            TimeStamps::LocalDates
        } else {
            TimeStamps::Unix
        },
        rows,
        controllers,
        warnings,
    }
}

/// Which rows are the samples of the file.
#[derive(Debug, Clone, Copy)]
struct Counted {
    /// Those of transaction controllers, for want of others.
    controllers: bool,
}

fn warnings_of(accumulator: &Accumulator) -> impl Iterator<Item = Warning> {
    let Accumulator {
        rows,
        samples,
        dates,
        saturated,
        ..
    } = *accumulator;
    let merged = accumulator.labels.merged_rows();
    let seconds = accumulator.windows.width_seconds();
    [
        (samples == 0 && rows > 0).then_some(Warning::ControllersOnly),
        (merged > 0).then_some(Warning::LabelsMerged { rows: merged }),
        (seconds > 1).then_some(Warning::WideWindows { seconds }),
        (dates > 0).then_some(Warning::LocalDates),
        (saturated > 0).then_some(Warning::Saturated { rows: saturated }),
    ]
    .into_iter()
    .flatten()
}

fn availability_of(seconds: Windows<Availabilities>, counted: Counted) -> Availability {
    let widened = seconds.width_seconds() > 1;
    let by_second: BTreeMap<u64, _> = seconds
        .into_sorted()
        .into_iter()
        .map(|(second, counts)| (u64::from(second), counts[usize::from(counted.controllers)]))
        .collect();
    let availability = availability(&by_second);
    Availability {
        windows_merged: availability.windows_merged || widened && availability.total > 0,
        ..availability
    }
}

/// What comes of the labels.
struct LabelFigures {
    total: StepSummary,
    steps: Vec<StepSummary>,
    /// Labels of rows that sum up others.
    controllers: Vec<StepSummary>,
    /// The index in `steps` of each label that is there.
    step_of_label: Vec<Option<u16>>,
}

fn steps_of(
    labels: &Labels,
    windows: &[(u32, Window)],
    counted: Counted,
    duration: Duration,
) -> LabelFigures {
    let mut total = Figures::default();
    let mut steps = Vec::new();
    let mut controllers = Vec::new();
    let mut step_of_label = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let figures = Figures::of(label, index, windows);
        let summary = figures.summary(&label.name, duration);
        if label.is_controller == counted.controllers {
            step_of_label.push(u16::try_from(steps.len()).ok());
            total.merge(&figures);
            steps.push(summary);
        } else {
            step_of_label.push(None);
            controllers.push(summary);
        }
    }
    LabelFigures {
        total: total.summary("total", duration),
        steps,
        controllers,
        step_of_label,
    }
}

/// The figures of one label, or of all together.
#[derive(Debug, Default)]
struct Figures {
    attempted: u64,
    failed: u64,
    failures: BTreeMap<String, u64>,
    service_time: LatencyHistogram,
    failed_times: LatencyHistogram,
    first_bytes: LatencyHistogram,
}

impl Figures {
    fn of(label: &Label, index: usize, windows: &[(u32, Window)]) -> Self {
        let mut figures = Self {
            attempted: label.attempted,
            failed: label.failed,
            failures: label.failures(),
            ..Self::default()
        };
        label.failed_times.add_to(&mut figures.failed_times);
        label.first_bytes.add_to(&mut figures.first_bytes);
        for cell in windows.iter().filter_map(|(_, window)| window.get(index)) {
            cell.service_time.add_to(&mut figures.service_time);
        }
        figures
    }

    fn merge(&mut self, other: &Self) {
        self.attempted += other.attempted;
        self.failed += other.failed;
        for (code, count) in &other.failures {
            *self.failures.entry(code.clone()).or_default() += count;
        }
        self.service_time.merge(&other.service_time);
        self.failed_times.merge(&other.failed_times);
        self.first_bytes.merge(&other.first_bytes);
    }

    fn summary(&self, step: &str, duration: Duration) -> StepSummary {
        let succeeded = self.attempted - self.failed;
        let seconds = duration.as_secs_f64();
        let (verdict, is_lower_bound) = self.verdict();
        StepSummary {
            step: step.to_owned(),
            attempted: self.attempted,
            succeeded,
            expected_refusals: 0,
            failed: self.failed,
            dropped: 0,
            never_sent: 0,
            late: 0,
            error_rate: (self.attempted > 0).then(|| self.failed as f64 / self.attempted as f64),
            completed_successes: succeeded,
            completed_refusals: 0,
            throughput_per_second: (!duration.is_zero()).then(|| succeeded as f64 / seconds),
            failures: self.failures.clone(),
            response_time: Quantiles::default(),
            service_time: Quantiles::from(&self.service_time),
            time_to_first_byte: Quantiles::from(&self.first_bytes),
            verdict_p95_ms: verdict.map(milliseconds),
            verdict_p95_is_lower_bound: is_lower_bound,
        }
    }

    /// The P95 with failures slower than everything, and whether it is only a lower bound.
    fn verdict(&self) -> (Option<Duration>, bool) {
        let Some(rank) = nearest_rank(95.0, self.attempted) else {
            return (None, false);
        };
        let longest = self.service_time.max();
        // Both walk the same buckets in rising order; what failed is taken out of each.
        let mut failed = self.failed_times.buckets().peekable();
        let mut below = 0;
        for (highest, count) in self.service_time.buckets() {
            let failed_here = failed.next_if(|(bucket, _)| *bucket == highest);
            below += count - failed_here.map_or(0, |(_, count)| count);
            if below >= rank {
                return (Some(highest), false);
            }
        }
        (longest, true)
    }
}

/// The time series, with the histograms of each window encoded. `first` is the second since 1970 at
/// which its first window begins.
fn time_series(
    steps: &[StepSummary],
    step_of_label: &[Option<u16>],
    windows: Vec<(u32, Window)>,
    first: Option<u32>,
) -> TimeSeries {
    let mut encoder = CellEncoder::default();
    let seconds = windows
        .into_iter()
        .map(|(second, window)| Second {
            // Only a controller, whose rows are not in the series, may begin before.
            second: second.saturating_sub(first.unwrap_or_default()),
            steps: step_of_label
                .iter()
                .zip(window)
                .filter_map(|(step, cell)| encoder.second_step((*step)?, &cell))
                .collect(),
        })
        .filter(|second| !second.steps.is_empty())
        .collect();
    TimeSeries {
        schema_version: SCHEMA_VERSION,
        start_unix_ms: first.map(|second| i64::from(second) * 1000),
        steps: steps.iter().map(|step| step.step.clone()).collect(),
        seconds,
    }
}

/// Encodes cells one after the other in the same memory.
#[derive(Default)]
struct CellEncoder {
    encoder: HistogramEncoder,
    /// One for each power of two that the longest time of a cell may reach: one that was used for
    /// longer times would say so in every text, and be as large again for whoever reads it.
    by_range: BTreeMap<u32, LatencyHistogram>,
}

impl CellEncoder {
    fn second_step(&mut self, step: u16, cell: &Cell) -> Option<SecondStep> {
        if cell.attempted == 0 && cell.completed == 0 {
            return None;
        }
        Some(SecondStep {
            step,
            attempted: cell.attempted,
            succeeded: cell.attempted - cell.failed,
            expected_refusals: 0,
            failed: cell.failed,
            dropped: 0,
            never_sent: 0,
            completed: cell.completed,
            response_time: None,
            service_time: cell
                .service_time
                .longest()
                .map(|longest| self.encode(&cell.service_time, longest)),
        })
    }

    fn encode(&mut self, service_time: &SparseCounts, longest: Duration) -> String {
        let range = longest.as_micros().checked_ilog2().unwrap_or_default();
        let histogram = self.by_range.entry(range).or_default();
        histogram.clear();
        service_time.add_to(histogram);
        self.encoder.encode(histogram)
    }
}
