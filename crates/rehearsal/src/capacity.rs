//! The search for the highest rate that a shop bears.
//!
//! One shop, one store, one probe after the other; a probe is a short run whose samples are not kept.
//! A capacity is a bracket, not a figure to be judged: it has no interval and no verdict.

mod search;

use std::time::Duration;

use double11_load::RunOutcome;
use double11_load::schedule::{Phase, Ramp, Rate};
use double11_measure::run::PhaseSummary;
use double11_report::model::{CapacityBracket, CapacityProbe, CapacityReport};

use crate::clock;
use crate::files::Folders;
use crate::options::{Event, Observer, RehearsalOptions, Side};
use crate::rehearse::RehearsalError;
use crate::report_of::phases;
use crate::resources::{ResourceSampler, cpu_of};
use crate::run::{self, OpenShop, Which};
use crate::schedule::{NORMAL_PER_SECOND, Schedule};

use search::{Criterion, Seen};

/// Requests fail less often than this at the capacity.
const ERROR_RATE_LIMIT: f64 = 0.01;
/// P95 of the stricter criterion, in milliseconds.
const STRICT_P95_MS: f64 = 50.0;
/// P95 of the looser criterion.
const RELAXED_P95_MS: f64 = 1_000.0;
/// A rate is offered for this part of its time before it counts.
const WARM_UP_PART: u32 = 3;
/// The search of one shop begins no probe later than this many times a probe's length after its start:
/// a shop that needs long to come to rest costs precision, not the evening.
const LENGTH_MAX: u32 = 17;
/// However short the probes are, the search may take this long.
const LENGTH_MIN: Duration = Duration::from_mins(1);
/// A shop has come to rest when it uses less of a processor than this over a [`LOOK`].
const AT_REST: f64 = 0.1;
const LOOK: Duration = Duration::from_millis(250);
/// Longest wait for it.
const REST_LIMIT: Duration = Duration::from_secs(10);
/// Seeds of probes begin this far from those of the pairs.
const SEED_DISTANCE: u64 = 1_000_000;

/// What the search found.
pub(crate) struct Found {
    pub(crate) report: CapacityReport,
    /// Whether the search came to its end before its time was over.
    pub(crate) is_narrow: bool,
    /// Whether the store was in order afterwards; `None` when it is not ours.
    pub(crate) audit_passed: Option<bool>,
}

/// Searches one shop's capacity. `known` are the phases of a run that was made already: constant rates
/// whose outcome needs no probe.
pub(crate) fn search(
    options: &RehearsalOptions,
    folders: &Folders,
    side: &Side,
    known: &[CapacityProbe],
    observer: &dyn Observer,
) -> Result<Found, RehearsalError> {
    let measured = options.capacity.unwrap_or(RehearsalOptions::PROBE);
    let variant = side.name();
    let folder = folders.run(&format!("capacity-{variant}"))?;
    let schedule = options.schedule.clone();
    let which = Which {
        name: variant,
        origin: side.into(),
        seed: options.seed,
        schedule: &schedule,
    };
    let open = OpenShop::start(options, &folder, which, observer)?;
    let mut probes = known.to_vec();
    let first = options
        .schedule
        .normal_per_second
        .unwrap_or(NORMAL_PER_SECOND);
    let began = clock::steady();
    while began.elapsed() < (measured * LENGTH_MAX).max(LENGTH_MIN)
        && let Some(per_second) = next_rate(&probes, first)
    {
        observer.event(Event::Probing {
            variant,
            per_second,
        });
        let seed = SEED_DISTANCE + probes.len() as u64;
        let schedule = schedule_of(per_second, measured);
        let which = Which {
            seed: options.seed.wrapping_add(seed),
            schedule: &schedule,
            ..which
        };
        let probe = probe(options, &open, which, observer)?;
        observer.event(Event::Probed {
            variant,
            per_second,
            strict: probe.holds_strict,
            relaxed: probe.holds_relaxed,
        });
        probes.push(probe);
        rest(&open);
    }
    let is_narrow = next_rate(&probes, first).is_none();
    let audit = run::close(open, None, variant, observer)?;
    Ok(Found {
        is_narrow,
        report: report(variant, probes),
        audit_passed: audit.map(|(audit, _)| audit.verdict == double11_audit::Verdict::Passed),
    })
}

fn next_rate(probes: &[CapacityProbe], first: f64) -> Option<f64> {
    let seen: Vec<Seen> = probes.iter().map(seen).collect();
    search::next_rate(&seen, first)
}

fn report(variant: &str, mut probes: Vec<CapacityProbe>) -> CapacityReport {
    let rates: Vec<Seen> = probes.iter().map(seen).collect();
    let bracket = |criterion, p95_limit_ms| {
        let found = search::bracket(&rates, criterion);
        CapacityBracket {
            p95_limit_ms,
            error_rate_limit: ERROR_RATE_LIMIT,
            holds_at: found.holds_at,
            fails_at: found.fails_at,
            generator_limited: found.limited,
        }
    };
    let (strict, relaxed) = (
        bracket(Criterion::Strict, STRICT_P95_MS),
        bracket(Criterion::Relaxed, RELAXED_P95_MS),
    );
    probes.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
    CapacityReport {
        variant: variant.to_owned(),
        strict,
        relaxed,
        probes,
    }
}

fn seen(probe: &CapacityProbe) -> Seen {
    Seen {
        rate: probe.offered_per_second,
        strict: probe.holds_strict,
        relaxed: probe.holds_relaxed,
        limited: probe.generator_limited,
    }
}

fn schedule_of(per_second: f64, measured: Duration) -> Schedule {
    let phase = |name: &str, duration, measured| Phase {
        name: name.to_owned(),
        duration,
        rate: Some(Rate::Requests(Ramp::constant(per_second))),
        peak: true,
        measured,
        samples_file: None,
    };
    Schedule {
        model: Schedule::OPEN,
        phases: vec![
            phase("warm_up", measured / WARM_UP_PART, false),
            phase("probe", measured, true),
        ],
        normal_per_second: None,
        judged: "probe".to_owned(),
    }
}

fn probe(
    options: &RehearsalOptions,
    open: &OpenShop,
    which: Which<'_>,
    observer: &dyn Observer,
) -> Result<CapacityProbe, RehearsalError> {
    let plan = options.plan.steps().ok_or(RehearsalError::NoRate)?;
    let run_options = run::run_options(options, plan, which, &open.target, None)?;
    let start = clock::steady();
    let resources = open
        .process_id()
        .map(|process_id| ResourceSampler::start(process_id, open.group(), start));
    let mut observe = |seen: &double11_load::engine::Observation| {
        observer.event(Event::Progress {
            variant: which.name,
            phase: "probe",
            seen,
        });
    };
    let outcome = double11_load::run(&run_options, &options.stop, &mut observe)?;
    let resources = resources.map_or_else(Vec::new, ResourceSampler::finish);
    if options.stop.is_stopping() {
        return Err(RehearsalError::Interrupted {
            kept: options.out.clone(),
        });
    }
    let cores = crate::rehearse::shop_cores(options);
    let phase = outcome.summary.phase("probe");
    Ok(phase.map_or_else(
        || of_phase(None, &outcome, None),
        |phase| {
            let cpu_share = phases::cpu_share(phase, &resources, cores);
            of_phase(Some(phase), &outcome, cpu_share)
        },
    ))
}

/// A phase of a constant rate as a probe.
pub(crate) fn of_phase(
    phase: Option<&PhaseSummary>,
    outcome: &RunOutcome,
    cpu_share: Option<f64>,
) -> CapacityProbe {
    let total = phase.map(|phase| &phase.total);
    let error_rate = total.and_then(|total| total.error_rate);
    let p95 = total.and_then(|total| total.verdict_p95_ms);
    let holds = |limit_ms| {
        error_rate.is_some_and(|rate| rate < ERROR_RATE_LIMIT)
            && p95.is_some_and(|p95| p95 < limit_ms)
    };
    CapacityProbe {
        offered_per_second: phase
            .and_then(|phase| phase.offered_per_second)
            .unwrap_or_default(),
        throughput_per_second: total.and_then(|total| total.throughput_per_second),
        orders_per_second: phase.and_then(phases::orders_per_second),
        verdict_p95_ms: p95,
        verdict_p95_is_lower_bound: total.is_some_and(|total| total.verdict_p95_is_lower_bound),
        error_rate,
        cpu_share,
        generator_limited: outcome.health.generator_limited,
        holds_strict: holds(STRICT_P95_MS),
        holds_relaxed: holds(RELAXED_P95_MS),
    }
}

/// Waits until the shop has worked off what an overload left behind. A shop that is not ours gets a
/// moment.
fn rest(open: &OpenShop) {
    let Some(process_id) = open.process_id() else {
        clock::pause(4 * LOOK);
        return;
    };
    let began = clock::steady();
    let mut before = cpu_of(process_id);
    while began.elapsed() < REST_LIMIT {
        clock::pause(LOOK);
        let now = cpu_of(process_id);
        let used = now
            .zip(before)
            .map(|(now, before)| now.saturating_sub(before));
        if used.is_none_or(|used| used.as_secs_f64() < LOOK.as_secs_f64() * AT_REST) {
            return;
        }
        before = now;
    }
}
