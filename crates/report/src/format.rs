//! Numbers as people read them: one unit per kind of figure, a dash for what does not exist.

use crate::model::{Bound, Figure, ImprovementRow, Interval, IntervalBound, Metric, Unit};
use crate::texts::{Texts, fill};

/// What stands where there is no figure.
pub(crate) const NONE: &str = "–";

/// A figure of the table with its unit, for instance `≥ 5,000 ms` or `27.8% (10 of 36)`.
pub(crate) fn figure(figure: Option<Figure>, texts: &Texts) -> String {
    let Some(Figure {
        value,
        unit,
        bound,
        windows,
    }) = figure
    else {
        return NONE.to_owned();
    };
    let number = match unit {
        Unit::PerSecond => rate(value),
        Unit::Milliseconds => milliseconds(value),
        Unit::Microseconds => microseconds(value),
        Unit::Share => percent(value),
    };
    let bounded = match bound {
        Bound::Exact => number,
        Bound::AtLeast => format!("≥ {number}"),
    };
    match windows {
        Some((good, total)) => fill(
            texts.windows,
            &[
                ("share", &bounded),
                ("good", &count(good)),
                ("total", &count(total)),
            ],
        ),
        None => bounded,
    }
}

/// How the judged figure differs from the yardstick's, in the way that suits the metric.
pub(crate) fn change(row: &ImprovementRow, texts: &Texts) -> String {
    let (Some(baseline), Some(optimised)) = (row.baseline, row.optimised) else {
        return NONE.to_owned();
    };
    if row.metric == Metric::Availability {
        let points = (optimised.value - baseline.value) * 100.0;
        return fill(texts.points, &[("points", &signed(points, 1))]);
    }
    let Some(ratio) = row.ratio else {
        return NONE.to_owned();
    };
    let text = ratio_text(ratio);
    match (baseline.bound, optimised.bound) {
        (Bound::Exact, Bound::Exact) => text,
        // A true yardstick above the shown limit makes a fall larger, a judged one above it a rise.
        (Bound::AtLeast, Bound::Exact) if ratio < 1.0 => fill(texts.or_more, &[("change", &text)]),
        (Bound::Exact, Bound::AtLeast) if ratio > 1.0 => fill(texts.or_more, &[("change", &text)]),
        _ => NONE.to_owned(),
    }
}

fn ratio_text(ratio: f64) -> String {
    if ratio >= 1.995 {
        return format!("× {}", significant(ratio));
    }
    let per_cent = (ratio - 1.0) * 100.0;
    // A fall that leaves something must not read as one that leaves nothing.
    let shown = if ratio > 0.0 {
        per_cent.max(-99.9)
    } else {
        per_cent
    };
    format!("{}%", signed(shown, 1))
}

/// `None` as a dash.
pub(crate) fn optional(value: Option<f64>, show: fn(f64) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), show)
}

/// The verdict percentile, with the sign of a lower bound where it is one.
pub(crate) fn verdict_p95(value: Option<f64>, is_lower_bound: bool) -> String {
    match value {
        None => NONE.to_owned(),
        Some(value) if is_lower_bound => format!("≥ {}", milliseconds(value)),
        Some(value) => milliseconds(value),
    }
}

/// Events per second: whole above 100, one place below.
pub(crate) fn rate(value: f64) -> String {
    if value >= 100.0 {
        grouped(value, 0)
    } else {
        grouped(value, 1)
    }
}

/// Milliseconds with their unit.
pub(crate) fn milliseconds(value: f64) -> String {
    let places = match value {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{} ms", grouped(value, places))
}

/// A limit in milliseconds, with no more places than it needs.
pub(crate) fn limit_milliseconds(value: f64) -> String {
    format!("{} ms", plain(value))
}

/// Microseconds with their unit.
pub(crate) fn microseconds(value: f64) -> String {
    format!("{} µs", grouped(value, 0))
}

/// Seconds without their unit, which differs between languages.
pub(crate) fn seconds(value: f64) -> String {
    let places = usize::from(value.fract().abs() > 0.05);
    grouped(value, places)
}

/// A ratio of two figures: `× 5.42`, `× 0.000391`.
pub(crate) fn ratio(value: f64) -> String {
    format!("× {}", ratio_number(value))
}

/// The estimate of a ratio with the sign of what is known of it.
pub(crate) fn estimate(interval: Option<Interval>) -> String {
    let Some(interval) = interval else {
        return NONE.to_owned();
    };
    let shown = ratio(interval.estimate);
    match interval.bound {
        IntervalBound::Exact => shown,
        IntervalBound::AtMost => format!("≤ {shown}"),
        IntervalBound::AtLeast => format!("≥ {shown}"),
    }
}

/// Both ends of the interval of a ratio, or the one that is known.
pub(crate) fn interval(interval: Option<Interval>, texts: &Texts) -> String {
    match interval.map(|interval| (interval.low, interval.high)) {
        Some((Some(low), Some(high))) => fill(
            texts.comparison_interval_value,
            &[("low", &ratio_number(low)), ("high", &ratio_number(high))],
        ),
        Some((None, Some(high))) => format!("≤ {}", ratio_number(high)),
        Some((Some(low), None)) => format!("≥ {}", ratio_number(low)),
        _ => NONE.to_owned(),
    }
}

/// A ratio to three significant digits.
pub(crate) fn ratio_number(value: f64) -> String {
    if !value.is_finite() || value <= 0.0 {
        return grouped(value, 0);
    }
    let places = 2.0 - value.log10().floor();
    // Between 0 and 9 by the line above and the clamp.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a small whole number"
    )]
    let places = places.clamp(0.0, 9.0) as usize;
    grouped(value, places)
}

/// A probability as statisticians print it.
pub(crate) fn probability(value: f64) -> String {
    if value < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{value:.3}")
    }
}

/// A difference of two shares in points of per cent, with its sign.
pub(crate) fn points(value: f64) -> String {
    let points = value * 100.0;
    signed(points, if points.abs() < 1.0 { 3 } else { 1 })
}

/// How `after` differs from `before`, as `× 5.4` or `−12.3%`; a dash where it cannot be said.
pub(crate) fn change_of(before: Option<f64>, after: Option<f64>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if before > 0.0 => ratio_text(after / before),
        _ => NONE.to_owned(),
    }
}

/// A share between 0 and 1 in per cent. What is above 0 or below 1 never rounds to the end of the
/// scale, because that would claim that nothing failed.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    if share > 0.0 && value < 0.005 {
        return "< 0.01%".to_owned();
    }
    if share < 1.0 && value >= 99.995 {
        return "> 99.99%".to_owned();
    }
    if share == 0.0 || (share - 1.0).abs() < f64::EPSILON {
        return format!("{value:.0}%");
    }
    let near_an_end = !(1.0..=99.0).contains(&value);
    if near_an_end {
        format!("{value:.2}%")
    } else {
        format!("{value:.1}%")
    }
}

/// A share in per cent with no more places than it needs: `95%`, `99.9%`.
pub(crate) fn percent_short(share: f64) -> String {
    format!("{}%", plain(share * 100.0))
}

/// Bytes in MiB or GiB.
pub(crate) fn bytes(value: u64) -> String {
    const MEBIBYTE: f64 = 1_048_576.0;
    let mebibytes = value as f64 / MEBIBYTE;
    if mebibytes >= 1024.0 {
        format!("{} GiB", grouped(mebibytes / 1024.0, 1))
    } else {
        format!("{} MiB", grouped(mebibytes, 0))
    }
}

/// A count with thousands set apart.
pub(crate) fn count(value: u64) -> String {
    group_digits(&value.to_string())
}

/// A plain number with at most two places, as a cross-check shows it.
pub(crate) fn plain(value: f64) -> String {
    let text = grouped(value, 2);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn significant(value: f64) -> String {
    if value >= 100.0 {
        grouped(value, 0)
    } else {
        grouped(value, 1)
    }
}

fn signed(value: f64, places: usize) -> String {
    let text = grouped(value.abs(), places);
    if text.chars().all(|digit| matches!(digit, '0' | '.')) {
        return format!("±{text}");
    }
    // The true minus sign, as wide as a plus.
    if value < 0.0 {
        format!("−{text}")
    } else {
        format!("+{text}")
    }
}

fn grouped(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", group_digits(whole)),
        None => group_digits(&text),
    }
}

fn group_digits(digits: &str) -> String {
    let length = digits.trim_start_matches('-').len();
    let sign = digits.len() - length;
    let mut text = String::with_capacity(digits.len() + length / 3);
    for (index, digit) in digits.chars().enumerate() {
        let place = digits.len() - index;
        if index > sign && place.is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn counts_are_grouped() {
        for (value, expected) in [
            (0, "0"),
            (12, "12"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(value), expected);
        }
        assert_eq!(plain(1002.996), "1,003");
        assert_eq!(plain(0.0), "0");
        assert_eq!(plain(50.2), "50.2");
        assert_eq!(grouped(-1234.5, 1), "-1,234.5");
        assert_eq!(grouped(-123.0, 0), "-123");
    }

    #[test]
    fn shares_never_round_to_the_ends() {
        for (share, expected) in [
            (0.0, "0%"),
            (1.0, "100%"),
            (0.000_01, "< 0.01%"),
            (0.999_999, "> 99.99%"),
            (0.0034, "0.34%"),
            (0.156, "15.6%"),
            (0.999, "99.90%"),
        ] {
            assert_eq!(percent(share), expected, "{share}");
        }
    }

    #[test]
    fn times_and_sizes_name_their_unit() {
        assert_eq!(milliseconds(4.126), "4.13 ms");
        assert_eq!(milliseconds(5000.0), "5,000 ms");
        assert_eq!(seconds(30.0), "30");
        assert_eq!(seconds(2.5), "2.5");
        assert_eq!(bytes(150 * 1_048_576), "150 MiB");
        assert_eq!(bytes(24 << 30), "24.0 GiB");
        assert_eq!(optional(None, milliseconds), NONE);
    }

    #[test]
    fn a_change_says_when_it_is_only_a_limit() {
        let figure = |value, bound| {
            Some(Figure {
                value,
                unit: Unit::Milliseconds,
                bound,
                windows: None,
            })
        };
        let check = |baseline: (f64, Bound), optimised: (f64, Bound), expected: &str| {
            let row = ImprovementRow {
                metric: Metric::ResponseTimeP95,
                requirement_before: None,
                requirement_after: None,
                baseline: figure(baseline.0, baseline.1),
                optimised: figure(optimised.0, optimised.1),
                ratio: Some(optimised.0 / baseline.0),
                baseline_meets_target: None,
                verdict: crate::model::TargetVerdict::Met,
                reason: crate::model::Reason::BothMeet,
            };
            assert_eq!(change(&row, Language::English.texts()), expected);
        };
        check((100.0, Bound::Exact), (25.0, Bound::Exact), "−75.0%");
        check(
            (5000.0, Bound::AtLeast),
            (5.0, Bound::Exact),
            "−99.9% or more",
        );
        check((5000.0, Bound::AtLeast), (5000.0, Bound::AtLeast), NONE);
        check(
            (10.0, Bound::Exact),
            (5000.0, Bound::AtLeast),
            "× 500 or more",
        );
        check((10.0, Bound::Exact), (10.0, Bound::Exact), "±0.0%");
        check((5000.0, Bound::Exact), (0.5, Bound::Exact), "−99.9%");
        check((5000.0, Bound::Exact), (0.0, Bound::Exact), "−100.0%");
        check((5000.0, Bound::AtLeast), (8000.0, Bound::Exact), NONE);
    }
}
