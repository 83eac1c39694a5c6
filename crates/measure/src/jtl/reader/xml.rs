//! The XML form of a result file, brought into the fields of a record: one for each sample, those that
//! stand within another one too, as the CSV form has them. The fields are in the order of [`NAMES`].
//!
//! A record comes at the end of its sample, so that parts come before what they are parts of. One tag,
//! or one text that counts, is held at a time; bodies and headers are passed over without being held.
//! References to characters are resolved; a document type, and with it every entity of one's own, is
//! refused.
//!
//! Source: `JMeter` 5.5, `SampleResultConverter` and "XML log format" of its user's manual.

use std::io::BufRead;

use memchr::{memchr, memchr_iter};
use quick_xml::escape::unescape;
use quick_xml::events::attributes::Attributes;

use super::record::RecordError;

/// How deep elements stand within each other at most: samples within samples, with what is in them.
const DEPTH_MAX: usize = 64;

/// Fields by the names of the CSV form, with the attributes that they come from; empty for those that
/// come from elements.
pub(super) const NAMES: [(&str, &str); FIELDS] = [
    ("timeStamp", "ts"),
    ("elapsed", "t"),
    ("label", "lb"),
    ("responseCode", "rc"),
    ("responseMessage", "rm"),
    ("threadName", "tn"),
    ("dataType", "dt"),
    ("success", "s"),
    ("failureMessage", ""),
    ("bytes", "by"),
    ("sentBytes", "sby"),
    ("grpThreads", "ng"),
    ("allThreads", "na"),
    ("URL", ""),
    ("Latency", "lt"),
    ("IdleTime", "it"),
    ("Connect", "ct"),
    ("SampleCount", "sc"),
];
const FIELDS: usize = 18;
const FAILURE_MESSAGE: usize = 8;
const URL: usize = 13;

/// What stands for a field that a sample lacks although others have it: nothing, or no bytes, threads or
/// time. What no row can do without stays empty, which its reader refuses.
pub(super) fn absent(field: usize) -> &'static str {
    match NAMES[field].0 {
        "bytes" | "sentBytes" | "grpThreads" | "allThreads" | "Latency" | "IdleTime"
        | "Connect" => "0",
        "SampleCount" => "1",
        _ => "",
    }
}

/// Where the reader stands in the file.
#[derive(Debug, Default)]
pub(super) struct Xml {
    /// The elements that are open, from the outermost.
    open: Vec<Element>,
    /// Their names, one after the other.
    names: Vec<u8>,
    /// Where each of them begins.
    name_starts: Vec<usize>,
    /// The samples that are open, from the outermost.
    samples: Vec<Sample>,
    /// The tag last read, without its brackets.
    tag: Vec<u8>,
    /// The text of the innermost element, where it counts.
    text: Vec<u8>,
    /// The assertion that is open.
    assertion: Assertion,
    has_root: bool,
    /// Whether the file ended within a tag or a sample.
    is_cut_off: bool,
    /// A first sample that ended with its own tag, and is still to be handed out.
    waiting: Option<Sample>,
    /// The line that is read, from 1.
    line: u64,
}

/// A sample and what is known of it.
#[derive(Debug)]
pub(super) struct Sample {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Its fields in the order of [`NAMES`]; none where the file has none.
    pub(super) fields: [Option<String>; FIELDS],
}

#[derive(Debug, Default)]
struct Assertion {
    is_failed: bool,
    message: String,
}

/// What is known of an element by its name and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Root,
    Sample,
    Assertion,
    /// Whether the assertion does not hold, or could not be checked.
    Verdict,
    FailureMessage,
    Url,
    Other,
}

impl Element {
    fn of(name: &[u8], parent: Option<Self>) -> Option<Self> {
        Some(match (parent, name) {
            (None, b"testResults") => Self::Root,
            (None, _) => return None,
            (Some(Self::Root | Self::Sample), b"httpSample" | b"sample") => Self::Sample,
            (Some(Self::Sample), b"assertionResult") => Self::Assertion,
            (Some(Self::Sample), b"java.net.URL") => Self::Url,
            (Some(Self::Assertion), b"failure" | b"error") => Self::Verdict,
            (Some(Self::Assertion), b"failureMessage") => Self::FailureMessage,
            _ => Self::Other,
        })
    }

    /// Whether the text in it counts.
    fn is_read(self) -> bool {
        matches!(self, Self::Verdict | Self::FailureMessage | Self::Url)
    }
}

impl Xml {
    pub(super) fn new() -> Self {
        Self {
            line: 1,
            ..Self::default()
        }
    }

    /// The line that is read.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the file ended within a tag or a sample.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    /// Reads up to the start of the first sample and tells which fields it has; none in a file without
    /// samples.
    pub(super) fn first(
        &mut self,
        input: &mut impl BufRead,
        limit: usize,
    ) -> Result<Option<[bool; FIELDS]>, RecordError> {
        while self.samples.is_empty() && self.waiting.is_none() {
            if !self.markup(input, limit)? {
                break;
            }
            self.waiting = self.element()?;
        }
        let first = self.waiting.as_ref().or(self.samples.last());
        if first.is_none() && !self.has_root {
            return Err(RecordError::NotResults);
        }
        Ok(first.map(has))
    }

    /// Reads up to the end of the next sample; none at the end of the file.
    pub(super) fn next(
        &mut self,
        input: &mut impl BufRead,
        limit: usize,
    ) -> Result<Option<Sample>, RecordError> {
        if let Some(first) = self.waiting.take() {
            return Ok(Some(first));
        }
        while self.markup(input, limit)? {
            if let Some(sample) = self.element()? {
                return Ok(Some(sample));
            }
        }
        if !self.samples.is_empty() {
            self.is_cut_off = true;
            return Err(RecordError::Unfinished);
        }
        Ok(None)
    }

    /// Takes the tag that was read. A sample that ends with it comes back.
    fn element(&mut self) -> Result<Option<Sample>, RecordError> {
        let tag = std::mem::take(&mut self.tag);
        let done = match tag.first() {
            Some(b'/') => self.end(&tag[1..]),
            Some(b'?' | b'!') => Ok(None),
            _ => self.start(&tag),
        };
        self.tag = tag;
        done
    }

    fn start(&mut self, tag: &[u8]) -> Result<Option<Sample>, RecordError> {
        let (tag, is_empty) = match tag.strip_suffix(b"/") {
            Some(rest) => (rest, true),
            None => (tag, false),
        };
        let tag = std::str::from_utf8(tag).map_err(|_| broken("a tag is not UTF-8"))?;
        let end = tag.find(|c: char| c.is_ascii_whitespace());
        let name = tag.get(..end.unwrap_or(tag.len())).unwrap_or_default();
        if name.is_empty() {
            return Err(broken("a tag has no name"));
        }
        let parent = self.open.last().copied();
        let Some(element) = Element::of(name.as_bytes(), parent) else {
            return Err(if self.has_root {
                broken("something stands after the root")
            } else {
                RecordError::NotResults
            });
        };
        if self.open.len() == DEPTH_MAX {
            return Err(broken("elements stand too deep within each other"));
        }
        self.has_root = true;
        match element {
            Element::Sample => {
                let sample = self.sample(tag, name.len())?;
                self.samples.push(sample);
            }
            Element::Assertion => self.assertion = Assertion::default(),
            _ => {}
        }
        self.text.clear();
        self.open.push(element);
        self.name_starts.push(self.names.len());
        self.names.extend_from_slice(name.as_bytes());
        if is_empty {
            return self.end(name.as_bytes());
        }
        Ok(None)
    }

    /// Reads the attributes of a sample.
    fn sample(&self, tag: &str, name_length: usize) -> Result<Sample, RecordError> {
        let mut fields = [const { None }; FIELDS];
        for attribute in Attributes::new(tag, name_length) {
            let attribute = attribute.map_err(|error| broken(&error.to_string()))?;
            let key: &str = attribute.key.as_ref();
            let place = NAMES.iter().position(|(_, short)| *short == key);
            if let Some(place) = place {
                let value = unescape(&attribute.value);
                let value = value.map_err(|error| broken(&error.to_string()))?;
                fields[place] = Some(value.into_owned());
            }
        }
        Ok(Sample {
            line: self.line,
            fields,
        })
    }

    fn end(&mut self, name: &[u8]) -> Result<Option<Sample>, RecordError> {
        let start = self.name_starts.pop().unwrap_or_default();
        let opened = self.names.get(start..).unwrap_or_default();
        if self.open.is_empty() || opened != name.trim_ascii_end() {
            return Err(broken("an element ends that did not begin last"));
        }
        self.names.truncate(start);
        match self.open.pop() {
            Some(Element::Sample) => return Ok(self.samples.pop()),
            Some(Element::Verdict) => {
                self.assertion.is_failed |= self.text.trim_ascii() == b"true";
            }
            Some(Element::FailureMessage) => self.assertion.message = self.plain_text()?,
            Some(Element::Url) => {
                let url = self.plain_text()?;
                self.set(URL, url);
            }
            Some(Element::Assertion) => {
                // The first that does not hold speaks for the sample, as in the CSV form.
                let Assertion { is_failed, message } = std::mem::take(&mut self.assertion);
                let sample = self.samples.last();
                let has_one = sample.is_some_and(|one| one.fields[FAILURE_MESSAGE].is_some());
                if is_failed && !has_one {
                    self.set(FAILURE_MESSAGE, message);
                }
            }
            Some(Element::Root | Element::Other) | None => {}
        }
        Ok(None)
    }

    fn set(&mut self, field: usize, value: String) {
        if let Some(sample) = self.samples.last_mut() {
            sample.fields[field] = Some(value);
        }
    }

    /// The text of the innermost element with its references resolved.
    fn plain_text(&self) -> Result<String, RecordError> {
        let text = std::str::from_utf8(&self.text);
        let text = text.map_err(|_| broken("a text is not UTF-8"))?;
        let plain = unescape(text).map_err(|error| broken(&error.to_string()))?;
        Ok(plain.into_owned())
    }

    /// Reads the text before the next tag, and the tag. `false` at the end of the file.
    fn markup(&mut self, input: &mut impl BufRead, limit: usize) -> Result<bool, RecordError> {
        let is_read = self.open.last().is_some_and(|element| element.is_read());
        loop {
            let buffer = input.fill_buf().map_err(RecordError::Io)?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let end = memchr(b'<', buffer);
            let text = buffer
                .get(..end.unwrap_or(buffer.len()))
                .unwrap_or_default();
            self.line += count(memchr_iter(b'\n', text).count());
            if is_read {
                self.text.extend_from_slice(text);
            }
            let used = text.len() + usize::from(end.is_some());
            input.consume(used);
            if self.text.len() > limit {
                return Err(RecordError::TooLong { limit, field: 0 });
            }
            if end.is_some() {
                break;
            }
        }
        self.read_tag(input, limit)?;
        Ok(true)
    }

    /// Reads a tag, comment or instruction up to its end.
    fn read_tag(&mut self, input: &mut impl BufRead, limit: usize) -> Result<(), RecordError> {
        self.tag.clear();
        let mut quote = None;
        loop {
            let buffer = input.fill_buf().map_err(RecordError::Io)?;
            if buffer.is_empty() {
                self.is_cut_off = true;
                return Err(RecordError::Unfinished);
            }
            let mut used = 0;
            let mut is_done = false;
            for &byte in buffer {
                used += 1;
                self.line += u64::from(byte == b'\n');
                if byte == b'>' && ends(&self.tag, quote) {
                    is_done = true;
                    break;
                }
                self.tag.push(byte);
                if !matches!(self.tag.first(), Some(b'!' | b'?')) {
                    quote = match (quote, byte) {
                        (None, b'"' | b'\'') => Some(byte),
                        (Some(open), byte) if open == byte => None,
                        (quote, _) => quote,
                    };
                }
            }
            input.consume(used);
            if self.tag.starts_with(b"!D") || self.tag.starts_with(b"!d") {
                return Err(RecordError::DocumentType);
            }
            if is_done {
                if self.tag.starts_with(b"![CDATA[") {
                    self.take_literal();
                }
                return Ok(());
            }
            if self.tag.len() > limit {
                return Err(RecordError::TooLong { limit, field: 0 });
            }
        }
    }

    /// Takes a text that is written as it is.
    fn take_literal(&mut self) {
        let text = self.tag.strip_prefix(b"![CDATA[").unwrap_or_default();
        let text = text.strip_suffix(b"]]").unwrap_or_default();
        if self.open.last().is_some_and(|element| element.is_read()) {
            // It is resolved with the rest of the text, so that what looks like a reference must not.
            for &byte in text {
                match byte {
                    b'&' => self.text.extend_from_slice(b"&amp;"),
                    other => self.text.push(other),
                }
            }
        }
    }
}

fn broken(why: &str) -> RecordError {
    RecordError::Markup(why.chars().take(120).collect())
}

/// Whether a `>` ends what has been read of a tag.
fn ends(tag: &[u8], quote: Option<u8>) -> bool {
    if let Some(rest) = tag.strip_prefix(b"!--") {
        return rest.ends_with(b"--");
    }
    if let Some(rest) = tag.strip_prefix(b"![CDATA[") {
        return rest.ends_with(b"]]");
    }
    match tag.first() {
        Some(b'?') => tag.len() > 1 && tag.ends_with(b"?"),
        _ => quote.is_none(),
    }
}

/// The fields that a sample has; those of elements may come in any.
fn has(sample: &Sample) -> [bool; FIELDS] {
    let mut has = sample.fields.each_ref().map(Option::is_some);
    (has[FAILURE_MESSAGE], has[URL]) = (true, true);
    has
}

fn count(lines: usize) -> u64 {
    u64::try_from(lines).unwrap_or(u64::MAX)
}
