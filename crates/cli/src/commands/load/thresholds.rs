//! `--fail-if`: what a run must not come to.

use double11_load::RunOutcome;
use double11_load::threshold::{Judgement, Threshold, ThresholdError};

use crate::console;
use crate::exit::{Exit, Failure};

/// Checks before anything is done that the plan has what the thresholds are about.
pub(crate) fn check(
    thresholds: &[Threshold],
    check: impl Fn(&Threshold) -> Result<(), ThresholdError>,
) -> Result<(), Failure> {
    for threshold in thresholds {
        check(threshold).map_err(|error| {
            Failure::usage(anyhow::Error::new(error).context("`--fail-if`"))
                .hint("`double11 load --help` has the form; the plan's steps are in `double11 plan check`")
        })?;
    }
    Ok(())
}

/// Checks before a run of a `JMeter` plan that its figures can tell; its steps are known when they come.
pub(super) fn check_jmeter(thresholds: &[Threshold]) -> Result<(), Failure> {
    for threshold in thresholds {
        threshold.check_closed().map_err(|error| {
            Failure::usage(anyhow::Error::new(error).context("`--fail-if`"))
                .hint("`double11 load --help` has the form")
        })?;
    }
    Ok(())
}

/// Why figures tell nothing of the shop: those of a generator at its limit.
pub(crate) fn spoilt(outcome: &RunOutcome) -> Option<&'static str> {
    let is_limited = outcome.health.generator_limited;
    is_limited.then_some("the load engine was the bottleneck")
}

/// Reports on every threshold of a finished run. Of figures that are spoilt, for the reason given, none
/// is judged.
pub(crate) fn judge(
    thresholds: &[Threshold],
    spoilt: Option<&str>,
    judge: impl Fn(&Threshold) -> Judgement,
) -> Exit {
    let mut violations = Vec::with_capacity(thresholds.len());
    for threshold in thresholds {
        let judgement = judge(threshold);
        let verdict = match (spoilt, judgement.violated) {
            (Some(why), _) => format!("cannot be judged, {why}"),
            (None, None) => "cannot be judged".to_owned(),
            (None, Some(true)) => "VIOLATED".to_owned(),
            (None, Some(false)) => "kept".to_owned(),
        };
        violations.push(judgement.violated);
        let figure = judgement.figure.as_deref().unwrap_or("no figure");
        console::data(&format!("fail if {threshold}: {verdict} ({figure})\n"));
    }
    exit_of(spoilt.is_some(), &violations)
}

/// The exit of a run whose thresholds came to this, `None` standing for one without a figure. A
/// threshold that cannot be judged does not hide another one that is violated.
fn exit_of(is_spoilt: bool, violations: &[Option<bool>]) -> Exit {
    if is_spoilt {
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
            let spoilt = exit_of(true, violations);
            assert_eq!(spoilt, Exit::CannotJudge, "{violations:?}");
        }
    }
}
