//! What a rehearsal shows on standard error while it goes on.

use std::time::Duration;

use double11_rehearsal::{Event, Observer, RehearsalOptions};

use crate::progress::ProgressLine;

/// Shows on standard error what happens.
pub(super) struct Shown {
    line: ProgressLine,
}

impl Shown {
    pub(super) fn new() -> Self {
        Self {
            line: ProgressLine::new(),
        }
    }

    /// Says what will be done and how long it will take.
    pub(super) fn announce(&self, options: &RehearsalOptions, estimate: Duration) {
        let pairs = match options.pairs {
            1 => "one pair of runs".to_owned(),
            pairs => format!("{pairs} pairs of runs"),
        };
        let ladder = match options.ladder.len() {
            0 => String::new(),
            rungs => format!(", {rungs} rungs of the ladder"),
        };
        let capacity = if options.capacity.is_some() {
            ", the capacity of each shop"
        } else {
            ""
        };
        let minutes = (estimate.as_secs_f64() / 60.0).ceil();
        self.line.say(&format!(
            "{pairs} of `{}`{capacity}{ladder}: about {minutes:.0} minutes",
            options.plan.name()
        ));
    }

    pub(super) fn finish(&self) {
        self.line.finish();
    }
}

impl Observer for Shown {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Pair { number, of: 1 } => debug_assert_eq!(number, 1),
            Event::Pair { number, of } => self.line.say(&format!("pair {number} of {of}")),
            Event::Rung { number, of } => {
                self.line
                    .say(&format!("rung {number} of {of} of the ladder"));
            }
            Event::Starting { variant } => {
                self.line
                    .say(&format!("{variant}: starting with a fresh store"));
            }
            Event::Ready {
                variant,
                target,
                after,
            } => {
                let seconds = after.as_secs_f64();
                self.line
                    .say(&format!("{variant}: open at {target} after {seconds:.1} s"));
            }
            Event::Progress {
                variant,
                phase,
                elapsed,
                planned,
                progress,
            } => {
                self.line.show(
                    &format!("{variant} {phase:<9}"),
                    (elapsed, planned),
                    &progress,
                );
            }
            Event::Settling { variant } => self.line.say(&format!("{variant}: settling")),
            Event::Auditing { variant } => self.line.say(&format!("{variant}: auditing")),
            Event::Audited { variant, passed } => {
                let verdict = if passed { "clean" } else { "FAILED" };
                self.line.say(&format!("{variant}: audit {verdict}"));
            }
            Event::Probing { .. } => {}
            Event::Probed {
                variant,
                per_second,
                strict,
                relaxed,
            } => {
                let held = match (strict, relaxed) {
                    (true, _) => "P95 < 50 ms and < 1 % errors hold",
                    (false, true) => "P95 < 1 s and < 1 % errors hold",
                    (false, false) => "does not hold",
                };
                self.line
                    .say(&format!("{variant}: {per_second:.0} TPS offered: {held}"));
            }
            Event::Warning { text } => self.line.say(&format!("warning: {text}")),
        }
    }
}
