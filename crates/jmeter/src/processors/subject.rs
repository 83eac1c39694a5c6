//! Which part of a result an extractor reads.

use std::borrow::Cow;
use std::ops::ControlFlow;

use double11_jmx::document::Element;

use super::scope::Scope;
use crate::compiler::Compiler;
use crate::sample::{Code, Needs, SampleResult};
use crate::user::User;

/// A part of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Body,
    /// The body with the entities of HTML replaced.
    UnescapedBody,
    ResponseHeaders,
    RequestHeaders,
    Url,
    Code,
    Message,
}

impl Subject {
    /// Reads it from `RegexExtractor.useHeaders` and the like; whoever reads a name that nobody knows
    /// gets the body, as in `JMeter`.
    pub(super) fn compile(element: &Element, property: &str, compiler: &mut Compiler) -> Self {
        match element.text(property).to_ascii_lowercase().as_str() {
            "true" => Self::ResponseHeaders,
            "request_headers" => Self::RequestHeaders,
            "unescaped" => Self::UnescapedBody,
            "url" => Self::Url,
            "code" => Self::Code,
            "message" => Self::Message,
            "as_document" => {
                compiler.refuse(
                    element,
                    "the body as a document cannot be read: no library for its formats is there; \
                     extract from the body itself",
                );
                Self::Body
            }
            _ => Self::Body,
        }
    }

    pub(super) fn needs(self) -> Needs {
        Needs {
            body: matches!(self, Self::Body | Self::UnescapedBody),
            response_headers: self == Self::ResponseHeaders,
            request: self == Self::RequestHeaders,
        }
    }

    /// The text of this part.
    pub(super) fn of(self, sample: &SampleResult) -> Cow<'_, str> {
        match self {
            Self::Body => sample.text(),
            Self::UnescapedBody => {
                Cow::Owned(html_escape::decode_html_entities(sample.text().as_ref()).into_owned())
            }
            Self::ResponseHeaders => Cow::Borrowed(&sample.response_headers),
            Self::RequestHeaders => Cow::Borrowed(&sample.request_headers),
            Self::Url => Cow::Borrowed(sample.url.as_deref().unwrap_or_default()),
            Self::Code => code(sample),
            Self::Message => Cow::Borrowed(&sample.message),
        }
    }

    /// Shows the texts in scope to `visit`, until it breaks. A variable that is not set shows nothing.
    pub(super) fn visit(
        self,
        scope: &Scope,
        user: &mut User,
        sample: &SampleResult,
        visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) {
        if let Scope::Variable(name) = scope {
            let name = user.render(name);
            if let Some(text) = user.variables.get(&name) {
                let _enough = visit(text);
            }
        } else {
            scope.visit(sample, &mut |sample| visit(&self.of(sample)));
        }
    }
}

/// The response code as a text.
pub(super) fn code(sample: &SampleResult) -> Cow<'_, str> {
    match &sample.code {
        Code::Status(status) => Cow::Owned(status.to_string()),
        Code::Text(text) => Cow::Borrowed(text),
    }
}
