//! The table of improvements as text for a terminal.

use std::io::{self, Write};

use crate::format;
use crate::model::{ImprovementReport, ImprovementRow, Outcome, Severity, TargetVerdict};
use crate::texts::{Language, Texts, fill};

/// How the text is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Columns of the terminal; what does not fit is stacked instead of cut.
    pub width: usize,
    /// Whether verdicts are coloured; their sign and word say the same.
    pub colour: bool,
    /// Language of the words.
    pub language: Language,
}

/// Writes the table, the sentence, the findings and the warnings.
///
/// # Errors
/// What the writer returns.
pub fn write(
    report: &ImprovementReport,
    layout: Layout,
    writer: &mut impl Write,
) -> io::Result<()> {
    let texts = layout.language.texts();
    let name = |variant: Option<&crate::model::VariantReport>| {
        variant.map_or_else(|| format::NONE.to_owned(), |variant| variant.name.clone())
    };
    let (baseline, optimised) = (name(report.baseline()), name(report.optimised()));
    let caption = fill(
        texts.improvement_caption,
        &[("phase", &report.method.judged_phase)],
    );
    wrapped(writer, "", &caption, layout.width)?;
    writeln!(writer)?;
    let header = [
        texts.column_metric.to_owned(),
        texts.column_requirement.to_owned(),
        baseline.clone(),
        optimised.clone(),
        texts.column_change.to_owned(),
        texts.column_verdict.to_owned(),
    ];
    let rows: Vec<[String; COLUMNS]> = report
        .improvement
        .iter()
        .map(|row| cells(row, texts))
        .collect();
    let verdicts: Vec<TargetVerdict> = report.improvement.iter().map(|row| row.verdict).collect();
    let table = Table {
        header,
        rows,
        verdicts,
        colour: layout.colour,
    };
    if table.width() <= layout.width {
        table.write_aligned(writer)?;
    } else {
        table.write_stacked(writer)?;
    }
    writeln!(writer)?;
    write_outcome(report, layout, writer)?;
    wrapped(writer, "", &report.sentence, layout.width)?;
    write_remarks(report, layout, writer)
}

const COLUMNS: usize = 6;
const VERDICT: usize = COLUMNS - 1;
const GAP: &str = "  ";

fn cells(row: &ImprovementRow, texts: &Texts) -> [String; COLUMNS] {
    [
        texts.metric(row.metric).to_owned(),
        Texts::requirement(row),
        format::figure(row.baseline, texts),
        format::figure(row.optimised, texts),
        format::change(row, texts),
        texts.verdict(row.verdict).to_owned(),
    ]
}

fn write_outcome(
    report: &ImprovementReport,
    layout: Layout,
    writer: &mut impl Write,
) -> io::Result<()> {
    let (outcome, _) = layout.language.texts().outcome(report.outcome);
    let (sign, verdict) = match report.outcome {
        Outcome::Passed => ("✓", TargetVerdict::Met),
        Outcome::Failed => ("✗", TargetVerdict::Missed),
        Outcome::CannotJudge => ("?", TargetVerdict::NotJudged),
    };
    writeln!(
        writer,
        "{}",
        coloured(&format!("{sign} {outcome}"), verdict, layout.colour)
    )?;
    writeln!(writer)
}

fn write_remarks(
    report: &ImprovementReport,
    layout: Layout,
    writer: &mut impl Write,
) -> io::Result<()> {
    let texts = layout.language.texts();
    if report.findings.is_empty() && report.warnings.is_empty() {
        return Ok(());
    }
    writeln!(writer)?;
    for finding in &report.findings {
        let sign = if finding.severity == Severity::Failure {
            "✗"
        } else {
            "•"
        };
        let about = finding
            .variant
            .as_ref()
            .map(|name| format!(" ({name})"))
            .unwrap_or_default();
        let text = format!(
            "{}{about}: {}",
            texts.severity(finding.severity),
            texts.finding(finding)
        );
        wrapped(writer, &format!("{sign} "), &text, layout.width)?;
    }
    for warning in &report.warnings {
        wrapped(
            writer,
            "! ",
            &format!("{}: {}", texts.warning_word, texts.warning(warning)),
            layout.width,
        )?;
    }
    Ok(())
}

struct Table {
    header: [String; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
    verdicts: Vec<TargetVerdict>,
    colour: bool,
}

impl Table {
    fn widths(&self) -> [usize; COLUMNS] {
        let mut widths = [0; COLUMNS];
        for row in std::iter::once(&self.header).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(display_width(cell));
            }
        }
        widths
    }

    fn width(&self) -> usize {
        self.widths().iter().sum::<usize>() + GAP.len() * (COLUMNS - 1)
    }

    fn write_aligned(&self, writer: &mut impl Write) -> io::Result<()> {
        let widths = self.widths();
        writeln!(writer, "{}", self.line(&self.header, &widths, None))?;
        let rules = widths.map(|width| "─".repeat(width));
        writeln!(writer, "{}", self.line(&rules, &widths, None))?;
        for (row, verdict) in self.rows.iter().zip(&self.verdicts) {
            writeln!(writer, "{}", self.line(row, &widths, Some(*verdict)))?;
        }
        Ok(())
    }

    fn line(
        &self,
        cells: &[String; COLUMNS],
        widths: &[usize; COLUMNS],
        verdict: Option<TargetVerdict>,
    ) -> String {
        let mut line = String::new();
        for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(display_width(cell)));
            // Numbers line up at their right end; the names and the verdict begin at the left.
            match (index, verdict) {
                (0, _) => line.extend([cell.as_str(), &padding]),
                (VERDICT, Some(verdict)) => line.push_str(&coloured(cell, verdict, self.colour)),
                (VERDICT, None) => line.push_str(cell),
                _ => line.extend([padding.as_str(), cell]),
            }
            if index < VERDICT {
                line.push_str(GAP);
            }
        }
        line
    }

    fn write_stacked(&self, writer: &mut impl Write) -> io::Result<()> {
        let label = self.header[1..]
            .iter()
            .map(|cell| display_width(cell))
            .max()
            .unwrap_or(0);
        for (row, verdict) in self.rows.iter().zip(&self.verdicts) {
            writeln!(writer, "{}", row[0])?;
            for (index, (name, cell)) in self.header.iter().zip(row).enumerate().skip(1) {
                let padding = " ".repeat(label - display_width(name));
                let shown = match index {
                    VERDICT => coloured(cell, *verdict, self.colour),
                    _ => cell.clone(),
                };
                writeln!(writer, "  {name}{padding}  {shown}")?;
            }
        }
        Ok(())
    }
}

fn coloured(text: &str, verdict: TargetVerdict, colour: bool) -> String {
    let code = match verdict {
        TargetVerdict::Met => 32,
        TargetVerdict::Missed => 31,
        TargetVerdict::Finding => 36,
        TargetVerdict::NotJudged => 33,
    };
    if colour {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// Breaks a text at spaces, later lines below the first one's text. A word longer than the line
/// stands alone and is not cut.
fn wrapped(writer: &mut impl Write, lead: &str, text: &str, width: usize) -> io::Result<()> {
    let indent = display_width(lead);
    let mut line = lead.to_owned();
    let mut used = indent;
    let mut empty = true;
    for word in text.split_whitespace() {
        let length = display_width(word);
        if !empty && used + 1 + length > width {
            writeln!(writer, "{line}")?;
            line = " ".repeat(indent);
            used = indent;
            empty = true;
        }
        if !empty {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
        empty = false;
    }
    writeln!(writer, "{line}")
}

/// Columns that a text takes; East Asian wide and full-width letters take two.
fn display_width(text: &str) -> usize {
    text.chars()
        .map(|letter| if is_wide(letter) { 2 } else { 1 })
        .sum()
}

// Source: Unicode Standard Annex #11, the wide and full-width blocks that Chinese text uses.
fn is_wide(letter: char) -> bool {
    matches!(
        u32::from(letter),
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
            | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF
            | 0x20000..=0x3FFFD
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn text(report: &ImprovementReport, width: usize, colour: bool) -> String {
        let mut bytes = Vec::new();
        let layout = Layout {
            width,
            colour,
            language: Language::English,
        };
        write(report, layout, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Rows of the sample's table, whatever space the columns take.
    const ROWS: [&str; 7] = [
        "Metric Requirement baseline optimized Change Verdict",
        "Throughput (TPS) 50 → 500+ 184 999 × 5.4 ✓ met",
        "Orders per second ≥ 58 15.9 86.5 × 5.4 ✓ met",
        "P95 response time 500 ms → < 50 ms ≥ 5,000 ms 4.61 ms −99.9% or more ✓ met",
        "Error rate 15% → < 1% 81.6% 0% −100.0% ✓ met",
        "Availability 95% → 99.9% 3.3% (1 of 30) 100% (30 of 30) +96.7 points ✓ met",
        "CPU per transaction – 5,430 µs 121 µs −97.8% • finding",
    ];

    #[test]
    fn a_wide_terminal_gets_aligned_columns() {
        let text = text(&sample::report(), 120, false);
        let table: Vec<&str> = text.lines().skip(2).take(10).collect();
        let verdict_at = |line: &str| {
            let before: String = line
                .chars()
                .take_while(|letter| !matches!(letter, '✓' | '•'))
                .collect();
            display_width(&before)
        };
        let places: Vec<usize> = table[2..].iter().map(|line| verdict_at(line)).collect();
        assert!(places.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
        let squeezed = |line: &&str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let found: Vec<String> = table.iter().map(squeezed).collect();
        for expected in ROWS {
            assert!(
                found.iter().any(|line| line == expected),
                "`{expected}` is missing in\n{text}"
            );
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [60, 80, 100, 120, 200] {
            let text = text(&sample::report(), width, false);
            for line in text.lines() {
                assert!(display_width(line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_narrow_terminal_gets_every_figure_stacked() {
        let text = text(&sample::report(), 40, false);
        for expected in [
            "P95 response time\n",
            "  baseline     ≥ 5,000 ms\n",
            "  Verdict      ✓ met\n",
        ] {
            assert!(
                text.contains(expected),
                "`{expected}` is missing in\n{text}"
            );
        }
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let report = sample::report();
        let plain = text(&report, 120, false);
        let coloured = text(&report, 120, true);
        assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}[32m"));
        let mut stripped = coloured;
        for code in ["31", "32", "33", "36", "0"] {
            stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(stripped, plain);
    }

    #[test]
    fn the_sentence_and_the_findings_follow() {
        let report = sample::report();
        let text = text(&report, 100, false);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&report.sentence));
        assert!(words.contains("✓ All targets met"));
        assert!(words.contains("• Note (baseline): The baseline queues"));
        assert!(words.contains("! Warning: The machine's clock"));
    }

    #[test]
    fn chinese_letters_take_two_columns() {
        assert_eq!(display_width("響應時間 P95"), 12);
    }
}
