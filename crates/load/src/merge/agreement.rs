//! Whether run directories are shards of one run.

use std::time::Duration;

use super::{APART_PART, APART_UNNOTICED, MergeError, Part};
use crate::engine::RunManifest;

/// Checks that the directories agree in all that shards have in common, and that none is there twice;
/// how many shards the run has. The directories are in the order of their shards.
pub(super) fn check(parts: &[Part]) -> Result<u32, MergeError> {
    let Some(first) = parts.first() else {
        return Err(MergeError::Nothing);
    };
    for part in parts {
        for ((what, one), (_, other)) in facts(first).into_iter().zip(facts(part)) {
            if one != other {
                return Err(MergeError::Differs {
                    what,
                    first: first.directory.clone(),
                    first_value: one,
                    other: part.directory.clone(),
                    other_value: other,
                });
            }
        }
    }
    for pair in parts.windows(2) {
        if pair[0].shard == pair[1].shard {
            return Err(MergeError::Twice {
                shard: pair[0].shard,
                first: pair[0].directory.clone(),
                second: pair[1].directory.clone(),
            });
        }
    }
    Ok(first.shard.count())
}

/// By how much the last shard began later than the first.
pub(super) fn starts_apart(parts: &[Part]) -> Result<Duration, MergeError> {
    let first = parts.iter().min_by_key(|part| part.started());
    let last = parts.iter().max_by_key(|part| part.started());
    let (Some(first), Some(last)) = (first, last) else {
        return Err(MergeError::Nothing);
    };
    let apart = last.started().since(first.started());
    let phases = first.manifest.phases.iter();
    let shortest = phases
        .map(|phase| Duration::from_secs_f64(phase.duration_s))
        .min();
    let limit = shortest.map_or(Duration::ZERO, |shortest| shortest / APART_PART);
    let limit = limit.max(APART_UNNOTICED);
    if apart > limit {
        return Err(MergeError::StartsApart {
            first: first.directory.clone(),
            last: last.directory.clone(),
            apart,
            limit,
        });
    }
    Ok(apart)
}

/// What shards of one run have in common, in words. What the shop is a run does not know: its address
/// stands for it.
fn facts(part: &Part) -> Vec<(&'static str, String)> {
    let run: &RunManifest = &part.manifest;
    let limits = &run.limits;
    let users = run
        .users
        .map_or_else(|| "none".to_owned(), |users| users.to_string());
    let versions = run.versions.iter();
    let versions: Vec<String> = versions
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    vec![
        ("`schema_version`", run.schema_version.to_string()),
        ("the program", versions.join(", ")),
        ("the plan", format!("{} ({})", run.plan.name, run.plan.hash)),
        (
            "what was used in place of its profile",
            shown(&run.plan.overrides),
        ),
        ("the list of phases", shown(&run.phases)),
        ("the seed", run.seed.to_string()),
        ("the number of shards", part.shard.count().to_string()),
        ("the target", run.target.clone()),
        ("the list of headers", run.headers.join(", ")),
        ("the model", run.model.clone()),
        ("the number of virtual users", users),
        ("the limit of connections", limits.connections.to_string()),
        (
            "the limit of requests in flight",
            limits.max_in_flight.to_string(),
        ),
        (
            "the request time-out (s)",
            limits.request_timeout_s.to_string(),
        ),
        (
            "the time-out of connecting (s)",
            limits.connect_timeout_s.to_string(),
        ),
        ("which samples are kept", run.samples.clone()),
        ("what the plan's steps write", shown(&run.plan.writes)),
    ]
}

/// As it stands in `run.json`.
fn shown(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
