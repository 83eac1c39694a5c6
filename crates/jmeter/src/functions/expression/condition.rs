//! Conditions of If controllers.

use std::rc::Rc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::{Bindings, Expression, Language, check, parse};
use crate::compiler::Compiler;
use crate::log::Level;
use crate::user::{StateId, User};

/// The class that stands in the log for conditions.
const LOGGER: &str = "o.a.j.c.IfController";

/// A condition.
#[derive(Debug, Clone)]
pub struct Condition {
    template: Template,
    /// Where each user keeps the last expression; `None` for a condition that is a text.
    script: Option<StateId>,
}

/// The last expression of a condition and its text.
#[derive(Debug, Default)]
struct Last {
    text: String,
    expression: Option<Rc<Expression>>,
}

impl Condition {
    /// One that holds when the text is `true` in any case, spaces around it aside.
    pub fn text(template: Template) -> Self {
        Self {
            template,
            script: None,
        }
    }

    /// One that is an expression in JavaScript. What is not in the subset is refused.
    pub fn script(element: &Element, property: &str, compiler: &mut Compiler) -> Self {
        let template = compiler.property(element, property);
        if let Err(unsupported) = check(&template, Language::JavaScript)
            && !template.is_empty()
        {
            compiler.refuse(element, format!("the condition: {unsupported}"));
        }
        Self {
            template,
            script: Some(compiler.state()),
        }
    }

    /// Whether it holds for a user. One that cannot be evaluated does not, and the log says so.
    pub fn holds(&self, user: &mut User) -> bool {
        let text = user.render(&self.template);
        let text = text.trim();
        let Some(state) = self.script else {
            return text.eq_ignore_ascii_case("true");
        };
        match evaluate(text, state, user) {
            Ok(result) if result == "true" => true,
            Ok(result) if result == "false" => false,
            Ok(_) => complain(text, "expected true or false", user),
            Err(fault) => complain(text, &fault, user),
        }
    }
}

fn evaluate(text: &str, state: StateId, user: &mut User) -> Result<String, String> {
    let last: &mut Last = user.state(state, Last::default);
    if last.text != text || last.expression.is_none() {
        let expression = parse(text, Language::JavaScript).map_err(|why| why.to_string())?;
        *last = Last {
            text: text.to_owned(),
            expression: Some(Rc::new(expression)),
        };
    }
    let Some(expression) = last.expression.clone() else {
        return Err(String::new());
    };
    let result = expression.evaluate(user, Bindings::None);
    result.map_err(|fault| fault.to_string())
}

fn complain(text: &str, why: &str, user: &User) -> bool {
    let line = format!("error while processing [{text}]: {why}");
    user.run.log.line(Level::Error, LOGGER, &line);
    false
}
