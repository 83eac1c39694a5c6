//! Variables: their values, texts in them that are to be filled in, and lists of them.

use double11_jmx::template::{Sites, Template};

use super::Invocation;
use crate::user::{Trouble, User};

/// How deep texts that are made while a plan runs may hold others: `__eval` of itself ends there.
const DEPTH_MAX: u32 = 32;

/// `__V(name, default)`: the variable of a name that is put together; its name when there is none.
pub(super) fn v(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let default = call.given(1);
    match call.user.variables.get(&name) {
        Some(value) => call.out.push_str(value),
        None => call.out.push_str(&default.unwrap_or(name)),
    }
    Ok(())
}

/// `__isVarDefined(name)`
pub(super) fn is_variable_defined(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let defined = call.user.variables.get(&name).is_some();
    call.out.push_str(if defined { "true" } else { "false" });
    Ok(())
}

/// `__isDefined(name)`, of the functions plugin: `1` or `0`.
pub(super) fn is_defined(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let defined = call.user.variables.get(name.trim()).is_some();
    call.out.push(if defined { '1' } else { '0' });
    Ok(())
}

/// `__eval(text)`: the text after it was filled in, filled in once more.
pub(super) fn eval(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    fill_in(&text, call)
}

/// `__evalVar(name)`: the value of a variable, filled in; empty when there is none.
pub(super) fn eval_variable(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    match call.user.variables.get(&name).map(str::to_owned) {
        Some(text) => fill_in(&text, call),
        None => Ok(()),
    }
}

/// What a call of `__eval` keeps: the last text and what it was parsed to.
#[derive(Debug, Default)]
struct Parsed {
    text: String,
    template: Template,
}

fn fill_in(text: &str, call: &mut Invocation<'_>) -> Result<(), Trouble> {
    if !text.contains(['$', '\\']) {
        call.out.push_str(text);
        return Ok(());
    }
    if call.user.depth >= DEPTH_MAX {
        return Err(call.trouble("texts that hold themselves"));
    }
    let parsed: &mut Parsed = call.user.at_site(call.call.site);
    let mut kept = std::mem::take(parsed);
    if kept.text != text {
        kept = Parsed {
            text: text.to_owned(),
            template: Template::parse_compound(text, &mut Sites::made_while_running()),
        };
    }
    call.user.depth += 1;
    call.user.forget_sites_made_while_running();
    call.user.render_into(&kept.template, call.out);
    call.user.depth -= 1;
    *call.user.at_site(call.call.site) = kept;
    Ok(())
}

/// `__split(text, prefix, delimiters)`: the pieces as `prefix_1`, their number as `prefix_n`. Every
/// character of the delimiters is one; where nothing stands between two, `?` is put.
pub(super) fn split(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let prefix = call.argument(1);
    let prefix = prefix.trim();
    let delimiters = call.argument(2);
    let delimiters = if delimiters.is_empty() {
        ","
    } else {
        &delimiters
    };
    let pieces = pieces(&text, delimiters);
    call.user.variables.set(prefix, text.as_ref());
    set_numbered(call.user, prefix, &pieces);
    call.out.push_str(&text);
    Ok(())
}

fn set_numbered(user: &mut User, prefix: &str, pieces: &[&str]) {
    let variables = &mut user.variables;
    variables.set(&format!("{prefix}_n"), pieces.len().to_string());
    for (index, piece) in pieces.iter().enumerate() {
        variables.set(&format!("{prefix}_{}", index + 1), *piece);
    }
    variables.remove(&format!("{prefix}_{}", pieces.len() + 1));
}

fn pieces<'t>(text: &'t str, delimiters: &str) -> Vec<&'t str> {
    let mut pieces = Vec::new();
    let mut after_delimiter = false;
    for piece in text.split_inclusive(|c| delimiters.contains(c)) {
        let word = piece.trim_end_matches(|c| delimiters.contains(c));
        if !word.is_empty() {
            pieces.push(word);
            after_delimiter = false;
        }
        if word.len() < piece.len() {
            if after_delimiter {
                pieces.push("?");
            }
            after_delimiter = true;
        }
    }
    if after_delimiter {
        pieces.push("?");
    }
    pieces
}
