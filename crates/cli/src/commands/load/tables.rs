//! The tables of `load`: the figures of a run, and the visitors of each step.

use double11_load::RunOutcome;
use double11_load::plan::Plan;
use double11_measure::run::{PhaseSummary, StepSummary};

/// Seconds over which the base users of the step table are spread, and for which it is meant.
/// Source: requirements 6.3.
const STEP_TABLE_SPREAD_S: f64 = 60.0;
const STEP_TABLE_TEST_S: u32 = 300;

/// The requirements' table of a plan: whole users per step, and their starts per second.
pub(super) fn step_table(plan: &Plan, base_users: u32, peak: bool) -> String {
    let longest = plan.steps().iter().map(|step| step.name.len()).max();
    let width = longest.map_or(14, |longest| (longest + 2).max(14));
    let header = format!(
        "{:<width$}{:>8}{:>14}{:>16}\n",
        "step", "users", "expected_tps", "test_duration"
    );
    let rows = plan.steps().iter().map(|step| {
        // The share is rounded first, so that 0.45 of 100 is 45 and not 44.999….
        let users = (f64::from(base_users) * step.share(peak) * 1e6).round() / 1e6;
        let users = users.floor();
        let per_second = users / STEP_TABLE_SPREAD_S;
        format!(
            "{:<width$}{users:>8}{per_second:>14.3}{STEP_TABLE_TEST_S:>14} s\n",
            step.name
        )
    });
    header + &rows.collect::<Vec<_>>().concat()
}

/// Columns of the table on standard output, as wide as a narrow terminal.
const HEADER: [&str; 9] = [
    "step",
    "attempted",
    "ok",
    "refused",
    "failed",
    "per s",
    "P50 ms",
    "P95 ms",
    "P99 ms",
];
/// Columns of the names of steps, at least and at most.
const NAME_WIDTH: usize = 12;
const NAME_WIDTH_MAX: usize = 32;
const WIDTHS: [usize; 8] = [10, 7, 8, 7, 9, 9, 9, 9];

/// Phases that get a table of their own; of more only the totals are shown.
const TABLES_MAX: usize = 4;

pub(crate) fn summary(outcome: &RunOutcome) -> String {
    let phases = &outcome.summary.phases;
    let width = name_width(&outcome.summary.whole.steps);
    let tables: String = if phases.len() <= TABLES_MAX {
        let tables = phases.iter().map(|phase| phase_table(phase, width));
        tables.collect()
    } else {
        totals(phases)
    };
    let whole = match phases.iter().filter(|phase| phase.measured).count() {
        0 | 1 => String::new(),
        _ => phase_table(&outcome.summary.whole, width),
    };
    format!(
        "{tables}{whole}writes: {} acknowledged, {} refused, {} unknown; percentiles are response times \
         from the planned start\n",
        outcome.writes_acknowledged, outcome.writes_refused, outcome.writes_unknown
    )
}

/// One row for each phase.
fn totals(phases: &[PhaseSummary]) -> String {
    let mut header = HEADER.map(str::to_owned);
    "phase".clone_into(&mut header[0]);
    let rows = phases.iter().map(|phase| {
        let mut row = row(&phase.total);
        row[0].clone_from(&phase.name);
        row
    });
    let rows = std::iter::once(header).chain(rows);
    rows.map(|cells| line(&cells, NAME_WIDTH)).collect()
}

/// Names are cut where they would push the figures off a narrow terminal.
fn name_width(steps: &[StepSummary]) -> usize {
    let asked = steps.iter().filter(|step| step.attempted > 0);
    let longest = asked.map(|step| step.step.chars().count() + 1).max();
    longest
        .unwrap_or_default()
        .clamp(NAME_WIDTH, NAME_WIDTH_MAX)
}

fn phase_table(phase: &PhaseSummary, width: usize) -> String {
    let offered = phase
        .offered_per_second
        .map_or_else(String::new, |rate| format!(", {rate:.1}/s offered"));
    let note = if phase.measured { "" } else { ", not counted" };
    // Users of a JMeter plan make no visits.
    let visits = match phase.visits {
        0 => String::new(),
        visits => format!(": {visits} visits"),
    };
    let title = format!(
        "{} ({:.0} s{offered}{note}){visits}\n",
        phase.name, phase.duration_s
    );
    let asked = phase.steps.iter().filter(|step| step.attempted > 0);
    let rows = asked.chain([&phase.total]).map(row);
    let rows = std::iter::once(HEADER.map(str::to_owned)).chain(rows);
    title + &rows.map(|cells| line(&cells, width)).collect::<String>()
}

fn line(cells: &[String; 9], name_width: usize) -> String {
    let [first, rest @ ..] = cells;
    let cells = rest
        .iter()
        .zip(WIDTHS)
        .map(|(cell, width)| format!("{cell:>width$}"));
    let name: String = first.chars().take(name_width - 1).collect();
    format!(
        "{name:<name_width$}{}\n",
        cells.collect::<Vec<_>>().concat()
    )
}

fn row(step: &StepSummary) -> [String; 9] {
    let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}"));
    [
        step.step.clone(),
        step.attempted.to_string(),
        step.succeeded.to_string(),
        step.expected_refusals.to_string(),
        step.failed.to_string(),
        step.throughput_per_second
            .map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
        ms(step.response_time.p50_ms),
        ms(step.response_time.p95_ms),
        ms(step.response_time.p99_ms),
    ]
}

#[cfg(test)]
mod tests {
    use super::step_table;
    use double11_load::plan::Plan;

    /// The users of each step, in order.
    fn users(peak: bool) -> Vec<u32> {
        let table = step_table(&Plan::built_in("funnel", &[]).unwrap(), 100, peak);
        let rows = table.lines().skip(1);
        rows.map(|row| row.split_whitespace().nth(1).unwrap().parse().unwrap())
            .collect()
    }

    #[test]
    fn the_step_table_is_that_of_the_requirements() {
        assert_eq!(users(false), [100, 85, 60, 45, 18, 12, 10]);
        assert_eq!(users(true), [100, 85, 60, 45, 45, 24, 18]);
    }
}
