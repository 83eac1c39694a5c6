//! The summary as one picture: an SVG of 1,200 × 630 for a README, a slide or a link preview.
//!
//! It needs nothing else. Words are words, so that they can be searched and read aloud; the picture
//! follows the reader's light or dark, and is light where that is not known.

use std::io::{self, Write};

use maud::{Markup, PreEscaped, html};

use crate::format;
use crate::markdown::{made, sign};
use crate::model::{
    ImprovementReport, ImprovementRow, Metric, Outcome, TargetVerdict, VariantReport,
};
use crate::sentence::claim;
use crate::texts::{Language, Texts, fill};

/// Width in its own units.
pub const WIDTH: u32 = 1200;
/// Height in its own units.
pub const HEIGHT: u32 = 630;

/// Writes the picture.
///
/// # Errors
/// What the writer returns.
pub fn write(
    report: &ImprovementReport,
    language: Language,
    writer: &mut impl Write,
) -> io::Result<()> {
    let picture = picture(report, language).into_string();
    writer.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
    writer.write_all(picture.as_bytes())?;
    writer.write_all(b"\n")
}

const STYLE: &str = include_str!("picture/picture.css");

/// The rows that fit and matter most to who sees nothing but the picture.
const SHOWN: [Metric; 6] = [
    Metric::Throughput,
    Metric::OrderRate,
    Metric::ResponseTimeP95,
    Metric::ErrorRate,
    Metric::Availability,
    Metric::CpuPerRequest,
];

/// Left edges of the columns; the middle ones are right edges.
const METRIC: f64 = 56.0;
const BASELINE: f64 = 590.0;
const OPTIMISED: f64 = 775.0;
const CHANGE: f64 = 985.0;
const VERDICT: f64 = 1020.0;
const RIGHT: f64 = 1144.0;
const FIRST_ROW: f64 = 218.0;
const ROW: f64 = 57.0;

fn picture(report: &ImprovementReport, language: Language) -> Markup {
    let texts = language.texts();
    let (baseline, optimised) = (name(report.baseline()), name(report.optimised()));
    let (outcome, _) = texts.outcome(report.outcome);
    let class = match report.outcome {
        Outcome::Passed => "good",
        Outcome::Failed => "bad",
        Outcome::CannotJudge => "doubt",
    };
    let rows: Vec<&ImprovementRow> = SHOWN
        .iter()
        .filter_map(|metric| report.improvement.iter().find(|row| row.metric == *metric))
        .collect();
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {HEIGHT}"))
            width=(WIDTH) height=(HEIGHT) role="img" lang=(language.tag())
            aria-labelledby="title claim" {
            title id="title" { (texts.summary_heading) ": " (sign(report.outcome)) " " (outcome) }
            desc id="claim" { (claim(report, language)) }
            style { (PreEscaped(STYLE)) }
            rect.page width=(WIDTH) height=(HEIGHT) {}
            rect class={ "edge " (class) } width="14" height=(HEIGHT) {}
            text.eyebrow x=(METRIC) y="64" { (texts.summary_heading) " · " (traffic(report, texts)) }
            text class={ "outcome " (class) } x=(METRIC) y="122" {
                (sign(report.outcome)) " " (outcome)
            }
            (head(texts, baseline, optimised))
            @for (index, row) in rows.iter().enumerate() {
                (line(report, texts, FIRST_ROW + ROW * index as f64, row))
            }
            (foot(report, texts))
        }
    }
}

fn name(variant: Option<&VariantReport>) -> &str {
    variant.map_or(format::NONE, |variant| variant.name.as_str())
}

/// What was offered, as far as it is known.
fn traffic(report: &ImprovementReport, texts: &Texts) -> String {
    let phase = report
        .optimised()
        .and_then(|variant| variant.phase(&report.method.judged_phase));
    let offered = phase.and_then(|phase| phase.offered_per_second);
    match offered {
        Some(offered) => fill(texts.fact_normal_value, &[("rate", &format::rate(offered))]),
        None => report.method.judged_phase.clone(),
    }
}

fn head(texts: &Texts, baseline: &str, optimised: &str) -> Markup {
    let y = FIRST_ROW - 42.0;
    html! {
        text.head x=(METRIC) y=(y) { (texts.column_metric) }
        text class="head end tone-0" x=(BASELINE) y=(y) { (fitted(baseline, 14)) }
        text class="head end tone-1" x=(OPTIMISED) y=(y) { (fitted(optimised, 14)) }
        text class="head end" x=(CHANGE) y=(y) { (texts.column_change) }
        text.head x=(VERDICT) y=(y) { (texts.column_verdict) }
    }
}

fn line(report: &ImprovementReport, texts: &Texts, y: f64, row: &ImprovementRow) -> Markup {
    let class = match row.verdict {
        TargetVerdict::Met => "good",
        TargetVerdict::Missed => "bad",
        TargetVerdict::Finding => "info",
        TargetVerdict::NotJudged => "doubt",
    };
    let metric = texts.metric_by(row.metric, report.method.time_basis);
    // The counts of windows stand in the report; here the share says enough.
    let figure = |figure: Option<crate::model::Figure>| {
        let bare = figure.map(|figure| crate::model::Figure {
            windows: None,
            ..figure
        });
        format::figure(bare, texts)
    };
    let change = format::change(row, texts);
    html! {
        path.rule d=(format!("M{METRIC} {:.1}H{RIGHT}", y - 34.0)) {}
        text.metric x=(METRIC) y=(y) { (metric) }
        text class="figure end tone-0" x=(BASELINE) y=(y) { (figure(row.baseline)) }
        text class="figure end tone-1 strong" x=(OPTIMISED) y=(y) { (figure(row.optimised)) }
        text class="change end" x=(CHANGE) y=(y) textLength=[squeezed(&change)]
            lengthAdjust=[squeezed(&change).map(|_| "spacingAndGlyphs")] { (change) }
        text class={ "verdict " (class) } x=(VERDICT) y=(y) { (texts.verdict(row.verdict)) }
    }
}

/// The room of a change that would run into the column before it.
fn squeezed(text: &str) -> Option<u32> {
    (text.chars().count() > 15).then_some(195)
}

fn foot(report: &ImprovementReport, texts: &Texts) -> Markup {
    let y = f64::from(HEIGHT) - 62.0;
    let several = report
        .comparison
        .as_ref()
        .filter(|comparison| comparison.pairs > 1);
    let pairs = several.map(|comparison| {
        fill(
            texts.improvement_runs_short,
            &[("runs", &comparison.pairs.to_string())],
        )
    });
    html! {
        path.rule d=(format!("M{METRIC} {:.1}H{RIGHT}", y - 34.0)) {}
        text.foot x=(METRIC) y=(y) { (pairs.unwrap_or_else(|| texts.method_one_run.to_owned())) }
        text.foot x=(METRIC) y=(y + 30.0) { (fitted(&made(report, texts), 100)) }
    }
}

/// At most so many columns of a text, a Chinese letter counting two.
fn fitted(text: &str, columns: usize) -> String {
    let mut used = 0;
    let mut fitted = String::new();
    for letter in text.chars() {
        used += if letter.is_ascii() { 1 } else { 2 };
        if used > columns {
            fitted.push('…');
            break;
        }
        fitted.push(letter);
    }
    fitted
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
    fn it_shows_the_verdict_and_the_figures() {
        let picture = text(&sample::report(), Language::English);
        for expected in [
            "All judged targets met",
            ">184<",
            ">999<",
            "≥ 5,000 ms",
            "4.61 ms",
            "✓ met",
        ] {
            assert!(
                picture.contains(expected),
                "`{expected}` is missing in\n{picture}"
            );
        }
        let picture = text(&sample::full(), Language::TraditionalChinese);
        for expected in ["已判定的目標全部達成", "每秒交易數", "lang=\"zh-Hant-TW\""]
        {
            assert!(
                picture.contains(expected),
                "`{expected}` is missing in\n{picture}"
            );
        }
    }

    #[test]
    fn one_pair_is_no_number_of_pairs() {
        let mut report = sample::full();
        assert!(text(&report, Language::English).contains("6 pairs of runs"));
        report.comparison.as_mut().unwrap().pairs = 1;
        assert!(text(&report, Language::English).contains("One run of each"));
    }

    #[test]
    fn foreign_texts_cannot_leave_their_place() {
        let mut report = sample::report();
        report.variants[0].name = "</text><script>".to_owned();
        report.host.cpu_model = Some("<b>&".repeat(60));
        crate::conclude(&mut report);
        let picture = text(&report, Language::English);
        assert!(!picture.contains("<script") && !picture.contains("<b>"));
        assert!(!picture.contains("href") && !picture.contains("url("));
    }

    #[test]
    fn a_report_without_figures_still_has_a_picture() {
        let mut report = sample::report();
        report.variants.clear();
        crate::conclude(&mut report);
        assert!(text(&report, Language::English).contains("Cannot be judged"));
    }
}
