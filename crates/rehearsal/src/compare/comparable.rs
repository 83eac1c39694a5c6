//! Whether two runs may be compared: the same plan, shoppers, phases, limits and machine.

use double11_load::{Ending, RunManifest};
use double11_report::model::Incomparable;

use super::input::Input;

/// Every reason why the sides of a pair must not be compared, each once.
pub(crate) fn incomparable(pairs: &[[Input; 2]]) -> Vec<Incomparable> {
    let mut reasons = unlike_first(pairs);
    for [baseline, optimised] in pairs {
        let found = match (baseline.as_directory(), optimised.as_directory()) {
            (Some(a), Some(b)) => of_manifests(&a.manifest, &b.manifest),
            _ => of_steps(baseline, optimised),
        };
        let own = [baseline, optimised].into_iter().flat_map(of_one);
        for reason in found.into_iter().chain(own) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    reasons
}

/// The pairs that ran another plan than the first, or under other conditions. Seeds may differ: a
/// rehearsal gives each pair shoppers of its own.
fn unlike_first(pairs: &[[Input; 2]]) -> Vec<Incomparable> {
    let of = |pair: &[Input; 2]| Some(pair[0].as_directory()?.manifest.clone());
    let Some(first) = pairs.first().and_then(of) else {
        return Vec::new();
    };
    let unlike = |pair: &[Input; 2]| {
        let found = of(pair).map_or_else(Vec::new, |manifest| of_manifests(&first, &manifest));
        found
            .iter()
            .any(|reason| !matches!(reason, Incomparable::DifferentSeed { .. }))
    };
    pairs
        .iter()
        .zip(1..)
        .filter(|(pair, _)| unlike(pair))
        .map(|(_, pair)| Incomparable::UnlikeFirstPair { pair })
        .collect()
}

/// What makes a run worthless for any comparison.
fn of_one(input: &Input) -> Vec<Incomparable> {
    let variant = || input.name.clone();
    let mut reasons = Vec::new();
    if input.summary.whole.total.attempted == 0 {
        reasons.push(Incomparable::NothingMeasured { variant: variant() });
    }
    let ending = input.as_directory().map(|run| run.manifest.ending);
    if ending.is_some_and(|ending| ending != Ending::Complete) {
        let run = input.path.display().to_string();
        reasons.push(Incomparable::Interrupted { run });
    }
    if input.generator_limited() {
        reasons.push(Incomparable::GeneratorLimited { variant: variant() });
    }
    reasons
}

fn of_manifests(baseline: &RunManifest, optimised: &RunManifest) -> Vec<Incomparable> {
    let mut reasons = Vec::new();
    if baseline.plan.hash != optimised.plan.hash {
        let named = |run: &RunManifest| format!("{} ({})", run.plan.name, run.plan.hash);
        reasons.push(Incomparable::DifferentPlan {
            baseline: named(baseline),
            optimised: named(optimised),
        });
    }
    if baseline.seed != optimised.seed {
        reasons.push(Incomparable::DifferentSeed {
            baseline: baseline.seed,
            optimised: optimised.seed,
        });
    }
    reasons.extend(schedule(baseline, optimised));
    let limits = |run: &RunManifest| {
        let limits = &run.limits;
        [
            (
                "limits of the shop",
                run.target_limits.clone().unwrap_or_default(),
            ),
            ("model", run.model.clone()),
            (
                "users",
                run.users
                    .map_or_else(String::new, |users| users.to_string()),
            ),
            ("connections", limits.connections.to_string()),
            ("max-in-flight", limits.max_in_flight.to_string()),
            ("request time-out (s)", limits.request_timeout_s.to_string()),
            ("part of the run", part(run)),
        ]
    };
    for ((what, baseline), (_, optimised)) in limits(baseline).into_iter().zip(limits(optimised)) {
        if baseline != optimised {
            reasons.push(Incomparable::DifferentLimits {
                what: what.to_owned(),
                baseline,
                optimised,
            });
        }
    }
    let host = |run: &RunManifest| {
        let host = &run.host;
        [
            ("processor", host.processor.clone().unwrap_or_default()),
            ("processors", host.processors.to_string()),
            ("architecture", host.architecture.clone()),
        ]
    };
    for ((what, baseline), (_, optimised)) in host(baseline).into_iter().zip(host(optimised)) {
        if baseline != optimised {
            reasons.push(Incomparable::DifferentHost {
                what: what.to_owned(),
                baseline,
                optimised,
            });
        }
    }
    reasons.extend(memory(baseline, optimised));
    reasons
}

/// Which part of its shoppers a run is of; nothing for all of them, merged or not.
fn part(run: &RunManifest) -> String {
    match (&run.shard, &run.merged) {
        (Some(shard), _) => shard.to_string(),
        (None, Some(merged)) if !merged.missing.is_empty() => {
            let missing = merged.missing.iter();
            let missing: Vec<String> = missing
                .map(|index| format!("{index}/{}", merged.shards))
                .collect();
            format!("without {}", missing.join(", "))
        }
        (None, _) => String::new(),
    }
}

/// The kernel keeps a little more or less for itself from one start to the next, so that one machine's
/// memory may differ by a few megabytes.
fn memory(baseline: &RunManifest, optimised: &RunManifest) -> Option<Incomparable> {
    let (a, b) = (baseline.host.memory_bytes?, optimised.host.memory_bytes?);
    let megabytes = |bytes: u64| (bytes >> 20).to_string();
    (a.abs_diff(b) > a.max(b) / 50).then(|| Incomparable::DifferentHost {
        what: "memory (MB)".to_owned(),
        baseline: megabytes(a),
        optimised: megabytes(b),
    })
}

/// The first phase that is not the same.
fn schedule(baseline: &RunManifest, optimised: &RunManifest) -> Option<Incomparable> {
    let mut phases = baseline.phases.iter().zip(&optimised.phases);
    let differs = phases.find(|(a, b)| {
        (
            &a.name,
            a.measured,
            a.peak,
            a.duration_s.to_bits(),
            a.offered_per_second,
        ) != (
            &b.name,
            b.measured,
            b.peak,
            b.duration_s.to_bits(),
            b.offered_per_second,
        )
    });
    if let Some((phase, _)) = differs {
        return Some(Incomparable::DifferentSchedule {
            phase: Some(phase.name.clone()),
        });
    }
    (baseline.phases.len() != optimised.phases.len())
        .then_some(Incomparable::DifferentSchedule { phase: None })
}

/// Sample files of other tools say nothing of their plan but the names of its steps.
fn of_steps(baseline: &Input, optimised: &Input) -> Vec<Incomparable> {
    let steps = |input: &Input| {
        let steps = input.summary.whole.steps.iter();
        let mut names: Vec<String> = steps
            .filter(|step| step.attempted > 0)
            .map(|step| step.step.clone())
            .collect();
        names.sort_unstable();
        names
    };
    let (baseline, optimised) = (steps(baseline), steps(optimised));
    if baseline == optimised || baseline.is_empty() || optimised.is_empty() {
        Vec::new()
    } else {
        let without = |steps: &[String], others: &[String]| {
            let only = steps.iter().filter(|step| !others.contains(step));
            only.cloned().collect()
        };
        vec![Incomparable::DifferentSteps {
            baseline: without(&baseline, &optimised),
            optimised: without(&optimised, &baseline),
        }]
    }
}
