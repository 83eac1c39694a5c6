//! One shopper's walk through a plan, without network and without clock.
//!
//! A [`Visit`] holds what a shopper has chosen, drawn and learnt so far. The engine asks it for the next
//! step, has it render the request, and hands it the answer. Which steps a visit makes and which of
//! them are delayed is drawn when it begins, with the same number of draws for every visit; data are
//! drawn when they are first used. So the choices are a function of the plan, the seed and the
//! shopper's number, as long as the shop answers alike.

mod render;

use std::borrow::Cow;
use std::time::Duration;

use double11_measure::sample::{Failure, Outcome};

use crate::json::{self, Found, Pointer};
use crate::plan::{Data, Pause, Plan, Refusal, Request, Retry, Source, data};
use crate::random::Stream;

pub use render::RenderedRequest;

/// What a shopper has chosen, drawn and learnt on a visit. Meant to be used again for later visits.
#[derive(Debug)]
pub struct Visit {
    stream: Stream,
    /// The pauses before retries. They are drawn apart, so that what the shop answers now changes no
    /// later choice.
    retries: Option<Stream>,
    seed: u64,
    shopper: u64,
    /// Steps that this visit makes, as bits.
    chosen: u64,
    /// Steps whose start is delayed, as bits.
    delayed: u64,
    /// Where in its range each delayed start lies, for the lowest delayed steps.
    delays: Vec<(usize, f64)>,
    /// The step to look at next.
    next: usize,
    values: Vec<Option<Value>>,
    /// The texts of the values.
    text: Vec<u8>,
    /// Distinct values of an array that is being rendered.
    seen: Vec<Value>,
}

/// A value: a range of the visit's text.
#[derive(Debug, Clone, Copy)]
struct Value {
    start: usize,
    end: usize,
    kind: data::Kind,
}

/// The next step of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Index of the step in the plan; it has a request.
    pub step: usize,
    /// Time from the end of the step before to its planned start.
    pub pause: Duration,
    /// Whether the start belongs to the delayed share of the step.
    pub delayed: bool,
}

/// What an answer means for its step.
#[derive(Debug, PartialEq, Eq)]
pub struct Conclusion<'a> {
    /// Success, expected refusal or failure.
    pub outcome: Outcome,
    /// The problem code of an answer with a status from 400.
    pub code: Option<Cow<'a, str>>,
}

impl Visit {
    /// A visit that has not begun.
    pub fn new() -> Self {
        Self {
            stream: Stream::of_shopper(0, 0),
            retries: None,
            seed: 0,
            shopper: 0,
            chosen: 0,
            delayed: 0,
            delays: Vec::new(),
            next: 0,
            values: Vec::new(),
            text: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Begins the visit of a shopper, forgetting the one before.
    pub fn begin(&mut self, plan: &Plan, seed: u64, shopper: u64, peak: bool) {
        self.stream = Stream::of_shopper(seed, shopper);
        self.retries = None;
        (self.seed, self.shopper) = (seed, shopper);
        (self.chosen, self.delayed, self.next) = (0, 0, 0);
        self.delays.clear();
        self.values.clear();
        self.values.resize(plan.variables.len(), None);
        self.text.clear();
        for (index, step) in plan.steps.iter().enumerate() {
            let drawn = self.stream.unit();
            let (condition, met) = match step.parent {
                Some(parent) => (
                    plan.steps[parent].share(peak),
                    self.chosen & (1 << parent) != 0,
                ),
                None => (1.0, true),
            };
            // The weight is a share of all visits; within its parent the step is that much likelier.
            if met && drawn * condition < step.share(peak) {
                self.chosen |= 1 << index;
            }
            if let Some(delayed) = &step.delayed {
                let (drawn, place) = (self.stream.unit(), self.stream.unit());
                if drawn < delayed.share {
                    self.delayed |= 1 << index;
                    self.delays.push((index, place));
                }
            }
        }
    }

    /// The next step that sends something, or `None` when the visit is over.
    pub fn turn(&mut self, plan: &Plan) -> Option<Turn> {
        // A pause before a step that sends nothing is part of the pause before the next one.
        let mut pause = Duration::ZERO;
        while let Some(step) = plan.steps.get(self.next) {
            let index = self.next;
            self.next += 1;
            if self.chosen & (1 << index) == 0 {
                continue;
            }
            let delay = self.delays.iter().find(|(step, _)| *step == index);
            pause += match (&step.delayed, delay, step.think_time) {
                (Some(delayed), Some((_, place)), _) => within(delayed.pause, *place),
                (_, _, Some(think_time)) => within(think_time, self.stream.unit()),
                _ => Duration::ZERO,
            };
            if step.request.is_some() {
                return Some(Turn {
                    step: index,
                    pause,
                    delayed: delay.is_some(),
                });
            }
        }
        None
    }

    /// Takes note of the answer to a step. After a refusal the visit goes no deeper.
    ///
    /// After a failure the caller says whether the visit is over, by [`Visit::give_up`], or tries again.
    pub fn judge<'a>(
        &mut self,
        plan: &Plan,
        turn: Turn,
        status: u16,
        body: &'a [u8],
    ) -> Conclusion<'a> {
        let step = &plan.steps[turn.step];
        let Some(request) = &step.request else {
            return Conclusion {
                outcome: Outcome::Success,
                code: None,
            };
        };
        let code = if status >= 400 && reads_codes(request) {
            problem_code(body)
        } else {
            None
        };
        let late_refusals = match &step.delayed {
            Some(delayed) if turn.delayed => delayed.expected_refusals.as_slice(),
            _ => &[],
        };
        let expects = |refusals: &[Refusal]| {
            refusals
                .iter()
                .any(|refusal| refusal.matches(status, code.as_deref()))
        };
        let outcome = if request.success.contains(&status) {
            self.extract(request, body)
        } else if expects(&request.expected_refusals) || expects(late_refusals) {
            self.chosen &= !step.descendants;
            Outcome::ExpectedRefusal
        } else {
            Outcome::Failed(Failure::Status)
        };
        Conclusion { outcome, code }
    }

    /// The pause before the next attempt: drawn, and added to what the answer's `Retry-After` asks
    /// for, so that those who were turned away together do not come back together.
    pub fn pause_before_retry(&mut self, retry: &Retry, retry_after: Option<Duration>) -> Duration {
        let (seed, shopper) = (self.seed, self.shopper);
        let stream = self
            .retries
            .get_or_insert_with(|| Stream::of_retries(seed, shopper));
        let asked = retry_after.unwrap_or_default().min(retry.retry_after_max);
        asked + within(retry.pause, stream.unit())
    }

    /// Ends the visit: a step failed.
    pub fn give_up(&mut self) {
        self.chosen = 0;
    }

    /// The text of a value that was taken from an answer.
    pub fn value(&self, variable: usize) -> Option<&str> {
        std::str::from_utf8(self.value_text(variable)?).ok()
    }

    /// The same as UTF-8.
    pub(crate) fn value_text(&self, variable: usize) -> Option<&[u8]> {
        let value = self.values.get(variable).copied().flatten()?;
        self.text.get(value.start..value.end)
    }

    fn extract(&mut self, request: &Request, body: &[u8]) -> Outcome {
        let count = request.extract.len();
        let pointer = |place: usize| &request.extract[place].pointer;
        let mut missing = count;
        json::find_each(count, pointer, body, |place, found| {
            missing -= 1;
            let (text, kind) = match found {
                Found::Text(text) => (text.as_ref(), data::Kind::Text),
                Found::Number(digits) => (*digits, data::Kind::Number),
                Found::Other(json) => (*json, data::Kind::Json),
            };
            let start = self.text.len();
            self.text.extend_from_slice(text.as_bytes());
            let value = Value {
                start,
                end: self.text.len(),
                kind,
            };
            self.values[request.extract[place].variable] = Some(value);
        });
        match missing {
            0 => Outcome::Success,
            _ => Outcome::Failed(Failure::Extraction),
        }
    }

    /// Draws a new value of a source.
    fn draw(&mut self, data: &Data, unix_millis: u64) -> Value {
        let start = self.text.len();
        let kind = data.draw(&mut self.stream, unix_millis, &mut self.text);
        Value {
            start,
            end: self.text.len(),
            kind,
        }
    }

    fn draw_variable(&mut self, plan: &Plan, variable: usize, unix_millis: u64) -> Option<Value> {
        match &plan.variables[variable].source {
            Source::Data(data) => Some(self.draw(data, unix_millis)),
            Source::Shopper => {
                let start = self.text.len();
                let mut digits = itoa::Buffer::new();
                self.text
                    .extend_from_slice(digits.format(self.shopper).as_bytes());
                Some(Value {
                    start,
                    end: self.text.len(),
                    kind: data::Kind::Number,
                })
            }
            Source::Answer { .. } => None,
        }
    }
}

impl Default for Visit {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the meaning of an answer depends on its body, so that the transport has to keep it.
pub fn needs_body(request: &Request) -> bool {
    !request.extract.is_empty() || reads_codes(request)
}

fn reads_codes(request: &Request) -> bool {
    request.write.is_some()
        || request
            .expected_refusals
            .iter()
            .any(|refusal| refusal.code.is_some())
}

/// The member `code` of a problem document.
fn problem_code(body: &[u8]) -> Option<Cow<'_, str>> {
    match Pointer::parse("/code").ok()?.find(body)? {
        Found::Text(text) => Some(text),
        Found::Number(_) | Found::Other(_) => None,
    }
}

fn within(pause: Pause, place: f64) -> Duration {
    pause.min + pause.max.saturating_sub(pause.min).mul_f64(place)
}

#[cfg(test)]
mod tests;
