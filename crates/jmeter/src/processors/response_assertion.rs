//! `ResponseAssertion`: what a part of the result must contain, match or be.

use std::borrow::Cow;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::assertion::Verdict;
use super::pattern::{BadPattern, PatternText};
use super::scope::Scope;
use super::subject::code;
use super::whole_number;
use crate::compiler::Compiler;
use crate::sample::{Needs, SampleResult};
use crate::user::User;

/// The bits of `Assertion.test_type`. Source: `ResponseAssertion`.
const MATCH: i64 = 1;
const CONTAINS: i64 = 2;
const NOT: i64 = 4;
const EQUALS: i64 = 8;
const SUBSTRING: i64 = 16;
const OR: i64 = 32;

/// How much of a text around a difference is shown. Source: `assertion.equals_section_diff_len`.
const SHOWN: usize = 100;

#[derive(Debug)]
pub(super) struct ResponseAssertion {
    field: Field,
    /// The bits, as they are.
    test_type: i64,
    how: How,
    tests: Vec<Test>,
    message: Template,
    assume_success: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Body,
    Code,
    Message,
    RequestHeaders,
    RequestData,
    ResponseHeaders,
    Url,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Contains,
    Equals,
    Substring,
    Matches,
}

#[derive(Debug)]
enum Test {
    Text(Template),
    Pattern(PatternText),
}

impl ResponseAssertion {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let test_type = match element.text("Assertion.test_type") {
            "" => CONTAINS,
            text => whole_number(text),
        };
        let how = match test_type {
            bits if bits & CONTAINS != 0 => How::Contains,
            bits if bits & EQUALS != 0 => How::Equals,
            bits if bits & SUBSTRING != 0 => How::Substring,
            _ => How::Matches,
        };
        let tests = element.texts("Asserion.test_strings");
        let tests = tests.map(|text| match how {
            How::Contains | How::Matches => {
                Test::Pattern(PatternText::compile(text, element, compiler))
            }
            How::Equals | How::Substring => Test::Text(compiler.template(text)),
        });
        let tests = tests.collect();
        Self {
            field: Field::compile(element, compiler),
            test_type,
            how,
            tests,
            message: compiler.property(element, "Assertion.custom_message"),
            assume_success: element.is("Assertion.assume_success", false),
        }
    }

    pub(super) fn needs(&self, scope: &Scope) -> Needs {
        if matches!(scope, Scope::Variable(_)) {
            return Needs::default();
        }
        Needs {
            body: self.field == Field::Body,
            response_headers: self.field == Field::ResponseHeaders,
            request: matches!(self.field, Field::RequestHeaders | Field::RequestData),
        }
    }

    pub(super) fn check(
        &self,
        scope: &Scope,
        user: &mut User,
        sample: &mut SampleResult,
    ) -> Verdict {
        if self.assume_success {
            sample.success = true;
        }
        let (text, what) = match scope {
            Scope::Variable(name) => {
                let name = user.render(name);
                let text = user.variables.get(&name).unwrap_or_default().to_owned();
                (Cow::Owned(text), Cow::Owned(format!("variable({name})")))
            }
            _ => (self.field.of(sample), Cow::Borrowed(self.field.title())),
        };
        if text.is_empty() {
            return match self.test_type & NOT {
                0 => Verdict::nothing_there(),
                _ => Verdict::Holds,
            };
        }
        match self.failures(&text, &what, user) {
            Err(bad) => Verdict::Error(format!(
                "Bad test configuration org.apache.oro.text.MalformedCachePatternException: \
                 Invalid expression: {}\n{}",
                bad.pattern, bad.reason
            )),
            Ok(None) => Verdict::Holds,
            Ok(Some(message)) => match user.render(&self.message) {
                own if own.is_empty() => Verdict::Fails(message),
                own => Verdict::Fails(own.into_owned()),
            },
        }
    }

    /// Why it does not hold; `None` when it does.
    fn failures(
        &self,
        text: &str,
        what: &str,
        user: &mut User,
    ) -> Result<Option<String>, BadPattern> {
        let any = self.test_type & OR != 0;
        let mut failures = String::new();
        for test in &self.tests {
            if self.found(test, text, user)? != (self.test_type & NOT != 0) {
                if any {
                    return Ok(None);
                }
                continue;
            }
            let wanted = test.text(user);
            let failure = self.failure(text, what, &wanted);
            if !any {
                return Ok(Some(failure));
            }
            failures.push_str(&failure);
            failures.push('\t');
        }
        if any && failures.is_empty() {
            failures.push('\t');
        }
        Ok(any.then_some(failures))
    }

    fn found(&self, test: &Test, text: &str, user: &mut User) -> Result<bool, BadPattern> {
        Ok(match (test, self.how) {
            (Test::Pattern(pattern), How::Contains) => pattern.of(user)?.is_found(text),
            (Test::Pattern(pattern), _) => pattern.of(user)?.is_whole(text),
            (Test::Text(own), How::Equals) => text == user.render(own),
            (Test::Text(own), _) => text.contains(&*user.render(own)),
        })
    }

    fn failure(&self, text: &str, what: &str, wanted: &str) -> String {
        // JMeter compares all bits, so that `OR` has no word of its own.
        let how = match self.test_type {
            CONTAINS | SUBSTRING => "expected to contain",
            bits if bits == NOT | CONTAINS || bits == NOT | SUBSTRING => "expected not to contain",
            MATCH => "expected to match",
            bits if bits == NOT | MATCH => "expected not to match",
            EQUALS => "expected to equal",
            bits if bits == NOT | EQUALS => "expected not to equal",
            _ => "expected something using",
        };
        if self.test_type & EQUALS != 0 {
            let difference = difference(text, wanted);
            format!("Test failed: {what} {how} /{difference}/")
        } else {
            format!("Test failed: {what} {how} /{wanted}/")
        }
    }
}

impl Test {
    fn text(&self, user: &mut User) -> String {
        match self {
            Self::Text(text) => user.render(text).into_owned(),
            Self::Pattern(pattern) => pattern.text(user),
        }
    }
}

impl Field {
    fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        match element.text("Assertion.test_field") {
            "Assertion.response_data" => Self::Body,
            "Assertion.response_code" => Self::Code,
            "Assertion.response_message" => Self::Message,
            "Assertion.request_headers" => Self::RequestHeaders,
            "Assertion.request_data" => Self::RequestData,
            "Assertion.response_headers" => Self::ResponseHeaders,
            "Assertion.response_data_as_document" => {
                compiler.refuse(
                    element,
                    "the body as a document cannot be read: no library for its formats is there; \
                     check the body itself (Assertion.response_data)",
                );
                Self::Body
            }
            _ => Self::Url,
        }
    }

    fn of(self, sample: &SampleResult) -> Cow<'_, str> {
        match self {
            Self::Body => sample.text(),
            Self::Code => code(sample),
            Self::Message => Cow::Borrowed(&sample.message),
            Self::RequestHeaders => Cow::Borrowed(&sample.request_headers),
            Self::RequestData => Cow::Borrowed(&sample.request),
            Self::ResponseHeaders => Cow::Borrowed(&sample.response_headers),
            Self::Url => Cow::Borrowed(sample.url.as_deref().unwrap_or_default()),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Body => "text",
            Self::Code => "code",
            Self::Message => "message",
            Self::RequestHeaders => "request headers",
            Self::RequestData => "request data",
            Self::ResponseHeaders => "headers",
            Self::Url => "URL",
        }
    }
}

/// Two texts with what differs in double brackets, shortened around it.
fn difference(received: &str, wanted: &str) -> String {
    let received: Vec<char> = received.chars().collect();
    let wanted: Vec<char> = wanted.chars().collect();
    let same = received.iter().zip(&wanted).take_while(|(a, b)| a == b);
    let first = same.count();
    // How many characters at the end are the same; one of each text is left for the difference.
    let most = received.len().min(wanted.len()).saturating_sub(first + 1);
    let ends = received.iter().rev().zip(wanted.iter().rev()).take(most);
    let last = ends.take_while(|(a, b)| a == b).count();
    let start = cut_left(&received[..first]);
    let end = cut_right(&received[received.len() - last.min(received.len())..]);
    let mut own = cut_right(&received[first..received.len() - last]);
    let mut other = cut_right(&wanted[first..wanted.len() - last]);
    let (own_width, other_width) = (own.chars().count(), other.chars().count());
    let pad = " ".repeat(own_width.abs_diff(other_width));
    if own_width > other_width {
        other.push_str(&pad);
    } else {
        own.push_str(&pad);
    }
    format!(
        "\n\n****** received  : {start}[[[{own}]]]{end}\n\n\
         ****** comparison: {start}[[[{other}]]]{end}\n\n"
    )
}

fn cut_right(text: &[char]) -> String {
    match text.get(..SHOWN) {
        Some(shown) if text.len() > SHOWN => shown.iter().chain(&['.', '.', '.']).collect(),
        _ => text.iter().collect(),
    }
}

fn cut_left(text: &[char]) -> String {
    match text.len().checked_sub(SHOWN) {
        Some(hidden) if hidden > 0 => ['.', '.', '.'].iter().chain(&text[hidden..]).collect(),
        _ => text.iter().collect(),
    }
}
