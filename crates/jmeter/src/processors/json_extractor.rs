//! `JSONPostProcessor`: what paths lead to in a JSON answer goes into variables.

use std::borrow::Cow;
use std::ops::ControlFlow;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::json::Json;
use super::json::evaluate::{Found, evaluate};
use super::json_path_text::JsonPathText;
use super::matches::{Name, Wanted};
use super::scope::Scope;
use super::subject::Subject;
use crate::compiler::Compiler;
use crate::sample::{Needs, SampleResult};
use crate::user::User;

#[derive(Debug)]
pub(super) struct JsonExtractor {
    scope: Scope,
    paths: Vec<JsonPathText>,
    names: Template,
    defaults: Template,
    numbers: Template,
    /// Whether all values also go into one variable.
    joins: bool,
}

impl JsonExtractor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let paths = split(element.text("JSONPostProcessor.jsonPathExprs"));
        let paths: Vec<JsonPathText> = paths
            .map(|path| JsonPathText::compile(path, element, compiler))
            .collect();
        let names = element.text("JSONPostProcessor.referenceNames");
        let defaults = element.text("JSONPostProcessor.defaultValues");
        let counts = [split(names).count(), defaults.split(';').count()];
        if !names.contains("${") && !defaults.contains("${") && counts != [paths.len(); 2] {
            let [names, defaults] = counts;
            compiler.refuse(
                element,
                format!(
                    "it has {names} names, {} paths and {defaults} default values; there must be as \
                     many of each, with `;` between them",
                    paths.len()
                ),
            );
        }
        Self {
            scope: Scope::compile(element, "Sample.scope", compiler),
            paths,
            names: compiler.template(names),
            defaults: compiler.template(defaults),
            numbers: compiler.property(element, "JSONPostProcessor.match_numbers"),
            joins: element.is("JSONPostProcessor.compute_concat", false),
        }
    }

    pub(super) fn needs(&self) -> Needs {
        self.scope.needs_of_bodies()
    }

    pub(super) fn process(&self, user: &mut User, sample: &SampleResult) {
        let mut documents = Vec::new();
        Subject::Body.visit(&self.scope, user, sample, &mut |text| {
            if !text.trim().is_empty() {
                documents.push(read(text));
            }
            ControlFlow::Continue(())
        });
        let names = user.render(&self.names);
        let defaults = user.render(&self.defaults);
        let numbers = user.render(&self.numbers);
        let numbers = numbers.split(';').map(|number| number.trim().parse());
        let mut numbers = numbers.map(|number| number.unwrap_or(0));
        let each = self
            .paths
            .iter()
            .zip(split(&names))
            .zip(defaults.split(';'));
        for ((path, name), default) in each {
            let wanted = Wanted::numbered(numbers.next().unwrap_or(0));
            let mut name = Name::new(name.trim());
            forget(&mut name, user);
            if documents.is_empty() {
                user.variables.set(name.base(), default);
                continue;
            }
            match values(path, &documents, user) {
                Some(values) => self.keep(&mut name, (&values, default), wanted, user),
                // No JSON, or no path: JMeter logs it and takes the default.
                None => user.variables.set(name.base(), default),
            }
        }
    }

    fn keep(
        &self,
        name: &mut Name,
        (values, default): (&[Option<String>], &str),
        wanted: Wanted,
        user: &mut User,
    ) {
        let shown = |value: &Option<String>| match value {
            Some(value) => value.clone(),
            None => default.to_owned(),
        };
        let joined = || -> String {
            let all: Vec<String> = values.iter().map(shown).collect();
            all.join(",")
        };
        if self.joins && wanted == Wanted::All {
            user.variables.set(name.with("_ALL"), joined());
        }
        if values.is_empty() {
            user.variables.set(name.base(), default);
            user.variables.set(name.with("_matchNr"), "0");
            return;
        }
        match (wanted, values) {
            (Wanted::All, values) => {
                for (index, value) in values.iter().enumerate() {
                    let variable = name.with(format_args!("_{}", index + 1));
                    user.variables.set(variable, shown(value));
                }
            }
            // One value is taken whatever its number should be.
            (_, [only]) => user.variables.set(name.base(), shown(only)),
            (wanted, values) => {
                let place = wanted.place(values.len(), user);
                let value = place.and_then(|place| values.get(place));
                let value = value.map_or_else(|| default.to_owned(), shown);
                user.variables.set(name.base(), value);
            }
        }
        if wanted != Wanted::Any {
            let count = values.len().to_string();
            user.variables.set(name.with("_matchNr"), count);
        }
    }
}

/// A document as `json-smart` reads it: what begins like no JSON is a text by itself, in which no path leads
/// anywhere.
fn read(text: &str) -> Option<Json> {
    let own = text.trim();
    let begins = own.starts_with(['{', '[', '"', '\'']);
    let bare = || (!begins).then(|| Json::Text(own.to_owned()));
    Json::parse(text).ok().or_else(bare)
}

/// What the path leads to in all documents, each as it is shown; `None` when one is no JSON, or when the
/// path ends in a function, which this element of `JMeter` cannot use.
fn values(
    path: &JsonPathText,
    documents: &[Option<Json>],
    user: &mut User,
) -> Option<Vec<Option<String>>> {
    let path = path.of(user).ok()?;
    if path.function.is_some() {
        return None;
    }
    let mut values = Vec::new();
    for document in documents {
        match evaluate(&path, document.as_ref()?) {
            Ok(Found::One(value)) => values.push(value.shown()),
            Ok(Found::Many(found)) => values.extend(found.iter().map(Json::shown)),
            Err(_) => (),
        }
    }
    Some(values)
}

/// Takes the variables of earlier matches away.
pub(super) fn forget(name: &mut Name, user: &mut User) {
    user.variables.remove(name.with("_matchNr"));
    for number in 1.. {
        let variable = name.with(format_args!("_{number}"));
        if user.variables.get(variable).is_none() {
            break;
        }
        user.variables.remove(variable);
    }
}

/// The parts between semicolons; empty ones at the end do not count.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.trim_end_matches(';').split(';')
}

/// `JSONPathExtractor` of the JSON plugins: one path, one variable.
#[derive(Debug)]
pub(super) struct PluginExtractor {
    path: JsonPathText,
    variable: Template,
    default: Template,
    /// The variable that holds the JSON, when it is not the body.
    source: Option<Template>,
}

impl PluginExtractor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let source = element.text("SUBJECT") == "VAR";
        Self {
            path: JsonPathText::compile(element.text("JSONPATH"), element, compiler),
            variable: compiler.property(element, "VAR"),
            default: compiler.property(element, "DEFAULT"),
            source: source.then(|| compiler.property(element, "VARIABLE")),
        }
    }

    pub(super) fn needs(&self) -> Needs {
        Needs {
            body: self.source.is_none(),
            ..Needs::default()
        }
    }

    pub(super) fn process(&self, user: &mut User, sample: &SampleResult) {
        let text = match &self.source {
            Some(source) => {
                let source = user.render(source);
                let text = user.variables.get(&source).unwrap_or_default();
                Cow::Owned(text.to_owned())
            }
            None => sample.text(),
        };
        let mut name = Name::new(&user.render(&self.variable));
        let path = self.path.of(user).ok();
        let document = Json::parse(&text).ok();
        let found = path
            .zip(document)
            .and_then(|(path, document)| evaluate(&path, &document).ok());
        let list = match found {
            Some(Found::One(Json::List(values)) | Found::Many(values)) => values,
            Some(Found::One(value)) => {
                user.variables.set(name.base(), plugin_text(&value));
                return;
            }
            None => Vec::new(),
        };
        forget(&mut name, user);
        let count = list.len().to_string();
        for (index, value) in list.iter().enumerate() {
            let variable = name.with(format_args!("_{}", index + 1));
            user.variables.set(variable, plugin_text(value));
        }
        user.variables.set(name.with("_matchNr"), count);
        if list.is_empty() {
            let default = user.render(&self.default);
            user.variables.set(name.base(), &*default);
        } else {
            user.variables.set(name.base(), Json::List(list).written());
        }
    }
}

/// A value as the plugins and the assertion of `JMeter` show it.
pub(super) fn plugin_text(value: &Json) -> String {
    match value {
        Json::Float(number) => {
            let text = number.to_string();
            if text.contains('.') {
                text
            } else {
                format!("{text}.0")
            }
        }
        other => other.shown().unwrap_or_else(|| "null".to_owned()),
    }
}
