//! `--fail-if`: what a run must not come to.

use double11_load::RunOutcome;
use double11_load::plan::Plan;
use double11_load::threshold::Threshold;

use crate::console;
use crate::exit::{Exit, Failure};

/// Checks before a run that the plan has what the thresholds are about.
pub(super) fn check(thresholds: &[Threshold], plan: &Plan) -> Result<(), Failure> {
    for threshold in thresholds {
        threshold.check(plan).map_err(|error| {
            Failure::usage(anyhow::Error::new(error).context("`--fail-if`"))
                .hint("`double11 load --help` has the form; the plan's steps are in `double11 plan check`")
        })?;
    }
    Ok(())
}

/// Reports on every threshold of a finished run. Figures of a generator at its limit tell nothing of
/// the shop, so that no threshold is judged by them.
pub(super) fn judge(thresholds: &[Threshold], plan: &Plan, outcome: &RunOutcome) -> Exit {
    let is_limited = outcome.health.generator_limited;
    let mut exit = if is_limited {
        Exit::CannotJudge
    } else {
        Exit::Done
    };
    for threshold in thresholds {
        let judgement = threshold.judge(plan, outcome);
        let verdict = match (is_limited, judgement.violated) {
            (true, _) => "cannot be judged, the load engine was the bottleneck",
            (false, None) => "cannot be judged",
            (false, Some(true)) => "VIOLATED",
            (false, Some(false)) => "kept",
        };
        exit = match (exit, judgement.violated) {
            (Exit::CannotJudge, _) | (_, None) => Exit::CannotJudge,
            (_, Some(true)) => Exit::Failed,
            (exit, Some(false)) => exit,
        };
        let figure = judgement.figure.as_deref().unwrap_or("no figure");
        console::data(&format!("fail if {threshold}: {verdict} ({figure})\n"));
    }
    exit
}
