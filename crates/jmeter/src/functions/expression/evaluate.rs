//! What a tree yields for a user.

use std::collections::HashMap;
use std::rc::Rc;

use super::parser::{Logic, Node, Unary};
use super::texts::Method;
use super::value::{Object, Value};
use super::{Bindings, Fault, Language, objects, operators};
use crate::user::User;

type Result = std::result::Result<Value, Fault>;

/// One evaluation.
pub(super) struct Evaluation<'a> {
    pub(super) user: &'a mut User,
    pub(super) language: Language,
    pub(super) bindings: Bindings,
    pub(super) locals: HashMap<String, Value>,
}

impl Evaluation<'_> {
    pub(super) fn value(&mut self, node: &Node) -> Result {
        match node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Filled => Err(Fault::new("a variable that was not filled in")),
            Node::Name(name) => self.name(name),
            Node::Class(class) => Ok(Value::Object(Object::Class(*class))),
            Node::List(items) => {
                let items: std::result::Result<Vec<Value>, Fault> =
                    items.iter().map(|item| self.value(item)).collect();
                Ok(Value::List(items?.into()))
            }
            Node::Unary(operator, operand) => self.unary(*operator, operand),
            Node::Binary(operator, left, right) => {
                let left = self.value(left)?;
                let right = self.value(right)?;
                self.strict(&left, &right, operator)?;
                operators::binary(operator, &left, &right, self.language)
            }
            Node::Logic(logic, left, right) => self.logic(*logic, left, right),
            Node::Conditional(parts) => {
                let (condition, yes, no) = parts.as_ref();
                if self.value(condition)?.is_true(self.language) {
                    self.value(yes)
                } else {
                    self.value(no)
                }
            }
            Node::Member(of, name, safe) => self.member(of, name, *safe),
            Node::Index(of, index) => self.index(of, index),
            Node::Method(of, name, arguments, safe) => self.method(of, name, arguments, *safe),
            Node::Function(name, arguments) => {
                let arguments = self.values(arguments)?;
                objects::function(name, &arguments, self.language)
            }
            Node::New(class, arguments) => {
                let arguments = self.values(arguments)?;
                objects::creation(*class, &arguments, self.user, self.language)
            }
            Node::Assign(name, value) => {
                let value = self.value(value)?;
                self.locals.insert(name.clone(), value.clone());
                Ok(value)
            }
            Node::Sequence(statements) => self.sequence(statements),
        }
    }

    fn sequence(&mut self, statements: &[Node]) -> Result {
        let mut last = Value::Undefined;
        for statement in statements {
            last = self.value(statement)?;
        }
        Ok(last)
    }

    fn values(&mut self, nodes: &[Node]) -> std::result::Result<Vec<Value>, Fault> {
        nodes.iter().map(|node| self.value(node)).collect()
    }

    fn name(&mut self, name: &str) -> Result {
        if let Some(value) = self.locals.get(name) {
            return Ok(value.clone());
        }
        let bound = match name {
            "NaN" if self.language == Language::JavaScript => return Ok(Value::Double(f64::NAN)),
            "Infinity" if self.language == Language::JavaScript => {
                return Ok(Value::Double(f64::INFINITY));
            }
            _ if self.bindings == Bindings::None => None,
            "vars" => Some(Object::Variables),
            "props" => Some(Object::Properties),
            "log" => Some(Object::Log),
            "ctx" => Some(Object::Context),
            "sampler" => Some(Object::Sampler),
            "prev" if self.language == Language::Groovy => Some(Object::Previous),
            "sampleResult" if self.language != Language::Groovy => Some(Object::Previous),
            "threadName" => {
                return Ok(Value::Text(Rc::from(self.user.thread_name.as_ref())));
            }
            _ => None,
        };
        let bound = bound.map(Value::Object);
        bound.ok_or_else(|| Fault::new(&format!("`{name}` is not defined")))
    }

    /// JEXL is strict: nothing but `==` takes what is null.
    fn strict(
        &self,
        left: &Value,
        right: &Value,
        operator: &str,
    ) -> std::result::Result<(), Fault> {
        let nothing = left.is_nothing() || right.is_nothing();
        if self.language.is_jexl() && nothing && !matches!(operator, "==" | "!=") {
            return Err(Fault::new("an operand that is null"));
        }
        Ok(())
    }

    fn unary(&mut self, operator: Unary, operand: &Node) -> Result {
        let value = self.value(operand)?;
        match operator {
            Unary::Not => Ok(Value::Boolean(!value.is_true(self.language))),
            Unary::Minus => operators::minus(&value, self.language),
            Unary::Plus if self.language == Language::JavaScript => {
                Ok(Value::Double(value.script_number()))
            }
            Unary::Plus => Ok(value),
            Unary::TypeOf => Ok(Value::text(match value {
                Value::Undefined => "undefined",
                Value::Boolean(_) => "boolean",
                Value::Text(_) => "string",
                _ if value.as_number().is_some() => "number",
                _ => "object",
            })),
        }
    }

    fn logic(&mut self, logic: Logic, left: &Node, right: &Node) -> Result {
        let left = self.value(left)?;
        let decided = match logic {
            Logic::And => !left.is_true(self.language),
            Logic::Or | Logic::Elvis => left.is_true(self.language),
        };
        // JavaScript yields an operand, the others whether it holds.
        let yields_operand = self.language == Language::JavaScript || logic == Logic::Elvis;
        let value = if decided { left } else { self.value(right)? };
        if yields_operand {
            return Ok(value);
        }
        Ok(Value::Boolean(value.is_true(self.language)))
    }

    fn member(&mut self, of: &Node, name: &str, safe: bool) -> Result {
        let value = self.value(of)?;
        match &value {
            Value::Null | Value::Undefined if safe => Ok(Value::Null),
            Value::Text(text) if name == "length" => Ok(Value::count(
                crate::functions::java::length(text),
                self.language,
            )),
            Value::List(items) if name == "length" => Ok(Value::count(items.len(), self.language)),
            Value::Object(Object::Variables | Object::Properties) => self.get(&value, name),
            Value::Object(Object::Class(class)) => objects::constant(*class, name, self.language),
            _ => Err(Fault::new(&format!("`{name}` of what has none"))),
        }
    }

    fn index(&mut self, of: &Node, index: &Node) -> Result {
        let value = self.value(of)?;
        let index = self.value(index)?;
        match &value {
            Value::List(items) => {
                let at = index.as_number().unwrap_or(f64::NAN);
                #[expect(clippy::cast_possible_truncation, reason = "no list is that long")]
                let at = at as i64;
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let at = if at < 0 && self.language == Language::Groovy {
                    at + length
                } else {
                    at
                };
                let item = usize::try_from(at).ok().and_then(|at| items.get(at));
                Ok(item.cloned().unwrap_or(match self.language {
                    Language::JavaScript => Value::Undefined,
                    _ => Value::Null,
                }))
            }
            Value::Text(text) if self.language == Language::Groovy => {
                let length = crate::functions::java::length(text);
                let length = i32::try_from(length).unwrap_or(i32::MAX);
                let index = match index {
                    Value::Integer(at) if at < 0 => Value::Integer(at + length),
                    index => index,
                };
                let name = "charAt";
                let (arguments, language) = (&[index][..], self.language);
                Method {
                    text,
                    name,
                    arguments,
                    language,
                }
                .call()
            }
            Value::Text(text) if self.language == Language::JavaScript => {
                let at = index.script_number();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "beyond the end is nothing, however far"
                )]
                let at = (at >= 0.0).then(|| text.chars().nth(at as usize)).flatten();
                let character = at.map(|character| Value::text(&character.to_string()));
                Ok(character.unwrap_or(Value::Undefined))
            }
            Value::Object(_) if self.language == Language::JavaScript => Ok(Value::Undefined),
            Value::Object(Object::Variables | Object::Properties)
                if self.language != Language::JavaScript =>
            {
                let name = index.to_text(self.language);
                self.get(&value, &name)
            }
            _ => Err(Fault::new("`[` after what has no items")),
        }
    }

    fn get(&mut self, of: &Value, name: &str) -> Result {
        let name = [Value::text(name)];
        match of {
            Value::Object(object) => {
                objects::method(*object, "get", &name, self.user, self.language)
            }
            _ => Err(Fault::new("`get` of what has none")),
        }
    }

    fn method(&mut self, of: &Node, name: &str, arguments: &[Node], safe: bool) -> Result {
        let value = self.value(of)?;
        if safe && value.is_nothing() {
            return Ok(Value::Null);
        }
        let arguments = self.values(arguments)?;
        match &value {
            Value::Text(text) => {
                let (arguments, language) = (&arguments[..], self.language);
                Method {
                    text,
                    name,
                    arguments,
                    language,
                }
                .call()
            }
            Value::Object(object) => {
                objects::method(*object, name, &arguments, self.user, self.language)
            }
            Value::List(items) => list_method(items, name, &arguments, self.language),
            Value::Null | Value::Undefined => {
                Err(Fault::new(&format!("`{name}` called on what is null")))
            }
            _ => objects::number_method(&value, name, &arguments, self.language),
        }
    }
}

fn list_method(items: &Rc<[Value]>, name: &str, arguments: &[Value], language: Language) -> Result {
    if language == Language::JavaScript {
        return Err(Fault::new("a method that lists have not"));
    }
    match (name, arguments) {
        ("size" | "length", []) => Ok(Value::count(items.len(), language)),
        ("get", [index]) => {
            let at = index.as_whole().and_then(|at| usize::try_from(at).ok());
            let item = at.and_then(|at| items.get(at)).cloned();
            item.ok_or_else(|| Fault::new("a position outside of the list"))
        }
        ("contains", [wanted]) => {
            let is_it = |item: &Value| operators::equal(item, wanted, language).unwrap_or(false);
            Ok(Value::Boolean(items.iter().any(is_it)))
        }
        ("isEmpty", []) => Ok(Value::Boolean(items.is_empty())),
        _ => Err(Fault::new("a method that lists have not")),
    }
}
