//! What holds of any file.

use std::time::Duration;

use proptest::prelude::*;

use super::{file_of, row, summarized};
use crate::histogram::LatencyHistogram;
use crate::jtl::{Limits, Row, summarize};
use crate::run::{
    PhaseShape, Quantiles, RunRecorder, RunShape, Second, StepSummary, Summary, TimeSeries,
};
use crate::sample::{Failure, Outcome, PhaseId, Sample, StepId};

/// One generated row: its start and service time, label, code, and whether its texts need quotes.
#[derive(Debug, Clone)]
struct Generated {
    start_ms: i64,
    elapsed_ms: u64,
    label: usize,
    code: usize,
    message: String,
}

const LABELS: [&str; 4] = ["browse", "view, \"detail\"", "加入購物車", "two\nlines"];
const CODES: [(&str, Option<u16>); 3] = [
    ("200", Some(200)),
    ("503", Some(503)),
    ("Non HTTP response code: java.net.ConnectException", None),
];

impl Generated {
    fn row(&self) -> Row<'_> {
        Row {
            response_message: &self.message,
            ..row(
                self.start_ms,
                self.elapsed_ms,
                LABELS[self.label],
                CODES[self.code].0,
            )
        }
    }

    /// The same as the load engine would have seen it, had it planned what it sent.
    fn sample(&self, step: usize) -> Sample {
        let milliseconds = |value: u64| Duration::from_millis(value);
        let sent = milliseconds(self.start_ms.unsigned_abs());
        let status = CODES[self.code].1;
        let outcome = match status {
            Some(200) => Outcome::Success,
            Some(_) => Outcome::Failed(Failure::Status),
            None => Outcome::Failed(Failure::Connect),
        };
        Sample {
            step: StepId(u16::try_from(step).unwrap()),
            phase: PhaseId(0),
            thread: 0,
            shopper: 0,
            planned: sent,
            sent: Some(sent),
            first_byte: status.map(|_| sent + milliseconds(self.elapsed_ms / 2)),
            connect: None,
            end: sent + milliseconds(self.elapsed_ms),
            outcome,
            status,
            bytes_received: 0,
            bytes_sent: 0,
            late: false,
            in_flight: 1,
        }
    }
}

fn generated() -> impl Strategy<Value = Vec<Generated>> {
    let message = prop_oneof![Just("OK".to_owned()), "[,\"\r\n a手🛒]{0,8}",];
    let elapsed = prop_oneof![0..50_u64, 0..3000_u64, 0..100_000_u64];
    let one = (
        0..20_000_i64,
        elapsed,
        0..LABELS.len(),
        0..CODES.len(),
        message,
    )
        .prop_map(|(start_ms, elapsed_ms, label, code, message)| Generated {
            start_ms,
            elapsed_ms,
            label,
            code,
            message,
        });
    proptest::collection::vec(one, 1..300)
}

/// What the recorder of the load engine makes of the rows, starting at the second of the first.
fn recorded(rows: &[Generated], steps: &[&str]) -> (Summary, TimeSeries) {
    let first = rows.iter().map(|row| row.start_ms / 1000).min().unwrap() * 1000;
    let last_end = rows
        .iter()
        .map(|row| row.start_ms.unsigned_abs() + row.elapsed_ms)
        .max();
    let ended =
        Duration::from_millis(last_end.unwrap() - first.unsigned_abs()) + Duration::from_millis(1);
    let shape = RunShape {
        steps: steps.iter().map(|&step| step.to_owned()).collect(),
        phases: vec![PhaseShape {
            name: "whole".to_owned(),
            start: Duration::ZERO,
            duration: ended,
            measured: true,
            offered_per_second: None,
        }],
    };
    let mut recorder = RunRecorder::new(shape, Duration::from_hours(1));
    for row in rows {
        let step = steps
            .iter()
            .position(|&step| step == LABELS[row.label])
            .unwrap();
        let mut row = row.clone();
        row.start_ms -= first;
        recorder.record(&row.sample(step));
    }
    recorder.finish(ended)
}

/// What the two must have in common.
fn comparable(step: &StepSummary) -> (String, [u64; 4], Vec<u64>, Quantiles, Quantiles) {
    (
        step.step.clone(),
        [
            step.attempted,
            step.succeeded,
            step.failed,
            step.completed_successes,
        ],
        step.failures.values().copied().collect(),
        step.service_time,
        step.time_to_first_byte,
    )
}

proptest! {
    // A case reads and encodes a hundred histograms.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_figures_are_those_of_the_load_engines_recorder(rows in generated()) {
        let written: Vec<Row<'_>> = rows.iter().map(Generated::row).collect();
        let summary = summarized(&file_of(&written));
        let steps: Vec<&str> = summary.time_series.steps.iter().map(String::as_str).collect();
        let (expected, expected_series) = recorded(&rows, &steps);
        prop_assert_eq!(&summary.warnings, &vec![]);
        prop_assert_eq!(comparable(&summary.summary.whole.total), comparable(&expected.whole.total));
        for (actual, expected) in summary.summary.whole.steps.iter().zip(&expected.whole.steps) {
            prop_assert_eq!(comparable(actual), comparable(expected));
        }
        prop_assert_eq!(summary.summary.whole.availability, expected.whole.availability);
        let without_response_times: Vec<Second> = expected_series
            .seconds
            .into_iter()
            .map(|mut second| {
                for step in &mut second.steps {
                    step.response_time = None;
                }
                second
            })
            .collect();
        prop_assert_eq!(summary.time_series.seconds.len(), without_response_times.len());
        for (actual, expected) in summary.time_series.seconds.iter().zip(&without_response_times) {
            prop_assert_eq!(actual.second, expected.second);
            prop_assert_eq!(actual.steps.len(), expected.steps.len());
            for (actual, expected) in actual.steps.iter().zip(&expected.steps) {
                let buckets = |text: &Option<String>| -> Vec<(Duration, u64)> {
                    text.as_ref()
                        .map(|text| LatencyHistogram::from_base64(text).unwrap().buckets().collect())
                        .unwrap_or_default()
                };
                prop_assert_eq!(buckets(&actual.service_time), buckets(&expected.service_time));
                let (mut actual, mut expected) = (actual.clone(), expected.clone());
                actual.service_time = None;
                expected.service_time = None;
                prop_assert_eq!(actual, expected);
            }
        }
    }

    #[test]
    fn the_order_of_the_rows_changes_no_figure(
        (rows, shuffled) in generated().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let of = |rows: &[Generated]| {
            let written: Vec<Row<'_>> = rows.iter().map(Generated::row).collect();
            summarized(&file_of(&written))
        };
        let (one, other) = (of(&rows), of(&shuffled));
        prop_assert_eq!(comparable(&one.summary.whole.total), comparable(&other.summary.whole.total));
        prop_assert_eq!(one.summary.whole.availability, other.summary.whole.availability);
        prop_assert_eq!(one.first_start_unix_ms, other.first_start_unix_ms);
        prop_assert_eq!(one.time_series.seconds.len(), other.time_series.seconds.len());
    }

    /// The fast way splits a line that has no quote; with every text in quotes the same file goes
    /// the slow way.
    #[test]
    fn quotes_change_nothing(rows in generated()) {
        let plain: Vec<Row<'_>> = rows.iter().map(Generated::row).filter(|row| {
            !row.response_message.contains([',', '"', '\r', '\n'])
                && !row.label.contains([',', '"', '\n'])
        }).collect();
        let fast = file_of(&plain);
        prop_assert!(!fast.contains(&b'"'));
        let lines: Vec<String> = String::from_utf8(fast.clone())
            .unwrap()
            .lines()
            .map(|line| format!("\"{}\"\r\n", line.replace(',', "\",\"")))
            .collect();
        let slow = lines.concat();
        prop_assert_eq!(summarized(slow.as_bytes()), summarized(&fast));
    }

    /// Instants and labels from end to end: windows widen and join until they fit.
    #[test]
    fn rows_that_are_far_apart_are_all_counted(
        seconds in proptest::collection::vec(0..=u32::MAX, 100..400),
        labels in 1..600_usize,
    ) {
        let mut file = b"timeStamp,elapsed,label,success\n".to_vec();
        let mut rows = 0;
        for (index, second) in seconds.iter().enumerate() {
            for label in (index % 50..labels).step_by(50).chain([labels]) {
                let line = format!("{second}000,{},{label},true\n", u64::from(*second) * 7);
                file.extend_from_slice(line.as_bytes());
                rows += 1;
            }
        }
        let summary = summarized(&file);
        prop_assert_eq!(summary.rows, rows);
        prop_assert_eq!(summary.summary.whole.total.service_time.count, rows);
        let steps = summary.time_series.seconds.iter().flat_map(|second| &second.steps);
        let counted = steps.fold((0, 0, 0), |(attempted, completed, cells), step| {
            (attempted + step.attempted, completed + step.completed, cells + 1)
        });
        prop_assert_eq!((counted.0, counted.1), (rows, rows));
        prop_assert!(counted.2 <= 43_200, "{} cells", counted.2);
    }

    #[test]
    fn any_bytes_are_summarised_or_refused_without_panic(
        bytes in proptest::collection::vec(
            prop_oneof![
                any::<u8>(),
                proptest::sample::select(b",\"\n0123456789true".to_vec()),
            ],
            0..300,
        ),
        rows in generated(),
        place in any::<proptest::sample::Index>(),
    ) {
        let written: Vec<Row<'_>> = rows.iter().map(Generated::row).collect();
        let mut file = file_of(&written);
        let place = place.index(file.len());
        file.splice(place..place, bytes);
        match summarize(file.as_slice(), Limits::default()) {
            Ok(summary) => prop_assert!(summary.rows <= file.len() as u64),
            Err(problem) => prop_assert!(problem.line > 0),
        }
    }
}
