//! What the bench says: its progress on standard error, its table on standard output.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is where the bench prints"
)]

use crate::figure::Target;
use crate::numbers::short;
use crate::record::{Line, Record};

pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// One line for each figure: median, target, and every round.
pub(crate) fn print(record: &Record) {
    let host = &record.host;
    let processor = host.processor.as_deref().unwrap_or("an unknown processor");
    println!(
        "{processor}, {} processors, {}; median of {} rounds\n",
        host.processors, host.kernel, record.settings.rounds
    );
    let mut before: Option<&Line> = None;
    for line in record.lines.iter().filter(|line| !line.is_detail) {
        if !before.is_some_and(|before| is_told_by(before, line)) {
            println!("{}", row(line));
        }
        before = Some(line);
    }
}

/// Whether one more line without a value would say what the one before has said: the same reason, of the
/// same point.
fn is_told_by(before: &Line, line: &Line) -> bool {
    let point = |line: &Line| {
        line.name
            .split_once(": ")
            .map(|(point, _)| point.to_owned())
    };
    let is_empty = before.median.is_none() && line.median.is_none();
    is_empty && point(before) == point(line) && before.not_measured == line.not_measured
}

fn row(line: &Line) -> String {
    let mut remarks = line.notes.clone();
    let Some(median) = line.median else {
        return format!(
            "{:<52} not measured because {}",
            line.name,
            unlike(&line.not_measured)
        );
    };
    if !line.not_measured.is_empty() {
        let why = unlike(&line.not_measured);
        remarks.push(format!("not in every round because {why}"));
    }
    let target = match line.target {
        None => String::new(),
        Some(Target::AtLeast(least)) => format!(">= {}", short(least)),
        Some(Target::AtMost(most)) => format!("<= {}", short(most)),
    };
    let mark = match line.met {
        None => "",
        Some(true) => "met",
        Some(false) => "missed",
    };
    let rounds: Vec<String> = line.values.iter().copied().map(short).collect();
    let row = format!(
        "{:<52} {:>12} {:<6} {target:>10} {mark:<6} ({})",
        line.name,
        short(median),
        line.unit,
        rounds.join("; ")
    );
    remarks
        .iter()
        .fold(row, |row, remark| format!("{row}\n    {remark}"))
}

/// Every reason once.
fn unlike(reasons: &[String]) -> String {
    let mut all: Vec<&str> = reasons.iter().map(String::as_str).collect();
    all.dedup();
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_not_measured_and_why() {
        let mut line = Line {
            row: "engine".to_owned(),
            name: "engine: share of oha's".to_owned(),
            unit: "x".to_owned(),
            target: Some(Target::AtLeast(0.8)),
            values: Vec::new(),
            median: None,
            met: None,
            not_measured: vec!["oha is not on PATH".to_owned(); 3],
            notes: Vec::new(),
            place: None,
            is_detail: false,
        };
        let shown = row(&line);
        assert!(
            shown.ends_with("not measured because oha is not on PATH"),
            "{shown}"
        );
        (line.values, line.median, line.met) = (vec![1.5], Some(1.5), Some(true));
        line.notes.push("64 connections".to_owned());
        let shown = row(&line);
        for part in [
            " 1.50 x ",
            ">= 0.800 met",
            "\n    64 connections",
            "not in every round",
        ] {
            assert!(shown.contains(part), "{shown}");
        }
    }
}
