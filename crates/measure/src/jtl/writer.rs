//! Writing rows without allocating.

use super::Row;

/// Digits of the largest unsigned 64-bit number.
const DIGITS_MAX: usize = 20;

/// Appends one row and its line break to `out`; fields are quoted where `JMeter` would quote them.
///
/// Allocates nothing but what `out` needs to grow.
pub fn write_row(out: &mut Vec<u8>, row: &Row<'_>) {
    if row.time_stamp_ms < 0 {
        out.push(b'-');
    }
    number(out, row.time_stamp_ms.unsigned_abs());
    comma_number(out, row.elapsed_ms);
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
    for value in [
        row.bytes,
        row.sent_bytes,
        u64::from(row.group_threads),
        u64::from(row.all_threads),
    ] {
        comma_number(out, value);
    }
    comma_text(out, row.url);
    for value in [row.latency_ms, row.idle_ms, row.connect_ms] {
        comma_number(out, value);
    }
    out.push(b'\n');
}

fn comma_number(out: &mut Vec<u8>, value: u64) {
    out.push(b',');
    number(out, value);
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; DIGITS_MAX];
    let mut start = DIGITS_MAX;
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
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
