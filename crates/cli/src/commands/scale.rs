//! `double11 scale`: what the records become at 1:N.

use double11_units::scale::{RECORDS, Scale};

use crate::console;
use crate::exit::Exit;

/// The requirements' own figures for a normal day and for the peak, in TPS; they do not scale.
const NORMAL_TPS: &str = "50";
const PEAK_TPS: &str = "500-1,000";

pub(crate) fn run(scale: Scale) -> Exit {
    console::data(&table(scale));
    Exit::Done
}

fn table(scale: Scale) -> String {
    let title = format!("at 1:{}", scale.denominator());
    let row =
        |name: &str, record: &str, scaled: &str| format!("{name:<26}{record:>16}{scaled:>18}\n");
    let records = RECORDS.map(|record| {
        let name = record.year.map_or_else(
            || record.name.to_owned(),
            |year| format!("{} ({year})", record.name),
        );
        row(
            &name,
            &grouped(record.per_second),
            &grouped(scale.apply(record)),
        )
    });
    [
        row("per second", "record", &title),
        records.concat(),
        row("TPS, normal (required)", "-", NORMAL_TPS),
        row("TPS, peak (required)", "-", PEAK_TPS),
    ]
    .concat()
}

/// A number with its thousands set apart, and as many decimals as tell something.
fn grouped(number: f64) -> String {
    let decimals = match number {
        n if n >= 1_000.0 => 0,
        n if n >= 1.0 => 1,
        _ => 4,
    };
    let text = format!("{number:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if fraction.is_empty() {
        grouped
    } else {
        format!("{grouped}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn prints_the_requirements_figures() {
        let text = table("1:10000".parse().unwrap());
        for figure in [
            "583,000",
            "58.3",
            "256,000",
            "25.6",
            "8,700",
            "47,200",
            "500-1,000",
        ] {
            assert!(text.contains(figure), "{figure} is missing:\n{text}");
        }
    }
}
