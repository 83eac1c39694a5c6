//! `URLRewritingModifier`: the number of a session goes from the page before into the next request.

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use regex::Regex;

use super::super::encode::{Charset, decode_form};
use super::super::request::Definition;
use super::argument;
use crate::compiler::Compiler;
use crate::user::{StateId, User};

/// What a session's number is called, and where it goes.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own"
)]
pub(super) struct Rewriting {
    name: Template,
    /// Whether it is a part of the path, behind `;`.
    in_path: bool,
    /// Whether no `=` stands before it there.
    without_equals: bool,
    /// Whether `?` ends it there.
    until_question_mark: bool,
    keeps: bool,
    encodes: bool,
    state: StateId,
}

/// What a user keeps: the name with its pattern, and the last number.
#[derive(Debug, Default)]
struct Kept {
    pattern: Option<(String, Regex)>,
    number: String,
}

impl Rewriting {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            name: compiler.property(element, "argument_name"),
            in_path: element.is("path_extension", false),
            without_equals: element.is("path_extension_no_equals", false),
            until_question_mark: element.is("path_extension_no_questionmark", false),
            keeps: element.is("cache_value", true),
            encodes: element.is("encode", false),
            state: compiler.state(),
        }
    }

    pub(super) fn apply(&self, user: &mut User, request: &mut Definition) {
        let Some(previous) = user.previous.clone() else {
            return;
        };
        let name = user.render(&self.name).into_owned();
        let kept = user.state(self.state, Kept::default);
        if kept.pattern.as_ref().is_none_or(|(own, _)| *own != name) {
            kept.pattern = self.pattern(&name).map(|pattern| (name.clone(), pattern));
        }
        let pattern = kept.pattern.as_ref().map(|(_, pattern)| pattern);
        let mut number =
            pattern.map_or_else(String::new, |pattern| found(pattern, &previous.text()));
        if self.keeps {
            if number.is_empty() {
                number.clone_from(&kept.number);
            } else {
                kept.number.clone_from(&number);
            }
        }
        if self.in_path {
            let path = user.render(&request.path).into_owned();
            request.path = Template::of_text(&self.extended(&path, &name, &number));
            return;
        }
        request
            .arguments
            .retain(|own| user.render(&own.name) != name);
        if !self.encodes {
            // It is taken for encoded already; what is not stays as it is.
            number = decode_form(&number, Charset::Utf8).unwrap_or(number);
        }
        let own = argument(&name, &number, true, "=");
        request.arguments.push(own);
    }

    /// The pattern that finds the number in a page; none for a name that no pattern can hold.
    fn pattern(&self, name: &str) -> Option<Regex> {
        let name = regex::escape(name);
        let text = if self.in_path {
            let equals = if self.without_equals { "" } else { "=" };
            let ends = if self.until_question_mark { "?" } else { "" };
            format!(r#";{name}{equals}([^"'<>&\s;{ends}]*)"#)
        } else {
            let named = format!(r#"\s[Nn][Aa][Mm][Ee]\s*=\s*["']{name}["']"#);
            let valued = r#"\s[Vv][Aa][Ll][Uu][Ee]\s*=\s*["']([^"']*)["']"#;
            format!(r#"[;?&]{name}=([^"'<>&\s;\\]*)|{named}[^>]*{valued}|{valued}[^>]*{named}"#)
        };
        Regex::new(&text).ok()
    }

    /// The path with the number behind it, in place of one that it has.
    fn extended(&self, path: &str, name: &str, number: &str) -> String {
        let mut path = path.to_owned();
        if let Some((before, after)) = path.split_once(&format!(";{name}")) {
            let query = after.find('?').map_or("", |at| after.split_at(at).1);
            path = format!("{before}{query}");
        }
        let equals = if self.without_equals { "" } else { "=" };
        format!("{path};{name}{equals}{number}")
    }
}

/// The first group that took part in the first match.
fn found(pattern: &Regex, text: &str) -> String {
    let captures = pattern.captures(text);
    let group = captures.and_then(|captures| captures.iter().skip(1).flatten().next());
    group.map_or_else(String::new, |group| group.as_str().to_owned())
}
