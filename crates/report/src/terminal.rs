//! The report as text for a terminal: the table of improvements, what all pairs say, capacity, ladder,
//! the sentence and the findings.

use std::io::{self, Write};

use crate::format;
use crate::html::{capacity_range, ladder_sentences};
use crate::markdown::sign;
use crate::model::{
    ComparisonVerdict, ImprovementReport, Outcome, Severity, TargetVerdict, TimeBasis,
    VariantReport,
};
use crate::sentence::claim;
use crate::texts::{Language, Texts, fill};

use layout::{Table, Tone, coloured, wrapped};

mod layout;

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

/// Writes the tables, the sentence, the findings and the warnings.
///
/// # Errors
/// What the writer returns.
pub fn write(
    report: &ImprovementReport,
    layout: Layout,
    writer: &mut impl Write,
) -> io::Result<()> {
    let texts = layout.language.texts();
    let caption = fill(
        texts.improvement_caption,
        &[("phase", &report.method.judged_phase)],
    );
    titled(writer, &caption, &improvement(report, layout), layout)?;
    if report.method.pairs > 1 {
        let runs = report.method.pairs.to_string();
        let note = fill(texts.improvement_runs, &[("runs", &runs)]);
        wrapped(writer, "", &note, layout.width)?;
        writeln!(writer)?;
    }
    let ours = report
        .variants
        .iter()
        .all(|variant| variant.audit.is_some());
    if let Some(note) = texts.sync_note(report.host.fdatasync_ms).filter(|_| ours) {
        wrapped(writer, "", &note, layout.width)?;
        writeln!(writer)?;
    }
    if report.method.time_basis == TimeBasis::ServiceTimeOnly {
        wrapped(writer, "", texts.method_service_time, layout.width)?;
        writeln!(writer)?;
    }
    if let Some(table) = comparison(report, layout) {
        titled(writer, texts.comparison, &table, layout)?;
    }
    if let Some(table) = capacity(report, layout) {
        titled(writer, texts.capacity_caption, &table, layout)?;
    }
    if let Some(table) = ladder(report, layout) {
        titled(writer, texts.ladder_caption, &table, layout)?;
        write_tuned(report, layout, writer)?;
    }
    write_outcome(report, layout, writer)?;
    wrapped(writer, "", &claim(report, layout.language), layout.width)?;
    write_remarks(report, layout, writer)
}

fn titled(writer: &mut impl Write, title: &str, table: &Table, layout: Layout) -> io::Result<()> {
    wrapped(writer, "", title, layout.width)?;
    writeln!(writer)?;
    table.write(layout.width, writer)?;
    writeln!(writer)
}

fn name(variant: Option<&VariantReport>) -> String {
    variant.map_or_else(|| format::NONE.to_owned(), |variant| variant.name.clone())
}

fn improvement(report: &ImprovementReport, layout: Layout) -> Table {
    let texts = layout.language.texts();
    let rows = report.improvement.iter().map(|row| {
        let cells = vec![
            texts
                .metric_by(row.metric, report.method.time_basis)
                .to_owned(),
            Texts::requirement(row),
            format::figure(row.baseline, texts),
            format::figure(row.optimised, texts),
            format::change(row, texts),
            texts.verdict(row.verdict).to_owned(),
        ];
        let tone = match row.verdict {
            TargetVerdict::Met => Tone::Good,
            TargetVerdict::Missed => Tone::Bad,
            TargetVerdict::Finding => Tone::Note,
            TargetVerdict::NotJudged => Tone::Doubt,
        };
        (cells, tone)
    });
    Table {
        header: vec![
            texts.column_metric.to_owned(),
            texts.column_requirement.to_owned(),
            name(report.baseline()),
            name(report.optimised()),
            texts.column_change.to_owned(),
            texts.column_verdict.to_owned(),
        ],
        rows: rows.collect(),
        colour: layout.colour,
    }
}

fn comparison(report: &ImprovementReport, layout: Layout) -> Option<Table> {
    let texts = layout.language.texts();
    let comparison = report.comparison.as_ref()?;
    let level = format::percent_short(comparison.confidence_level);
    let rows = comparison.metrics.iter().map(|compared| {
        let cells = vec![
            texts
                .metric_by(compared.metric, report.method.time_basis)
                .to_owned(),
            format::estimate(compared.ratio),
            format::interval(compared.ratio, texts),
            format::optional(compared.adjusted_p_value, format::probability),
            texts.comparison_verdict(compared.verdict).to_owned(),
        ];
        let tone = match compared.verdict {
            ComparisonVerdict::Better => Tone::Good,
            ComparisonVerdict::Worse => Tone::Bad,
            ComparisonVerdict::NotShown => Tone::Doubt,
        };
        (cells, tone)
    });
    Some(Table {
        header: vec![
            texts.column_metric.to_owned(),
            texts.comparison_ratio.to_owned(),
            fill(texts.comparison_interval, &[("level", &level)]),
            texts.comparison_p.to_owned(),
            texts.column_verdict.to_owned(),
        ],
        rows: rows.collect(),
        colour: layout.colour,
    })
}

fn capacity(report: &ImprovementReport, layout: Layout) -> Option<Table> {
    let texts = layout.language.texts();
    let first = report.capacity.first()?;
    let limit = |p95: f64| format!("P95 < {}", format::limit_milliseconds(p95));
    let rows = report.capacity.iter().map(|capacity| {
        let cells = vec![
            capacity.variant.clone(),
            capacity_range(texts, &capacity.strict),
            capacity_range(texts, &capacity.relaxed),
        ];
        (cells, Tone::Plain)
    });
    Some(Table {
        header: vec![
            texts.runs_variant.to_owned(),
            limit(first.strict.p95_limit_ms),
            limit(first.relaxed.p95_limit_ms),
        ],
        rows: rows.collect(),
        colour: layout.colour,
    })
}

fn ladder(report: &ImprovementReport, layout: Layout) -> Option<Table> {
    let texts = layout.language.texts();
    let ladder = report.ladder.as_ref()?;
    let rows = ladder.rungs.iter().enumerate().map(|(index, rung)| {
        let before = index
            .checked_sub(1)
            .and_then(|before| ladder.rungs.get(before));
        let gain = before.map_or_else(
            || format::NONE.to_owned(),
            |before| format::change_of(before.throughput_per_second, rung.throughput_per_second),
        );
        let (audit, tone) = match rung.audit_passed {
            Some(true) => (texts.passed, Tone::Good),
            Some(false) => (texts.failed, Tone::Bad),
            None => (format::NONE, Tone::Plain),
        };
        let cells = vec![
            rung.name.clone(),
            format::optional(rung.throughput_per_second, format::rate),
            gain,
            format::verdict_p95(rung.verdict_p95_ms, rung.verdict_p95_is_lower_bound),
            format::optional(rung.error_rate, format::percent),
            format::optional(rung.cpu_per_request_us, format::microseconds),
            audit.to_owned(),
        ];
        (cells, tone)
    });
    Some(Table {
        header: vec![
            texts.ladder_rung.to_owned(),
            texts.phase_tps.to_owned(),
            texts.column_change.to_owned(),
            texts.step_p95.to_owned(),
            texts.phase_error_rate.to_owned(),
            texts.phase_cpu_per_request.to_owned(),
            texts.audit.to_owned(),
        ],
        rows: rows.collect(),
        colour: layout.colour,
    })
}

fn write_tuned(
    report: &ImprovementReport,
    layout: Layout,
    writer: &mut impl Write,
) -> io::Result<()> {
    let texts = layout.language.texts();
    let Some(ladder) = &report.ladder else {
        return Ok(());
    };
    let sentences = ladder_sentences(texts, ladder, |metric| texts.metric(metric));
    for sentence in &sentences {
        wrapped(writer, "", sentence, layout.width)?;
    }
    if sentences.is_empty() {
        return Ok(());
    }
    writeln!(writer)
}

fn write_outcome(
    report: &ImprovementReport,
    layout: Layout,
    writer: &mut impl Write,
) -> io::Result<()> {
    let texts = layout.language.texts();
    let (outcome, _) = texts.outcome(report.outcome);
    let tone = match report.outcome {
        Outcome::Passed => Tone::Good,
        Outcome::Failed => Tone::Bad,
        Outcome::CannotJudge => Tone::Doubt,
    };
    let line = format!("{} {outcome}", sign(report.outcome));
    writeln!(writer, "{}", coloured(&line, tone, layout.colour))?;
    for why in &report.incomparable {
        wrapped(writer, "  ", &texts.incomparable(why), layout.width)?;
    }
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
            .map(|name| fill(texts.remark_about, &[("name", name)]))
            .unwrap_or_default();
        let text = format!(
            "{}{about}{}{}",
            texts.severity(finding.severity),
            texts.remark_colon,
            texts.finding(finding)
        );
        wrapped(writer, &format!("{sign} "), &text, layout.width)?;
    }
    for warning in &report.warnings {
        wrapped(
            writer,
            "! ",
            &format!(
                "{}{}{}",
                texts.warning_word,
                texts.remark_colon,
                texts.warning(warning)
            ),
            layout.width,
        )?;
    }
    Ok(())
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
            layout::display_width(&before)
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
                assert!(layout::display_width(line) <= width, "{width}: {line}");
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
        assert!(words.contains("✓ All judged targets met"));
        assert!(words.contains("• Note (baseline): The baseline queues"));
        assert!(words.contains("! Warning: The machine's clock"));
    }

    #[test]
    fn the_long_form_has_every_table_in_both_languages() {
        for (language, expected) in [
            (
                Language::English,
                [
                    "All pairs together",
                    "✓ better",
                    "21,500 to 22,900",
                    "+ search-index",
                    "Over 6 pairs of runs",
                ],
            ),
            (
                Language::TraditionalChinese,
                [
                    "所有配對的綜合結果",
                    "✓ 勝出",
                    "21,500 至 22,900",
                    "+ search-index",
                    "綜合 6 組配對",
                ],
            ),
        ] {
            for width in [72, 100, 160] {
                let mut bytes = Vec::new();
                let layout = Layout {
                    width,
                    colour: false,
                    language,
                };
                write(&sample::full(), layout, &mut bytes).unwrap();
                let text = String::from_utf8(bytes).unwrap();
                for line in text.lines() {
                    assert!(layout::display_width(line) <= width, "{width}: {line}");
                }
                let joined = text.replace(['\n', ' '], "");
                for expected in expected {
                    let expected = expected.replace(' ', "");
                    assert!(joined.contains(&expected), "`{expected}` in\n{text}");
                }
            }
        }
    }
}
