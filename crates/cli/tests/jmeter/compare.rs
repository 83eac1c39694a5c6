//! What differs between two runs of a plan.
//!
//! Samples are compared as multisets per thread name, requests as one multiset. Times, thread counts
//! where threads overlap, and sizes that hold a stack trace of Java's are left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regex::Regex;

use crate::runner::Outcome;
use crate::server::Request;

/// What is not compared for a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Leave {
    /// Which thread of its group a sample belongs to: threads compete for what is shared.
    pub(crate) threads: bool,
    /// How often each sample occurs: chance or the clock decides.
    pub(crate) counts: bool,
    /// Bytes received and sent.
    pub(crate) sizes: bool,
}

/// Columns of a result file that are compared, with where they stand by default.
const COLUMNS: [&str; 10] = [
    "threadName",
    "label",
    "responseCode",
    "responseMessage",
    "dataType",
    "success",
    "failureMessage",
    "bytes",
    "sentBytes",
    "URL",
];

/// The differences in a form for people; empty when there are none. `generated` are patterns whose
/// matches are taken for equal.
pub(crate) fn differences(
    real: &Outcome,
    ours: &Outcome,
    leave: Leave,
    generated: &[&str],
) -> String {
    let masks: Vec<Regex> = generated
        .iter()
        .map(|text| Regex::new(text).unwrap())
        .collect();
    let mut text = String::new();
    if real.code != ours.code {
        writeln!(
            text,
            "exit code: JMeter {:?}, ours {:?}",
            real.code, ours.code
        )
        .unwrap();
    }
    let names = |outcome: &Outcome| outcome.rows.first().cloned();
    if names(real) != names(ours) {
        writeln!(
            text,
            "first line: JMeter {:?}, ours {:?}",
            names(real),
            names(ours)
        )
        .unwrap();
    }
    let samples = |outcome: &Outcome| tally(samples(outcome, leave), outcome.port, &masks, leave);
    report(&mut text, "sample", &samples(real), &samples(ours));
    let requests = |outcome: &Outcome| {
        let lines = outcome.requests.iter().map(line_of).collect();
        tally(lines, outcome.port, &masks, leave)
    };
    report(&mut text, "request", &requests(real), &requests(ours));
    text
}

type Tally = BTreeMap<String, usize>;

fn tally(lines: Vec<String>, port: u16, masks: &[Regex], leave: Leave) -> Tally {
    let mut tally = Tally::new();
    for line in lines {
        let mut line = line.replace(&port.to_string(), "PORT");
        for mask in masks {
            line = mask.replace_all(&line, "…").into_owned();
        }
        let count = tally.entry(line).or_default();
        *count = if leave.counts { 1 } else { *count + 1 };
    }
    tally
}

fn report(text: &mut String, what: &str, real: &Tally, ours: &Tally) {
    let all: std::collections::BTreeSet<&String> = real.keys().chain(ours.keys()).collect();
    for line in all {
        let count = |tally: &Tally| tally.get(line).copied().unwrap_or(0);
        if count(real) != count(ours) {
            writeln!(
                text,
                "{what} ×{} in JMeter, ×{} in ours: {line}",
                count(real),
                count(ours)
            )
            .unwrap();
        }
    }
}

/// A line for each sample, of what is compared.
fn samples(outcome: &Outcome, leave: Leave) -> Vec<String> {
    let Some((names, rows)) = outcome.rows.split_first() else {
        return Vec::new();
    };
    let places = COLUMNS.map(|name| names.iter().position(|own| own == name));
    let line = |row: &csv::StringRecord| {
        let value = |index: usize| places[index].and_then(|place| row.get(place)).unwrap_or("");
        let mut line = thread(value(0), leave);
        for (index, name) in COLUMNS.iter().enumerate().skip(1) {
            let size = matches!(*name, "bytes" | "sentBytes");
            // Bytes of a failure are those of a stack trace.
            let failed = *name == "bytes" && value(2).starts_with("Non HTTP");
            if !(size && leave.sizes || failed) {
                write!(line, " | {}", value(index).escape_debug()).unwrap();
            }
        }
        line
    };
    rows.iter().map(line).collect()
}

fn thread(name: &str, leave: Leave) -> String {
    if leave.threads
        && let Some((group, _)) = name.rsplit_once('-')
    {
        return group.to_owned();
    }
    name.to_owned()
}

/// Method, target, headers in the order of their names, and body; boundaries of parts made equal, and
/// without the length that depends on theirs.
fn line_of(request: &Request) -> String {
    let boundary = boundary(request);
    let is_left_out = |name: &str| {
        name.eq_ignore_ascii_case("user-agent")
            || boundary.is_some() && name.eq_ignore_ascii_case("content-length")
    };
    let mut headers: Vec<String> = request
        .headers
        .iter()
        .filter(|(name, _)| !is_left_out(name))
        .map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase()))
        .collect();
    headers.sort();
    let body = String::from_utf8_lossy(&request.body);
    let line = format!(
        "{} {} {{{}}} {}",
        request.method,
        request.target,
        headers.join("; "),
        body.escape_debug()
    );
    match boundary {
        Some(boundary) => line.replace(boundary, "BOUNDARY"),
        None => line,
    }
}

fn boundary(request: &Request) -> Option<&str> {
    let kind = request.header("Content-Type")?;
    let (_, rest) = kind.split_once("boundary=")?;
    rest.split(';').next()
}
