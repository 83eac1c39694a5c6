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
    let mut violations = Vec::with_capacity(thresholds.len());
    for threshold in thresholds {
        let judgement = threshold.judge(plan, outcome);
        let verdict = match (is_limited, judgement.violated) {
            (true, _) => "cannot be judged, the load engine was the bottleneck",
            (false, None) => "cannot be judged",
            (false, Some(true)) => "VIOLATED",
            (false, Some(false)) => "kept",
        };
        violations.push(judgement.violated);
        let figure = judgement.figure.as_deref().unwrap_or("no figure");
        console::data(&format!("fail if {threshold}: {verdict} ({figure})\n"));
    }
    exit_of(is_limited, &violations)
}

/// The exit of a run whose thresholds came to this, `None` standing for one without a figure. A
/// threshold that cannot be judged does not hide another one that is violated.
fn exit_of(is_limited: bool, violations: &[Option<bool>]) -> Exit {
    if is_limited {
        Exit::CannotJudge
    } else if violations.contains(&Some(true)) {
        Exit::Failed
    } else if violations.contains(&None) {
        Exit::CannotJudge
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violated_threshold_is_not_hidden_by_one_that_cannot_be_judged() {
        let (violated, kept, unknown) = (Some(true), Some(false), None);
        for (violations, expected) in [
            (&[][..], Exit::Done),
            (&[kept, kept], Exit::Done),
            (&[violated, unknown], Exit::Failed),
            (&[unknown, violated], Exit::Failed),
            (&[kept, violated, kept], Exit::Failed),
            (&[kept, unknown], Exit::CannotJudge),
            (&[unknown, kept], Exit::CannotJudge),
        ] {
            assert_eq!(exit_of(false, violations), expected, "{violations:?}");
            let limited = exit_of(true, violations);
            assert_eq!(limited, Exit::CannotJudge, "{violations:?}");
        }
    }
}
