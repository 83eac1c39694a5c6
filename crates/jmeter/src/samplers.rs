//! Samplers: what a user does that leaves a result, or acts on the user itself.

mod action;
pub(crate) mod debug;
mod dummy;
mod java;

use std::sync::Arc;
use std::time::Duration;

use double11_jmx::document::Element;

pub use action::{Action, Target};

use crate::compiler::Compiler;
use crate::http::{HttpSampler, Scope};
use crate::sample::SampleResult;
use crate::user::User;

/// A sampler of a plan.
#[derive(Debug)]
pub enum Sampler {
    /// An HTTP request.
    Http(Box<HttpSampler>),
    /// Shows variables and properties.
    Debug(debug::DebugSampler),
    /// Makes an answer up.
    Dummy(Box<dummy::DummySampler>),
    /// The two Java requests that come with `JMeter`.
    Java(Box<java::JavaSampler>),
    /// Acts on the user, and leaves no result.
    Action(Action),
}

/// The classes of samplers that are run here.
const CLASSES: [&str; 6] = [
    "HTTPSamplerProxy",
    "DebugSampler",
    "kg.apc.jmeter.samplers.DummySampler",
    "DummySampler",
    "JavaSampler",
    "TestAction",
];

/// Whether elements of this class are samplers that are run here.
pub fn is_sampler(class: &str) -> bool {
    CLASSES.contains(&class)
}

impl Sampler {
    /// Reads a sampler that has been filled in from the config elements in its scope; `None` when it is
    /// refused. `scope` is what is around a HTTP sampler.
    pub fn compile(
        element: &Element,
        scope: Scope,
        needs: crate::sample::Needs,
        compiler: &mut Compiler,
    ) -> Option<Self> {
        match element.class.as_str() {
            "HTTPSamplerProxy" => {
                let sampler = HttpSampler::compile(element, scope, compiler)?;
                Some(Self::Http(Box::new(sampler)))
            }
            "DebugSampler" => Some(Self::Debug(debug::DebugSampler::compile(element))),
            "kg.apc.jmeter.samplers.DummySampler" | "DummySampler" => {
                let sampler = dummy::DummySampler::compile(element, needs, compiler);
                Some(Self::Dummy(Box::new(sampler)))
            }
            "JavaSampler" => {
                let sampler = java::JavaSampler::compile(element, compiler)?;
                Some(Self::Java(Box::new(sampler)))
            }
            "TestAction" => Action::compile(element, compiler).map(Self::Action),
            _ => None,
        }
    }

    /// Does what it is for. Nothing comes back from a sampler that acts on the user instead; the engine
    /// does what that says. `ends` is when the user ends at the latest.
    pub async fn sample(&self, user: &mut User, ends: Option<Duration>) -> Option<SampleResult> {
        match self {
            Self::Http(sampler) => sampler.sample(user).await,
            Self::Debug(sampler) => Some(sampler.sample(user)),
            Self::Dummy(sampler) => Some(sampler.sample(user).await),
            Self::Java(sampler) => Some(sampler.sample(user).await),
            Self::Action(action) => {
                let cut_at = user.cut_at;
                let ends = ends.map_or(cut_at, |ends| Some(cut_at.map_or(ends, |at| at.min(ends))));
                action.pause(user, ends).await;
                None
            }
        }
    }
}

/// A result that begins now.
fn begin(user: &User) -> SampleResult {
    let now = user.run.clock.now();
    SampleResult {
        label: Arc::clone(&user.sampler),
        start: now,
        end: now,
        ..SampleResult::default()
    }
}
