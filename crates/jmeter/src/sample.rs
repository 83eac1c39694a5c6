//! What came of a sampler: the counterpart of a row in a result file, with all that processors read.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use encoding_rs::{Encoding, UTF_8};

/// One sample.
#[derive(Debug, Clone, Default)]
pub struct SampleResult {
    /// The name of the sampler, filled in.
    pub label: Arc<str>,
    /// When it began, on the run's clock.
    pub start: Duration,
    /// When it was over.
    pub end: Duration,
    /// From the start to the first byte of the answer.
    pub latency: Duration,
    /// From the start until the connection was made, TLS included; zero when there was one.
    pub connect: Duration,
    /// Time within it that does not count, such as think times within a transaction.
    pub idle: Duration,
    /// `200`, or `Non HTTP response code: …`.
    pub code: Code,
    /// The reason phrase, or the text of the exception.
    pub message: Cow<'static, str>,
    /// Whether it counts as successful; assertions may change it.
    pub success: bool,
    /// What the body is.
    pub data_type: DataType,
    /// Bytes received, headers included.
    pub bytes: u64,
    /// Bytes of the headers among them.
    pub header_bytes: u64,
    /// Bytes of the body as it came from the network.
    pub body_bytes: u64,
    /// Bytes sent, headers included.
    pub sent_bytes: u64,
    /// The address that was asked at last; none for samplers that ask nobody.
    pub url: Option<Arc<str>>,
    /// The method and what stands for the request in `JMeter`: body or query, as listeners and
    /// extractors see it. Empty when nobody in scope reads it.
    pub request: String,
    /// The headers sent, a line each, without `Cookie`; empty when nobody in scope reads them.
    pub request_headers: String,
    /// Status line and headers received, a line each; empty when nobody in scope reads them.
    pub response_headers: String,
    /// The body, decoded from its content coding; empty when nobody in scope reads it.
    pub body: Vec<u8>,
    /// The value of `Content-Type`, without parameters; empty when there is none.
    pub content_type: String,
    /// The character set of the body by name; empty when it is not stated.
    pub encoding: String,
    /// What the assertions said, in their order.
    pub assertions: Vec<AssertionResult>,
    /// The parts of this sample: redirects, embedded resources, samples of a transaction.
    pub sub_results: Vec<Self>,
    /// Active users of the thread group when it ended.
    pub group_threads: u32,
    /// Active users in all when it ended.
    pub all_threads: u32,
    /// Whether it stands for a transaction controller.
    pub is_transaction: bool,
    /// Whose it is, as result files say.
    pub thread: PartThread,
}

/// Whose a part of a sample is, as result files say. `JMeter` names the user at samples and their own
/// parts; of the parts of a part some keep what they had when they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartThread {
    /// The user.
    #[default]
    User,
    /// Nobody.
    Nobody,
    /// One of the threads that load several things at once, by its number.
    Download(usize),
}

/// The response code of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// A status.
    Status(u16),
    /// Anything else.
    Text(Cow<'static, str>),
}

/// What the body of an answer is, as result files name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataType {
    /// Not known; written as nothing.
    #[default]
    Unknown,
    /// `text`
    Text,
    /// `bin`
    Binary,
}

/// What an assertion said of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionResult {
    /// The name of the assertion.
    pub name: Arc<str>,
    /// Whether what it asserts does not hold.
    pub failed: bool,
    /// Whether it could not be checked.
    pub error: bool,
    /// Why.
    pub message: String,
}

/// What of a sample somebody in scope reads; the rest is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The body of the answer.
    pub body: bool,
    /// The headers of the answer.
    pub response_headers: bool,
    /// Body and headers of the request.
    pub request: bool,
}

impl Default for Code {
    fn default() -> Self {
        Self::Text(Cow::Borrowed(""))
    }
}

impl Needs {
    /// What either needs.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            body: self.body || other.body,
            response_headers: self.response_headers || other.response_headers,
            request: self.request || other.request,
        }
    }
}

impl PartThread {
    /// The name in result files, where `user` is that of the user.
    pub fn name(self, user: &str) -> Cow<'_, str> {
        match self {
            Self::User => Cow::Borrowed(user),
            Self::Nobody => Cow::Borrowed(""),
            Self::Download(number) => Cow::Owned(format!("ResDownload-Thread-{number}")),
        }
    }
}

impl SampleResult {
    /// Makes another sample a part of this one, which holds its figures already.
    pub fn add_raw_part(&mut self, mut part: Self) {
        part.label = format!("{}-{}", self.label, self.sub_results.len()).into();
        part.thread = PartThread::Nobody;
        self.sub_results.push(part);
    }

    /// Makes another sample a part of this one and adds up their figures.
    pub fn add_part(&mut self, part: Self) {
        self.end = self.end.max(part.end);
        self.bytes += part.bytes;
        self.header_bytes += part.header_bytes;
        self.body_bytes += part.body_bytes;
        self.sent_bytes += part.sent_bytes;
        let thread = part.thread;
        self.add_raw_part(part);
        if let Some(part) = self.sub_results.last_mut() {
            part.thread = thread;
        }
    }

    /// From the start to the end, without what does not count.
    pub fn elapsed(&self) -> Duration {
        self.end
            .saturating_sub(self.start)
            .saturating_sub(self.idle)
    }

    /// The body as a text, by its character set; UTF-8 where none is stated or known.
    pub fn text(&self) -> Cow<'_, str> {
        if self.encoding.is_empty() || self.encoding.eq_ignore_ascii_case("utf-8") {
            return String::from_utf8_lossy(&self.body);
        }
        let encoding = Encoding::for_label(self.encoding.as_bytes()).unwrap_or(UTF_8);
        encoding.decode_without_bom_handling(&self.body).0
    }

    /// The message of the first assertion that failed or that says something, as result files show it;
    /// empty when none does.
    pub fn failure_message(&self) -> &str {
        let says = |assertion: &&AssertionResult| {
            assertion.failed || assertion.error || !assertion.message.is_empty()
        };
        let first = self.assertions.iter().find(says);
        first.map_or("", |assertion| &assertion.message)
    }
}
