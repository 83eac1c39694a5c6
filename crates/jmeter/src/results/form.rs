//! What of a sample a result file keeps, and how: the `jmeter.save.saveservice.*` properties and the
//! configurations of listeners.
//!
//! Source: `JMeter`'s `SampleSaveConfiguration` and its converter. The property `assertion_results`
//! has no effect there either: XML files have all assertions or, by `assertions`, none.

use double11_jmx::document::Element;

use crate::sample::{Needs, SampleResult};

use super::timestamp::TimestampFormat;

/// The form of a result file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveForm {
    fields: u32,
    /// Between two fields of a CSV file.
    pub delimiter: u8,
    /// How instants are written, where they are.
    pub timestamp: TimestampFormat,
    /// A processing instruction for XML files; empty for none.
    pub xml_instruction: String,
}

/// Something that a result file may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The instant of the sample.
    Timestamp,
    /// The elapsed time.
    Time,
    /// The name of the sample.
    Label,
    /// The response code.
    Code,
    /// The response message.
    Message,
    /// The name of the user.
    ThreadName,
    /// `text` or `bin`.
    DataType,
    /// Whether it was successful.
    Success,
    /// What the first assertion said.
    FailureMessage,
    /// Bytes received.
    Bytes,
    /// Bytes sent.
    SentBytes,
    /// Active users of the group, and in all.
    ThreadCounts,
    /// The address.
    Url,
    /// The file that the response was saved in.
    FileName,
    /// The time to the first byte.
    Latency,
    /// The character set.
    Encoding,
    /// Samples and errors that the row stands for.
    SampleCount,
    /// The name of the machine.
    Hostname,
    /// The time that does not count.
    IdleTime,
    /// The time until the connection was made.
    ConnectTime,
    /// A header line in a CSV file.
    FieldNames,
    /// XML instead of CSV.
    Xml,
    /// The parts of a sample.
    SubResults,
    /// What the assertions said, in XML.
    Assertions,
    /// What was asked, in XML.
    SamplerData,
    /// Headers sent, in XML.
    RequestHeaders,
    /// Headers received, in XML.
    ResponseHeaders,
    /// The body received, in XML.
    ResponseData,
    /// The same of failed samples only.
    ResponseDataOnError,
}

use Field::{
    Assertions, Bytes, Code, ConnectTime, DataType, Encoding, FailureMessage, FieldNames, FileName,
    Hostname, IdleTime, Label, Latency, Message, RequestHeaders, ResponseData, ResponseDataOnError,
    ResponseHeaders, SampleCount, SamplerData, SentBytes, SubResults, Success, ThreadCounts,
    ThreadName, Time, Timestamp, Url, Xml,
};

/// Each field with the end of its property, its name in a plan, and whether it is on by default.
/// Two of them have properties that are no truth values, and an empty name here.
const FIELDS: [(Field, &str, &str, bool); 29] = [
    (Timestamp, "", "timestamp", true),
    (Time, "time", "time", true),
    (Label, "label", "label", true),
    (Code, "response_code", "code", true),
    (Message, "response_message", "message", true),
    (ThreadName, "thread_name", "threadName", true),
    (DataType, "data_type", "dataType", true),
    (Success, "successful", "success", true),
    (
        FailureMessage,
        "assertion_results_failure_message",
        "saveAssertionResultsFailureMessage",
        true,
    ),
    (Bytes, "bytes", "bytes", true),
    (SentBytes, "sent_bytes", "sentBytes", true),
    (ThreadCounts, "thread_counts", "threadCounts", true),
    (Url, "url", "url", true),
    (FileName, "filename", "fileName", false),
    (Latency, "latency", "latency", true),
    (Encoding, "encoding", "encoding", false),
    (SampleCount, "sample_count", "sampleCount", false),
    (Hostname, "hostname", "hostname", false),
    (IdleTime, "idle_time", "idleTime", true),
    (ConnectTime, "connect_time", "connectTime", true),
    (FieldNames, "print_field_names", "fieldNames", true),
    (Xml, "", "xml", false),
    (SubResults, "subresults", "subresults", true),
    (Assertions, "assertions", "assertions", true),
    (SamplerData, "samplerData", "samplerData", false),
    (RequestHeaders, "requestHeaders", "requestHeaders", false),
    (ResponseHeaders, "responseHeaders", "responseHeaders", false),
    (ResponseData, "response_data", "responseData", false),
    (
        ResponseDataOnError,
        "response_data.on_error",
        "responseDataOnError",
        false,
    ),
];

const PREFIX: &str = "jmeter.save.saveservice.";

/// A property of `jmeter.save.saveservice.*` that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the property `{PREFIX}{property}` is `{value}`: {reason}")]
pub struct FormError {
    /// The end of its name.
    pub property: &'static str,
    /// Its value.
    pub value: String,
    /// What is wrong with it, and what is accepted.
    pub reason: &'static str,
}

impl SaveForm {
    /// The form that the properties ask for.
    ///
    /// # Errors
    /// [`FormError`] when a delimiter or a format of time stamps cannot be followed.
    pub fn of(property: &dyn Fn(&str) -> Option<String>) -> Result<Self, FormError> {
        let get = |name: &str| property(&format!("{PREFIX}{name}"));
        let mut form = Self {
            fields: 0,
            delimiter: delimiter(get("default_delimiter"))?,
            timestamp: TimestampFormat::Milliseconds,
            xml_instruction: get("xml_pi").unwrap_or_default(),
        };
        for (field, name, _, default) in FIELDS {
            let value = if name.is_empty() { None } else { get(name) };
            let is_on = value.map_or(default, |value| value.eq_ignore_ascii_case("true"));
            form.set(field, is_on);
        }
        form.set(Xml, get("output_format").is_some_and(|form| form == "xml"));
        if let Some(format) = get("timestamp_format") {
            if format.eq_ignore_ascii_case("none") {
                form.set(Timestamp, false);
            } else if !format.eq_ignore_ascii_case("ms") {
                form.timestamp = TimestampFormat::parse(&format).map_err(|reason| FormError {
                    property: "timestamp_format",
                    value: format,
                    reason,
                })?;
            }
        }
        Ok(form)
    }

    /// The form of a listener that has a configuration of its own; what it does not mention is off.
    #[must_use]
    pub fn of_listener(&self, configuration: &Element) -> Self {
        let mut form = self.clone();
        for (field, _, name, _) in FIELDS {
            form.set(field, configuration.is(name, false));
        }
        form
    }

    /// Whether the file keeps it.
    pub const fn has(&self, field: Field) -> bool {
        self.fields & (1 << field as u32) != 0
    }

    /// What of samples the file reads.
    pub fn needs(&self) -> Needs {
        if !self.has(Xml) {
            return Needs::default();
        }
        let on_error = self.has(ResponseDataOnError);
        Needs {
            body: self.has(ResponseData) || on_error,
            response_headers: self.has(ResponseHeaders),
            request: self.has(RequestHeaders) || self.has(SamplerData) || on_error,
        }
    }

    /// Whether the body of this sample is kept.
    pub(super) fn keeps_body(&self, sample: &SampleResult) -> bool {
        self.has(ResponseData) || self.has(ResponseDataOnError) && !sample.success
    }

    /// Whether what was asked is kept of this sample.
    pub(super) fn keeps_request(&self, sample: &SampleResult) -> bool {
        self.has(SamplerData) || self.has(ResponseDataOnError) && !sample.success
    }

    fn set(&mut self, field: Field, is_on: bool) {
        let bit = 1 << field as u32;
        if is_on {
            self.fields |= bit;
        } else {
            self.fields &= !bit;
        }
    }
}

/// `JMeter` refuses letters, digits and quotes, and takes `\t` for a tab.
fn delimiter(value: Option<String>) -> Result<u8, FormError> {
    let value = value.unwrap_or_else(|| ",".to_owned());
    match value.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'"' => Ok(*byte),
        _ => Err(FormError {
            property: "default_delimiter",
            value,
            reason: "expected one ASCII character that is no letter, digit or quote, or `\\t`",
        }),
    }
}
