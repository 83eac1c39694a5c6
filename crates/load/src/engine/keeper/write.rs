//! A write that another engine sent, as a line of the client ledger.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::clock::RunClock;
use crate::engine::ledger::WriteOutcome;
use crate::plan::Write;

/// The fields of an answer that a ledger keeps.
/// Source: `docs/SCHEMA.md`, section 3.
const ANSWERED: [&str; 5] = ["order_id", "total", "payment_id", "status", "cart_id"];

/// A write with all that is known of it.
#[derive(Debug, Clone)]
pub struct KeptWrite {
    /// What it writes.
    pub kind: Write,
    /// The step that sent it.
    pub step: Arc<str>,
    /// The `Idempotency-Key`.
    pub key: Option<String>,
    /// When it was sent, since the start of the run.
    pub sent: Duration,
    /// When it was over.
    pub end: Duration,
    /// The status of a complete answer; `None` when there was none.
    pub status: Option<u16>,
    /// The body that was sent.
    pub request: Vec<u8>,
    /// The body of the answer.
    pub answer: Vec<u8>,
}

#[derive(Serialize)]
struct Line<'a> {
    kind: &'a str,
    step: &'a str,
    key: Option<&'a str>,
    attempt: u8,
    phase: Option<&'a str>,
    planned: i64,
    sent: i64,
    end: i64,
    outcome: WriteOutcome,
    status: Option<u16>,
    code: Option<String>,
    request: Option<&'a RawValue>,
    answer: Option<BTreeMap<&'static str, String>>,
}

#[derive(Default, Deserialize)]
struct Problem {
    code: Option<String>,
}

impl KeptWrite {
    /// Appends the line; what became of the write. Which attempt under its key it was is not known, so
    /// that every line says the first.
    pub(super) fn line(
        &self,
        phase: Option<&str>,
        clock: &RunClock,
        out: &mut Vec<u8>,
    ) -> WriteOutcome {
        let code = match self.status {
            Some(400..) => serde_json::from_slice::<Problem>(&self.answer).ok(),
            _ => None,
        };
        let code = code.and_then(|problem| problem.code);
        let outcome = match self.status {
            // 202 says that the outcome is not known yet.
            Some(status) => {
                let is_success = matches!(status, 200 | 201);
                WriteOutcome::of_answer(is_success, status, code.as_deref())
            }
            None => WriteOutcome::Unknown,
        };
        let request = one_line(&self.request);
        let micros = |at| clock.wall(at).get();
        let line = Line {
            kind: self.kind.kind(),
            step: &self.step,
            key: self.key.as_deref(),
            attempt: 1,
            phase,
            planned: micros(self.sent),
            sent: micros(self.sent),
            end: micros(self.end),
            outcome,
            status: self.status,
            code,
            request: serde_json::from_slice(&request).ok(),
            answer: (outcome == WriteOutcome::Acknowledged).then(|| self.answered()),
        };
        // A line of texts and numbers is always JSON, and memory takes it.
        if serde_json::to_writer(&mut *out, &line).is_ok() {
            out.push(b'\n');
        }
        outcome
    }

    /// What the answer says of what was written.
    fn answered(&self) -> BTreeMap<&'static str, String> {
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_slice(&self.answer).unwrap_or_default();
        let found = ANSWERED.into_iter().filter_map(|name| {
            let raw = fields.get(name)?.get();
            let text = match serde_json::from_str(raw).ok()? {
                Value::String(text) => text,
                // Digits as they were sent: an amount must not pass through a float.
                Value::Number(_) => raw.to_owned(),
                _ => return None,
            };
            Some((name, text))
        });
        found.collect()
    }
}

/// JSON without line breaks, which stand between its parts only: in texts they are escaped.
fn one_line(json: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    };
    json.iter().map(plain).collect()
}
