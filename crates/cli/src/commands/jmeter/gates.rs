//! `--fail-if`: what the samples of a run must not come to.

use double11_jmeter::results::Outcome;
use double11_load::threshold::{SampleFigures, Threshold};
use double11_measure::histogram::LatencyHistogram;

use crate::console;
use crate::exit::{Exit, Failure};

/// Checks before a run that samples can tell.
pub(super) fn check(thresholds: &[Threshold]) -> Result<(), Failure> {
    for threshold in thresholds {
        threshold.check_samples().map_err(|error| {
            Failure::usage(anyhow::Error::new(error).context("`--fail-if`"))
                .hint("`double11 jmeter --help` has the form")
        })?;
    }
    Ok(())
}

/// Reports on every threshold. A label without a sample has no figure, which is told and holds against
/// the run: what was to be watched was not there.
pub(super) fn judge(thresholds: &[Threshold], outcome: &Outcome) -> Exit {
    let mut exit = Exit::Done;
    for threshold in thresholds {
        let judgement = threshold.judge_samples(figures(threshold.step(), outcome).as_ref());
        let verdict = match judgement.violated {
            Some(false) => "kept",
            Some(true) => "VIOLATED",
            None => "VIOLATED, there are no such samples",
        };
        if judgement.violated != Some(false) {
            exit = Exit::Failed;
        }
        let figure = judgement.figure.as_deref().unwrap_or("no figure");
        console::data(&format!("fail if {threshold}: {verdict} ({figure})\n"));
    }
    exit
}

/// The figures of a label; of all labels but those of transactions without one.
fn figures(label: Option<&str>, outcome: &Outcome) -> Option<SampleFigures> {
    let wanted = outcome.labels.iter().filter(|one| match label {
        Some(label) => *one.label == *label,
        None => !one.is_transaction,
    });
    let mut times = LatencyHistogram::new();
    let mut failed = 0;
    let mut span = None;
    for one in wanted {
        times.merge(&one.elapsed);
        failed += one.errors;
        let (first, last) = span.unwrap_or((one.first_start, one.last_end));
        span = Some((first.min(one.first_start), last.max(one.last_end)));
    }
    let (first, last) = span?;
    let seconds = last.saturating_sub(first).as_secs_f64();
    let per_second = if seconds > 0.0 {
        times.len() as f64 / seconds
    } else {
        0.0
    };
    Some(SampleFigures {
        times,
        failed,
        per_second,
    })
}
