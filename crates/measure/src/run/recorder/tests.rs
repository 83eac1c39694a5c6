use proptest::prelude::*;

use super::*;
use crate::histogram::LatencyHistogram;
use crate::run::Quantiles;
use crate::sample::{Failure, Outcome, StepId};

pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

fn milliseconds_of(value: u64) -> Duration {
    Duration::from_millis(value)
}

pub(super) fn shape() -> RunShape {
    let phase = |name: &str, start, duration, measured| PhaseShape {
        name: name.to_owned(),
        start: Duration::from_secs(start),
        duration: Duration::from_secs(duration),
        measured,
        offered_per_second: Some(100.0),
    };
    RunShape {
        steps: vec!["browse".to_owned(), "checkout".to_owned()],
        phases: vec![
            phase("warm-up", 0, 5, false),
            phase("normal", 5, 10, true),
            phase("peak", 15, 10, true),
        ],
    }
}

/// A request that was sent 10 ms late and answered after `service_ms`.
pub(super) fn sample(planned_ms: u64, service_ms: u64, outcome: Outcome) -> Sample {
    let phase = match planned_ms {
        0..5_000 => 0,
        5_000..15_000 => 1,
        _ => 2,
    };
    let sent = planned_ms + 10;
    Sample {
        step: StepId(0),
        phase: PhaseId(phase),
        thread: 0,
        shopper: 1,
        planned: milliseconds_of(planned_ms),
        sent: Some(milliseconds_of(sent)),
        first_byte: Some(milliseconds_of(sent + service_ms / 2)),
        connect: None,
        end: milliseconds_of(sent + service_ms),
        outcome,
        status: Some(if outcome == Outcome::Success {
            200
        } else {
            503
        }),
        bytes_received: 100,
        bytes_sent: 50,
        late: true,
        in_flight: 1,
    }
}

pub(super) fn dropped(planned_ms: u64) -> Sample {
    Sample {
        sent: None,
        first_byte: None,
        end: milliseconds_of(planned_ms),
        status: None,
        late: false,
        ..sample(planned_ms, 0, Outcome::Failed(Failure::Dropped))
    }
}

fn finished(samples: &[Sample]) -> (Summary, TimeSeries) {
    let mut recorder = RunRecorder::new(shape(), TIMEOUT);
    for sample in samples {
        recorder.record(sample);
    }
    recorder.finish(Duration::from_secs(25))
}

fn assert_milliseconds(actual: Option<f64>, expected: f64) {
    let actual = actual.expect("there are samples");
    assert!(
        (actual - expected).abs() <= expected / 1000.0,
        "{actual} is not {expected}"
    );
}

#[test]
fn counts_rates_and_times_by_hand() {
    let refused = Sample {
        step: StepId(1),
        status: Some(409),
        late: false,
        ..sample(6_000, 40, Outcome::ExpectedRefusal)
    };
    let connect_failed = Sample {
        sent: None,
        first_byte: None,
        status: None,
        late: false,
        ..sample(7_000, 90, Outcome::Failed(Failure::Connect))
    };
    let (summary, _) = finished(&[
        sample(1_000, 20, Outcome::Success),
        sample(5_000, 20, Outcome::Success),
        sample(5_500, 30, Outcome::Success),
        refused,
        connect_failed,
        sample(8_000, 5, Outcome::Failed(Failure::Status)),
        dropped(9_000),
    ]);
    assert_eq!(summary.schema_version, 1);
    let normal = summary.phase("normal").unwrap();
    let total = &normal.total;
    assert_eq!(
        (
            total.attempted,
            total.succeeded,
            total.expected_refusals,
            total.failed
        ),
        (6, 2, 1, 3)
    );
    assert_eq!((total.dropped, total.never_sent, total.late), (1, 2, 3));
    assert_eq!(total.error_rate, Some(0.5));
    assert_eq!(total.throughput_per_second, Some(0.3));
    let failures: Vec<_> = total
        .failures
        .iter()
        .map(|(kind, &n)| (kind.as_str(), n))
        .collect();
    assert_eq!(failures, [("503", 1), ("connect", 1), ("dropped", 1)]);
    assert_eq!(
        total.response_time.count, 5,
        "a dropped request has no response time"
    );
    assert_eq!(
        total.service_time.count, 4,
        "only what was sent has a service time"
    );
    assert_milliseconds(total.response_time.min_ms, 15.0);
    assert_milliseconds(total.response_time.max_ms, 100.0);
    assert_milliseconds(total.service_time.p50_ms, 20.0);
    assert_milliseconds(total.time_to_first_byte.max_ms, 20.0);
    let names: Vec<&str> = normal.steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(names, ["browse", "checkout"]);
    assert_eq!(normal.steps[1].expected_refusals, 1);
    assert_eq!(
        summary.whole.total.attempted, 6,
        "the warm-up is not in the whole"
    );
    assert_eq!(
        (summary.whole.start_s, summary.whole.duration_s),
        (5.0, 20.0)
    );
}

#[test]
fn nothing_attempted_is_none_and_never_zero() {
    let (summary, time_series) = finished(&[]);
    for phase in summary.phases.iter().chain([&summary.whole]) {
        for step in phase.steps.iter().chain([&phase.total]) {
            assert_eq!(
                (step.attempted, step.error_rate, step.verdict_p95_ms),
                (0, None, None)
            );
            assert_eq!(step.response_time, Quantiles::default());
            assert_eq!(step.service_time.p95_ms, None);
            assert!(!step.verdict_p95_is_lower_bound);
        }
        assert_eq!(
            (phase.availability.total, phase.availability.resolution),
            (0, None)
        );
    }
    assert_eq!(
        summary.sessions,
        SessionSummary {
            count: 0,
            mean_duration_ms: None
        }
    );
    assert!(time_series.seconds.is_empty());
    let json = serde_json::to_value(&summary).unwrap();
    assert!(json["whole"]["total"]["error_rate"].is_null());
}

#[test]
fn a_phase_that_was_cut_short_counts_as_long_as_it_lasted() {
    let mut recorder = RunRecorder::new(shape(), TIMEOUT);
    recorder.record(&sample(5_000, 10, Outcome::Success));
    let (summary, _) = recorder.finish(Duration::from_millis(7_500));
    assert_eq!(Some(summary.phases[1].duration_s), Some(2.5));
    assert_eq!(summary.phases[1].total.throughput_per_second, Some(0.4));
    assert_eq!(Some(summary.phases[2].duration_s), Some(0.0));
    assert_eq!(summary.phases[2].total.throughput_per_second, None);
}

#[test]
fn a_fast_failure_never_improves_the_verdict() {
    let slow: Vec<Sample> = (0..100)
        .map(|n| sample(5_000 + n, 490, Outcome::Success))
        .collect();
    let (before, _) = finished(&slow);
    assert_milliseconds(before.phases[1].total.verdict_p95_ms, 500.0);
    let mut failing_fast = slow.clone();
    failing_fast.extend((0..4).map(|n| sample(6_000 + n, 0, Outcome::Failed(Failure::Status))));
    let (after, _) = finished(&failing_fast);
    assert_milliseconds(after.phases[1].total.verdict_p95_ms, 500.0);
    assert!(!after.phases[1].total.verdict_p95_is_lower_bound);
    // With 6 of 106 failed the 101st value is a failure, which stands for the time-out at least.
    failing_fast.extend([dropped(7_000), dropped(7_001)]);
    let (after, _) = finished(&failing_fast);
    assert_milliseconds(after.phases[1].total.verdict_p95_ms, 5_000.0);
    assert!(after.phases[1].total.verdict_p95_is_lower_bound);
    assert_milliseconds(after.phases[1].total.response_time.p95_ms, 500.0);
}

#[test]
fn slow_success_is_no_lower_bound() {
    let slow: Vec<Sample> = (0..20)
        .map(|n| sample(5_000 + n, 7_000, Outcome::Success))
        .collect();
    let (summary, _) = finished(&slow);
    assert_milliseconds(summary.phases[1].total.verdict_p95_ms, 7_010.0);
    assert!(!summary.phases[1].total.verdict_p95_is_lower_bound);
}

proptest! {
    #[test]
    fn turning_a_success_into_a_failure_never_lowers_the_verdict(
        services in proptest::collection::vec(0_u64..9_000, 1..60),
        failed in any::<proptest::sample::Index>(),
    ) {
        let mut samples: Vec<Sample> =
            services.iter().map(|&ms| sample(5_000, ms, Outcome::Success)).collect();
        let before = finished(&samples).0.phases[1].total.verdict_p95_ms;
        let failing = failed.get(&services);
        let index = services.iter().position(|service| service == failing).unwrap();
        samples[index] = sample(5_000, 0, Outcome::Failed(Failure::Status));
        let after = finished(&samples).0.phases[1].total.verdict_p95_ms;
        // A success slower than the time-out is the one thing that a failure may undercut.
        if *failing + 10 <= 5_000 {
            prop_assert!(after >= before, "{after:?} < {before:?}");
        }
    }

    /// Stragglers that reopen closed seconds change nothing but the cost.
    #[test]
    fn the_order_of_samples_does_not_matter(
        seed in proptest::collection::vec((0_u64..24_000, 1_u64..6_000, any::<bool>()), 1..80),
    ) {
        let samples: Vec<Sample> = seed
            .iter()
            .map(|&(planned, service, good)| {
                let outcome =
                    if good { Outcome::Success } else { Outcome::Failed(Failure::Status) };
                sample(planned, service, outcome)
            })
            .collect();
        let mut sorted = samples.clone();
        sorted.sort_by_key(|sample| sample.end);
        prop_assert_eq!(finished(&samples), finished(&sorted));
    }
}

#[test]
fn the_seconds_add_up_to_the_summary() {
    let samples: Vec<Sample> = (0..2_000_u64)
        .map(|n| sample(5_000 + n * 5, 1 + n % 900, Outcome::Success))
        .chain([dropped(5_100)])
        .collect();
    let (summary, time_series) = finished(&samples);
    let normal = summary.phase("normal").unwrap();
    let mut response_time = LatencyHistogram::new();
    let mut service_time = LatencyHistogram::new();
    let (mut attempted, mut completed) = (0, 0);
    for second in &time_series.seconds {
        for step in &second.steps {
            attempted += step.attempted;
            completed += step.completed;
            let add = |text: &Option<String>, sum: &mut LatencyHistogram| {
                if let Some(text) = text {
                    sum.merge(&LatencyHistogram::from_base64(text).unwrap());
                }
            };
            add(&step.response_time, &mut response_time);
            add(&step.service_time, &mut service_time);
        }
    }
    assert_eq!((attempted, completed), (2_001, 2_000));
    assert_eq!(Quantiles::from(&response_time), normal.total.response_time);
    assert_eq!(Quantiles::from(&service_time), normal.total.service_time);
}

#[test]
fn completions_are_counted_in_the_second_of_their_end() {
    let timed_out = Sample {
        status: None,
        ..sample(5_000, 4_500, Outcome::Failed(Failure::TimeOut))
    };
    let (_, time_series) = finished(&[
        sample(5_900, 1_200, Outcome::Success),
        sample(5_950, 100, Outcome::Failed(Failure::Status)),
        timed_out,
    ]);
    let per_second: Vec<_> = time_series
        .seconds
        .iter()
        .map(|second| {
            (
                second.second,
                second.steps[0].attempted,
                second.steps[0].completed,
            )
        })
        .collect();
    assert_eq!(per_second, [(5, 3, 0), (6, 0, 1), (7, 0, 1)]);
}

#[test]
fn seconds_that_are_over_are_closed() {
    let mut recorder = RunRecorder::new(shape(), TIMEOUT);
    for n in 0..10_000_u64 {
        let mut sample = sample(n * 1_000, 1 + n % 50, Outcome::Success);
        sample.phase = PhaseId(2);
        recorder.record(&sample);
        assert!(
            recorder.open.len() <= 9,
            "{} seconds are open",
            recorder.open.len()
        );
    }
    let straggler = Sample {
        end: milliseconds_of(9_999_500),
        ..sample(3_000, 1, Outcome::Success)
    };
    recorder.record(&straggler);
    recorder.record(&sample(10_001_000, 1, Outcome::Success));
    assert!(
        recorder.open.len() <= 9,
        "a straggler's second is closed again"
    );
    let (_, time_series) = recorder.finish(Duration::from_secs(10_002));
    assert_eq!(time_series.seconds.len(), 10_001);
    assert_eq!(time_series.seconds[3].steps[0].attempted, 2);
    let response_time = time_series.seconds[3].steps[0]
        .response_time
        .as_deref()
        .unwrap();
    assert_eq!(
        LatencyHistogram::from_base64(response_time).unwrap().len(),
        2
    );
}

#[test]
fn availability_counts_only_timely_success_by_phase() {
    let mut samples = Vec::new();
    for second in 15..20_u64 {
        for n in 0..250 {
            // The last second of five has three failures of 250, the one before three slow answers.
            let planned = second * 1_000 + n * 4;
            samples.push(match (second, n) {
                (19, 0..3) => sample(planned, 1, Outcome::Failed(Failure::Status)),
                (18, 0..3) => sample(planned, 1_000, Outcome::Success),
                (17, 0..250) => sample(planned, 1, Outcome::ExpectedRefusal),
                _ => sample(planned, 1, Outcome::Success),
            });
        }
    }
    let (summary, _) = finished(&samples);
    let peak = summary.phase("peak").unwrap().availability;
    assert_eq!((peak.good, peak.total, peak.resolution), (3, 5, Some(0.2)));
    assert_eq!(summary.whole.availability, peak);
}

#[test]
fn sessions_are_those_of_the_measured_phases() {
    let mut recorder = RunRecorder::new(shape(), TIMEOUT);
    recorder.visit_finished(PhaseId(0), Duration::from_mins(1));
    recorder.visit_finished(PhaseId(1), Duration::from_millis(100));
    recorder.visit_finished(PhaseId(2), Duration::from_millis(200));
    let (summary, _) = recorder.finish(Duration::from_secs(25));
    assert_eq!(
        summary.sessions,
        SessionSummary {
            count: 2,
            mean_duration_ms: Some(150.0)
        }
    );
}

#[test]
fn progress_looks_at_the_last_seconds() {
    let mut recorder = RunRecorder::new(shape(), TIMEOUT);
    assert_eq!(recorder.snapshot().p95_last_seconds, None);
    for n in 0..100 {
        recorder.record(&sample(n, 3_000, Outcome::Success));
        recorder.record(&sample(10_000 + n, 40, Outcome::Success));
    }
    recorder.record(&dropped(10_500));
    recorder.record(&sample(11_000, 40, Outcome::Success));
    let progress = recorder.snapshot();
    assert_eq!(progress.elapsed, Duration::from_millis(11_050));
    assert_eq!(
        progress.throughput_last_second.to_bits(),
        100.0_f64.to_bits()
    );
    assert_eq!(
        progress.p95_last_seconds,
        Some(Duration::from_micros(50_015))
    );
    assert_eq!(
        (progress.attempted, progress.failed, progress.dropped),
        (202, 1, 1)
    );
    assert_eq!(progress.late, 201);
    assert_eq!(
        progress.p50_last_seconds,
        Some(Duration::from_micros(50_015))
    );
    assert_eq!(progress.p99_last_seconds, progress.p95_last_seconds);
    assert_eq!(
        (
            progress.attempted_last_seconds,
            progress.failed_last_seconds
        ),
        (102, 1)
    );
    assert!((progress.error_rate_last_seconds().unwrap() - 1.0 / 102.0).abs() < 1e-12);
}

#[test]
fn progress_of_a_phase_counts_its_own_steps() {
    let mut recorder = RunRecorder::new(shape(), TIMEOUT);
    assert_eq!(recorder.snapshot().error_rate_last_seconds(), None);
    recorder.record(&sample(4_000, 10, Outcome::Success));
    recorder.record(&sample(6_000, 10, Outcome::Success));
    recorder.record(&sample(7_000, 10, Outcome::ExpectedRefusal));
    recorder.record(&dropped(8_000));
    recorder.visit_finished(PhaseId(1), Duration::from_millis(100));
    let progress = recorder.phase_progress(PhaseId(1));
    assert_eq!(progress.visits, 1);
    let counts = progress.steps.iter().map(|step| {
        let name = step.name.as_str();
        (name, step.attempted, step.expected_refusals, step.failed)
    });
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [("browse", 3, 1, 1), ("checkout", 0, 0, 0)]
    );
    assert_eq!(recorder.snapshot().expected_refusals, 1);
}

#[test]
fn summary_and_time_series_survive_their_files() {
    let (summary, time_series) = finished(&[sample(5_000, 20, Outcome::Success), dropped(16_000)]);
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
    let text = serde_json::to_string(&time_series).unwrap();
    assert_eq!(
        serde_json::from_str::<TimeSeries>(&text).unwrap(),
        time_series
    );
}

#[test]
fn steps_may_come_to_light_while_a_run_goes_on() {
    let mut known = RunRecorder::new(shape(), TIMEOUT);
    let mut found = RunRecorder::new(
        RunShape {
            steps: Vec::new(),
            ..shape()
        },
        TIMEOUT,
    );
    assert_eq!(found.add_step("browse"), Some(StepId(0)));
    let early = sample(6_000, 20, Outcome::Success);
    for recorder in [&mut known, &mut found] {
        recorder.record(&early);
    }
    // Seconds that are open, and one that was closed, have room for it as well.
    assert_eq!(found.add_step("checkout"), Some(StepId(1)));
    for recorder in [&mut known, &mut found] {
        for planned_ms in [6_100, 20_000, 6_200] {
            recorder.record(&Sample {
                step: StepId(1),
                ..sample(planned_ms, 30, Outcome::Success)
            });
        }
    }
    let ended = Duration::from_secs(25);
    assert_eq!(known.finish(ended), found.finish(ended));
}
