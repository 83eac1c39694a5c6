//! What a sample takes from an answer.

use std::borrow::Cow;

use double11_load::tasks::Answer;
use double11_load::transport::reason_phrase;

use crate::sample::{Code, DataType, SampleResult};

/// The lines of a response head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a>(pub(super) &'a [u8]);

impl<'a> Head<'a> {
    /// Names and values, in their order.
    pub(super) fn headers(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let lines = self.0.split(|byte| *byte == b'\n').skip(1);
        lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
        })
    }

    /// The last value of a header.
    pub(super) fn value(self, name: &str) -> Option<Cow<'a, str>> {
        let same = self
            .headers()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
        same.last().map(|(_, value)| String::from_utf8_lossy(value))
    }

    /// What the status line says after the code.
    fn reason(self) -> &'a [u8] {
        let line = self
            .0
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let mut words = line.splitn(3, |byte| *byte == b' ');
        words.nth(2).unwrap_or_default().trim_ascii()
    }

    /// Status line and headers, a line each.
    pub(super) fn text(self) -> String {
        let text = String::from_utf8_lossy(self.0);
        let mut lines = text.replace('\r', "");
        lines.truncate(lines.trim_end_matches('\n').len());
        lines.push('\n');
        lines
    }
}

/// Fills in what an answer brought.
pub(super) fn fill(result: &mut SampleResult, answer: &Answer, head: Head<'_>) {
    result.code = Code::Status(answer.status);
    result.message = message(answer.status, head.reason());
    result.success = (200..400).contains(&answer.status);
    result.bytes = answer.bytes;
    result.header_bytes = answer.head_bytes;
    result.body_bytes = answer.bytes.saturating_sub(answer.head_bytes);
    let content_type = head
        .headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type"))
        .last();
    if let Some((_, content_type)) = content_type {
        result.data_type = data_type(content_type);
    }
}

/// Fills in type and character set as they are stated.
pub(super) fn fill_content_type(result: &mut SampleResult, head: Head<'_>) {
    let Some(content_type) = head.value("content-type") else {
        return;
    };
    let media = content_type.split(';').next().unwrap_or_default();
    media.trim().clone_into(&mut result.content_type);
    let lower = content_type.to_ascii_lowercase();
    if let Some(at) = lower.find("charset=") {
        let rest = content_type
            .get(at + "charset=".len()..)
            .unwrap_or_default();
        let charset = rest.split(';').next().unwrap_or_default().trim();
        let charset = charset.trim_matches(['"', '\'']);
        charset.clone_into(&mut result.encoding);
    }
}

/// The reason phrase; the usual ones need no memory.
fn message(status: u16, reason: &[u8]) -> Cow<'static, str> {
    let usual = reason_phrase(status);
    if usual.as_bytes() == reason {
        return Cow::Borrowed(usual);
    }
    String::from_utf8_lossy(reason).into_owned().into()
}

/// Text, but for pictures, sounds and films.
fn data_type(content_type: &[u8]) -> DataType {
    const TEXTS: [&[u8]; 4] = [
        b"audio/x-mpegurl",
        b"audio/mpegurl",
        b"video/f4m",
        b"image/svg+xml",
    ];
    const BINARIES: [&[u8]; 3] = [b"image/", b"audio/", b"video/"];
    let begins = |with: &&[u8]| content_type.starts_with(with);
    if !TEXTS.iter().any(begins) && BINARIES.iter().any(begins) {
        DataType::Binary
    } else {
        DataType::Text
    }
}

/// Bytes that a body unpacks to at most; the rest is cut off.
const PLAIN_MAX: u64 = 256 << 20;

/// A body without its content coding; as it is when the coding is not known or broken.
pub(super) fn decoded(body: Vec<u8>, head: Head<'_>) -> Vec<u8> {
    use std::io::Read as _;
    let Some(coding) = head.value("content-encoding") else {
        return body;
    };
    let mut plain = Vec::new();
    let read = match coding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => flate2::read::MultiGzDecoder::new(body.as_slice())
            .take(PLAIN_MAX)
            .read_to_end(&mut plain),
        "deflate" if body.first().is_some_and(|byte| byte & 0x0f == 8) => {
            flate2::read::ZlibDecoder::new(body.as_slice())
                .take(PLAIN_MAX)
                .read_to_end(&mut plain)
        }
        "deflate" => flate2::read::DeflateDecoder::new(body.as_slice())
            .take(PLAIN_MAX)
            .read_to_end(&mut plain),
        _ => return body,
    };
    match read {
        Ok(_) => plain,
        Err(_) if !plain.is_empty() => plain,
        Err(_) => body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_text_unless_they_are_pictures_sounds_or_films() {
        for (content_type, expected) in [
            ("text/html", DataType::Text),
            ("application/octet-stream", DataType::Text),
            ("image/png", DataType::Binary),
            ("image/svg+xml", DataType::Text),
            ("audio/mpegurl", DataType::Text),
            ("video/mp4", DataType::Binary),
        ] {
            assert_eq!(
                data_type(content_type.as_bytes()),
                expected,
                "{content_type}"
            );
        }
    }

    #[test]
    fn heads_are_read_line_by_line() {
        let head = Head(b"HTTP/1.1 404 Not Here\r\nA: 1\r\na:  2 \r\nContent-Type: text/html; charset=\"utf-8\"\r\n\r\n");
        assert_eq!(head.reason(), b"Not Here");
        assert_eq!(head.value("a").unwrap(), "2");
        assert_eq!(head.value("b"), None);
        assert!(head.text().ends_with("charset=\"utf-8\"\n"));
        let mut result = SampleResult::default();
        fill_content_type(&mut result, head);
        assert_eq!(result.content_type, "text/html");
        assert_eq!(result.encoding, "utf-8");
        assert_eq!(Head(b"HTTP/1.1 200 \r\n\r\n").reason(), b"");
        assert_eq!(Head(b"HTTP/1.1 200\r\n\r\n").reason(), b"");
    }
}
