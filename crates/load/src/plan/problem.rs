//! What is wrong with a plan, and where.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line and column, from 1; absent when the problem has no place in the text.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what is accepted instead.
    pub message: String,
}

/// A plan that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PlanError {
    /// The file's path or the name of the built-in plan.
    pub source_name: String,
    /// Every problem found, in the order of the text. Never empty.
    pub problems: Vec<Problem>,
}

impl PlanError {
    /// An error of the plan as a whole.
    pub(crate) fn unlocated(source_name: &str, message: String) -> Self {
        Self {
            source_name: source_name.to_owned(),
            problems: vec![Problem {
                place: None,
                message,
            }],
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            match problem.place {
                Some((line, column)) => {
                    write!(f, "{separator}{}:{line}:{column}: ", self.source_name)?;
                }
                None => write!(f, "{separator}{}: ", self.source_name)?,
            }
            f.write_str(&problem.message)?;
        }
        Ok(())
    }
}

/// Collects problems of one text.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    text: &'a str,
    found: Vec<(usize, Problem)>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            found: Vec::new(),
        }
    }

    /// Notes a problem with the bytes `span` of the text.
    pub(super) fn at(&mut self, span: &Range<usize>, message: impl Into<String>) {
        let place = Some(place(self.text, span.start));
        self.found.push((
            span.start,
            Problem {
                place,
                message: message.into(),
            },
        ));
    }

    /// Notes a problem without a place in the text.
    pub(super) fn anywhere(&mut self, message: impl Into<String>) {
        self.found.push((
            usize::MAX,
            Problem {
                place: None,
                message: message.into(),
            },
        ));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn into_error(mut self, source_name: &str) -> PlanError {
        self.found.sort_by_key(|(start, _)| *start);
        PlanError {
            source_name: source_name.to_owned(),
            problems: self.found.into_iter().map(|(_, problem)| problem).collect(),
        }
    }
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}
