//! What is special about making one part of a run.

use double11_load::LoadError;
use double11_load::clock::RunClock;
use double11_load::merge::MergeError;
use double11_units::UnixMicros;

use super::load_failure;
use crate::arguments::{Load, ShardArguments};
use crate::console;
use crate::exit::Failure;

/// Refuses a start that has passed before an earlier run is replaced.
pub(super) fn check_start(start_at: Option<UnixMicros>) -> Result<(), Failure> {
    let now = RunClock::start().started();
    match start_at.filter(|start_at| *start_at <= now) {
        None => Ok(()),
        Some(start_at) => Err(load_failure(LoadError::StartMissed {
            by: now.since(start_at),
        })),
    }
}

/// Says what is made and when, before nothing happens for a while.
pub(super) fn announce(sharding: &ShardArguments) {
    if !sharding.shard.is_whole() {
        console::say(&format!(
            "shard {}: `double11 merge` puts the shards together",
            sharding.shard
        ));
    }
    if sharding.start_at.is_some() {
        console::say("waiting for the start; Ctrl-C gives up");
    }
}

/// Whether thresholds are left to `merge`: a part of the figures is no figure of the run. Says so.
pub(super) fn leaves_judging(arguments: &Load) -> bool {
    if arguments.sharding.shard.is_whole() {
        return false;
    }
    if !arguments.fail_if.is_empty() {
        console::say(
            "`--fail-if` was not judged: give it to `double11 merge`, which knows all shards",
        );
    }
    true
}

/// Why the folder of a merged run could not be written.
pub(crate) fn merge_failure(error: MergeError) -> Failure {
    match error {
        MergeError::RunDirectory(error) => load_failure(error.into()),
        MergeError::Files(error) => load_failure(error),
        error => Failure::environment(error).hint("make room on the disk"),
    }
}
