//! Pre-processors: what happens before a sampler runs.

use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::fifo::FifoPop;
use super::user_parameters::UserParameters;
use super::whole_number;
use crate::compiler::Compiler;
use crate::http::Modifier;
use crate::sample::Needs;
use crate::samplers::Sampler;
use crate::user::User;

/// A pre-processor of a plan.
#[derive(Debug)]
pub struct PreProcessor(Kind);

#[derive(Debug)]
enum Kind {
    UserParameters(UserParameters),
    /// Changes the request.
    Modifier(Modifier),
    /// Cuts a request or a pause that takes longer than so many milliseconds.
    Timeout(Template),
    Pop(FifoPop),
}

impl PreProcessor {
    /// Reads a pre-processor; `None` when the element is none.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let kind = match element.class.as_str() {
            "UserParameters" => Kind::UserParameters(UserParameters::compile(element, compiler)),
            "SampleTimeout" => Kind::Timeout(compiler.property(element, "InterruptTimer.timeout")),
            "kg.apc.jmeter.modifiers.FifoPopPreProcessor" => {
                Kind::Pop(FifoPop::compile(element, compiler))
            }
            _ => Kind::Modifier(Modifier::compile(element, compiler)?),
        };
        Some(Self(kind))
    }

    /// What it reads of the result before: any sampler may be the one before.
    pub fn needs(&self) -> Needs {
        match &self.0 {
            Kind::Modifier(modifier) => modifier.needs(),
            Kind::UserParameters(_) | Kind::Timeout(_) | Kind::Pop(_) => Needs::default(),
        }
    }

    /// Whether it wants to be told that an iteration of the nearest controller above it begins.
    pub fn listens_to_iterations(&self) -> bool {
        matches!(&self.0, Kind::UserParameters(parameters) if parameters.per_iteration)
    }

    /// What it does when an iteration of the nearest controller above it begins.
    pub fn iteration_start(&self, user: &mut User) {
        if let Kind::UserParameters(parameters) = &self.0
            && parameters.per_iteration
        {
            parameters.set(user);
        }
    }

    /// What it does before a sampler; it may wait, until `ends` at the latest.
    pub async fn process(&self, user: &mut User, sampler: &Sampler, ends: Option<Duration>) {
        match &self.0 {
            Kind::UserParameters(parameters) if !parameters.per_iteration => parameters.set(user),
            Kind::Modifier(modifier) => {
                if let Sampler::Http(sampler) = sampler {
                    modifier.apply(user, sampler);
                }
            }
            Kind::Pop(pop) => pop.process(user, ends).await,
            Kind::UserParameters(_) | Kind::Timeout(_) => (),
        }
    }

    /// How long the sampler may take, if this says so.
    pub fn timeout(&self, user: &mut User) -> Option<Duration> {
        let Kind::Timeout(millis) = &self.0 else {
            return None;
        };
        let millis = whole_number(&user.render(millis));
        let millis = u64::try_from(millis).ok().filter(|millis| *millis > 0);
        millis.map(Duration::from_millis)
    }
}
