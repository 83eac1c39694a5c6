//! Drawing with characters: sparklines and bars.

/// The characters to draw with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbols {
    /// Heights of a sparkline, rising.
    levels: &'static [char],
    /// Parts of a full column, rising; the last one is the full column.
    parts: &'static [char],
    /// What has passed, the edge, and what is to come.
    progress: [char; 3],
    /// Between two facts on a line.
    pub(super) dot: &'static str,
    /// Where something was cut off.
    pub(super) more: &'static str,
}

const UNICODE: Symbols = Symbols {
    levels: &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    parts: &['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
    progress: ['━', '╸', '─'],
    dot: "·",
    more: "…",
};

const ASCII: Symbols = Symbols {
    levels: &['_', '.', ':', '-', '=', '+', '*', '#'],
    parts: &['#'],
    progress: ['=', '>', '-'],
    dot: "-",
    more: "..",
};

impl Symbols {
    /// Unicode where the locale has it, else ASCII.
    pub(super) fn of(utf8: bool) -> Self {
        if utf8 { UNICODE } else { ASCII }
    }

    /// One column a value, as high as its share of `top`; a blank where there is none.
    pub(super) fn sparkline(self, values: &[Option<f64>], top: f64) -> String {
        let level = |value: &Option<f64>| {
            let Some(value) = value else {
                return ' ';
            };
            let steps = self.levels.len();
            let index = nearest(share(*value, top) * (steps - 1) as f64);
            self.levels
                .get(index.min(steps - 1))
                .copied()
                .unwrap_or(' ')
        };
        values.iter().map(level).collect()
    }

    /// A bar of at most `columns` columns, as long as the share from 0 to 1 says, and the blanks
    /// after it. What is more than nothing is visible.
    pub(super) fn bar(self, share: f64, columns: usize) -> String {
        let steps = self.parts.len();
        let filled = nearest(share.clamp(0.0, 1.0) * (columns * steps) as f64);
        let filled = if share > 0.0 { filled.max(1) } else { 0 };
        let (whole, part) = (filled / steps, filled % steps);
        let full = self.parts.last().copied().unwrap_or('#');
        let partial = part.checked_sub(1).and_then(|part| self.parts.get(part));
        let blanks = columns
            .saturating_sub(whole)
            .saturating_sub(usize::from(partial.is_some()));
        std::iter::repeat_n(full, whole.min(columns))
            .chain(partial.copied())
            .chain(std::iter::repeat_n(' ', blanks))
            .take(columns)
            .collect()
    }

    /// The passed and the coming part of a line of progress.
    pub(super) fn progress(self, share: f64, columns: usize) -> (String, String) {
        let [passed, edge, coming] = self.progress;
        let filled = nearest(share.clamp(0.0, 1.0) * columns as f64).min(columns);
        let mut left: String = std::iter::repeat_n(passed, filled).collect();
        if filled > 0 && filled < columns {
            left.pop();
            left.push(edge);
        }
        (
            left,
            std::iter::repeat_n(coming, columns - filled).collect(),
        )
    }
}

/// A value as a share of the top, 0 to 1.
fn share(value: f64, top: f64) -> f64 {
    if top > 0.0 {
        (value / top).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of columns: small and never negative; the cast takes not-a-number as 0"
)]
fn nearest(columns: f64) -> usize {
    columns.round() as usize
}

#[cfg(test)]
mod tests {
    use super::Symbols;

    #[test]
    fn sparklines_are_as_high_as_their_share() {
        let check = |values: &[f64], top, unicode: &str, ascii: &str| {
            let values: Vec<_> = values.iter().map(|value| Some(*value)).collect();
            assert_eq!(Symbols::of(true).sparkline(&values, top), unicode);
            assert_eq!(Symbols::of(false).sparkline(&values, top), ascii);
        };
        check(&[0.0, 1.0, 4.0, 7.0, 9.0], 7.0, "▁▂▅██", "_.=##");
        check(&[0.0, 3.0], 0.0, "▁▁", "__");
        check(&[], 1.0, "", "");
        let gap = Symbols::of(true).sparkline(&[Some(1.0), None, Some(1.0)], 1.0);
        assert_eq!(gap, "█ █");
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        let check = |share, columns, unicode: &str, ascii: &str| {
            assert_eq!(Symbols::of(true).bar(share, columns), unicode);
            assert_eq!(Symbols::of(false).bar(share, columns), ascii);
        };
        check(0.0, 4, "    ", "    ");
        check(0.000_1, 4, "▏   ", "#   ");
        check(0.5, 4, "██  ", "##  ");
        check(0.625, 2, "█▎", "# ");
        check(1.0, 4, "████", "####");
        check(7.0, 4, "████", "####");
        check(1.0, 0, "", "");
    }

    #[test]
    fn progress_has_an_edge() {
        let check = |share, unicode: (&str, &str)| {
            let (passed, coming) = Symbols::of(true).progress(share, 4);
            assert_eq!((passed.as_str(), coming.as_str()), unicode);
        };
        check(0.0, ("", "────"));
        check(0.5, ("━╸", "──"));
        check(1.0, ("━━━━", ""));
        check(f64::INFINITY, ("━━━━", ""));
    }
}
