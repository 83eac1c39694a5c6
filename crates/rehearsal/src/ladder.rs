//! The ladder: every shop between the two variants once, one optimisation after the other.
//!
//! Each rung is a single run, so its gain over the rung before has no interval and no verdict.

use double11_report::model::{Ladder, LadderRung, Metric, TunedBetween};

use crate::files::Folders;
use crate::options::{Event, Observer, RehearsalOptions, Rung};
use crate::rehearse::RehearsalError;
use crate::run::{self, Origin, Which};
use crate::seen::{self, Seen};

/// The variant of which is asked whether it lies between the first rung and the last.
const TUNED: &str = "tuned";

/// A figure of a rung, and whether it is a lower bound.
type FigureOf = fn(&LadderRung) -> Option<(f64, bool)>;

/// What the ladder showed.
pub(crate) struct Climbed {
    pub(crate) ladder: Ladder,
    /// Rungs whose audit failed, by name.
    pub(crate) failed_audits: Vec<String>,
}

pub(crate) fn climb(
    options: &RehearsalOptions,
    folders: &Folders,
    observer: &dyn Observer,
) -> Result<Climbed, RehearsalError> {
    let schedule = options.schedule.for_ladder();
    let mut rungs = Vec::new();
    let mut offered = None;
    let mut failed_audits = Vec::new();
    for (index, rung) in options.ladder.iter().enumerate() {
        observer.event(Event::Rung {
            number: index + 1,
            of: options.ladder.len(),
        });
        let folder = format!("ladder-{}-{}", index + 1, file_name(&rung.name));
        let which = Which {
            name: &rung.name,
            origin: Origin::Ours {
                variant: &rung.base,
                enable: &rung.enable,
                port: 0,
            },
            seed: options.seed,
            schedule: &schedule,
        };
        let run = run::run(options, (folders, &folder), which, None, observer)?;
        let passed = run
            .audit
            .as_ref()
            .map(|audit| audit.verdict == double11_audit::Verdict::Passed);
        if passed == Some(false) {
            failed_audits.push(rung.name.clone());
        }
        let seen = seen::seen(options, 1, &folder, &run);
        offered = offered.or(seen
            .judged
            .as_ref()
            .and_then(|phase| phase.offered_per_second));
        rungs.push(figures(rung, &seen, run.levers.clone(), passed));
    }
    Ok(Climbed {
        ladder: Ladder {
            phase: options.schedule.judged.clone(),
            offered_per_second: offered.unwrap_or_default(),
            tuned_between: tuned_between(&rungs),
            rungs,
        },
        failed_audits,
    })
}

fn figures(
    rung: &Rung,
    seen: &Seen,
    levers: Vec<String>,
    audit_passed: Option<bool>,
) -> LadderRung {
    let phase = seen.judged.as_ref();
    LadderRung {
        name: rung.name.clone(),
        variant: rung.variant.clone(),
        added: rung.added.clone(),
        levers,
        throughput_per_second: phase.and_then(|phase| phase.throughput_per_second),
        orders_per_second: phase.and_then(|phase| phase.orders_per_second),
        verdict_p95_ms: phase.and_then(|phase| phase.verdict_p95_ms),
        verdict_p95_is_lower_bound: phase.is_some_and(|phase| phase.verdict_p95_is_lower_bound),
        error_rate: phase.and_then(|phase| phase.error_rate),
        cpu_per_request_us: phase.and_then(|phase| phase.cpu_per_request_us),
        audit_passed,
    }
}

/// Whether the tuned shop lies between the first rung and the last, metric by metric. Figures that
/// differ by less than the smallest effect worth a word count as equal; where a lower bound leaves it
/// open it is said that it is.
fn tuned_between(rungs: &[LadderRung]) -> Vec<TunedBetween> {
    let tuned = rungs
        .iter()
        .find(|rung| rung.variant.as_deref() == Some(TUNED));
    let (Some(first), Some(tuned), Some(last)) = (rungs.first(), tuned, rungs.last()) else {
        return Vec::new();
    };
    let metrics: [(Metric, FigureOf); 3] = [
        (Metric::Throughput, |rung| {
            Some((rung.throughput_per_second?, false))
        }),
        (Metric::ResponseTimeP95, |rung| {
            Some((rung.verdict_p95_ms?, rung.verdict_p95_is_lower_bound))
        }),
        (Metric::CpuPerRequest, |rung| {
            Some((rung.cpu_per_request_us?, false))
        }),
    ];
    metrics
        .into_iter()
        .filter_map(|(metric, of)| {
            let between = lies_between(of(tuned)?, of(first)?, of(last)?);
            Some(TunedBetween { metric, between })
        })
        .collect()
}

/// Whether a figure lies between two others; each comes with whether it is only a lower bound.
fn lies_between(tuned: (f64, bool), one: (f64, bool), other: (f64, bool)) -> Option<bool> {
    let slack = 1.0 + double11_measure::statistics::MINIMUM_EFFECT;
    let (low, high) = if one.0 <= other.0 {
        (one, other)
    } else {
        (other, one)
    };
    let above = match (tuned.0 >= low.0 / slack, tuned.1, low.1) {
        (true, _, false) => Some(true),
        (false, false, _) => Some(false),
        _ => None,
    };
    let below = match (tuned.0 <= high.0 * slack, tuned.1, high.1) {
        (true, false, _) => Some(true),
        (false, _, false) => Some(false),
        _ => None,
    };
    match (above, below) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// A name of letters, digits and dashes.
fn file_name(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    name.chars().filter(|letter| plain(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::{file_name, lies_between, tuned_between};
    use double11_report::model::{LadderRung, Metric};

    fn rung(variant: Option<&str>, tps: f64, p95_ms: f64, cpu_us: f64) -> LadderRung {
        LadderRung {
            name: String::new(),
            variant: variant.map(str::to_owned),
            added: Vec::new(),
            levers: Vec::new(),
            throughput_per_second: Some(tps),
            orders_per_second: None,
            verdict_p95_ms: Some(p95_ms),
            verdict_p95_is_lower_bound: false,
            error_rate: None,
            cpu_per_request_us: Some(cpu_us),
            audit_passed: Some(true),
        }
    }

    #[test]
    fn what_does_not_lie_between_is_said() {
        let rungs = [
            rung(Some("baseline"), 40.0, 9_000.0, 20_000.0),
            rung(Some("tuned"), 1_040.0, 9_900.0, 3_000.0),
            rung(Some("optimized"), 1_000.0, 4.0, 170.0),
        ];
        let found: Vec<_> = tuned_between(&rungs)
            .into_iter()
            .map(|tuned| (tuned.metric, tuned.between))
            .collect();
        assert_eq!(
            found,
            [
                (Metric::Throughput, Some(true)),
                (Metric::ResponseTimeP95, Some(false)),
                (Metric::CpuPerRequest, Some(true)),
            ]
        );
        assert!(tuned_between(&rungs[..1]).is_empty());
    }

    #[test]
    fn a_lower_bound_answers_only_what_it_can() {
        let (exact, bound) = (|value| (value, false), |value| (value, true));
        for (tuned, one, other, expected) in [
            (exact(50.0), exact(4.0), bound(9_000.0), Some(true)),
            (exact(9_900.0), exact(4.0), bound(9_000.0), None),
            (bound(8_000.0), exact(4.0), bound(9_000.0), None),
            (bound(8_000.0), exact(4.0), exact(7_000.0), Some(false)),
            (exact(1.0), exact(4.0), bound(9_000.0), Some(false)),
            (exact(1.0), bound(4.0), bound(9_000.0), Some(false)),
            (exact(5.0), bound(4.0), exact(9_000.0), None),
        ] {
            let found = lies_between(tuned, other, one);
            assert_eq!(found, lies_between(tuned, one, other));
            assert_eq!(found, expected, "{tuned:?} {one:?} {other:?}");
        }
    }

    #[test]
    fn rungs_have_folders() {
        assert_eq!(file_name("+ group-commit"), "group-commit");
    }
}
