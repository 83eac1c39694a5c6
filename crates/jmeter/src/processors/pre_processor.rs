//! Pre-processors: what happens before a sampler runs.

use double11_jmx::document::Element;

use super::user_parameters::UserParameters;
use crate::compiler::Compiler;
use crate::sample::Needs;
use crate::user::User;

/// A pre-processor of a plan.
#[derive(Debug)]
pub struct PreProcessor(Kind);

#[derive(Debug)]
enum Kind {
    UserParameters(UserParameters),
    /// It was refused.
    Refused,
}

/// Pre-processors that are known but do not run, and why.
const REFUSED: [(&str, &str); 5] = [
    (
        "RegExUserParameters",
        "parameters out of an earlier answer are not put into requests yet; name them with `${…}`",
    ),
    (
        "URLRewritingModifier",
        "session numbers are not put into requests yet; extract them and name them with `${…}`",
    ),
    (
        "AnchorModifier",
        "links and forms of earlier answers are not followed",
    ),
    (
        "SampleTimeout",
        "samples are not interrupted by it; set the time-outs of the requests",
    ),
    (
        "kg.apc.jmeter.modifiers.FifoPopPreProcessor",
        "queues between users are not there yet",
    ),
];

impl PreProcessor {
    /// Reads a pre-processor; `None` when the element is none.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let kind = match element.class.as_str() {
            "UserParameters" => Kind::UserParameters(UserParameters::compile(element, compiler)),
            class => {
                let (_, reason) = REFUSED.iter().find(|(own, _)| *own == class)?;
                compiler.refuse(element, *reason);
                Kind::Refused
            }
        };
        Some(Self(kind))
    }

    /// What it reads of the result before: any sampler may be the one before.
    pub fn needs(&self) -> Needs {
        match &self.0 {
            Kind::UserParameters(_) | Kind::Refused => Needs::default(),
        }
    }

    /// Whether it wants to be told that an iteration of the nearest controller above it begins.
    pub fn listens_to_iterations(&self) -> bool {
        match &self.0 {
            Kind::UserParameters(parameters) => parameters.per_iteration,
            Kind::Refused => false,
        }
    }

    /// What it does when an iteration of the nearest controller above it begins.
    pub fn iteration_start(&self, user: &mut User) {
        match &self.0 {
            Kind::UserParameters(parameters) if parameters.per_iteration => parameters.set(user),
            Kind::UserParameters(_) | Kind::Refused => (),
        }
    }

    /// What it does before a sampler.
    pub fn process(&self, user: &mut User) {
        match &self.0 {
            Kind::UserParameters(parameters) if !parameters.per_iteration => parameters.set(user),
            Kind::UserParameters(_) | Kind::Refused => (),
        }
    }
}
