//! Samples of an XML result file.
//!
//! Source: `JMeter`'s `SampleResultConverter`, `HTTPResultConverter` and what its XML library makes of
//! them: attributes and children in this order, two spaces a level, empty elements closed at once.

use std::io::Write as _;

use crate::sample::{AssertionResult, Code, DataType, SampleResult};

use super::form::{Field, SaveForm};
use super::sampled::{Sampled, Times};

/// What an XML result file ends with.
pub(super) const END: &[u8] = b"\n</testResults>\n";
pub(super) const CLOSING_TAG: &[u8] = b"</testResults>";

/// Appends what a file begins with.
pub(super) fn write_start(out: &mut Vec<u8>, form: &SaveForm) {
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if !form.xml_instruction.is_empty() {
        out.extend_from_slice(form.xml_instruction.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"<testResults version=\"1.2\">\n");
}

/// Appends a sample with its parts.
pub(super) fn write_sample(out: &mut Vec<u8>, sampled: &Sampled<'_>) {
    write_result(out, sampled, sampled.result, 0);
    out.push(b'\n');
}

fn write_result(out: &mut Vec<u8>, sampled: &Sampled<'_>, result: &SampleResult, depth: usize) {
    let tag = if result.url.is_some() {
        "httpSample"
    } else {
        "sample"
    };
    indent(out, depth);
    out.push(b'<');
    out.extend_from_slice(tag.as_bytes());
    write_attributes(out, sampled, result);
    let open_end = out.len();
    out.extend_from_slice(b">\n");
    let children_start = out.len();
    write_children(out, sampled, result, depth + 1);
    if out.len() == children_start {
        out.truncate(open_end);
        out.extend_from_slice(b"/>");
    } else {
        indent(out, depth);
        out.extend_from_slice(b"</");
        out.extend_from_slice(tag.as_bytes());
        out.push(b'>');
    }
    if depth > 0 {
        out.push(b'\n');
    }
}

fn write_attributes(out: &mut Vec<u8>, sampled: &Sampled<'_>, result: &SampleResult) {
    let form = sampled.form;
    let times = Times::of(sampled.clock, result);
    let number = |out: &mut Vec<u8>, field, name: &str, value: i64| {
        if form.has(field) {
            attribute(out, name, itoa::Buffer::new().format(value));
        }
    };
    let text = |out: &mut Vec<u8>, field, name: &str, value: &str| {
        if form.has(field) {
            attribute(out, name, value);
        }
    };
    let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    number(out, Field::Time, "t", times.elapsed_ms);
    number(out, Field::IdleTime, "it", times.idle_ms);
    number(out, Field::Latency, "lt", times.latency_ms);
    number(out, Field::ConnectTime, "ct", times.connect_ms);
    number(out, Field::Timestamp, "ts", times.start_ms);
    let success = if result.success { "true" } else { "false" };
    text(out, Field::Success, "s", success);
    text(out, Field::Label, "lb", &result.label);
    match &result.code {
        Code::Status(status) => number(out, Field::Code, "rc", i64::from(*status)),
        Code::Text(code) => text(out, Field::Code, "rc", code),
    }
    text(out, Field::Message, "rm", &result.message);
    let thread = result.thread.name(sampled.thread_name);
    text(out, Field::ThreadName, "tn", &thread);
    text(out, Field::DataType, "dt", result.data_type.as_str());
    text(out, Field::Encoding, "de", &result.encoding);
    number(out, Field::Bytes, "by", size(result.bytes));
    number(out, Field::SentBytes, "sby", size(result.sent_bytes));
    number(out, Field::SampleCount, "sc", 1);
    number(out, Field::SampleCount, "ec", i64::from(!result.success));
    number(
        out,
        Field::ThreadCounts,
        "ng",
        i64::from(result.group_threads),
    );
    number(
        out,
        Field::ThreadCounts,
        "na",
        i64::from(result.all_threads),
    );
    text(out, Field::Hostname, "hn", sampled.hostname);
    for (name, value) in sampled.variable_names.iter().zip(sampled.values()) {
        attribute(out, name, value.unwrap_or_default());
    }
}

fn write_children(out: &mut Vec<u8>, sampled: &Sampled<'_>, result: &SampleResult, depth: usize) {
    let form = sampled.form;
    if form.has(Field::Assertions) {
        for assertion in &result.assertions {
            write_assertion(out, assertion, depth);
        }
    }
    if form.has(Field::SubResults) {
        for part in &result.sub_results {
            write_result(out, sampled, part, depth);
        }
    }
    if form.has(Field::ResponseHeaders) {
        java_string(out, depth, "responseHeader", &result.response_headers);
    }
    if form.has(Field::RequestHeaders) {
        java_string(out, depth, "requestHeader", &result.request_headers);
    }
    if form.keeps_body(result) {
        write_body(out, result, depth);
    }
    if form.has(Field::FileName) {
        java_string(out, depth, "responseFile", "");
    }
    if form.keeps_request(result) {
        write_request(out, result, depth);
    }
    if form.has(Field::Url)
        && let Some(url) = &result.url
    {
        element(out, depth, "java.net.URL", url);
    }
}

fn write_body(out: &mut Vec<u8>, result: &SampleResult, depth: usize) {
    match result.data_type {
        DataType::Text => {
            let body = String::from_utf8_lossy(&result.body);
            java_string(out, depth, "responseData", &body);
        }
        other => {
            let kind = other.as_str();
            let text = format!("Non-TEXT response data, cannot record: ({kind})");
            java_string(out, depth, "responseData", &text);
        }
    }
}

/// An HTTP sample tells cookies, method, query and where it was redirected to; any other its request as
/// it is.
fn write_request(out: &mut Vec<u8>, result: &SampleResult, depth: usize) {
    if result.url.is_none() {
        java_string(out, depth, "samplerData", &result.request);
        return;
    }
    let (first, rest) = result
        .request
        .split_once('\n')
        .unwrap_or((&result.request, ""));
    let method = first.split(' ').next().unwrap_or_default();
    java_string(out, depth, "cookies", "");
    java_string(out, depth, "method", method);
    java_string(out, depth, "queryString", rest.trim());
    let location = result.response_headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location").then(|| value.trim())
    });
    java_string(out, depth, "redirectLocation", location.unwrap_or_default());
}

fn write_assertion(out: &mut Vec<u8>, assertion: &AssertionResult, depth: usize) {
    indent(out, depth);
    out.extend_from_slice(b"<assertionResult>\n");
    element(out, depth + 1, "name", &assertion.name);
    let truth = |value: bool| if value { "true" } else { "false" };
    element(out, depth + 1, "failure", truth(assertion.failed));
    element(out, depth + 1, "error", truth(assertion.error));
    if !assertion.message.is_empty() {
        element(out, depth + 1, "failureMessage", &assertion.message);
    }
    indent(out, depth);
    out.extend_from_slice(b"</assertionResult>\n");
}

fn element(out: &mut Vec<u8>, depth: usize, tag: &str, text: &str) {
    indent(out, depth);
    write_tag(out, tag, "", text);
}

/// A text with the name of its class in `JMeter`.
fn java_string(out: &mut Vec<u8>, depth: usize, tag: &str, text: &str) {
    indent(out, depth);
    write_tag(out, tag, " class=\"java.lang.String\"", text);
}

fn write_tag(out: &mut Vec<u8>, tag: &str, attributes: &str, text: &str) {
    // Writing to memory cannot fail.
    if text.is_empty() {
        drop(writeln!(out, "<{tag}{attributes}/>"));
        return;
    }
    drop(write!(out, "<{tag}{attributes}>"));
    escape(out, text, false);
    drop(writeln!(out, "</{tag}>"));
}

fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    escape(out, value, true);
    out.push(b'"');
}

fn indent(out: &mut Vec<u8>, depth: usize) {
    for _ in 0..depth {
        out.extend_from_slice(b"  ");
    }
}

/// Characters that XML 1.0 has no way to write become a replacement character.
fn escape(out: &mut Vec<u8>, text: &str, is_attribute: bool) {
    let mut buffer = [0; 4];
    for character in text.chars() {
        match character {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\'' => out.extend_from_slice(b"&apos;"),
            '\r' => out.extend_from_slice(b"&#xd;"),
            '\n' | '\t' if is_attribute => drop(write!(out, "&#x{:x};", u32::from(character))),
            '\n' | '\t' => out.push(if character == '\n' { b'\n' } else { b'\t' }),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                out.extend_from_slice("\u{fffd}".as_bytes());
            }
            other => out.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes()),
        }
    }
}
