//! The summary as Markdown for a README or a slide: the table of requirements 7.1 and the sentence.

use std::io::{self, Write};

use crate::format;
use crate::model::{ComparisonVerdict, ImprovementReport, Outcome, TimeBasis};
use crate::sentence::claim;
use crate::texts::{Language, Texts, fill};

/// Writes the sentence, the table of improvements with its verdicts, and where and when it was
/// measured, in GitHub's Markdown.
///
/// # Errors
/// What the writer returns.
pub fn write(
    report: &ImprovementReport,
    language: Language,
    writer: &mut impl Write,
) -> io::Result<()> {
    let texts = language.texts();
    let name = |variant: Option<&crate::model::VariantReport>| {
        variant.map_or_else(|| format::NONE.to_owned(), |variant| variant.name.clone())
    };
    let (outcome, _) = texts.outcome(report.outcome);
    let sign = sign(report.outcome);
    writeln!(writer, "**{sign} {}**\n", escaped(outcome))?;
    writeln!(writer, "{}\n", escaped(&claim(report, language)))?;
    let head = [
        texts.column_metric.to_owned(),
        texts.column_requirement_long.to_owned(),
        name(report.baseline()),
        name(report.optimised()),
        texts.column_change.to_owned(),
        texts.column_verdict.to_owned(),
    ];
    line(writer, &head)?;
    writeln!(writer, "| --- | --- | ---: | ---: | ---: | --- |")?;
    for row in &report.improvement {
        line(
            writer,
            &[
                texts
                    .metric_by(row.metric, report.method.time_basis)
                    .to_owned(),
                Texts::requirement(row),
                format::figure(row.baseline, texts),
                format::figure(row.optimised, texts),
                format::change(row, texts),
                texts.verdict(row.verdict).to_owned(),
            ],
        )?;
    }
    if report.method.pairs > 1 {
        let runs = report.method.pairs.to_string();
        let note = fill(texts.improvement_runs, &[("runs", &runs)]);
        writeln!(writer, "\n{}", escaped(&note))?;
    }
    comparison(report, texts, writer)?;
    if report.method.time_basis == TimeBasis::ServiceTimeOnly {
        writeln!(writer, "\n{}", escaped(texts.method_service_time))?;
    }
    for why in &report.incomparable {
        writeln!(writer, "\n{}", escaped(&texts.incomparable(why)))?;
    }
    writeln!(writer, "\n{}", escaped(&made(report, texts)))
}

/// The sign in front of an outcome.
pub(crate) fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "✓",
        Outcome::Failed => "✗",
        Outcome::CannotJudge => "?",
    }
}

/// Program, instant and machine in one line.
pub(crate) fn made(report: &ImprovementReport, texts: &Texts) -> String {
    fill(
        texts.summary_made,
        &[
            ("version", report.run.version.as_str()),
            ("date", &report.run.started_at),
            (
                "cpu",
                report.host.cpu_model.as_deref().unwrap_or(format::NONE),
            ),
        ],
    )
}

/// The verdict of all pairs, where there is one to tell.
fn comparison(
    report: &ImprovementReport,
    texts: &Texts,
    writer: &mut impl Write,
) -> io::Result<()> {
    let Some(comparison) = &report.comparison else {
        return Ok(());
    };
    let told = comparison
        .metrics
        .iter()
        .any(|compared| compared.verdict != ComparisonVerdict::NotShown);
    if !told && comparison.pairs < comparison.pairs_needed {
        return Ok(());
    }
    let level = format::percent_short(comparison.confidence_level);
    let interval = fill(texts.comparison_interval, &[("level", &level)]);
    writeln!(writer)?;
    line(
        writer,
        &[
            texts.comparison.to_owned(),
            texts.comparison_ratio.to_owned(),
            interval,
            texts.comparison_p.to_owned(),
            texts.column_verdict.to_owned(),
        ],
    )?;
    writeln!(writer, "| --- | ---: | ---: | ---: | --- |")?;
    for compared in &comparison.metrics {
        line(
            writer,
            &[
                texts
                    .metric_by(compared.metric, report.method.time_basis)
                    .to_owned(),
                format::estimate(compared.ratio),
                format::interval(compared.ratio, texts),
                format::optional(compared.adjusted_p_value, format::probability),
                texts.comparison_verdict(compared.verdict).to_owned(),
            ],
        )?;
    }
    Ok(())
}

fn line(writer: &mut impl Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
    writeln!(writer, "| {} |", cells.join(" | "))
}

/// A text in which nothing is markup: names of variants may be addresses, and findings anything.
///
/// Source: GitHub Flavored Markdown 0.29, sections 2.4 (backslash escapes) and 4.10 (tables).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                escaped.extend(['\\', letter]);
            }
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\r' | '\n' => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn text(report: &ImprovementReport, language: Language) -> String {
        let mut bytes = Vec::new();
        write(report, language, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn it_holds_the_table_the_verdicts_and_the_sentence() {
        let text = text(&sample::report(), Language::English);
        for expected in [
            "**✓ All judged targets met**",
            "optimized handled 999 TPS (baseline: 184)",
            "| Metric | Requirement (before → after) | baseline | optimized | Change | Verdict |",
            "| Throughput (TPS) | 50 → 500+ | 184 | 999 | × 5.4 | ✓ met |",
            "| P95 response time | 500 ms → &lt; 50 ms | ≥ 5,000 ms | 4.61 ms | −99.9% or more | ✓ met |",
            "2026-11-11T00:00:00Z",
        ] {
            assert!(
                text.contains(expected),
                "`{expected}` is missing in\n{text}"
            );
        }
        assert!(!text.contains("All pairs together"));
    }

    #[test]
    fn every_row_has_as_many_cells_as_its_head() {
        for language in Language::ALL {
            let mut report = sample::full();
            report.variants[0].name = "http://a|b/<script>_x_".to_owned();
            crate::conclude(&mut report);
            let text = text(&report, language);
            assert!(!text.contains("<script"));
            let cells = |line: &str| line.replace("\\|", "").matches('|').count();
            let mut tables = 0;
            let lines: Vec<&str> = text.lines().collect();
            for (index, line) in lines.iter().enumerate() {
                if line.starts_with("| ---") {
                    tables += 1;
                    assert_eq!(cells(lines[index - 1]), cells(line), "{text}");
                    for row in lines[index + 1..]
                        .iter()
                        .take_while(|row| row.starts_with('|'))
                    {
                        assert_eq!(cells(row), cells(line), "{row}");
                    }
                }
            }
            assert_eq!(tables, 2, "{text}");
        }
    }

    #[test]
    fn chinese_readers_get_chinese() {
        let text = text(&sample::full(), Language::TraditionalChinese);
        for expected in [
            "每秒交易數",
            "✓ 達成",
            "在模擬雙11峰值流量（20 倍平常流量",
            "勝出",
        ] {
            assert!(
                text.contains(expected),
                "`{expected}` is missing in\n{text}"
            );
        }
    }
}
