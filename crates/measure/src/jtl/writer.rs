//! Writing rows without allocating.

use super::Row;

/// The texts of a row as they are written, for rows that differ in their numbers only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowForm {
    /// From the label to the failure message.
    texts: Vec<u8>,
    url: Vec<u8>,
}

impl RowForm {
    /// Takes the texts of a row, all but the address.
    pub fn set_texts(&mut self, row: &Row<'_>) {
        self.texts.clear();
        write_texts(&mut self.texts, row);
    }

    /// Takes the address.
    pub fn set_url(&mut self, url: &str) {
        self.url.clear();
        comma_text(&mut self.url, url);
    }

    /// Appends a row of these texts and the numbers of `row`, and its line break.
    pub fn write(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        write_start(out, row);
        out.extend_from_slice(&self.texts);
        write_middle(out, row);
        out.extend_from_slice(&self.url);
        write_end(out, row);
    }
}

/// Appends one row and its line break to `out`; fields are quoted where `JMeter` would quote them.
///
/// Allocates nothing but what `out` needs to grow.
pub fn write_row(out: &mut Vec<u8>, row: &Row<'_>) {
    write_start(out, row);
    write_texts(out, row);
    write_middle(out, row);
    comma_text(out, row.url);
    write_end(out, row);
}

fn write_start(out: &mut Vec<u8>, row: &Row<'_>) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(digits.format(row.time_stamp_ms).as_bytes());
    comma_number(out, row.elapsed_ms);
}

fn write_texts(out: &mut Vec<u8>, row: &Row<'_>) {
    for field in [
        row.label,
        row.response_code,
        row.response_message,
        row.thread_name,
        row.data_type,
    ] {
        comma_text(out, field);
    }
    comma_text(out, if row.success { "true" } else { "false" });
    comma_text(out, row.failure_message);
}

fn write_middle(out: &mut Vec<u8>, row: &Row<'_>) {
    for value in [
        row.bytes,
        row.sent_bytes,
        u64::from(row.group_threads),
        u64::from(row.all_threads),
    ] {
        comma_number(out, value);
    }
}

fn write_end(out: &mut Vec<u8>, row: &Row<'_>) {
    for value in [row.latency_ms, row.idle_ms, row.connect_ms] {
        comma_number(out, value);
    }
    out.push(b'\n');
}

fn comma_number(out: &mut Vec<u8>, value: u64) {
    out.push(b',');
    // A duration below ten milliseconds is one digit, and most are.
    match u8::try_from(value) {
        Ok(digit @ 0..10) => out.push(b'0' + digit),
        _ => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
    }
}

/// Quotes as `CSVSaveService.quoteDelimiters` does: only a field that holds the delimiter, a quote
/// or a line break, with each quote inside doubled.
fn comma_text(out: &mut Vec<u8>, field: &str) {
    out.push(b',');
    let bytes = field.as_bytes();
    if !bytes
        .iter()
        .any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'))
    {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    for part in bytes.split_inclusive(|&byte| byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}
