//! Functions that evaluate an expression.

use std::rc::Rc;

use double11_jmx::template::Call;

use super::Invocation;
use super::expression::{self, Bindings, Expression, Language};
use crate::log::Level;
use crate::user::Trouble;

/// The language of a function that evaluates an expression.
pub(super) fn language(function: &str) -> Option<Language> {
    match function {
        "__javaScript" => Some(Language::JavaScript),
        "__jexl" | "__jexl2" => Some(Language::Jexl2),
        "__jexl3" => Some(Language::Jexl3),
        "__groovy" => Some(Language::Groovy),
        _ => None,
    }
}

/// Why the expression of a call is not in the subset.
pub(super) fn problem(call: &Call) -> Option<String> {
    let language = language(&call.name)?;
    let problem = expression::check(call.arguments.first()?, language).err()?;
    Some(format!("`{}`: {problem}", call.name))
}

/// The last expression of a call and its text.
#[derive(Debug, Default)]
struct Last {
    text: String,
    expression: Option<Rc<Expression>>,
}

/// `__javaScript(expression, variable)`: nothing when it fails.
pub(super) fn java_script(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    if let Some(value) = evaluated(call, Language::JavaScript) {
        call.yields(&value, 1);
    }
    Ok(())
}

/// `__jexl2(expression, variable)`: nothing when it fails.
pub(super) fn jexl2(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    if let Some(value) = evaluated(call, Language::Jexl2) {
        call.yields(&value, 1);
    }
    Ok(())
}

/// `__jexl3(expression, variable)`: empty, in the variable too, when it fails.
pub(super) fn jexl3(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let value = evaluated(call, Language::Jexl3).unwrap_or_default();
    call.yields(&value, 1);
    Ok(())
}

/// `__groovy(expression, variable)`: nothing when it fails.
pub(super) fn groovy(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    if let Some(value) = evaluated(call, Language::Groovy) {
        call.yields(&value, 1);
    }
    Ok(())
}

fn evaluated(call: &mut Invocation<'_>, language: Language) -> Option<String> {
    let text = call.argument(0);
    let result = evaluate(&text, language, call);
    result
        .map_err(|why| {
            let line = format!("Error processing [{text}]: {why}");
            let class = match language {
                Language::JavaScript => "o.a.j.f.JavaScript",
                Language::Jexl2 => "o.a.j.f.Jexl2Function",
                Language::Jexl3 => "o.a.j.f.Jexl3Function",
                Language::Groovy => "o.a.j.f.Groovy",
            };
            call.user.run.log.line(Level::Error, class, &line);
        })
        .ok()
}

fn evaluate(text: &str, language: Language, call: &mut Invocation<'_>) -> Result<String, String> {
    let last: &mut Last = call.user.at_site(call.call.site);
    if last.text != text || last.expression.is_none() {
        let expression = expression::parse(text, language).map_err(|why| why.to_string())?;
        *last = Last {
            text: text.to_owned(),
            expression: Some(Rc::new(expression)),
        };
    }
    let Some(expression) = last.expression.clone() else {
        return Err(String::new());
    };
    let result = expression.evaluate(call.user, Bindings::Functions);
    result.map_err(|fault| fault.to_string())
}
