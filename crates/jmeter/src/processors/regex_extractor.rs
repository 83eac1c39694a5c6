//! `RegexExtractor`: texts that a regular expression finds go into variables.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use fancy_regex::Captures;

use super::matches::{Name, Wanted, take_count};
use super::pattern::{Pattern, PatternText};
use super::scope::Scope;
use super::subject::Subject;
use super::whole_number;
use crate::compiler::Compiler;
use crate::sample::{Needs, SampleResult};
use crate::user::User;

#[derive(Debug)]
pub(super) struct RegexExtractor {
    scope: Scope,
    subject: Subject,
    pattern: PatternText,
    variable: Template,
    template: Template,
    number: Template,
    default: Template,
    empty_default: bool,
}

/// The groups of a match, the whole match first; none for a group that took no part.
type Groups = Vec<Option<Arc<str>>>;

impl RegexExtractor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let regex = element.text("RegexExtractor.regex");
        Self {
            scope: Scope::compile(element, "Sample.scope", compiler),
            subject: Subject::compile(element, "RegexExtractor.useHeaders", compiler),
            pattern: PatternText::compile(regex, element, compiler),
            variable: compiler.property(element, "RegexExtractor.refname"),
            template: compiler.property(element, "RegexExtractor.template"),
            number: compiler.property(element, "RegexExtractor.match_number"),
            default: compiler.property(element, "RegexExtractor.default"),
            empty_default: element.is("RegexExtractor.default_empty_value", false),
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
        if !default.is_empty() || self.empty_default {
            user.variables.set(name.base(), &*default);
        }
        let wanted = Wanted::numbered(whole_number(&user.render(&self.number)));
        // A pattern that is bad once it is filled in leaves the variables as they are.
        let Ok(pattern) = self.pattern.of(user) else {
            return;
        };
        let matches = self.matches(&pattern, wanted, user, sample);
        let before = take_count(&mut name, user);
        let mut kept = 0;
        if wanted == Wanted::All {
            forget_groups(&mut name, user);
            kept = matches.len();
            user.variables.set(name.with("_matchNr"), kept.to_string());
            for (index, groups) in matches.iter().enumerate() {
                let mut own = Name::new(name.with(format_args!("_{}", index + 1)));
                self.keep(&mut own, groups, user);
            }
        } else {
            // The numbered one stands alone, since no more were looked for than it.
            let place = match wanted {
                Wanted::Number(_) => matches.len().checked_sub(1),
                _ => wanted.place(matches.len(), user),
            };
            match place {
                Some(place) => self.keep(&mut name, &matches[place], user),
                None => forget_groups(&mut name, user),
            }
        }
        for number in kept + 1..=before {
            let mut own = Name::new(name.with(format_args!("_{number}")));
            user.variables.remove(own.base());
            forget_groups(&mut own, user);
        }
    }

    /// All matches, or the numbered one only.
    fn matches(
        &self,
        pattern: &Pattern,
        wanted: Wanted,
        user: &mut User,
        sample: &SampleResult,
    ) -> Vec<Groups> {
        let mut found = Vec::new();
        let mut to_skip = match wanted {
            Wanted::Number(number) => number - 1,
            _ => 0,
        };
        self.subject.visit(&self.scope, user, sample, &mut |text| {
            for captures in pattern.matches(text) {
                if to_skip > 0 {
                    to_skip -= 1;
                    continue;
                }
                found.push(groups(&captures));
                if matches!(wanted, Wanted::Number(_)) {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        found
    }

    /// Sets the variables of one match.
    fn keep(&self, name: &mut Name, groups: &Groups, user: &mut User) {
        let template = user.render(&self.template);
        user.variables
            .set(name.base(), filled_in(&template, groups));
        let before: usize = user
            .variables
            .get(name.with("_g"))
            .and_then(|count| count.parse().ok())
            .unwrap_or_default();
        let before = before.min(user.variables.len());
        for (index, group) in groups.iter().enumerate() {
            let own = name.with(format_args!("_g{index}"));
            match group {
                Some(text) => user.variables.set(own, Arc::clone(text)),
                None => user.variables.remove(own),
            }
        }
        let count = groups.len().saturating_sub(1);
        user.variables.set(name.with("_g"), count.to_string());
        for index in groups.len()..=before {
            user.variables.remove(name.with(format_args!("_g{index}")));
        }
    }
}

fn groups(captures: &Captures<'_, str>) -> Groups {
    let group = |index| captures.get(index).map(|group| Arc::from(group.as_str()));
    (0..captures.len()).map(group).collect()
}

/// Takes the variables of the groups away.
fn forget_groups(name: &mut Name, user: &mut User) {
    let Some(count) = user.variables.get(name.with("_g")) else {
        user.variables.remove(name.with("_g0"));
        return;
    };
    let count: usize = count.parse().unwrap_or_default();
    let count = count.min(user.variables.len());
    user.variables.remove(name.with("_g"));
    for index in 0..=count {
        user.variables.remove(name.with(format_args!("_g{index}")));
    }
}

/// The template with the groups in the places of `$1$` and the like.
fn filled_in(template: &str, groups: &Groups) -> Arc<str> {
    let group = |index: usize| groups.get(index).and_then(Option::as_ref);
    // The template of nearly every plan.
    if template == "$1$"
        && let Some(text) = group(1)
    {
        return Arc::clone(text);
    }
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        let number = after.split_once('$').and_then(|(number, behind)| {
            let digits = number.bytes().all(|c| c.is_ascii_digit());
            let number = digits.then(|| number.parse::<usize>().ok())??;
            Some((number, behind))
        });
        text.push_str(before);
        if let Some((number, behind)) = number {
            // A group that is not there is Java's null.
            let _written = match group(number) {
                Some(own) => text.write_str(own),
                None => text.write_str("null"),
            };
            rest = behind;
        } else {
            text.push('$');
            rest = after;
        }
    }
    text.push_str(rest);
    text.into()
}
