//! Lines of the client ledger, in the form of `docs/SCHEMA.md` section 3.

use double11_units::UnixMicros;

use crate::json::quote_into;
use crate::plan::{Extraction, Write};

/// The first line of a ledger.
pub(crate) const FIRST_LINE: &[u8] = b"{\"double11_client_ledger\":1}\n";

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
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

    /// The field of a line, with what follows it.
    fn field(self) -> &'static [u8] {
        match self {
            Self::Acknowledged => b",\"outcome\":\"acknowledged\",\"status\":",
            Self::Refused => b",\"outcome\":\"refused\",\"status\":",
            Self::Unknown => b",\"outcome\":\"unknown\",\"status\":",
        }
    }
}

/// What every line of a step has in common, ready to be copied.
#[derive(Debug)]
pub(super) struct LedgerForm {
    /// Up to the key.
    start: Vec<u8>,
    /// The name of each value of the answer, quoted, with what stands before it and the colon.
    answers: Vec<(Vec<u8>, usize)>,
}

impl LedgerForm {
    /// The form of a step's lines; `step` is its name as a JSON string.
    pub(super) fn new(kind: Write, step: &[u8], extract: &[Extraction]) -> Self {
        let start = [
            b"{\"kind\":\"",
            kind.kind().as_bytes(),
            b"\",\"step\":",
            step,
            b",\"key\":",
        ];
        let answers = extract.iter().enumerate().map(|(index, extraction)| {
            let mut name = vec![if index == 0 { b'{' } else { b',' }];
            quote_into(extraction.name.as_bytes(), &mut name);
            name.push(b':');
            (name, extraction.variable)
        });
        Self {
            start: start.concat(),
            answers: answers.collect(),
        }
    }
}

/// The field of a line that names a phase, with what follows it.
pub(super) fn phase_field(name: &str) -> Vec<u8> {
    let mut field = b",\"phase\":".to_vec();
    quote_into(name.as_bytes(), &mut field);
    field.extend_from_slice(b",\"planned\":");
    field
}

/// One line.
#[derive(Debug)]
pub(super) struct LedgerLine<'a> {
    pub(super) form: &'a LedgerForm,
    pub(super) key: Option<&'a [u8]>,
    /// Which attempt under the key it is, from 1.
    pub(super) attempt: u8,
    /// The phase as [`phase_field`] writes it.
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
    /// Appends the line; `value` gives the values that an acknowledged write was answered with, by
    /// variable.
    pub(super) fn write<'b>(&self, value: impl Fn(usize) -> Option<&'b [u8]>, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(&self.form.start);
        match self.key {
            Some(key) => {
                out.push(b'"');
                out.extend_from_slice(key);
                out.extend_from_slice(b"\",\"attempt\":");
            }
            None => out.extend_from_slice(b"null,\"attempt\":"),
        }
        out.extend_from_slice(digits.format(self.attempt).as_bytes());
        out.extend_from_slice(self.phase);
        let planned = digits.format(self.planned.get()).as_bytes();
        out.extend_from_slice(planned);
        out.extend_from_slice(b",\"sent\":");
        if self.sent == self.planned {
            out.extend_from_slice(planned);
        } else {
            out.extend_from_slice(digits.format(self.sent.get()).as_bytes());
        }
        out.extend_from_slice(b",\"end\":");
        out.extend_from_slice(digits.format(self.end.get()).as_bytes());
        out.extend_from_slice(self.outcome.field());
        match self.status {
            Some(status) => out.extend_from_slice(digits.format(status).as_bytes()),
            None => out.extend_from_slice(b"null"),
        }
        match self.code {
            Some(code) => {
                out.extend_from_slice(b",\"code\":");
                quote_into(code.as_bytes(), out);
                out.extend_from_slice(b",\"request\":");
            }
            None => out.extend_from_slice(b",\"code\":null,\"request\":"),
        }
        out.extend_from_slice(if self.request.is_empty() {
            b"null"
        } else {
            self.request
        });
        out.extend_from_slice(b",\"answer\":");
        self.write_answer(value, out);
        out.extend_from_slice(b"}\n");
    }

    fn write_answer<'b>(&self, value: impl Fn(usize) -> Option<&'b [u8]>, out: &mut Vec<u8>) {
        if self.outcome != WriteOutcome::Acknowledged {
            out.extend_from_slice(b"null");
            return;
        }
        if self.form.answers.is_empty() {
            out.push(b'{');
        }
        for (name, variable) in &self.form.answers {
            out.extend_from_slice(name);
            match value(*variable) {
                Some(value) => quote_into(value, out),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Pointer;

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

    fn form(names: &[&str]) -> LedgerForm {
        let extraction = |(variable, name): (usize, &&str)| Extraction {
            name: (*name).to_owned(),
            variable,
            pointer: Pointer::parse("").unwrap(),
        };
        let extract: Vec<Extraction> = names.iter().enumerate().map(extraction).collect();
        LedgerForm::new(Write::Order, b"\"checkout\"", &extract)
    }

    fn write(line: &LedgerLine<'_>) -> String {
        let values: [Option<&[u8]>; 2] = [Some(b"1\"2"), None];
        let mut out = Vec::new();
        line.write(|variable| values[variable], &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_json_of_the_documented_form() {
        let both = form(&["order_id", "total"]);
        let phase = phase_field("peak_20x");
        let mut line = LedgerLine {
            form: &both,
            key: Some(b"0199"),
            attempt: 1,
            phase: &phase,
            planned: UnixMicros::new(1),
            sent: UnixMicros::new(2),
            end: UnixMicros::new(3),
            outcome: WriteOutcome::Acknowledged,
            status: Some(201),
            code: None,
            request: br#"{"user_id":42}"#,
        };
        let expected = concat!(
            r#"{"kind":"order","step":"checkout","key":"0199","attempt":1,"phase":"peak_20x","#,
            r#""planned":1,"sent":2,"end":3,"outcome":"acknowledged","status":201,"code":null,"#,
            r#""request":{"user_id":42},"answer":{"order_id":"1\"2","total":null}}"#,
            "\n"
        );
        assert_eq!(write(&line), expected);
        line.sent = line.planned;
        let at_once = expected.replace("\"sent\":2", "\"sent\":1");
        assert_eq!(write(&line), at_once);
        (line.key, line.outcome, line.status) = (None, WriteOutcome::Unknown, None);
        let value: serde_json::Value = serde_json::from_str(&write(&line)).unwrap();
        assert!(value["answer"].is_null() && value["key"].is_null() && value["status"].is_null());
        let none = form(&[]);
        line.form = &none;
        (line.outcome, line.code) = (WriteOutcome::Acknowledged, Some("x"));
        let value: serde_json::Value = serde_json::from_str(&write(&line)).unwrap();
        assert_eq!(value["answer"], serde_json::json!({}));
        assert_eq!(value["code"], "x");
    }
}
