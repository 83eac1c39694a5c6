//! Regular expressions: parts of the last answer, and replacing.

use std::rc::Rc;

use encoding_rs::Encoding;
use fancy_regex::{Captures, Regex};

use super::{Invocation, choosing, java};
use crate::user::Trouble;

/// The last pattern of a call.
#[derive(Debug, Default)]
struct Last {
    text: String,
    regex: Option<Rc<Regex>>,
}

fn compiled(text: &str, call: &mut Invocation<'_>) -> Result<Rc<Regex>, Trouble> {
    let last: &mut Last = call.user.at_site(call.call.site);
    if last.text == text
        && let Some(regex) = &last.regex
    {
        return Ok(Rc::clone(regex));
    }
    let Ok(regex) = Regex::new(text) else {
        return Err(call.trouble(&format!("Malformed regex pattern: {text}")));
    };
    let regex = Rc::new(regex);
    *last = Last {
        text: text.to_owned(),
        regex: Some(Rc::clone(&regex)),
    };
    Ok(regex)
}

/// `__strReplaceRegex(text, pattern, replacement, variable)`, of the functions plugin.
pub(super) fn replace(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let pattern = call.argument(1);
    let replacement = java::replacement(&call.argument(2));
    let regex = compiled(&pattern, call)?;
    let replaced = regex.try_replacen(text.as_ref(), 0, replacement.as_str());
    let replaced = replaced.map_err(|_| call.trouble("a pattern that takes too long"))?;
    call.yields(&replaced, 3);
    Ok(())
}

/// `__regexFunction(pattern, template, which, between, default, variable, input variable)`: matches in
/// the last answer, or in a variable, put into the template.
pub(super) fn regex_function(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let template = call.argument(1);
    let which = call.argument(2);
    let which = if which.is_empty() { "1" } else { &which };
    let between = call.argument(3);
    let default = call.argument(4);
    let name = call.argument(5);
    call.store(&name, &default);
    let input = call.argument(6);
    let text = if input.is_empty() {
        last_answer(call)
    } else {
        call.user
            .variables
            .get(&input)
            .unwrap_or_default()
            .to_owned()
    };
    if text.is_empty() {
        call.out.push_str(&default);
        return Ok(());
    }
    let pattern = call.argument(0);
    let Ok(regex) = compiled(&pattern, call) else {
        // JMeter says so in its log, and nothing comes of it.
        return Ok(());
    };
    let matches: Vec<Captures<'_, str>> = regex
        .captures_iter(text.as_str())
        .map_while(Result::ok)
        .collect();
    if !name.is_empty() {
        let count = matches.len().to_string();
        call.user.variables.set(&format!("{name}_matchNr"), count);
    }
    let chosen = match which {
        _ if matches.is_empty() => Vec::new(),
        "ALL" => matches.iter().collect(),
        "RAND" => vec![&matches[choosing::index(&mut call.user.random, matches.len())]],
        number => match chosen(number, matches.len()) {
            Some(index) => matches.get(index).into_iter().collect(),
            None => return Err(call.trouble(&format!("Index {number} out of bounds"))),
        },
    };
    if chosen.is_empty() {
        call.out.push_str(&default);
        return Ok(());
    }
    let mut results = Vec::new();
    for found in chosen {
        let result = filled(&template, found);
        if !name.is_empty() {
            save_groups(&name, found, call);
            call.user.variables.set(&name, result.as_str());
        }
        results.push(result);
    }
    call.out.push_str(&results.join(&between));
    Ok(())
}

fn last_answer(call: &Invocation<'_>) -> String {
    let Some(previous) = &call.user.previous else {
        return String::new();
    };
    let encoding = Encoding::for_label(previous.encoding.as_bytes());
    let encoding = encoding.unwrap_or(encoding_rs::UTF_8);
    encoding
        .decode_without_bom_handling(&previous.body)
        .0
        .into_owned()
}

/// The index of a number from 1, or of a share of all matches such as `0.5`.
fn chosen(number: &str, count: usize) -> Option<usize> {
    if let Ok(number) = number.parse::<i32>() {
        return usize::try_from(number.checked_sub(1)?).ok();
    }
    let share: f64 = number.parse().ok()?;
    let index = (count as f64 * share + 0.5).trunc() - 1.0;
    (0..count).find(|at| (*at as f64 - index).abs() < 0.5)
}

fn save_groups(name: &str, found: &Captures<'_, str>, call: &mut Invocation<'_>) {
    for (index, group) in found.iter().enumerate() {
        let name = format!("{name}_g{index}");
        match group {
            Some(group) => call.user.variables.set(&name, group.as_str()),
            None => call.user.variables.remove(&name),
        }
    }
}

/// The template with `$1$` and its like replaced by groups; one that matched nothing is `null`.
fn filled(template: &str, found: &Captures<'_, str>) -> String {
    let mut result = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        let group = after.split_once('$').and_then(|(number, after)| {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number: usize = digits.then(|| number.parse().ok()).flatten()?;
            Some((number, after))
        });
        rest = if let Some((number, after)) = group {
            result.push_str(found.get(number).map_or("null", |group| group.as_str()));
            after
        } else {
            result.push('$');
            after
        };
    }
    result.push_str(rest);
    result
}
