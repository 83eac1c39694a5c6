//! `JMESPathExtractor` and what the assertion needs of `JMESPath`.

use std::ops::ControlFlow;
use std::rc::Rc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use jmespath::{Expression, Rcvar, Variable};

use super::json::{Json, write_text};
use super::json_extractor::forget;
use super::matches::{Name, Wanted};
use super::scope::Scope;
use super::subject::Subject;
use super::whole_number;
use crate::compiler::Compiler;
use crate::sample::{Needs, SampleResult};
use crate::user::{StateId, User};

/// The text of an expression in a plan.
#[derive(Debug)]
pub(super) struct JmesText {
    template: Template,
    /// What the user filled in last, and its expression: they cannot be shared by threads.
    last: StateId,
}

/// An expression that was read.
pub(super) struct JmesPath(Expression<'static>);

type Last = Option<(String, Rc<JmesPath>)>;

impl JmesText {
    /// Reads an expression; one that is literal and not understood is refused.
    pub(super) fn compile(text: &str, element: &Element, compiler: &mut Compiler) -> Self {
        let template = compiler.template(text.trim());
        if let Some(own) = template.literal()
            && let Err(reason) = jmespath::compile(own)
        {
            compiler.refuse(element, format!("`{own}` is no JMESPath: {reason}"));
        }
        Self {
            template,
            last: compiler.state(),
        }
    }

    /// The text with everything filled in.
    pub(super) fn text(&self, user: &mut User) -> String {
        user.render(&self.template).trim().to_owned()
    }

    /// The expression with everything filled in.
    pub(super) fn of(&self, user: &mut User) -> Result<Rc<JmesPath>, String> {
        let text = self.text(user);
        let last = user.state::<Last>(self.last, || None);
        if let Some((own, path)) = last
            && *own == text
        {
            return Ok(Rc::clone(path));
        }
        let path = jmespath::compile(&text).map_err(|reason| reason.to_string())?;
        let path = Rc::new(JmesPath(path));
        *last = Some((text, Rc::clone(&path)));
        Ok(path)
    }
}

impl JmesPath {
    /// What it leads to in a document.
    pub(super) fn search(&self, json: &str) -> Result<Rcvar, String> {
        let document = Variable::from_json(json)?;
        self.0.search(document).map_err(|reason| reason.to_string())
    }
}

/// A value as `JMeter` shows it; objects as [`Order`] says.
pub(super) fn shown(value: &Variable, order: Order<'_>) -> String {
    if let Some(text) = value.as_string() {
        return text.clone();
    }
    if !value.is_object() && !value.is_array() {
        return value.to_string();
    }
    let mut out = String::new();
    let document = Json::parse(order.document).unwrap_or(Json::Null);
    order.write(value, &document, &mut out);
    out
}

/// Where the order of members comes from, which the library does not keep: from the document, or from the
/// expression that makes an object.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) document: &'a str,
    pub(super) expression: &'a str,
}

impl Order<'_> {
    fn write(self, value: &Variable, document: &Json, out: &mut String) {
        if let Some(elements) = value.as_array() {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                self.write(element, document, out);
            }
            out.push(']');
        } else if let Some(members) = value.as_object() {
            let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
            match ordered_like(document, value) {
                Some(own) => names = own,
                None => names.sort_by_key(|name| self.expression.find(*name)),
            }
            out.push('{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                self.write(&members[name], document, out);
            }
            out.push('}');
        } else {
            out.push_str(&value.to_string());
        }
    }
}

/// The names of an object in the order that they have where it stands in a document.
fn ordered_like<'d>(document: &'d Json, object: &Variable) -> Option<Vec<&'d str>> {
    match document {
        Json::List(values) => values.iter().find_map(|own| ordered_like(own, object)),
        Json::Object(members) => {
            if is_same(document, object) {
                return Some(members.iter().map(|(name, _)| name.as_str()).collect());
            }
            let mut values = members.iter().map(|(_, own)| own);
            values.find_map(|own| ordered_like(own, object))
        }
        _ => None,
    }
}

/// Whether both are the same value, whatever order members have.
fn is_same(json: &Json, value: &Variable) -> bool {
    match json {
        Json::List(own) => value.as_array().is_some_and(|values| {
            own.len() == values.len() && own.iter().zip(values).all(|(own, it)| is_same(own, it))
        }),
        Json::Object(own) => value.as_object().is_some_and(|members| {
            let holds = |(name, own): &(String, Json)| {
                members.get(name).is_some_and(|value| is_same(own, value))
            };
            own.len() == members.len() && own.iter().all(holds)
        }),
        Json::Text(own) => value.as_string() == Some(own),
        Json::Bool(own) => value.as_boolean() == Some(*own),
        Json::Null => value.is_null(),
        Json::Integer(_) | Json::Float(_) | Json::Big(_) => value.is_number(),
    }
}

impl std::fmt::Debug for JmesPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("JmesPath").field(&self.0.as_str()).finish()
    }
}

#[derive(Debug)]
pub(super) struct JmesExtractor {
    scope: Scope,
    path: JmesText,
    variable: Template,
    default: Template,
    number: Template,
}

impl JmesExtractor {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let path = element.text("JMESExtractor.jmesPathExpr");
        Self {
            scope: Scope::compile(element, "Sample.scope", compiler),
            path: JmesText::compile(path, element, compiler),
            variable: compiler.property(element, "JMESExtractor.referenceName"),
            default: compiler.property(element, "JMESExtractor.defaultValue"),
            number: compiler.property(element, "JMESExtractor.matchNumber"),
        }
    }

    pub(super) fn needs(&self) -> Needs {
        self.scope.needs_of_bodies()
    }

    pub(super) fn process(&self, user: &mut User, sample: &SampleResult) {
        let mut name = Name::new(&user.render(&self.variable));
        let default = user.render(&self.default);
        let wanted = Wanted::numbered(whole_number(&user.render(&self.number)));
        forget(&mut name, user);
        let mut documents = Vec::new();
        Subject::Body.visit(&self.scope, user, sample, &mut |text| {
            if !text.trim().is_empty() {
                documents.push(text.to_owned());
            }
            ControlFlow::Continue(())
        });
        if documents.is_empty() {
            user.variables.set(name.base(), &*default);
            return;
        }
        let path = self.path.of(user);
        let Ok(values) = path.and_then(|path| values(&path, &documents)) else {
            user.variables.set(name.base(), &*default);
            return;
        };
        let count = values.len();
        match (wanted, values.as_slice()) {
            (_, []) => user.variables.set(name.base(), &*default),
            (Wanted::All, values) => {
                for (index, value) in values.iter().enumerate() {
                    let variable = name.with(format_args!("_{}", index + 1));
                    user.variables.set(variable, value.as_str());
                }
            }
            // One value is taken whatever its number should be.
            (_, [only]) => user.variables.set(name.base(), only.as_str()),
            (wanted, values) => {
                let place = wanted.place(count, user);
                let value = place.and_then(|place| values.get(place));
                let value = value.map_or(&*default, String::as_str);
                user.variables.set(name.base(), value);
            }
        }
        user.variables.set(name.with("_matchNr"), count.to_string());
    }
}

/// What a path leads to in all documents: the elements of lists each for itself, and no nulls.
fn values(path: &JmesPath, documents: &[String]) -> Result<Vec<String>, String> {
    let mut values = Vec::new();
    for document in documents {
        let found = path.search(document)?;
        let order = Order {
            document,
            expression: path.0.as_str(),
        };
        match found.as_array() {
            Some(elements) => values.extend(elements.iter().map(|own| shown(own, order))),
            None if found.is_null() => (),
            None => values.push(shown(&found, order)),
        }
    }
    Ok(values)
}
