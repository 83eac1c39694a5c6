//! Whether two runs may be compared: the same plan, shoppers, phases, limits and machine.

use double11_load::RunManifest;
use double11_report::model::Incomparable;

use super::input::Input;

/// Every reason why the sides of a pair must not be compared, each once.
pub(crate) fn incomparable(pairs: &[[Input; 2]]) -> Vec<Incomparable> {
    let mut reasons = Vec::new();
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

/// What makes a run worthless for any comparison.
fn of_one(input: &Input) -> Vec<Incomparable> {
    let variant = || input.name.clone();
    let mut reasons = Vec::new();
    if input.summary.whole.total.attempted == 0 {
        reasons.push(Incomparable::NothingMeasured { variant: variant() });
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
            ("model", run.model.clone()),
            (
                "users",
                run.users
                    .map_or_else(String::new, |users| users.to_string()),
            ),
            ("connections", limits.connections.to_string()),
            ("max-in-flight", limits.max_in_flight.to_string()),
            ("request time-out (s)", limits.request_timeout_s.to_string()),
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
            (
                "memory (MB)",
                host.memory_bytes
                    .map_or_else(String::new, |bytes| (bytes >> 20).to_string()),
            ),
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
    reasons
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
        vec![Incomparable::DifferentSteps {
            baseline,
            optimised,
        }]
    }
}
