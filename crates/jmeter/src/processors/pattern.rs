//! Regular expressions as `JMeter` reads them: the syntax of Perl 5 as Apache ORO knows it.
//!
//! A pattern is rewritten for `fancy-regex`: braces that count nothing, brackets within brackets and
//! needless backslashes stand for themselves, and `$` also matches before a last line break.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use fancy_regex::{Captures, Regex};

use crate::compiler::Compiler;
use crate::run::Run;
use crate::user::{StateId, User};

/// How many patterns that were filled in a run keeps.
const KEPT: usize = 1_000;

/// A compiled regular expression.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// The same, bound to the start of the text.
    anchored: Regex,
}

/// The text of a pattern in a plan; compiled once when nothing in it is to be filled in.
#[derive(Debug)]
pub(super) struct PatternText {
    template: Template,
    literal: Option<Arc<Pattern>>,
    /// What the user filled in last, and its pattern.
    last: StateId,
}

type Last = Option<(String, Arc<Pattern>)>;

/// The patterns of a run that were filled in.
#[derive(Debug, Default)]
struct Known(Mutex<HashMap<String, Arc<Pattern>>>);

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern `{pattern}` is not valid: {reason}")]
pub struct BadPattern {
    /// The pattern as the plan has it.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is no regular expression.
    pub fn new(pattern: &str) -> Result<Self, BadPattern> {
        let bad = |reason: fancy_regex::Error| BadPattern {
            pattern: pattern.to_owned(),
            reason: reason.to_string(),
        };
        let own = rewritten(pattern);
        let anchored = Regex::new(&format!(r"\A(?:{own})")).map_err(bad)?;
        let regex = Regex::new(&own).map_err(bad)?;
        Ok(Self { regex, anchored })
    }

    /// The pattern out of those that the run knows, or a new one.
    ///
    /// # Errors
    /// What is no regular expression.
    pub fn of_run(run: &Run, pattern: &str) -> Result<Arc<Self>, BadPattern> {
        let known = run.named::<Known>("__regex patterns".to_owned());
        let mut known = known.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(pattern) {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(Self::new(pattern)?);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(pattern.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    /// Whether it matches somewhere. A search that takes too many steps finds nothing.
    pub fn is_found(&self, text: &str) -> bool {
        self.regex.is_match(text).unwrap_or(false)
    }

    /// Whether the first way in which it matches at the start of the text takes the whole text; other
    /// ways are not tried, as in ORO.
    pub fn is_whole(&self, text: &str) -> bool {
        let found = self.anchored.find(text).ok().flatten();
        found.is_some_and(|found| found.end() == text.len())
    }

    /// The matches with their groups, from the start; a search that takes too many steps ends them.
    pub fn matches<'t>(&self, text: &'t str) -> impl Iterator<Item = Captures<'t, str>> {
        self.regex.captures_iter(text).map_while(Result::ok)
    }
}

impl PatternText {
    /// Reads a pattern; one that is literal and not valid is refused.
    pub(super) fn compile(text: &str, element: &Element, compiler: &mut Compiler) -> Self {
        let template = compiler.template(text);
        let literal = template.literal().and_then(|text| {
            let pattern = Pattern::new(text);
            if let Err(bad) = &pattern {
                compiler.refuse(element, bad.to_string());
            }
            pattern.ok().map(Arc::new)
        });
        Self {
            template,
            literal,
            last: compiler.state(),
        }
    }

    /// A text that is no pattern but stands where one could.
    pub(super) fn text_only(text: &str, compiler: &mut Compiler) -> Self {
        Self {
            template: compiler.template(text),
            literal: None,
            last: compiler.state(),
        }
    }

    /// The pattern with everything filled in.
    ///
    /// # Errors
    /// What is then no regular expression.
    pub(super) fn of(&self, user: &mut User) -> Result<Arc<Pattern>, BadPattern> {
        if let Some(literal) = &self.literal {
            return Ok(Arc::clone(literal));
        }
        let text = user.render(&self.template).into_owned();
        if let Some((own, pattern)) = user.state::<Last>(self.last, || None)
            && *own == text
        {
            return Ok(Arc::clone(pattern));
        }
        let pattern = Pattern::of_run(&user.run, &text)?;
        *user.state::<Last>(self.last, || None) = Some((text, Arc::clone(&pattern)));
        Ok(pattern)
    }

    /// The text of the pattern with everything filled in.
    pub(super) fn text(&self, user: &mut User) -> String {
        user.render(&self.template).into_owned()
    }
}

/// The pattern in the syntax of `fancy-regex`.
fn rewritten(pattern: &str) -> String {
    let mut rewriting = Rewriting {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 8),
        after_atom: false,
        multi_line: pattern.contains("(?") && inline_flags(pattern).contains('m'),
        groups: pattern.matches('(').count(),
    };
    while let Some(next) = rewriting.take() {
        rewriting.item(next);
    }
    rewriting.out
}

/// The letters of all groups of flags, such as `(?im)`.
fn inline_flags(pattern: &str) -> String {
    let groups = pattern.split("(?").skip(1);
    groups
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic())?;
            rest.get(..end)
        })
        .collect()
}

struct Rewriting<'p> {
    rest: &'p str,
    out: String,
    /// Whether there is something that a count in braces could count.
    after_atom: bool,
    multi_line: bool,
    /// How many groups there can be.
    groups: usize,
}

impl Rewriting<'_> {
    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }

    fn item(&mut self, next: char) {
        let mut after_atom = true;
        match next {
            '\\' => self.escape(false),
            '[' => self.class(),
            '{' if self.after_atom && counts(self.rest) => {
                let end = self.rest.find('}').map_or(0, |end| end + 1);
                let (count, rest) = self.rest.split_at(end);
                self.out.push('{');
                self.out.push_str(count);
                self.rest = rest;
            }
            '{' | '}' | ']' => {
                self.out.push('\\');
                self.out.push(next);
            }
            '$' if !self.multi_line => self.out.push_str(r"(?=\n?\z)"),
            '(' | '|' => {
                self.out.push(next);
                after_atom = false;
            }
            _ => self.out.push(next),
        }
        self.after_atom = after_atom;
    }

    /// What stands after a backslash.
    fn escape(&mut self, in_class: bool) {
        let Some(next) = self.take() else {
            self.out.push_str(r"\\");
            return;
        };
        match next {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'n' | 'r' | 't' | 'f' => self.kept(next),
            'b' if in_class => self.code(8),
            'b' | 'B' | 'A' | 'G' | 'z' if !in_class => self.kept(next),
            'Z' if !in_class => self.out.push_str(r"(?=\n?\z)"),
            'a' => self.code(7),
            'e' => self.code(27),
            'c' => {
                let control = self.take().map_or(0, |c| u32::from(c.to_ascii_uppercase()));
                self.code(control ^ 64);
            }
            'x' => {
                let code = self.digits(2, 16);
                self.code(code);
            }
            '0' => {
                let code = self.digits(3, 8);
                self.code(code);
            }
            '1'..='9' if !in_class => self.back_reference(next),
            '1'..='7' => {
                let first = next.to_digit(8).unwrap_or_default();
                let code = first * 64 + self.digits(2, 8);
                self.code(code);
            }
            other => self.literal(other),
        }
    }

    /// A group that matched before; a number beyond nine that no group has is a character's, in octal.
    fn back_reference(&mut self, first: char) {
        let more = self.rest.find(|c: char| !c.is_ascii_digit());
        let more = self
            .rest
            .get(..more.unwrap_or(self.rest.len()))
            .unwrap_or_default();
        let number = format!("{first}{more}");
        let known = number
            .parse()
            .is_ok_and(|number: usize| number <= self.groups);
        if known || more.is_empty() || matches!(first, '8' | '9') {
            self.kept(first);
            return;
        }
        let first = first.to_digit(8).unwrap_or_default();
        let mut code = first;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                break;
            };
            code = code * 8 + digit;
            let _digit = self.take();
        }
        self.code(code);
    }

    /// A class in brackets, whose opening bracket was taken.
    fn class(&mut self) {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.out.push('^');
        }
        let mut first = true;
        // Whether a hyphen here can be the middle of a range.
        let mut may_range = false;
        while let Some(next) = self.take() {
            match next {
                ']' if !first => {
                    self.out.push(']');
                    break;
                }
                '\\' => {
                    let shorthand = self.rest.starts_with(['d', 'D', 'w', 'W', 's', 'S']);
                    self.escape(true);
                    may_range = !shorthand;
                }
                '[' if self.rest.starts_with(':') && self.rest.contains(":]") => {
                    let end = self.rest.find(":]").map_or(0, |end| end + 2);
                    let (name, rest) = self.rest.split_at(end);
                    self.out.push('[');
                    self.out.push_str(name);
                    self.rest = rest;
                    may_range = false;
                }
                '-' if may_range && !self.rest.starts_with(']') => {
                    self.out.push('-');
                    may_range = false;
                    first = false;
                    self.range_end();
                    continue;
                }
                other => {
                    self.literal(other);
                    may_range = true;
                }
            }
            first = false;
        }
    }

    /// The end of a range, when it is one character.
    fn range_end(&mut self) {
        match self.take() {
            Some('\\') => self.escape(true),
            Some(next) => self.literal(next),
            None => (),
        }
    }

    fn kept(&mut self, letter: char) {
        self.out.push('\\');
        self.out.push(letter);
    }

    /// A character that stands for itself.
    fn literal(&mut self, own: char) {
        if own.is_ascii_punctuation() && !matches!(own, '<' | '>' | '_') {
            self.out.push('\\');
        }
        self.out.push(own);
    }

    fn code(&mut self, code: u32) {
        // Writing into a text cannot fail.
        let _written = write!(self.out, r"\x{{{code:X}}}");
    }

    /// A number of at most so many digits.
    fn digits(&mut self, most: usize, radix: u32) -> u32 {
        let mut number = 0;
        for _ in 0..most {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(radix)) else {
                break;
            };
            number = number * radix + digit;
            let _digit = self.take();
        }
        number
    }
}

/// Whether a count and a closing brace come next: `2}`, `2,}` or `2,4}`.
fn counts(rest: &str) -> bool {
    let Some((count, _)) = rest.split_once('}') else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    match count.split_once(',') {
        Some((least, most)) => number(least) && (most.is_empty() || number(most)),
        None => number(count),
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn first(pattern: &str, text: &str) -> Option<String> {
        let pattern = Pattern::new(pattern).unwrap();
        let groups = pattern.matches(text).next()?;
        let last = groups.get(groups.len() - 1)?;
        Some(last.as_str().to_owned())
    }

    #[test]
    fn patterns_of_plans_are_read_as_perl_reads_them() {
        for (pattern, text, expected) in [
            (r#"{"id":(.+?),"#, r#"x{"id":12,"n":3}"#, Some("12")),
            (r#"{"id":"(\w{2,3})"}"#, r#"{"id":"abc"}"#, Some("abc")),
            (r#""token"\:"([^"]+)""#, r#"{"token":"t1"}"#, Some("t1")),
            (r"a{,3}", "a{,3}", Some("a{,3}")),
            (r"[[a]+", "x[a[", Some("[a[")),
            (r"[\w-.]+", "!a-b.c!", Some("a-b.c")),
            (r"[a-c&&b]+", "xa&bc", Some("a&bc")),
            (r"[]x]+", "a]x", Some("]x")),
            (r"[^\]]+", "ab]", Some("ab")),
            (r"\<b\>", "a<b>", Some("<b>")),
            (r"a.b", "a\nb", None),
            (r"(?s)a.b", "a\nb", Some("a\nb")),
            (r"(\d+)$", "12 34\n", Some("34")),
            (r"(?m)^(\d+)$", "ab\n12\ncd", Some("12")),
            (r"(?<=x)y", "xy", Some("y")),
            (r"(?=b)\w", "ab", Some("b")),
            (r"(a)\1", "baa", Some("a")),
            (r"\x41\101\/\_", "AA/_", Some("AA/_")),
            (r"[\x41-\x43]+", "xABCD", Some("ABC")),
            (r"(.+)@\Qa", "b@Qa", Some("b")),
        ] {
            assert_eq!(first(pattern, text).as_deref(), expected, "{pattern}");
        }
        for bad in ["(a", "a)", "[a", "*a", "(?<n"] {
            assert!(Pattern::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_whole_match_takes_the_first_way() {
        for (pattern, text, expected) in [
            ("a+", "aaa", true),
            ("a+", "aab", false),
            ("a|ab", "ab", false),
            ("ab|a", "ab", true),
            ("(?i)OK", "ok", true),
        ] {
            let compiled = Pattern::new(pattern).unwrap();
            assert_eq!(compiled.is_whole(text), expected, "{pattern}");
        }
    }
}
