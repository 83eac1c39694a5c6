//! What reacts to finished results as listeners do: stopping users, keeping answers in files.

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::result_saver::ResultSaver;
use super::whole_number;
use crate::compiler::Compiler;
use crate::sample::{Needs, SampleResult};
use crate::user::User;

/// A listener that changes what comes next or writes answers into files; it runs after the assertions.
#[derive(Debug)]
pub struct Reaction(Kind);

#[derive(Debug)]
enum Kind {
    /// `ResultAction`: the number of an [`OnError`].
    OnError(Template),
    Save(Box<ResultSaver>),
}

/// What comes next for a user after a sample, as its sampler, its thread group or a
/// `ResultAction` wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The next sampler.
    #[default]
    Continue,
    /// The user's end.
    StopUser,
    /// The end of all users, each after the sampler that it is at.
    StopTest,
    /// The end of all users at once.
    StopTestNow,
    /// The next iteration of the thread group.
    NextGroupIteration,
    /// The next iteration of the innermost loop.
    NextLoopIteration,
    /// What comes after the innermost loop.
    BreakLoop,
}

impl Reaction {
    /// Reads a reaction; `None` when the element is none.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let kind = match element.class.as_str() {
            "ResultAction" => Kind::OnError(compiler.property(element, "OnError.action")),
            "ResultSaver" => Kind::Save(Box::new(ResultSaver::compile(element, compiler))),
            _ => return None,
        };
        Some(Self(kind))
    }

    /// What it reads of a result.
    pub fn needs(&self) -> Needs {
        match &self.0 {
            Kind::OnError(_) => Needs::default(),
            Kind::Save(_) => Needs {
                body: true,
                ..Needs::default()
            },
        }
    }

    /// Reacts to a finished result.
    pub fn react(&self, user: &mut User, sample: &SampleResult) -> OnError {
        match &self.0 {
            Kind::OnError(_) if sample.success => OnError::Continue,
            Kind::OnError(number) => OnError::numbered(whole_number(&user.render(number))),
            Kind::Save(saver) => {
                saver.save(user, sample);
                OnError::Continue
            }
        }
    }
}

impl OnError {
    /// The action with this number. Source: `OnErrorTestElement`.
    fn numbered(number: i64) -> Self {
        match number {
            1 => Self::StopUser,
            2 => Self::StopTest,
            3 => Self::StopTestNow,
            4 => Self::NextGroupIteration,
            5 => Self::NextLoopIteration,
            6 => Self::BreakLoop,
            _ => Self::Continue,
        }
    }
}
