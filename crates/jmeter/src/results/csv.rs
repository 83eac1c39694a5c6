//! Rows of a CSV result file with any choice of columns.
//!
//! Source: `JMeter`'s `CSVSaveService`: the order of columns, the quoting, and that the parts of a
//! sample follow it as rows of their own, down to eleven levels.

use std::borrow::Cow;
use std::fmt::Display;

use crate::sample::SampleResult;

use super::form::Field;
use super::sampled::{Sampled, Times};

/// How deep the parts of a sample are written.
const DEPTH_MAX: u32 = 11;

/// Appends the header line, with its line break.
pub(super) fn write_header(out: &mut Vec<u8>, form: &super::SaveForm, variables: &[Box<str>]) {
    const COLUMNS: [(Field, &[&str]); 20] = [
        (Field::Timestamp, &["timeStamp"]),
        (Field::Time, &["elapsed"]),
        (Field::Label, &["label"]),
        (Field::Code, &["responseCode"]),
        (Field::Message, &["responseMessage"]),
        (Field::ThreadName, &["threadName"]),
        (Field::DataType, &["dataType"]),
        (Field::Success, &["success"]),
        (Field::FailureMessage, &["failureMessage"]),
        (Field::Bytes, &["bytes"]),
        (Field::SentBytes, &["sentBytes"]),
        (Field::ThreadCounts, &["grpThreads", "allThreads"]),
        (Field::Url, &["URL"]),
        (Field::FileName, &["Filename"]),
        (Field::Latency, &["Latency"]),
        (Field::Encoding, &["Encoding"]),
        (Field::SampleCount, &["SampleCount", "ErrorCount"]),
        (Field::Hostname, &["Hostname"]),
        (Field::IdleTime, &["IdleTime"]),
        (Field::ConnectTime, &["Connect"]),
    ];
    let names = COLUMNS
        .iter()
        .filter(|(field, _)| form.has(*field))
        .flat_map(|(_, names)| *names);
    let names = names.map(|name| Cow::Borrowed(*name));
    let quoted = variables.iter().map(|name| format!("\"{name}\"").into());
    for (index, name) in names.chain(quoted).enumerate() {
        if index > 0 {
            out.push(form.delimiter);
        }
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b'\n');
}

/// Appends the row of a sample, and those of its parts where the form asks for them.
pub(super) fn write_rows(out: &mut Vec<u8>, sampled: &Sampled<'_>) {
    write_row(out, sampled, sampled.result);
    if sampled.form.has(Field::SubResults) {
        write_parts(out, sampled, sampled.result, 1);
    }
}

fn write_parts(out: &mut Vec<u8>, sampled: &Sampled<'_>, of: &SampleResult, depth: u32) {
    if depth > DEPTH_MAX {
        return;
    }
    for part in &of.sub_results {
        write_row(out, sampled, part);
        write_parts(out, sampled, part, depth + 1);
    }
}

fn write_row(out: &mut Vec<u8>, sampled: &Sampled<'_>, result: &SampleResult) {
    let form = sampled.form;
    let times = Times::of(sampled.clock, result);
    let mut row = RowWriter {
        out,
        delimiter: form.delimiter,
        is_first: true,
    };
    if form.has(Field::Timestamp) {
        match form.timestamp.written(times.start_ms) {
            None => row.number(times.start_ms),
            Some(text) => row.text(&text),
        }
    }
    if form.has(Field::Time) {
        row.number(times.elapsed_ms);
    }
    if form.has(Field::Label) {
        row.text(&result.label);
    }
    if form.has(Field::Code) {
        match &result.code {
            crate::sample::Code::Status(status) => row.number(*status),
            crate::sample::Code::Text(text) => row.text(text),
        }
    }
    if form.has(Field::Message) {
        row.text(&result.message);
    }
    if form.has(Field::ThreadName) {
        row.text(&result.thread.name(sampled.thread_name));
    }
    if form.has(Field::DataType) {
        row.plain(result.data_type.as_str());
    }
    if form.has(Field::Success) {
        row.plain(if result.success { "true" } else { "false" });
    }
    if form.has(Field::FailureMessage) {
        row.text(result.failure_message());
    }
    write_sizes(&mut row, sampled, result, &times);
    row.out.push(b'\n');
}

/// The columns from the bytes on.
fn write_sizes(
    row: &mut RowWriter<'_>,
    sampled: &Sampled<'_>,
    result: &SampleResult,
    times: &Times,
) {
    let form = sampled.form;
    if form.has(Field::Bytes) {
        row.number(result.bytes);
    }
    if form.has(Field::SentBytes) {
        row.number(result.sent_bytes);
    }
    if form.has(Field::ThreadCounts) {
        row.number(result.group_threads);
        row.number(result.all_threads);
    }
    if form.has(Field::Url) {
        row.text(result.url.as_deref().unwrap_or("null"));
    }
    if form.has(Field::FileName) {
        row.plain("");
    }
    if form.has(Field::Latency) {
        row.number(times.latency_ms);
    }
    if form.has(Field::Encoding) {
        row.text(match result.encoding.as_str() {
            "" => super::DEFAULT_ENCODING,
            encoding => encoding,
        });
    }
    if form.has(Field::SampleCount) {
        row.number(1_u8);
        row.number(u8::from(!result.success));
    }
    if form.has(Field::Hostname) {
        row.text(sampled.hostname);
    }
    if form.has(Field::IdleTime) {
        row.number(times.idle_ms);
    }
    if form.has(Field::ConnectTime) {
        row.number(times.connect_ms);
    }
    for value in sampled.values() {
        row.text(value.unwrap_or("null"));
    }
}

struct RowWriter<'o> {
    out: &'o mut Vec<u8>,
    delimiter: u8,
    is_first: bool,
}

impl RowWriter<'_> {
    fn delimit(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(self.delimiter);
        }
    }

    fn number(&mut self, value: impl itoa::Integer + Display) {
        self.delimit();
        let mut digits = itoa::Buffer::new();
        self.out.extend_from_slice(digits.format(value).as_bytes());
    }

    /// A text that needs no quotes.
    fn plain(&mut self, text: &str) {
        self.delimit();
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A text that is quoted where it holds the delimiter, a quote or a line break.
    fn text(&mut self, text: &str) {
        self.delimit();
        let bytes = text.as_bytes();
        let delimiter = self.delimiter;
        let special = |byte: &u8| *byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n');
        if !bytes.iter().any(special) {
            self.out.extend_from_slice(bytes);
            return;
        }
        self.out.push(b'"');
        for part in bytes.split_inclusive(|byte| *byte == b'"') {
            self.out.extend_from_slice(part);
            if part.ends_with(b"\"") {
                self.out.push(b'"');
            }
        }
        self.out.push(b'"');
    }
}
