//! The checks as a table.

use double11_monitor::cross_check::{CheckResult, CrossCheck, Overall, Verdict};

/// The table, and one line that says what it comes to. `told_by` is who is held against the client.
pub(super) fn table(result: &CrossCheck, told_by: &str) -> String {
    let widest = result
        .checks
        .iter()
        .map(|check| check.name.chars().count())
        .max()
        .unwrap_or(4);
    let row = |cells: [&str; 6]| {
        let [what, phase, client, shop, limit, verdict] = cells;
        format!("{what:<widest$}  {phase:<10}{client:>11}{shop:>11}{limit:>12}  {verdict}\n")
    };
    let rows: String = result
        .checks
        .iter()
        .map(|check| {
            row([
                &check.name,
                check.phase.as_deref().unwrap_or("whole run"),
                &number(check.client),
                &number(check.shop),
                &number(check.limit),
                &check.verdict.to_string(),
            ])
        })
        .collect();
    let heading = row(["what", "phase", "client", told_by, "may differ", "verdict"]);
    heading + &rows + &conclusion(result)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| format!("{value:.2}").replace(".00", ""),
    )
}

fn conclusion(result: &CrossCheck) -> String {
    match result.overall {
        Overall::Agrees => "the figures agree\n".to_owned(),
        Overall::Differs => "the figures DIFFER: one of the two counts wrongly\n".to_owned(),
        Overall::CannotJudge => cannot_say(&result.checks),
    }
}

/// Why nothing can be said, or not everything: each reason once.
fn cannot_say(checks: &[CheckResult]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for check in checks {
        if let Verdict::CannotCompare(reason) = &check.verdict {
            let reason = reason.to_string();
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    let agreed = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Agrees)
        .count();
    let reasons = reasons.join("; ");
    match agreed {
        0 => format!("cannot say, because {reasons}\n"),
        agreed => format!(
            "cannot say of everything, because {reasons}\n{agreed} of {} comparisons agree, none differs\n",
            checks.len()
        ),
    }
}
