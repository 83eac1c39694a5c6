//! Lines of the client ledger, in the form of `docs/SCHEMA.md` section 3.

use double11_units::UnixMicros;

use crate::json::quote_into;
use crate::plan::Write;

/// The first line of a ledger.
pub(super) const FIRST_LINE: &[u8] = b"{\"double11_client_ledger\":1}\n";

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteOutcome {
    /// A success status.
    Acknowledged,
    /// A definite refusal: nothing was written.
    Refused,
    /// Nobody can say from here.
    Unknown,
}

impl WriteOutcome {
    /// What a complete answer means; `is_success` for a status that the step calls success.
    pub(super) fn of_answer(is_success: bool, status: u16, code: Option<&str>) -> Self {
        match status {
            _ if is_success => Self::Acknowledged,
            400..500 => Self::Refused,
            503 if code == Some("overloaded") => Self::Refused,
            _ => Self::Unknown,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// One line.
#[derive(Debug)]
pub(super) struct LedgerLine<'a> {
    pub(super) kind: Write,
    /// The step's name as a JSON string.
    pub(super) step: &'a [u8],
    pub(super) key: Option<&'a [u8]>,
    /// Which attempt under the key it is, from 1.
    pub(super) attempt: u8,
    /// The phase's name as a JSON string.
    pub(super) phase: &'a [u8],
    pub(super) planned: UnixMicros,
    pub(super) sent: UnixMicros,
    pub(super) end: UnixMicros,
    pub(super) outcome: WriteOutcome,
    pub(super) status: Option<u16>,
    pub(super) code: Option<&'a str>,
    /// The body as it was sent: JSON without line breaks.
    pub(super) request: &'a [u8],
}

impl LedgerLine<'_> {
    /// Appends the line; `answer` gives the fields of an acknowledged write.
    pub(super) fn write<'b>(
        &self,
        answer: impl Iterator<Item = (&'b str, Option<&'b str>)>,
        out: &mut Vec<u8>,
    ) {
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(b"{\"kind\":\"");
        out.extend_from_slice(self.kind.kind().as_bytes());
        out.extend_from_slice(b"\",\"step\":");
        out.extend_from_slice(self.step);
        out.extend_from_slice(b",\"key\":");
        match self.key {
            Some(key) => {
                out.push(b'"');
                out.extend_from_slice(key);
                out.push(b'"');
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"attempt\":");
        out.extend_from_slice(digits.format(self.attempt).as_bytes());
        out.extend_from_slice(b",\"phase\":");
        out.extend_from_slice(self.phase);
        for (name, instant) in [
            ("planned", self.planned),
            ("sent", self.sent),
            ("end", self.end),
        ] {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(digits.format(instant.get()).as_bytes());
        }
        out.extend_from_slice(b",\"outcome\":\"");
        out.extend_from_slice(self.outcome.word().as_bytes());
        out.extend_from_slice(b"\",\"status\":");
        match self.status {
            Some(status) => out.extend_from_slice(digits.format(status).as_bytes()),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"code\":");
        match self.code {
            Some(code) => quote_into(code, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"request\":");
        out.extend_from_slice(if self.request.is_empty() {
            b"null"
        } else {
            self.request
        });
        out.extend_from_slice(b",\"answer\":");
        self.write_answer(answer, out);
        out.extend_from_slice(b"}\n");
    }

    fn write_answer<'b>(
        &self,
        answer: impl Iterator<Item = (&'b str, Option<&'b str>)>,
        out: &mut Vec<u8>,
    ) {
        if self.outcome != WriteOutcome::Acknowledged {
            out.extend_from_slice(b"null");
            return;
        }
        let mut separator = b'{';
        for (name, value) in answer {
            out.push(separator);
            separator = b',';
            quote_into(name, out);
            out.push(b':');
            match value {
                Some(value) => quote_into(value, out),
                None => out.extend_from_slice(b"null"),
            }
        }
        if separator == b'{' {
            out.push(b'{');
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_definite_or_unknown() {
        let of = WriteOutcome::of_answer;
        assert_eq!(of(true, 201, None), WriteOutcome::Acknowledged);
        assert_eq!(of(false, 409, Some("sold_out")), WriteOutcome::Refused);
        assert_eq!(of(false, 503, Some("overloaded")), WriteOutcome::Refused);
        assert_eq!(
            of(false, 503, Some("outcome_unknown")),
            WriteOutcome::Unknown
        );
        assert_eq!(of(false, 503, None), WriteOutcome::Unknown);
        assert_eq!(of(false, 500, None), WriteOutcome::Unknown);
        assert_eq!(of(false, 202, None), WriteOutcome::Unknown);
        assert_eq!(of(false, 302, None), WriteOutcome::Unknown);
    }

    #[test]
    fn lines_are_json_of_the_documented_form() {
        let mut line = LedgerLine {
            kind: Write::Order,
            step: b"\"checkout\"",
            key: Some(b"0199"),
            attempt: 1,
            phase: b"\"peak_20x\"",
            planned: UnixMicros::new(1),
            sent: UnixMicros::new(2),
            end: UnixMicros::new(3),
            outcome: WriteOutcome::Acknowledged,
            status: Some(201),
            code: None,
            request: br#"{"user_id":42}"#,
        };
        let mut out = Vec::new();
        let answer = [("order_id", Some("1\"2")), ("total", None)];
        line.write(answer.into_iter(), &mut out);
        let expected = concat!(
            r#"{"kind":"order","step":"checkout","key":"0199","attempt":1,"phase":"peak_20x","#,
            r#""planned":1,"sent":2,"end":3,"outcome":"acknowledged","status":201,"code":null,"#,
            r#""request":{"user_id":42},"answer":{"order_id":"1\"2","total":null}}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        (line.key, line.outcome, line.status) = (None, WriteOutcome::Unknown, None);
        let mut out = Vec::new();
        line.write(answer.into_iter(), &mut out);
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert!(value["answer"].is_null() && value["key"].is_null() && value["status"].is_null());
        (line.outcome, line.code) = (WriteOutcome::Acknowledged, Some("x"));
        let mut out = Vec::new();
        line.write(std::iter::empty(), &mut out);
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["answer"], serde_json::json!({}));
        assert_eq!(value["code"], "x");
    }
}
