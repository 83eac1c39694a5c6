//! Plans: when shoppers come and what each does on a visit.
//!
//! A plan is a load profile, which may be left to the caller, and a journey: a list of steps in the
//! order of the visit. Each step has a weight (the share of visits
//! that make it), perhaps a parent (`within`), and a request with its data, the statuses it expects and
//! the values it takes from the answer. There are no loops and no expressions. Plans are TOML; the
//! built-in ones are embedded files that the same parser reads.
//!
//! [`Plan`] is the compiled form: names are resolved to indexes, templates are cut into pieces, shares
//! are turned into conditional probabilities, so that nothing is looked up by name during a run.

mod built_in;
mod compile;
pub(crate) mod data;
mod file;
mod problem;
pub mod profile;
pub(crate) mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::json::Pointer;

pub use built_in::{BUILT_IN_NAMES, built_in_text};
pub(crate) use compile::is_name;
pub use data::{Data, Repeat};
pub use problem::{PlanError, Problem};
pub use profile::{Profile, ProfileError, ProfileOverrides, Traffic};
pub use template::{Encoding, Piece, Template};

/// Steps of one plan at most: a visit keeps its choices as the bits of one word.
pub const STEPS_MAX: usize = 64;

/// A compiled plan.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) parameters: BTreeMap<String, f64>,
    pub(crate) profile: Option<Profile>,
    pub(crate) overrides: ProfileOverrides,
    pub(crate) hash: String,
}

/// One step of a plan.
#[derive(Debug, Clone)]
pub struct Step {
    /// The step's name, unique in its plan.
    pub name: String,
    /// Share of visits that make this step, in normal times.
    pub weight: f64,
    /// Share of visits that make this step at the peak.
    pub peak_weight: f64,
    /// The step that this one is nested in.
    pub parent: Option<usize>,
    /// Steps nested in this one at any depth, as bits.
    pub descendants: u64,
    /// What is sent; a step without a request only marks a place in the funnel.
    pub request: Option<Request>,
    /// Pause before the step, uniform in the range.
    pub think_time: Option<Pause>,
    /// A share of this step's starts that come much later.
    pub delayed: Option<Delayed>,
    /// When its request is sent again after a failure; never when `None`.
    pub retry: Option<Retry>,
}

/// The request of a step.
#[derive(Debug, Clone)]
pub struct Request {
    /// Request method, in capitals.
    pub method: String,
    /// Path and query.
    pub path: Template,
    /// JSON body.
    pub body: Option<Template>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Statuses that mean success.
    pub success: Vec<u16>,
    /// Refusals that are part of the business.
    pub expected_refusals: Vec<Refusal>,
    /// What the request writes; such requests are kept in the client ledger.
    pub write: Option<Write>,
    /// Whether the request carries a fresh `Idempotency-Key`.
    pub idempotency_key: bool,
    /// Values taken from a successful answer.
    pub extract: Vec<Extraction>,
}

/// A status, and perhaps a problem code, with which a step may be refused without failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The member `code` of the answer; any when `None`.
    pub code: Option<String>,
}

/// What a request writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Write {
    /// An order.
    Order,
    /// A payment.
    Payment,
    /// A change of a cart.
    Cart,
}

/// A value taken from an answer.
#[derive(Debug, Clone)]
pub struct Extraction {
    /// Its name in templates and in the client ledger.
    pub name: String,
    /// The variable that receives it.
    pub variable: usize,
    /// Where the answer holds it.
    pub pointer: Pointer,
}

/// A pause, uniform between two lengths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pause {
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

/// A share of a step's starts that come much later.
#[derive(Debug, Clone)]
pub struct Delayed {
    /// Share of the step's starts, 0 to 1.
    pub share: f64,
    /// Time from the end of the step before to the start.
    pub pause: Pause,
    /// Refusals that a delayed start may meet besides the step's own.
    pub expected_refusals: Vec<Refusal>,
}

/// When a failed request is sent again: the same bytes, the same key.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Attempts in all, the first one included.
    pub attempts: u8,
    /// Statuses of failures that are tried again.
    pub statuses: Vec<u16>,
    /// Whether a request without a complete answer is tried again: no connection, a lost one, a
    /// time-out.
    pub transport: bool,
    /// Pause before the next attempt, uniform in the range.
    pub pause: Pause,
    /// What an answer's `Retry-After` adds to the pause at most.
    pub retry_after_max: Duration,
}

/// Something that templates can name.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name in templates.
    pub name: String,
    /// Where its value comes from.
    pub source: Source,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The shopper's number, from 0.
    Shopper,
    /// Drawn when it is first used on a visit, then kept to the end of the visit.
    Data(Data),
    /// Taken from the answer to a step.
    Answer {
        /// Index of that step.
        step: usize,
    },
}

impl Write {
    /// The word of the client ledger.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Cart => "cart",
        }
    }
}

impl Refusal {
    /// Whether an answer with this status and problem code is the refusal.
    pub fn matches(&self, status: u16, code: Option<&str>) -> bool {
        self.status == status
            && self
                .code
                .as_deref()
                .is_none_or(|wanted| code == Some(wanted))
    }
}

impl Plan {
    /// Parses and checks a plan. `source` is named in errors; `parameters` replace those of the file.
    ///
    /// # Errors
    /// [`PlanError`] with every problem found, each with its line and column.
    pub fn parse(source: &str, text: &str, parameters: &[(&str, f64)]) -> Result<Self, PlanError> {
        compile::compile(source, text, parameters)
    }

    /// One of the built-in plans.
    ///
    /// # Errors
    /// [`PlanError`] when there is none of that name or a parameter is unknown or out of range.
    pub fn built_in(name: &str, parameters: &[(&str, f64)]) -> Result<Self, PlanError> {
        match built_in_text(name) {
            Some(text) => Self::parse(name, text, parameters),
            None => Err(PlanError::unlocated(
                name,
                format!(
                    "no such built-in plan; there are {}",
                    BUILT_IN_NAMES.join(", ")
                ),
            )),
        }
    }

    /// The plan's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the plan is for, in a sentence.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The steps in the order of a visit.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The numbers that the caller may replace, with the values they have now.
    pub fn parameters(&self) -> &BTreeMap<String, f64> {
        &self.parameters
    }

    /// When shoppers come; `None` for a plan that leaves it to the caller.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// What is used in place of the profile's own values; see [`Plan::traffic`].
    pub fn overrides(&self) -> &ProfileOverrides {
        &self.overrides
    }

    /// The plan with other values in place of the profile's own. They are no part of the hash: a run
    /// records them, and the phases that they lead to, beside it.
    #[must_use]
    pub fn with_overrides(mut self, overrides: ProfileOverrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// The load model and the phases of a run of this plan: what its profile says, changed by its
    /// overrides.
    ///
    /// # Errors
    /// [`ProfileError`] when neither says how many shoppers come, or when an override does not go
    /// together with the profile or with another one.
    pub fn traffic(&self) -> Result<Traffic, ProfileError> {
        let per_visit = self.requests_per_visit(false);
        profile::traffic(self.profile(), &self.overrides, per_visit)
    }

    /// Identifies the content of the plan, profile and parameters included; comments and layout do not matter.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Requests that a visit sends on average when every one succeeds.
    pub fn requests_per_visit(&self, peak: bool) -> f64 {
        self.requesting_steps().map(|step| step.share(peak)).sum()
    }

    /// Writes for the client ledger that a visit makes on average when every request succeeds.
    pub fn writes_per_visit(&self, peak: bool) -> f64 {
        let writes = |step: &&Step| {
            step.request
                .as_ref()
                .is_some_and(|request| request.write.is_some())
        };
        self.requesting_steps()
            .filter(writes)
            .map(|step| step.share(peak))
            .sum()
    }

    /// The steps that write something, and what.
    pub fn writes(&self) -> Vec<(String, Write)> {
        let steps = self.requesting_steps().filter_map(|step| {
            let write = step.request.as_ref()?.write?;
            Some((step.name.clone(), write))
        });
        steps.collect()
    }

    /// The steps that send something; their order is the order of the run's figures.
    pub fn requesting_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.request.is_some())
    }
}

impl Step {
    /// Share of visits that make this step.
    pub fn share(&self, peak: bool) -> f64 {
        if peak { self.peak_weight } else { self.weight }
    }
}

#[cfg(test)]
mod tests;
