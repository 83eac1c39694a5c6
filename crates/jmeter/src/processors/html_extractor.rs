//! `HtmlExtractor`: what CSS selectors find in a page goes into variables.
//!
//! Source: `JMeter` 5.5, `HtmlExtractor`, `JSoupExtractor` and `JoddExtractor`.

use std::ops::ControlFlow;
use std::rc::Rc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::matches::{Name, Wanted, take_count};
use super::scope::Scope;
use super::subject::Subject;
use super::whole_number;
use crate::compiler::Compiler;
use crate::html::{Document, NodeId, Selector};
use crate::log::Level;
use crate::sample::{Needs, SampleResult};
use crate::user::{StateId, User};

#[derive(Debug)]
pub(super) struct HtmlExtractor {
    scope: Scope,
    selector: Template,
    /// What the user filled in last, and its selector.
    last: StateId,
    attribute: Template,
    variable: Template,
    number: Template,
    default: Template,
    empty_default: bool,
    /// Whether texts are taken as they are written, and an attribute that is not there is no match.
    is_jodd: bool,
}

type Last = Option<(String, Rc<Selector>)>;

impl HtmlExtractor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let selector = compiler.property(element, "HtmlExtractor.expr");
        if let Some(text) = selector.literal()
            && let Err(reason) = Selector::parse(text)
        {
            compiler.refuse(element, format!("the selector `{text}`: {reason}"));
        }
        let library = element.text("HtmlExtractor.extractor_impl");
        if !matches!(library, "" | "JSOUP" | "JODD") {
            let text = format!("HtmlExtractor.extractor_impl is `{library}`; it is JSOUP or JODD");
            compiler.refuse(element, text);
        }
        Self {
            scope: Scope::compile(element, "Sample.scope", compiler),
            selector,
            last: compiler.state(),
            attribute: compiler.property(element, "HtmlExtractor.attribute"),
            variable: compiler.property(element, "HtmlExtractor.refname"),
            number: compiler.property(element, "HtmlExtractor.match_number"),
            default: compiler.property(element, "HtmlExtractor.default"),
            empty_default: element.is("HtmlExtractor.default_empty_value", false),
            is_jodd: library == "JODD",
        }
    }

    pub(super) fn needs(&self) -> Needs {
        self.scope.needs_of_bodies()
    }

    pub(super) fn process(&self, user: &mut User, sample: &SampleResult) {
        let mut name = Name::new(&user.render(&self.variable));
        let default = user.render(&self.default);
        if !default.is_empty() || self.empty_default {
            user.variables.set(name.base(), &*default);
        }
        let wanted = Wanted::numbered(whole_number(&user.render(&self.number)));
        let selector = match self.selector(user) {
            Ok(selector) => selector,
            Err(reason) => {
                let text = format!("Error while generating result. {reason}");
                user.run.log.line(Level::Warn, "HtmlExtractor", &text);
                return;
            }
        };
        let mut found = self.found(&selector, wanted, user, sample);
        let before = take_count(&mut name, user);
        let mut kept = 0;
        if wanted == Wanted::All {
            kept = found.len();
            user.variables.set(name.with("_matchNr"), kept.to_string());
            for (index, own) in found.into_iter().enumerate() {
                if let Some(own) = own {
                    let variable = name.with(format_args!("_{}", index + 1));
                    user.variables.set(variable, own);
                }
            }
        } else if let Some(place) = wanted.place(found.len(), user)
            && let Some(own) = found.swap_remove(place)
        {
            user.variables.set(name.base(), own);
        }
        for number in kept + 1..=before {
            user.variables.remove(name.with(format_args!("_{number}")));
        }
    }

    fn selector(&self, user: &mut User) -> Result<Rc<Selector>, String> {
        let text = user.render(&self.selector).into_owned();
        let last = user.state::<Last>(self.last, || None);
        if let Some((own, selector)) = last
            && *own == text
        {
            return Ok(Rc::clone(selector));
        }
        let selector = Rc::new(Selector::parse(&text)?);
        *last = Some((text, Rc::clone(&selector)));
        Ok(selector)
    }

    /// The values of all matches, up to the numbered one.
    fn found(
        &self,
        selector: &Selector,
        wanted: Wanted,
        user: &mut User,
        sample: &SampleResult,
    ) -> Vec<Option<String>> {
        let attribute = user.render(&self.attribute).into_owned();
        let attribute = attribute.trim();
        let mut found = Vec::new();
        Subject::Body.visit(&self.scope, user, sample, &mut |page| {
            let document = Document::parse(page);
            for id in selector.select(&document) {
                found.push(self.value(&document, id, attribute));
                if wanted == Wanted::Number(found.len()) {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        found
    }

    fn value(&self, document: &Document, id: NodeId, attribute: &str) -> Option<String> {
        let name = attribute.to_lowercase();
        match (attribute.is_empty(), self.is_jodd) {
            (true, false) => Some(document.text(id)),
            (true, true) => Some(document.whole_text(id).trim().to_owned()),
            (false, false) => {
                let value = document.attribute(id, &name).unwrap_or_default();
                Some(value.to_owned())
            }
            (false, true) => document.attribute(id, &name).map(str::to_owned),
        }
    }
}
