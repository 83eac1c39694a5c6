//! Figures in words.

use std::time::Duration;

use super::snapshot::Snapshot;

/// What stands where there is no value.
const NONE: &str = "-";

/// A count, with a comma between thousands.
pub(super) fn count(count: u64) -> String {
    group(&count.to_string())
}

/// A rate per second, whole from ten up.
pub(super) fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 9.95 {
        format!("{per_second:.1}")
    } else {
        group(&format!("{per_second:.0}"))
    }
}

/// A response time with three digits or more.
pub(super) fn time(span: Duration) -> String {
    let ms = span.as_secs_f64() * 1_000.0;
    match ms {
        ..9.995 => format!("{ms:.2} ms"),
        ..99.95 => format!("{ms:.1} ms"),
        ..9_999.5 => format!("{} ms", group(&format!("{ms:.0}"))),
        _ => format!("{} s", group(&format!("{:.1}", ms / 1_000.0))),
    }
}

/// The same, or a dash.
pub(super) fn time_or_dash(span: Option<Duration>) -> String {
    span.map_or_else(|| NONE.to_owned(), time)
}

/// A share from 0 to 1 in percent; what is more than nothing never reads as nothing, and what is less
/// than all never as all.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        ..=0.0 => "0 %".to_owned(),
        ..0.01 => "<0.01 %".to_owned(),
        ..9.995 => format!("{percent:.2} %"),
        ..99.95 => format!("{percent:.1} %"),
        ..100.0 => ">99.9 %".to_owned(),
        _ => format!("{} %", group(&format!("{percent:.0}"))),
    }
}

/// The same, or a dash.
pub(super) fn percent_or_dash(share: Option<f64>) -> String {
    share.map_or_else(|| NONE.to_owned(), percent)
}

/// A length of time as on a stop watch: `1:05`, `2:00:00`.
pub(super) fn clock(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// One line that says all that matters, for a log.
pub(super) fn plain_line(stage: &str, snapshot: &Snapshot) -> String {
    let progress = &snapshot.progress;
    let gap = if stage.is_empty() { "" } else { " " };
    let offered = snapshot.offered_per_second;
    let offered = offered.map_or_else(String::new, |offered| format!(" of {}", rate(offered)));
    let in_flight = snapshot.in_flight;
    let in_flight = in_flight.map_or_else(String::new, |count| format!(", {count} in flight"));
    let strained = if snapshot.generator.is_strained() {
        ", generator at its limit"
    } else {
        ""
    };
    format!(
        "{stage}{gap}{} {}/{}  {}{offered} TPS  P50 {}, P95 {}, P99 {}  {} errors, {} failed, \
         {} dropped, {} late of {}{in_flight}{strained}",
        snapshot.phase,
        clock(snapshot.elapsed),
        clock(snapshot.planned),
        rate(progress.throughput_last_second),
        time_or_dash(progress.p50_last_seconds),
        time_or_dash(progress.p95_last_seconds),
        time_or_dash(progress.p99_last_seconds),
        percent_or_dash(progress.error_rate_last_seconds()),
        count(progress.failed),
        count(progress.dropped),
        count(progress.late),
        count(progress.attempted),
    )
}

/// Commas between the thousands of the whole part.
fn group(number: &str) -> String {
    let whole = number.split('.').next().unwrap_or(number);
    let digits = whole.chars().filter(char::is_ascii_digit).count();
    let mut left = digits;
    let mut grouped = String::with_capacity(number.len() + digits / 3);
    for c in number.chars() {
        if c.is_ascii_digit() && left > 0 {
            if left < digits && left.is_multiple_of(3) {
                grouped.push(',');
            }
            left -= 1;
        }
        grouped.push(c);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_honest() {
        let check = |actual: String, expected: &str| assert_eq!(actual, expected);
        check(count(0), "0");
        check(count(999), "999");
        check(count(1_000), "1,000");
        check(count(1_234_567), "1,234,567");
        check(rate(0.0), "0");
        check(rate(9.94), "9.9");
        check(rate(9.96), "10");
        check(rate(12_345.6), "12,346");
        check(rate(-1_234.0), "-1,234");
        check(time(Duration::from_micros(4_254)), "4.25 ms");
        check(time(Duration::from_micros(9_995)), "10.0 ms");
        check(time(Duration::from_millis(100)), "100 ms");
        check(time(Duration::from_millis(9_999)), "9,999 ms");
        check(time(Duration::from_secs(1_234)), "1,234.0 s");
        check(percent(0.0), "0 %");
        check(percent(0.000_01), "<0.01 %");
        check(percent(0.012_3), "1.23 %");
        check(percent(0.5), "50.0 %");
        check(percent(0.999_9), ">99.9 %");
        check(percent(1.0), "100 %");
        check(clock(Duration::from_secs(65)), "1:05");
        check(clock(Duration::from_hours(2)), "2:00:00");
    }
}
