use std::num::NonZero;
use std::time::Duration;

use double11_load::health::{GeneratorGlance, HealthSecond};
use double11_measure::run::{PhaseProgress, Progress, StepProgress};
use proptest::prelude::*;

use super::*;
use crate::console::{Line, Size};

mod pictures;

fn progress() -> Progress {
    Progress {
        elapsed: Duration::from_secs(31),
        throughput_last_second: 998.0,
        p50_last_seconds: Some(Duration::from_micros(1_300)),
        p95_last_seconds: Some(Duration::from_micros(4_210)),
        p99_last_seconds: Some(Duration::from_micros(9_800)),
        attempted_last_seconds: 5_000,
        failed_last_seconds: 0,
        attempted: 29_964,
        expected_refusals: 17,
        failed: 0,
        dropped: 0,
        late: 2,
    }
}

fn funnel() -> PhaseProgress {
    let step = |(name, attempted, failed): (&str, u64, u64)| StepProgress {
        name: name.to_owned(),
        attempted,
        expected_refusals: 0,
        failed,
    };
    let steps = [
        ("browse", 9_207, 0),
        ("search", 6_499, 0),
        ("view_detail", 4_874, 0),
        ("add_cart", 4_874, 0),
        ("checkout", 2_599, 0),
        ("payment", 1_949, 0),
    ];
    PhaseProgress {
        visits: 10_832,
        steps: steps.into_iter().map(step).collect(),
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        offered_per_second: Some(1_000.0),
        in_flight: Some(12),
        connections: Some(34),
        visits: funnel(),
        generator: GeneratorGlance {
            latest: Some(HealthSecond {
                second: 29,
                lag_p99_ms: Some(1.2),
                worker_share: 0.3,
                processor_share: Some(0.31),
            }),
            seconds_over_limit: 0,
        },
        ..Snapshot::new(
            "steady",
            (Duration::from_secs(31), Duration::from_mins(1)),
            progress(),
        )
    }
}

/// A run that has risen for eight seconds and is steady since.
fn history() -> History {
    let mut history = History::default();
    for second in 1..=31_u32 {
        let mut point = snapshot();
        point.elapsed = Duration::from_secs(second.into());
        point.progress.throughput_last_second = f64::from(second.min(8)) * 125.0 - 2.0;
        point.progress.p95_last_seconds = (second > 1)
            .then(|| Duration::from_micros(if second % 10 == 9 { 12_400 } else { 4_210 }));
        history.take(&point);
    }
    history
}

fn drawn(snapshot: &Snapshot, (columns, rows): (usize, usize), utf8: bool) -> Vec<Line> {
    let picture = Picture {
        title: "double11 load funnel",
        stage: "127.0.0.1:8080",
        whole: None,
        busy: None,
        snapshot: Some((snapshot, Duration::ZERO)),
        history: &history(),
    };
    picture.lines(Size { columns, rows }, Symbols::of(utf8))
}

fn text(lines: &[Line]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.text(false).trim_end().to_owned())
        .collect();
    lines.join("\n")
}

#[test]
fn a_plain_line_says_everything() {
    let mut snapshot = snapshot();
    assert_eq!(
        words::plain_line("optimized", &snapshot),
        "optimized steady 0:31/1:00  998 of 1,000 TPS  P50 1.30 ms, P95 4.21 ms, P99 9.80 ms  \
         0 % errors, 0 failed, 0 dropped, 2 late of 29,964, 12 in flight"
    );
    snapshot.generator.latest.as_mut().unwrap().worker_share = 0.9;
    let bare = Snapshot {
        generator: snapshot.generator,
        ..Snapshot::new("p", (Duration::ZERO, Duration::ZERO), progress())
    };
    assert_eq!(
        words::plain_line("", &bare),
        "p 0:00/0:00  998 TPS  P50 1.30 ms, P95 4.21 ms, P99 9.80 ms  0 % errors, 0 failed, \
         0 dropped, 2 late of 29,964, generator at its limit"
    );
}

#[test]
fn an_earlier_snapshot_begins_a_new_history() {
    let mut history = history();
    assert_eq!(history.throughputs(100).len(), 31);
    assert_eq!(history.p95s(3).len(), 3);
    let mut point = snapshot();
    point.elapsed = Duration::from_secs(1);
    history.take(&point);
    assert_eq!(history.throughputs(100), [Some(998.0)]);
}

#[test]
fn colour_only_repeats_what_words_say() {
    let lines = drawn(&snapshot(), (100, 30), true);
    let coloured: String = lines.iter().map(|line| line.text(true)).collect();
    let plain: String = lines.iter().map(|line| line.text(false)).collect();
    assert!(coloured.contains("\x1b[36m") && !plain.contains('\x1b'));
    let mut terminal = vt100::Parser::new(NonZero::<u16>::MIN, NonZero::new(3_000).unwrap(), 0);
    terminal.process(coloured.as_bytes());
    assert_eq!(terminal.screen().contents().trim_end(), plain.trim_end());
}

fn any_rate() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{INFINITE, NORMAL, SUBNORMAL, ZERO};
    prop_oneof![0.0..5_000.0, NORMAL | SUBNORMAL | ZERO | INFINITE]
}

fn any_span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0_u64..90_000_000).prop_map(Duration::from_micros),
        (any::<u64>(), 0_u32..1_000_000_000).prop_map(|(s, ns)| Duration::new(s, ns)),
    ]
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let spans = (any_span(), any_span(), proptest::option::of(any_span()));
    let rates = (any_rate(), proptest::option::of(any_rate()), any_rate());
    let counts = (any::<[u64; 6]>(), proptest::option::of(any::<u32>()));
    let steps = proptest::collection::vec((".{0,30}", any::<u64>(), any::<u64>()), 0..14);
    (".{0,30}", spans, rates, counts, steps).prop_map(
        |(phase, (elapsed, planned, span), (tps, offered, busy), (counts, in_flight), steps)| {
            let [attempted, failed, late, visits, last, seconds_over_limit] = counts;
            let progress = Progress {
                throughput_last_second: tps,
                p50_last_seconds: span,
                p95_last_seconds: span,
                p99_last_seconds: span,
                attempted_last_seconds: last,
                failed_last_seconds: failed.min(last),
                attempted,
                failed,
                late,
                ..progress()
            };
            let step = |(name, attempted, failed)| StepProgress {
                name,
                attempted,
                expected_refusals: 0,
                failed,
            };
            let latest = in_flight.map(|_| HealthSecond {
                second: 1,
                lag_p99_ms: offered,
                worker_share: busy,
                processor_share: offered,
            });
            Snapshot {
                offered_per_second: offered,
                in_flight,
                connections: in_flight,
                visits: PhaseProgress {
                    visits,
                    steps: steps.into_iter().map(step).collect(),
                },
                generator: GeneratorGlance {
                    latest,
                    seconds_over_limit,
                },
                ..Snapshot::new(&phase, (elapsed, planned), progress)
            }
        },
    )
}

proptest! {
    #[test]
    fn every_picture_fits_its_terminal(
        snapshots in proptest::collection::vec(any_snapshot(), 0..4),
        (title, stage) in (".{0,80}", ".{0,80}"),
        busy in proptest::option::of(".{0,80}"),
        (whole, age) in (proptest::option::of((any_span(), any_span())), any_span()),
        (columns, rows, utf8) in (1_usize..=300, 1_usize..=300, any::<bool>()),
    ) {
        let mut history = History::default();
        for snapshot in &snapshots {
            history.take(snapshot);
        }
        let picture = Picture {
            title: &title,
            stage: &stage,
            whole,
            busy: busy.as_deref().map(|what| (what, age)),
            snapshot: snapshots.last().map(|snapshot| (snapshot, age)),
            history: &history,
        };
        let lines = picture.lines(Size { columns, rows }, Symbols::of(utf8));
        prop_assert!((1..=rows.saturating_sub(1).max(1)).contains(&lines.len()));
        for line in &lines {
            prop_assert!(line.width() <= columns.saturating_sub(1).max(1), "{line:?}");
            prop_assert!(!line.text(false).contains(char::is_control), "{line:?}");
        }
    }
}
