//! The head of a request: what the shop wants to know of it, borrowed from the bytes that arrived.
//!
//! Source: RFC 9110 and RFC 9112. Lines are split by `httparse`; what they mean for the connection and
//! the body is judged here.

use double11_gateway::signature;

use super::problem::{self, Kind};

/// Header fields that a head may have.
const FIELDS_MAX: usize = 100;

/// What a request says before its body.
#[derive(Debug)]
pub(crate) struct Head<'input> {
    pub(crate) method: &'input str,
    pub(crate) path: &'input str,
    pub(crate) query: Option<&'input str>,
    pub(crate) content_type: Option<&'input [u8]>,
    pub(crate) idempotency_key: Option<&'input [u8]>,
    /// What signs a callback of the gateway.
    pub(crate) signature: Option<&'input [u8]>,
    /// Every `If-None-Match`.
    pub(crate) conditions: Vec<&'input [u8]>,
    pub(crate) body: BodyLength,
    /// The client waits for a word before it sends the body.
    pub(crate) expects_continue: bool,
    /// The connection may be used again.
    pub(crate) keep_alive: bool,
    /// The client speaks HTTP/1.0 and has to be told that the connection stays.
    pub(crate) is_old: bool,
    /// Bytes of the head.
    pub(crate) bytes: usize,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLength {
    Known(u64),
    Chunked,
}

/// Where a head ends in the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    Whole,
    Part,
}

impl<'input> Head<'input> {
    /// Reads a head that has arrived as a whole.
    ///
    /// # Errors
    /// The problem to refuse it with; the connection must then be closed.
    pub(crate) fn parse(input: &'input [u8]) -> Result<Self, Kind> {
        let mut fields = [const { std::mem::MaybeUninit::uninit() }; FIELDS_MAX];
        let mut request = httparse::Request::new(&mut []);
        let parsed = request.parse_with_uninit_headers(input, &mut fields);
        let httparse::Status::Complete(bytes) = parsed.map_err(refusal)? else {
            return Err(problem::MALFORMED_HTTP);
        };
        let (Some(method), Some(target), Some(version)) =
            (request.method, request.path, request.version)
        else {
            return Err(problem::MALFORMED_HTTP);
        };
        let (path, query) = split_target(target);
        let mut head = Self {
            method,
            path,
            query,
            content_type: None,
            idempotency_key: None,
            signature: None,
            conditions: Vec::new(),
            body: BodyLength::Known(0),
            expects_continue: false,
            keep_alive: version == 1,
            is_old: version == 0,
            bytes,
        };
        head.read_fields(request.headers)?;
        Ok(head)
    }

    fn read_fields(&mut self, fields: &[httparse::Header<'input>]) -> Result<(), Kind> {
        let mut length = None;
        let mut is_chunked = false;
        for httparse::Header { name, value } in fields {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            // By length first: most names cannot be any of these.
            match name.len() {
                12 if is("content-type") => {
                    self.content_type.get_or_insert(value);
                }
                15 if is("idempotency-key") => {
                    self.idempotency_key.get_or_insert(value);
                }
                18 if is(signature::HEADER) => {
                    self.signature.get_or_insert(value);
                }
                14 if is("content-length") => {
                    let told = content_length(value).ok_or(problem::MALFORMED_HTTP)?;
                    if length.is_some_and(|before| before != told) {
                        return Err(problem::MALFORMED_HTTP);
                    }
                    length = Some(told);
                }
                17 if is("transfer-encoding") => {
                    // Nothing but chunks, once: the end of anything else cannot be found.
                    if is_chunked || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                        return Err(problem::MALFORMED_HTTP);
                    }
                    is_chunked = true;
                }
                10 if is("connection") => self.read_connection(value),
                6 if is("expect") => {
                    self.expects_continue =
                        value.trim_ascii().eq_ignore_ascii_case(b"100-continue");
                }
                13 if is("if-none-match") => self.conditions.push(value),
                _ => {}
            }
        }
        self.body = match (length, is_chunked) {
            (length, false) => BodyLength::Known(length.unwrap_or(0)),
            (None, true) if !self.is_old => BodyLength::Chunked,
            // Two ends of one body are how requests are smuggled (RFC 9112, section 6.3).
            (_, true) => return Err(problem::MALFORMED_HTTP),
        };
        Ok(())
    }

    fn read_connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"close") {
                self.keep_alive = false;
                self.is_old = false;
            } else if option.eq_ignore_ascii_case(b"keep-alive") && self.is_old {
                self.keep_alive = true;
            }
        }
    }

    /// The answer carries no body.
    pub(crate) fn is_for_head(&self) -> bool {
        self.method == "HEAD"
    }
}

/// Whether a head has arrived as a whole; the problem when what arrived cannot become one.
///
/// # Errors
/// The problem to refuse it with.
pub(crate) fn arrived(input: &[u8], bytes_max: usize) -> Result<Arrived, Kind> {
    let searched = input.get(..bytes_max).unwrap_or(input);
    let whole = memchr::memchr_iter(b'\n', searched).any(|at| {
        let rest = searched.get(at + 1..).unwrap_or_default();
        // Empty lines before a request are passed over (RFC 9112, section 2.2).
        let is_first = searched
            .get(..at)
            .is_none_or(|before| before.iter().all(|byte| matches!(byte, b'\r' | b'\n')));
        !is_first && (rest.starts_with(b"\r\n") || rest.starts_with(b"\n"))
    });
    if whole {
        return Ok(Arrived::Whole);
    }
    if input.len() >= bytes_max {
        let has_line = memchr::memchr(b'\n', searched).is_some();
        return Err(if has_line {
            problem::HEAD_TOO_LARGE
        } else {
            problem::URI_TOO_LONG
        });
    }
    // What cannot become a request is refused before it times out.
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    request.parse(input).map_err(refusal)?;
    Ok(Arrived::Part)
}

fn refusal(error: httparse::Error) -> Kind {
    match error {
        httparse::Error::TooManyHeaders => problem::HEAD_TOO_LARGE,
        _ => problem::MALFORMED_HTTP,
    }
}

/// Path and query of a request target; scheme and authority of its absolute form do not matter here.
fn split_target(target: &str) -> (&str, Option<&str>) {
    let target = match target.split_once("://") {
        Some(("http" | "https", rest)) => {
            let authority = rest.find(['/', '?']).unwrap_or(rest.len());
            rest.get(authority..)
                .filter(|path| !path.is_empty())
                .unwrap_or("/")
        }
        _ => target,
    };
    let target = target.split('#').next().unwrap_or_default();
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// Digits only: no sign, no list.
fn content_length(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
