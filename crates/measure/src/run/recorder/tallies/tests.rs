use std::time::Duration;

use proptest::prelude::*;

use super::super::tests::{TIMEOUT, dropped, sample, shape};
use super::*;
use crate::histogram::LatencyHistogram;
use crate::run::{Summary, TimeSeries};
use crate::sample::{Failure, Outcome, PhaseId, Sample, StepId};

/// What makes tallies wrong.
type Spoil = fn(&mut RunTallies);

/// Second, step, and the values with their counts.
type Buckets = (u32, u16, Vec<(Duration, u64)>);

const ENDED: Duration = Duration::from_secs(25);

/// Samples of every outcome, in all phases and both steps.
fn any_sample() -> impl Strategy<Value = Sample> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Success),
        1 => Just(Outcome::ExpectedRefusal),
        1 => Just(Outcome::Failed(Failure::Status)),
        1 => Just(Outcome::Failed(Failure::TimeOut)),
        1 => Just(Outcome::Failed(Failure::Dropped)),
    ];
    (0_u64..25_000, 1_u64..9_000, outcome, 0_u16..2).prop_map(
        |(planned, service, outcome, step)| {
            let made = match outcome {
                Outcome::Failed(Failure::Dropped) => dropped(planned),
                Outcome::Failed(Failure::TimeOut) => Sample {
                    status: None,
                    ..sample(planned, service, outcome)
                },
                _ => sample(planned, service, outcome),
            };
            Sample {
                step: StepId(step),
                ..made
            }
        },
    )
}

fn recorded(samples: &[Sample]) -> RunRecorder {
    let mut recorder = RunRecorder::new(shape(), TIMEOUT);
    for sample in samples {
        recorder.record(sample);
        let took = sample.end.saturating_sub(sample.planned);
        recorder.visit_finished(sample.phase, took);
    }
    recorder
}

/// The tallies as a file holds them.
fn through_file(tallies: &RunTallies) -> RunTallies {
    let text = serde_json::to_string(tallies).unwrap();
    let read = serde_json::from_str(&text).unwrap();
    assert_eq!(&read, tallies);
    read
}

/// Buckets of the response and service times of each step of each second.
fn buckets(series: &TimeSeries) -> Vec<Buckets> {
    let steps = series.seconds.iter().flat_map(|second| {
        let steps = second.steps.iter();
        steps.map(move |step| (second.second, step))
    });
    steps
        .map(|(second, step)| {
            let texts = step.response_time.iter().chain(&step.service_time);
            let histograms = texts.map(|text| LatencyHistogram::from_base64(text).unwrap());
            let buckets = histograms.flat_map(|one| one.buckets().collect::<Vec<_>>());
            (second, step.step, buckets.collect())
        })
        .collect()
}

/// The series without its histograms.
fn counts(series: &TimeSeries) -> TimeSeries {
    let mut series = series.clone();
    for step in series
        .seconds
        .iter_mut()
        .flat_map(|second| &mut second.steps)
    {
        (step.response_time, step.service_time) = (None, None);
    }
    series
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn recorders_of_parts_add_up_to_the_recorder_of_all(
        samples in prop::collection::vec(any_sample(), 0..120),
        count in 1_usize..=7,
    ) {
        let whole = recorded(&samples);
        let mut sum = RunRecorder::new(shape(), TIMEOUT);
        let mut series: Option<TimeSeries> = None;
        for part in 0..count {
            let own: Vec<Sample> = samples.iter().skip(part).step_by(count).copied().collect();
            let part = recorded(&own);
            sum.add(&through_file(&part.tallies())).unwrap();
            let (_, own) = part.finish(ENDED);
            match &mut series {
                Some(series) => series.add(&own, 0).unwrap(),
                None => series = Some(own),
            }
        }
        let verdicts = |recorder: &RunRecorder| -> Vec<Vec<(Duration, u64)>> {
            let times = recorder.verdict_times();
            times.iter().map(|times| times.buckets().collect()).collect()
        };
        prop_assert_eq!(verdicts(&sum), verdicts(&whole));
        prop_assert_eq!(sum.snapshot().attempted, whole.snapshot().attempted);
        let (expected, expected_series): (Summary, TimeSeries) = whole.finish(ENDED);
        prop_assert_eq!(sum.finish(ENDED).0, expected);
        let series = series.unwrap();
        prop_assert_eq!(counts(&series), counts(&expected_series));
        prop_assert_eq!(buckets(&series), buckets(&expected_series));
    }
}

#[test]
fn a_series_that_began_later_is_moved() {
    let (_, early) = recorded(&[sample(1_000, 20, Outcome::Success)]).finish(ENDED);
    let mut sum = early.clone();
    sum.add(&early, 3).unwrap();
    let seconds: Vec<u32> = sum.seconds.iter().map(|second| second.second).collect();
    assert_eq!(seconds, [1, 4]);
    assert_eq!(sum.seconds[1].steps, early.seconds[0].steps);
    let mut unsorted = sum.clone();
    unsorted.seconds.reverse();
    for (one, other, later) in [
        (&sum, &unsorted, 0),
        (&unsorted, &sum, 0),
        (&sum, &sum, u32::MAX),
    ] {
        let error = one.clone().add(other, later).unwrap_err();
        assert!(matches!(error, AddError::Order { .. }), "{error}");
    }
    let mut foreign = early.clone();
    foreign.steps.reverse();
    let error = sum.add(&foreign, 0).unwrap_err();
    assert!(matches!(error, AddError::Shape { .. }), "{error}");
    let mut damaged = early.clone();
    damaged.seconds[0].steps[0].response_time = Some("x".to_owned());
    let error = sum.add(&damaged, 0).unwrap_err();
    assert_eq!(error.to_string(), "second 1, step 0, `response_time`");
    damaged.seconds[0].steps[0].step = 2;
    let error = sum.add(&damaged, 0).unwrap_err();
    assert!(error.to_string().contains("no such step"), "{error}");
    assert_eq!(sum.seconds.len(), 2, "nothing was added");
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let good = recorded(&[
        sample(6_000, 20, Outcome::Success),
        sample(7_000, 20, Outcome::Failed(Failure::Status)),
        dropped(8_000),
    ])
    .tallies();
    let cases: [(Spoil, &str); 9] = [
        (|it| it.schema_version = 9, "`schema_version` is 9"),
        (
            |it| it.phases.truncate(2),
            "the phases are warm-up, normal, expected",
        ),
        (
            |it| it.phases[1].steps.reverse(),
            "the steps are checkout, browse",
        ),
        (
            |it| it.phases[1].visits = u64::MAX,
            "phase `normal`: a count is out of range",
        ),
        (
            |it| it.phases[1].steps[0].attempted += 1,
            "phase `normal`, step `browse`: what succeeded",
        ),
        (
            |it| it.phases[1].steps[0].late = u64::MAX,
            "a count is out of range",
        ),
        (
            |it| it.phases[1].steps[0].kept_time.clear(),
            "phase `normal`, step `browse`, `kept_time`",
        ),
        (
            |it| {
                it.phases[1].steps[0].failures.insert("odd".to_owned(), 1);
            },
            "`odd` is no kind of failure",
        ),
        (
            |it| it.phases[1].steps[0].failed_time = None,
            "the response times are not as many as the answers",
        ),
    ];
    for (spoil, said) in cases {
        let mut spoilt = good.clone();
        spoil(&mut spoilt);
        let mut sum = RunRecorder::new(shape(), TIMEOUT);
        let error = sum.add(&spoilt).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert_eq!(sum.tallies(), RunRecorder::new(shape(), TIMEOUT).tallies());
    }
    let mut sum = RunRecorder::new(shape(), TIMEOUT);
    sum.add(&good).unwrap();
    assert_eq!(sum.tallies(), good, "adding to nothing changes nothing");
    assert_eq!(sum.phase_progress(PhaseId(1)).visits, 3);
}
