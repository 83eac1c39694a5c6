//! Reading responses: the protocol, fed with whatever bytes have arrived, without a socket.
//!
//! A response that arrives in one piece, the usual case, is read in place: nothing is copied and no
//! memory is kept between responses.
//!
//! Source: RFC 9112 sections 4 to 6 and 9.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::KnownHeads;
use super::chunked::{ChunkDecoder, Decoded};

/// Header fields of one response at most.
const HEADERS_MAX: usize = 100;

/// Bounds of a response.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of status line and headers at most.
    pub head_bytes_max: usize,
    /// Bytes of the body at most.
    pub body_bytes_max: u64,
}

impl Limits {
    /// Room for any answer of a shop.
    pub const DEFAULT: Self = Self {
        head_bytes_max: 64 * 1024,
        body_bytes_max: 64 << 20,
    };
}

/// Why bytes are not an acceptable response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Status line or headers are malformed.
    #[error("malformed response head")]
    Head,
    /// Status line and headers are longer than allowed.
    #[error("response head too long")]
    HeadTooLong,
    /// `Content-Length` is not one number.
    #[error("wrong Content-Length")]
    Length,
    /// A transfer coding other than chunked.
    #[error("unknown transfer coding")]
    Coding,
    /// The chunked coding is malformed.
    #[error("malformed chunk")]
    Chunk,
    /// The body is longer than allowed.
    #[error("response body too long")]
    BodyTooLong,
    /// The server switched protocols without being asked.
    #[error("unexpected protocol switch")]
    Upgrade,
    /// The connection was closed within the response.
    #[error("connection closed within the response")]
    Truncated,
    /// The connection was closed within a body whose length was stated.
    #[error("connection closed after {received} of {expected} bytes of the body")]
    Cut {
        /// Bytes that the body was to have.
        expected: u64,
        /// Bytes that came.
        received: u64,
    },
}

/// What is to be kept of a response, and what is known of it beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    /// Keep the body; otherwise only its length is known.
    pub keep_body: bool,
    /// Keep status line and headers as they came.
    pub keep_head: bool,
    /// No body follows whatever the head says, as after `HEAD` and `CONNECT`.
    pub is_bodiless: bool,
}

/// What is known of a complete response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status.
    pub status: u16,
    /// Whether the connection can be used again.
    pub keep_alive: bool,
    /// Bytes of the response, head and coding included.
    pub bytes: u64,
    /// What `Retry-After` asks for, when it is given in seconds.
    pub retry_after: Option<Duration>,
}

/// Where the body of a complete response is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyAt {
    /// In the input that was fed last.
    Input(Range<usize>),
    /// In the reader; see [`ResponseReader::kept_body`].
    Kept,
}

/// The state after some input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fed {
    /// The response goes on.
    More,
    /// The response is complete.
    Complete(ResponseHead, BodyAt),
}

/// Reads one response after the other.
#[derive(Debug)]
pub struct ResponseReader {
    limits: Limits,
    state: State,
    expected: Expected,
    status: u16,
    keep_alive: bool,
    retry_after: Option<Duration>,
    bytes: u64,
    body_bytes: u64,
    head_bytes: u64,
    head: Option<Arc<[u8]>>,
    /// The beginning of a head that did not arrive in one piece.
    partial: Vec<u8>,
    body: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Head,
    Length { remaining: u64 },
    Chunked(ChunkDecoder),
    UntilClose,
    Done,
}

/// What a head says about the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// What a head says.
#[derive(Debug, Clone, Copy)]
pub(super) struct ParsedHead {
    status: u16,
    keep_alive: bool,
    retry_after: Option<Duration>,
    framing: Framing,
}

impl ResponseReader {
    /// A reader with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Done,
            expected: Expected::default(),
            status: 0,
            keep_alive: false,
            retry_after: None,
            bytes: 0,
            body_bytes: 0,
            head_bytes: 0,
            head: None,
            partial: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Gets ready for the next response. Without `keep_body` only the length of its body is known.
    pub fn begin(&mut self, keep_body: bool) {
        self.begin_expecting(Expected {
            keep_body,
            ..Expected::default()
        });
    }

    /// Gets ready for the next response.
    pub fn begin_expecting(&mut self, expected: Expected) {
        self.state = State::Head;
        self.expected = expected;
        (self.bytes, self.body_bytes, self.head_bytes) = (0, 0, 0);
        self.head = None;
        self.partial.clear();
        self.body.clear();
    }

    /// Whether a byte of the response has arrived.
    pub fn has_begun(&self) -> bool {
        self.bytes > 0
    }

    /// Bytes of the response so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The status, once the head is complete.
    pub fn status(&self) -> Option<u16> {
        match self.state {
            State::Head => None,
            _ => Some(self.status),
        }
    }

    /// Status line and headers of the response, up to and with the empty line, when they were to be
    /// kept and are complete. Interim responses are no part of it.
    pub fn head(&self) -> Option<&Arc<[u8]>> {
        self.head.as_ref()
    }

    /// Bytes of status line and headers, once they are complete.
    pub fn head_bytes(&self) -> u64 {
        self.head_bytes
    }

    /// Bytes of the body so far, without what a transfer coding adds.
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// The body of a response that ended with [`BodyAt::Kept`].
    pub fn kept_body(&self) -> &[u8] {
        &self.body
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`ResponseError`]; the connection is of no further use then.
    pub fn feed(&mut self, input: &[u8], heads: &mut KnownHeads) -> Result<Fed, ResponseError> {
        self.bytes = self.bytes.saturating_add(length(input));
        let mut at = 0;
        loop {
            match self.state {
                State::Head => match self.feed_head(input, at, heads)? {
                    Some(next) => at = next,
                    None => return Ok(Fed::More),
                },
                State::Length { remaining } => {
                    return self.feed_length(input, at, remaining);
                }
                State::Chunked(decoder) => return self.feed_chunks(input, at, decoder),
                State::UntilClose => {
                    self.take_body(input.get(at..).unwrap_or_default())?;
                    return Ok(Fed::More);
                }
                State::Done => return Err(ResponseError::Head),
            }
        }
    }

    /// Takes note that the server has closed the connection.
    ///
    /// # Errors
    /// [`ResponseError::Truncated`] when the response needed more bytes, [`ResponseError::Cut`] when it is
    /// known how many.
    pub fn end_of_stream(&mut self) -> Result<Fed, ResponseError> {
        match self.state {
            State::UntilClose => {
                self.keep_alive = false;
                Ok(self.complete(BodyAt::Kept))
            }
            State::Length { remaining } => Err(ResponseError::Cut {
                expected: self.body_bytes.saturating_add(remaining),
                received: self.body_bytes,
            }),
            _ => Err(ResponseError::Truncated),
        }
    }

    /// Reads the head; the position after it, or `None` when it goes on.
    fn feed_head(
        &mut self,
        input: &[u8],
        at: usize,
        heads: &mut KnownHeads,
    ) -> Result<Option<usize>, ResponseError> {
        let fresh = input.get(at..).unwrap_or_default();
        let before = self.partial.len();
        let parsed = if before == 0 {
            parse_or_remember(fresh, self.limits.head_bytes_max, heads)?
        } else {
            self.partial.extend_from_slice(fresh);
            parse_head(&self.partial, self.limits.head_bytes_max)?
        };
        let Some((head, head_bytes)) = parsed else {
            if before == 0 {
                self.partial.extend_from_slice(fresh);
            }
            return Ok(None);
        };
        if self.expected.keep_head {
            self.head = Some(if before == 0 {
                heads.shared(fresh.get(..head_bytes).unwrap_or_default())
            } else {
                self.partial.get(..head_bytes).unwrap_or_default().into()
            });
        }
        self.head_bytes = u64::try_from(head_bytes).unwrap_or(u64::MAX);
        self.partial.clear();
        let next = at + head_bytes.saturating_sub(before);
        match head.status {
            101 => return Err(ResponseError::Upgrade),
            // An interim response; the real one follows.
            100..200 => return Ok(Some(next)),
            _ => {}
        }
        self.status = head.status;
        self.keep_alive = head.keep_alive;
        self.retry_after = head.retry_after;
        self.state = match head.framing {
            _ if self.expected.is_bodiless => State::Length { remaining: 0 },
            Framing::Length(remaining) if remaining > self.limits.body_bytes_max => {
                return Err(ResponseError::BodyTooLong);
            }
            Framing::Length(remaining) => State::Length { remaining },
            Framing::Chunked => State::Chunked(ChunkDecoder::default()),
            Framing::UntilClose => State::UntilClose,
        };
        Ok(Some(next))
    }

    fn feed_length(
        &mut self,
        input: &[u8],
        at: usize,
        remaining: u64,
    ) -> Result<Fed, ResponseError> {
        let fresh = input.get(at..).unwrap_or_default();
        if length(fresh) < remaining {
            self.take_body(fresh)?;
            self.state = State::Length {
                remaining: remaining - length(fresh),
            };
            return Ok(Fed::More);
        }
        let end = at + usize::try_from(remaining).unwrap_or(usize::MAX);
        self.note_surplus(input, end);
        if self.body.is_empty() {
            self.body_bytes = self.body_bytes.saturating_add(remaining);
            return Ok(self.complete(BodyAt::Input(at..end)));
        }
        self.take_body(input.get(at..end).unwrap_or_default())?;
        Ok(self.complete(BodyAt::Kept))
    }

    fn feed_chunks(
        &mut self,
        input: &[u8],
        mut at: usize,
        mut decoder: ChunkDecoder,
    ) -> Result<Fed, ResponseError> {
        loop {
            match decoder.decode(input, at)? {
                Decoded::Data { from, next } => {
                    self.take_body(input.get(from..next).unwrap_or_default())?;
                    at = next;
                }
                Decoded::End(end) => {
                    self.note_surplus(input, end);
                    return Ok(self.complete(BodyAt::Kept));
                }
                Decoded::More => {
                    self.state = State::Chunked(decoder);
                    return Ok(Fed::More);
                }
            }
        }
    }

    fn take_body(&mut self, bytes: &[u8]) -> Result<(), ResponseError> {
        self.body_bytes = self.body_bytes.saturating_add(length(bytes));
        if self.body_bytes > self.limits.body_bytes_max {
            return Err(ResponseError::BodyTooLong);
        }
        if self.expected.keep_body {
            self.body.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// Bytes after the response belong to nothing that was asked for; the connection is given up.
    fn note_surplus(&mut self, input: &[u8], end: usize) {
        if let Some(surplus) = input.len().checked_sub(end)
            && surplus > 0
        {
            self.keep_alive = false;
        }
    }

    fn complete(&mut self, body: BodyAt) -> Fed {
        self.state = State::Done;
        let (status, keep_alive, bytes) = (self.status, self.keep_alive, self.bytes);
        Fed::Complete(
            ResponseHead {
                status,
                keep_alive,
                bytes,
                retry_after: self.retry_after,
            },
            body,
        )
    }
}

/// Parses a head, unless it is one that came before.
fn parse_or_remember(
    bytes: &[u8],
    bytes_max: usize,
    heads: &mut KnownHeads,
) -> Result<Option<(ParsedHead, usize)>, ResponseError> {
    let known = heads.find(bytes);
    if let Some((head, head_bytes)) = known.filter(|(_, head_bytes)| *head_bytes <= bytes_max) {
        return Ok(Some((head, head_bytes)));
    }
    let parsed = parse_head(bytes, bytes_max)?;
    if let Some((head, head_bytes)) = parsed {
        heads.keep(bytes.get(..head_bytes).unwrap_or_default(), head);
    }
    Ok(parsed)
}

/// Parses a head; `None` when it goes on.
fn parse_head(
    bytes: &[u8],
    bytes_max: usize,
) -> Result<Option<(ParsedHead, usize)>, ResponseError> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let parsed = config.parse_response_with_uninit_headers(&mut response, bytes, &mut headers);
    let head_bytes = match parsed {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
        Ok(httparse::Status::Partial) if bytes.len() > bytes_max => {
            return Err(ResponseError::HeadTooLong);
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(ResponseError::HeadTooLong),
        Err(_) => return Err(ResponseError::Head),
    };
    if head_bytes > bytes_max {
        return Err(ResponseError::HeadTooLong);
    }
    let status = response.code.ok_or(ResponseError::Head)?;
    let mut head = ParsedHead {
        status,
        keep_alive: response.version == Some(1),
        retry_after: None,
        framing: Framing::UntilClose,
    };
    let mut content_length = None;
    let mut is_chunked = false;
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let value = content_length_of(header.value)?;
            if content_length.is_some_and(|other| other != value) {
                return Err(ResponseError::Length);
            }
            content_length = Some(value);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !header.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(ResponseError::Coding);
            }
            is_chunked = true;
        } else if header.name.eq_ignore_ascii_case("connection") {
            note_connection(header.value, &mut head.keep_alive);
        } else if header.name.eq_ignore_ascii_case("retry-after") {
            // A date, the other form, would need the server's clock.
            head.retry_after = std::str::from_utf8(header.value.trim_ascii())
                .ok()
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs);
        }
    }
    head.framing = match (status, is_chunked, content_length) {
        (100..200 | 204 | 304, _, _) => Framing::Length(0),
        (_, true, None) => Framing::Chunked,
        // A message with both is an attack or a mistake; the connection is not trusted further.
        (_, true, Some(_)) => {
            head.keep_alive = false;
            Framing::Chunked
        }
        (_, false, Some(bytes)) => Framing::Length(bytes),
        (_, false, None) => Framing::UntilClose,
    };
    Ok(Some((head, head_bytes)))
}

fn content_length_of(value: &[u8]) -> Result<u64, ResponseError> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ResponseError::Length);
    }
    let text = std::str::from_utf8(digits).map_err(|_| ResponseError::Length)?;
    text.parse().map_err(|_| ResponseError::Length)
}

fn note_connection(value: &[u8], keep_alive: &mut bool) {
    for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        if option.eq_ignore_ascii_case(b"close") {
            *keep_alive = false;
        } else if option.eq_ignore_ascii_case(b"keep-alive") {
            *keep_alive = true;
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
