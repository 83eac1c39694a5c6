//! What the bench says: its progress on standard error, its table on standard output.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is where the bench prints"
)]

use crate::figure::{Line, Record, Target};

pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// One line for each figure: median, target, and every round.
pub(crate) fn print(record: &Record) {
    let host = &record.host;
    let processor = host.processor.as_deref().unwrap_or("an unknown processor");
    println!(
        "{processor}, {} processors, {}; median of {} rounds\n",
        host.processors, host.kernel, record.rounds
    );
    for line in &record.lines {
        println!("{}", row(line));
    }
}

fn row(line: &Line) -> String {
    let Some(median) = line.median else {
        return format!(
            "{:<52} not measured: {}",
            line.name,
            line.not_measured.join("; ")
        );
    };
    let target = match line.target {
        None => String::new(),
        Some(Target::AtLeast(least)) => format!(">= {}", number(least)),
        Some(Target::AtMost(most)) => format!("<= {}", number(most)),
    };
    let mark = match line.met {
        None => "",
        Some(true) => "met",
        Some(false) => "missed",
    };
    let rounds: Vec<String> = line.values.iter().copied().map(number).collect();
    format!(
        "{:<52} {:>12} {:<10} {target:>12} {mark:<7} ({})",
        line.name,
        number(median),
        line.unit,
        rounds.join(", ")
    )
}

/// Three significant digits or all digits before the point.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [58_300.4, 12.34, 1.234, 0.012_34].map(number);
        assert_eq!(shown, ["58300", "12.3", "1.23", "0.012"]);
    }
}
