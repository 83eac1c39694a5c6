//! How many visits came to each step, as bars.

use double11_measure::run::StepProgress;

use super::{BEFORE_DETAILS, Canvas, FULL, LABEL, MARGIN, Rank, value};
use crate::console::{Line, Paint};
use crate::live_view::snapshot::Snapshot;
use crate::live_view::words::count;

/// Steps that are shown at most.
const STEPS_MAX: usize = 9;

impl Canvas<'_> {
    /// The rows of the funnel; none when the steps are not known.
    pub(super) fn funnel(&self, snapshot: &Snapshot) -> Vec<(Rank, Line)> {
        let visits = &snapshot.visits;
        let most = visits.steps.iter().map(|step| step.attempted).max();
        let Some(most) = most else {
            return Vec::new();
        };
        // Requests of visits that are not over yet may outnumber the visits that are.
        let base = visits.visits.max(most);
        let mut rows = vec![(
            Rank::Step(visits.steps.len()),
            self.step("visits", visits.visits, base, None),
        )];
        let steps = visits.steps.len();
        let shown = if steps > STEPS_MAX {
            STEPS_MAX - 1
        } else {
            steps
        };
        rows.extend(
            visits
                .steps
                .iter()
                .take(shown)
                .enumerate()
                .map(|(index, step)| {
                    let line = self.step(&step.name, step.attempted, base, Some(step));
                    (Rank::Step(steps - 1 - index), line)
                }),
        );
        if shown < steps {
            let text = format!("{MARGIN}and {} more steps", steps - shown);
            rows.push((Rank::Extra, Line::default().with(Paint::Faint, text)));
        }
        rows
    }

    fn step(&self, name: &str, number: u64, base: u64, step: Option<&StepProgress>) -> Line {
        const SHARE: usize = 6;
        const FAILED: usize = 16;
        let share = if base > 0 {
            number as f64 / base as f64
        } else {
            0.0
        };
        let failed_room = if self.columns >= FULL { FAILED } else { 0 };
        let bar = self
            .columns
            .saturating_sub(BEFORE_DETAILS + 2 + SHARE + failed_room);
        let line = value(&self.shorten(name, LABEL - 1), Paint::Plain, &count(number))
            .with(Paint::Plain, "  ")
            .with(Paint::Funnel, self.symbols.bar(share, bar));
        let Some(step) = step else {
            return line;
        };
        let line = line.with(
            Paint::Faint,
            format!("{:>SHARE$}", format!("{:.0} %", share * 100.0)),
        );
        match step.failed {
            1.. if failed_room > 0 => {
                line.with(Paint::Bad, format!("  {} failed", count(step.failed)))
            }
            _ => line,
        }
    }
}
