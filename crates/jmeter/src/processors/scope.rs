//! Which results an extractor or assertion looks at.

use std::ops::ControlFlow;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use crate::compiler::Compiler;
use crate::sample::{Needs, SampleResult};

/// How deep parts of parts are looked for.
const DEPTH: u32 = 3;

/// Which results are looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The sample itself.
    Main,
    /// Its parts: redirects, embedded resources.
    Parts,
    /// Both.
    All,
    /// No result but a variable of this name.
    Variable(Template),
}

impl Scope {
    /// Reads it from `Sample.scope` or `Assertion.scope`.
    pub(super) fn compile(element: &Element, property: &str, compiler: &mut Compiler) -> Self {
        match element.text_or(property, "parent") {
            "parent" => Self::Main,
            "children" => Self::Parts,
            "all" => Self::All,
            "variable" => Self::Variable(compiler.property(element, "Scope.variable")),
            other => {
                let accepted = "parent, children, all or variable";
                compiler.refuse(
                    element,
                    format!("{property} is `{other}`; it is {accepted}"),
                );
                Self::Main
            }
        }
    }

    /// What must be kept of a response for one who reads the bodies in scope.
    pub(super) fn needs_of_bodies(&self) -> Needs {
        Needs {
            body: !matches!(self, Self::Variable(_)),
            ..Needs::default()
        }
    }

    /// Shows every result in scope to `visit`, in `JMeter`'s order, until it breaks; none for a variable.
    pub(super) fn visit<'s>(
        &self,
        sample: &'s SampleResult,
        visit: &mut dyn FnMut(&'s SampleResult) -> ControlFlow<()>,
    ) {
        let own = match self {
            Self::Main | Self::All => visit(sample),
            Self::Parts => ControlFlow::Continue(()),
            Self::Variable(_) => ControlFlow::Break(()),
        };
        if own.is_continue() && *self != Self::Main {
            // That a visitor has seen enough is all that a break says.
            let _enough = parts(sample, DEPTH + 1, visit);
        }
    }
}

/// All parts of a result first, then the parts of each of them.
fn parts<'s>(
    sample: &'s SampleResult,
    depth: u32,
    visit: &mut dyn FnMut(&'s SampleResult) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for part in &sample.sub_results {
        visit(part)?;
    }
    if depth > 0 {
        for part in &sample.sub_results {
            parts(part, depth - 1, visit)?;
        }
    }
    ControlFlow::Continue(())
}
