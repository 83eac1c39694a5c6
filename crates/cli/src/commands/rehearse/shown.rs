//! What a rehearsal shows on standard error while it goes on.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use double11_rehearsal::{Event, Observer, RehearsalOptions};

use crate::live_view::{LiveView, Snapshot};
use crate::machine;

/// Shows on standard error what happens.
pub(super) struct Shown {
    view: LiveView,
    began: Instant,
    /// How long everything will take, as far as it can be told.
    estimate: Option<Duration>,
    /// The part that is under way, such as `pair 2 of 6`.
    part: Mutex<String>,
}

impl Shown {
    /// Says what will be done and how long it will take.
    pub(super) fn new(options: &RehearsalOptions, estimate: Option<Duration>) -> Self {
        let view = LiveView::new(&format!("double11 rehearse {}", options.plan.name()));
        let pairs = match options.pairs {
            1 => "one pair of runs".to_owned(),
            pairs => format!("{pairs} pairs of runs"),
        };
        let ladder = match options.ladder.len() {
            0 => String::new(),
            rungs => format!(", {rungs} rungs of the ladder"),
        };
        let capacity = match options.capacity {
            Some(_) => ", the capacity of each shop",
            None => "",
        };
        let length = estimate.map_or_else(
            || "as long as its loops take".to_owned(),
            |estimate| {
                format!(
                    "about {:.0} minutes",
                    (estimate.as_secs_f64() / 60.0).ceil()
                )
            },
        );
        view.say(&format!(
            "{pairs} of `{}`{capacity}{ladder}: {length}",
            options.plan.name()
        ));
        Self {
            view,
            began: machine::now(),
            estimate,
            part: Mutex::default(),
        }
    }

    pub(super) fn finish(&mut self) {
        self.view.finish();
    }

    /// A part of the rehearsal begins.
    fn part(&self, part: String) {
        self.view.say(&part);
        if let Ok(mut current) = self.part.lock() {
            *current = part;
        }
    }

    /// A run of a shop begins.
    fn stage(&self, variant: &str) {
        let part = self.part.lock().map(|part| part.clone());
        match part.unwrap_or_default().as_str() {
            "" => self.view.stage(variant),
            part => self.view.stage(&format!("{part}: {variant}")),
        }
    }

    /// Something begins that has no figures of its own.
    fn busy(&self, variant: &str, what: &str) {
        self.view.say(&format!("{variant}: {what}"));
        self.view.busy(what);
    }
}

impl Observer for Shown {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Pair { of: 1, .. } => {}
            Event::Pair { number, of } => self.part(format!("pair {number} of {of}")),
            Event::Rung { number, of } => self.part(format!("rung {number} of {of}")),
            Event::Starting { variant } => {
                self.stage(variant);
                self.busy(variant, "starting with a fresh store");
            }
            Event::Ready {
                variant,
                target,
                after,
            } => {
                let seconds = after.as_secs_f64();
                self.view
                    .say(&format!("{variant}: open at {target} after {seconds:.1} s"));
            }
            Event::AwaitingScrape { variant } => {
                self.busy(variant, "waiting for the first scrape by Prometheus");
            }
            Event::AskedPrometheus {
                variant,
                agree,
                differ,
                not_compared,
            } => self.view.say(&format!(
                "{variant}: Prometheus agrees in {agree} comparisons, differs in {differ}, \
                 {not_compared} cannot be made"
            )),
            Event::AskingPrometheus { variant } => self.busy(variant, "asking Prometheus"),
            Event::Progress { phase, seen, .. } => {
                let elapsed = machine::now().saturating_duration_since(self.began);
                if let Some(estimate) = self.estimate {
                    self.view.whole(elapsed, estimate.max(elapsed));
                }
                self.view.show(Snapshot::observed(phase, seen));
            }
            Event::Settling { variant } => self.busy(variant, "settling"),
            Event::Auditing { variant } => self.busy(variant, "auditing"),
            Event::Audited { variant, passed } => {
                let verdict = if passed { "clean" } else { "FAILED" };
                self.view.say(&format!("{variant}: audit {verdict}"));
            }
            Event::Probing {
                variant,
                per_second,
            } => {
                self.view
                    .stage(&format!("capacity of {variant}: {per_second:.0} TPS"));
            }
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
                self.view
                    .say(&format!("{variant}: {per_second:.0} TPS offered: {held}"));
            }
            Event::Warning { text } => self.view.say(&format!("warning: {text}")),
        }
    }
}
