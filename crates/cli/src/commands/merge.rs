//! `double11 merge`: the run directories of shards become that of one run.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use double11_load::merge::{MergeError, Shards};
use double11_load::run_directory::RunDirectory;
use double11_load::{Ending, RunManifest, RunOutcome};
use double11_monitor::matrix::Matrix;

use crate::arguments::Merge;
use crate::commands::load;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

/// What the shop said of itself during a run.
const METRICS: &str = "metrics.json";

pub(crate) fn run(arguments: &Merge) -> CommandResult {
    let shards = Shards::read(&arguments.shards, arguments.partial).map_err(explain)?;
    if let Some(same) = shards
        .directories()
        .find(|one| is_same(one, &arguments.out))
    {
        let error = anyhow::anyhow!("`{}` is one of the shards", same.display());
        return Err(Failure::usage(error).hint("name another folder with `--out`"));
    }
    load::check_thresholds(&arguments.fail_if, |threshold| {
        threshold.check_kept(shards.manifest())
    })?;
    let metrics = last_scraped(&shards)?;
    let output = RunDirectory::create(&arguments.out, arguments.force)
        .map_err(|error| explain(error.into()))?;
    let command_line = load::without_secrets(std::env::args());
    let (manifest, outcome) = shards.merge(&output, command_line).map_err(explain)?;
    if let Some(metrics) = metrics {
        let kept = output.file(METRICS);
        fs::write(&kept, metrics)
            .with_context(|| format!("`{}` could not be written", kept.display()))
            .map_err(|error| Failure::environment(error).hint("make room on the disk"))?;
    }
    console::data(&load::summary(&outcome));
    for warning in shards.warnings() {
        console::say(&format!("warning: {warning}"));
    }
    console::say(&format!("kept in `{}`", arguments.out.display()));
    Ok(conclude(arguments, &manifest, &outcome))
}

/// What is no whole run, or was limited by a generator, is judged by no threshold.
fn conclude(arguments: &Merge, manifest: &RunManifest, outcome: &RunOutcome) -> Exit {
    for reason in &outcome.health.reasons {
        console::say(&format!("warning: generator-limited: {reason}"));
    }
    let merged = manifest.merged.as_ref();
    let is_partial = merged.is_some_and(|merged| !merged.missing.is_empty());
    let is_cut = is_partial || outcome.ending != Ending::Complete;
    // Merging what there is was asked for; only a judgement would need the rest.
    let spoilt = match load::spoilt(outcome) {
        None if is_cut && !arguments.fail_if.is_empty() => Some("the run is not whole"),
        limited => limited,
    };
    load::judge(&arguments.fail_if, spoilt, |threshold| {
        threshold.judge(outcome)
    })
}

/// The scrapes that reach furthest: all shards asked the same shop, so that the scrapes of one tell all,
/// if none of them went on for longer.
fn last_scraped(shards: &Shards) -> Result<Option<Vec<u8>>, Failure> {
    let mut best = None;
    for directory in shards.directories() {
        let path = directory.join(METRICS);
        if !path.exists() {
            continue;
        }
        let read = || -> anyhow::Result<(Matrix, Vec<u8>)> {
            let bytes = fs::read(&path)?;
            Ok((serde_json::from_slice(&bytes)?, bytes))
        };
        let (matrix, bytes) = read()
            .with_context(|| format!("`{}` cannot be read", path.display()))
            .map_err(|error| Failure::usage(error).hint("remove it to merge without metrics"))?;
        let last = matrix.scrapes().last().copied();
        if best.as_ref().is_none_or(|(best, _)| last > *best) {
            best = Some((last, bytes));
        }
    }
    Ok(best.map(|(_, bytes)| bytes))
}

/// Whether two paths lead to one folder that is there.
fn is_same(one: &Path, other: &Path) -> bool {
    let found = |path: &Path| path.canonicalize().ok();
    found(one).is_some_and(|one| Some(one) == found(other))
}

fn explain(error: MergeError) -> Failure {
    let hint = match &error {
        MergeError::RunDirectory(_) | MergeError::Files(_) | MergeError::Write { .. } => {
            return load::merge_failure(error);
        }
        MergeError::Missing { .. } => {
            "name the folders of all shards, or add `--partial` to merge what is there"
        }
        MergeError::Twice { .. } => "name each shard once",
        MergeError::Merged { .. } => "name the folders of the shards themselves",
        MergeError::StartsApart { .. } => {
            "let all shards begin together: `double11 load --start-at INSTANT`"
        }
        MergeError::Differs { .. } => {
            "shards are made by the same command line, but for `--shard` and `--out`"
        }
        _ => "name folders that `double11 load` of this version wrote",
    };
    Failure::usage(error).hint(hint)
}
