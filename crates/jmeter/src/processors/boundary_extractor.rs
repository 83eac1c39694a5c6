//! `BoundaryExtractor`: texts between two others go into variables.

use std::ops::ControlFlow;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::matches::{Name, Wanted, take_count};
use super::scope::Scope;
use super::subject::Subject;
use super::whole_number;
use crate::compiler::Compiler;
use crate::sample::{Needs, SampleResult};
use crate::user::User;

#[derive(Debug)]
pub(super) struct BoundaryExtractor {
    scope: Scope,
    subject: Subject,
    left: Template,
    right: Template,
    variable: Template,
    number: Template,
    default: Template,
    empty_default: bool,
}

impl BoundaryExtractor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        if element.text("BoundaryExtractor.refname").is_empty() {
            compiler.refuse(element, "it names no variable (BoundaryExtractor.refname)");
        }
        Self {
            scope: Scope::compile(element, "Sample.scope", compiler),
            subject: Subject::compile(element, "BoundaryExtractor.useHeaders", compiler),
            left: compiler.property(element, "BoundaryExtractor.lboundary"),
            right: compiler.property(element, "BoundaryExtractor.rboundary"),
            variable: compiler.property(element, "BoundaryExtractor.refname"),
            number: compiler.property(element, "BoundaryExtractor.match_number"),
            default: compiler.property(element, "BoundaryExtractor.default"),
            empty_default: element.is("BoundaryExtractor.default_empty_value", false),
        }
    }

    pub(super) fn needs(&self) -> Needs {
        match self.scope {
            Scope::Variable(_) => Needs::default(),
            _ => self.subject.needs(),
        }
    }

    pub(super) fn process(&self, user: &mut User, sample: &SampleResult) {
        let mut name = Name::new(&user.render(&self.variable));
        let default = user.render(&self.default);
        if !default.trim().is_empty() || self.empty_default {
            user.variables.set(name.base(), &*default);
        }
        let wanted = Wanted::numbered(whole_number(&user.render(&self.number)));
        let before = take_count(&mut name, user);
        let left = user.render(&self.left);
        let right = user.render(&self.right);
        let mut found: Vec<String> = Vec::new();
        let mut to_skip = match wanted {
            Wanted::Number(number) => number - 1,
            _ => 0,
        };
        self.subject.visit(&self.scope, user, sample, &mut |text| {
            between(text, &left, &right, &mut |own| {
                if to_skip > 0 {
                    to_skip -= 1;
                    return ControlFlow::Continue(());
                }
                found.push(own.to_owned());
                match wanted {
                    Wanted::Number(_) => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            })
        });
        let mut kept = 0;
        match wanted {
            Wanted::All => {
                kept = found.len();
                user.variables.set(name.with("_matchNr"), kept.to_string());
                for (index, own) in found.into_iter().enumerate() {
                    let variable = name.with(format_args!("_{}", index + 1));
                    user.variables.set(variable, own);
                }
            }
            Wanted::Number(_) => {
                if let Some(own) = found.pop() {
                    user.variables.set(name.base(), own);
                }
            }
            Wanted::Any => {
                if let Some(place) = wanted.place(found.len(), user) {
                    user.variables.set(name.base(), found.swap_remove(place));
                }
            }
        }
        for number in kept + 1..=before {
            user.variables.remove(name.with(format_args!("_{number}")));
        }
    }
}

/// Shows what stands between the two, from left to right, to `visit`. An empty boundary is the start
/// or the end of the text.
fn between<'t>(
    text: &'t str,
    left: &str,
    right: &str,
    visit: &mut dyn FnMut(&'t str) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if text.trim().is_empty() {
        return ControlFlow::Continue(());
    }
    match (left, right) {
        ("", "") => return visit(text),
        ("", _) => {
            return text
                .split_once(right)
                .map_or(ControlFlow::Continue(()), |(own, _)| visit(own));
        }
        (_, "") => {
            return text
                .split_once(left)
                .map_or(ControlFlow::Continue(()), |(_, own)| visit(own));
        }
        _ => (),
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(left) {
        let Some((own, _)) = after.split_once(right) else {
            break;
        };
        visit(own)?;
        rest = after;
    }
    ControlFlow::Continue(())
}
