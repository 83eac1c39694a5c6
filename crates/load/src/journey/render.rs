//! Rendering a step's request from the values of a visit.

use super::{Value, Visit};
use crate::json;
use crate::plan::template::percent_encode_into;
use crate::plan::{Data, Encoding, Piece, Plan, Repeat, Source, Template, data};

/// Draws for one distinct item before the array is closed with fewer items.
const DRAWS_MAX: usize = 64;

/// A rendered request; its buffers are meant to be used again.
#[derive(Debug, Default)]
pub struct RenderedRequest {
    /// Path and query.
    pub path: Vec<u8>,
    /// JSON body; empty when the request has none.
    pub body: Vec<u8>,
    /// The `Idempotency-Key`.
    pub key: Option<[u8; 36]>,
}

impl Visit {
    /// Renders the request of a step. `unix_millis` is the wall-clock time of its planned start, which
    /// time-ordered identifiers begin with.
    pub fn render(
        &mut self,
        plan: &Plan,
        step: usize,
        unix_millis: u64,
        rendered: &mut RenderedRequest,
    ) {
        rendered.path.clear();
        rendered.body.clear();
        rendered.key = None;
        let Some(request) = &plan.steps[step].request else {
            return;
        };
        if request.idempotency_key {
            rendered.key = Some(data::uuid(&mut self.stream, unix_millis));
        }
        self.expand(plan, &request.path, unix_millis, &mut rendered.path);
        if let Some(body) = &request.body {
            self.expand(plan, body, unix_millis, &mut rendered.body);
        }
    }

    fn expand(&mut self, plan: &Plan, template: &Template, unix_millis: u64, out: &mut Vec<u8>) {
        for piece in &template.pieces {
            match piece {
                Piece::Literal(literal) => out.extend_from_slice(literal),
                Piece::Value { variable, encoding } => {
                    if let Source::Data(Data::Repeat(repeat)) = &plan.variables[*variable].source {
                        self.expand_array((plan, unix_millis), *variable, repeat, out);
                        continue;
                    }
                    let known = self.values[*variable];
                    let value = known.or_else(|| self.draw_variable(plan, *variable, unix_millis));
                    self.values[*variable] = value;
                    if let Some(value) = value {
                        self.write(value, *encoding, out);
                    }
                }
            }
        }
    }

    fn write(&self, value: Value, encoding: Encoding, out: &mut Vec<u8>) {
        let bytes = self.text.get(value.start..value.end).unwrap_or_default();
        match (encoding, value.kind) {
            (Encoding::Percent, _) => percent_encode_into(bytes, out),
            (Encoding::JsonValue, data::Kind::Number | data::Kind::Json)
            | (Encoding::JsonText, data::Kind::Number) => out.extend_from_slice(bytes),
            (Encoding::JsonValue, data::Kind::Text) => {
                json::quote_into(bytes, out);
            }
            (Encoding::JsonText, data::Kind::Text | data::Kind::Json) => {
                json::escape_into(bytes, out);
            }
        }
    }

    /// Renders an array, the first time anew and then as it was.
    fn expand_array(
        &mut self,
        (plan, unix_millis): (&Plan, u64),
        variable: usize,
        repeat: &Repeat,
        out: &mut Vec<u8>,
    ) {
        if let Some(value) = self.values[variable] {
            self.write(value, Encoding::JsonValue, out);
            return;
        }
        let from = out.len();
        out.push(b'[');
        self.seen.clear();
        for item in 0..self.stream.between(repeat.min, repeat.max) {
            if !self.draw_item(plan, repeat, unix_millis) {
                break;
            }
            if item > 0 {
                out.push(b',');
            }
            self.expand(plan, &repeat.item, unix_millis, out);
        }
        out.push(b']');
        for item_variable in &repeat.variables {
            self.values[*item_variable] = None;
        }
        let start = self.text.len();
        self.text
            .extend_from_slice(out.get(from..).unwrap_or_default());
        let value = Value {
            start,
            end: self.text.len(),
            kind: data::Kind::Json,
        };
        self.values[variable] = Some(value);
    }

    /// Draws the values of one more item. `false` when no further distinct value was found.
    fn draw_item(&mut self, plan: &Plan, repeat: &Repeat, unix_millis: u64) -> bool {
        for &variable in &repeat.variables {
            let mut drawn = self.draw_variable(plan, variable, unix_millis);
            if repeat.distinct == Some(variable) {
                let mut draws = 1;
                while drawn.is_none_or(|value| self.is_seen(value)) {
                    if draws == DRAWS_MAX {
                        return false;
                    }
                    draws += 1;
                    drawn = self.draw_variable(plan, variable, unix_millis);
                }
                self.seen.extend(drawn);
            }
            self.values[variable] = drawn;
        }
        true
    }

    fn is_seen(&self, value: Value) -> bool {
        let text = |value: &Value| self.text.get(value.start..value.end);
        self.seen.iter().any(|other| text(other) == text(&value))
    }
}
