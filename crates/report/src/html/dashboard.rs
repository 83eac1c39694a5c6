//! The dashboard of a result file: the counterpart of `JMeter`'s, on one page, with the percentiles of
//! the whole run beside those that `JMeter` shows. It is in English, as `JMeter`'s is.

use std::io::{self, Write};

use double11_measure::jtl::{Dashboard, Statistics};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts::result_file as charts;
use super::{POLICY, SCRIPT, STYLE};
use crate::format;
use crate::vendor;

/// What the page says of its file.
#[derive(Debug, Clone)]
pub struct DashboardAbout {
    /// The name of the file.
    pub file: String,
    /// When the run began, as it is to be read.
    pub started_at: String,
    /// The version of the program.
    pub version: String,
}

/// Errors that the page lists.
const ERRORS_SHOWN: usize = 100;

/// Writes the page.
///
/// # Errors
/// What the writer returns.
pub fn write_dashboard(
    dashboard: &Dashboard,
    about: &DashboardAbout,
    writer: &mut impl Write,
) -> io::Result<()> {
    writer.write_all(page(dashboard, about).into_string().as_bytes())
}

fn page(dashboard: &Dashboard, about: &DashboardAbout) -> Markup {
    let title = format!("Results of {}", about.file);
    let data = charts::charts(dashboard);
    let json = serde_json::to_string(&data).expect("plain structs of numbers and texts have JSON");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(vendor::UPLOT_STYLE)) (PreEscaped(STYLE)) }
            }
            body {
                (header(dashboard, about))
                main {
                    noscript { p.note { "Without scripts the page has all its tables, but no charts." } }
                    @for (id, title, body) in sections(dashboard) {
                        section id=(id) aria-labelledby=(format!("{id}-title")) {
                            h2 id=(format!("{id}-title")) { (title) }
                            (body)
                        }
                    }
                }
                footer {
                    p { "Double11 " (about.version) ", charts by uPlot " (vendor::UPLOT_VERSION) "." }
                }
                script type="application/json" id="report-data" {
                    (PreEscaped(json.replace('<', "\\u003c")))
                }
                (PreEscaped(format!("<!--\n{}-->", vendor::UPLOT_LICENCE)))
                script { (PreEscaped(vendor::UPLOT_SCRIPT)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn header(dashboard: &Dashboard, about: &DashboardAbout) -> Markup {
    let total = &dashboard.total;
    let span_s = (dashboard.end_ms - dashboard.start_ms) as f64 / 1_000.0;
    let failed = total.errors as f64 / (total.samples as f64).max(1.0);
    html! {
        header {
            button.theme type="button" hidden { "Dark" }
            p.eyebrow { "JMeter dashboard" }
            h1 { (about.file) }
            ul.when {
                li { "Started " b { (about.started_at) } }
                li { "Duration " b { (format::seconds(span_s)) " s" } }
                li { "Samples " b { (format::count(total.samples)) } }
                li { "Failed " b { (format::percent(failed)) } }
                li { "Throughput " b { (rate(total.per_second)) "/s" } }
            }
        }
    }
}

fn sections(dashboard: &Dashboard) -> Vec<(&'static str, &'static str, Markup)> {
    let mut sections = vec![
        ("statistics", "Statistics", statistics(dashboard)),
        ("apdex", "APDEX", apdex(dashboard)),
    ];
    if !dashboard.intervals.is_empty() {
        sections.push(("over-time", "Over time", over_time(dashboard)));
    }
    sections.push(("errors", "Errors", errors(dashboard)));
    if !dashboard.sampler_errors.is_empty() {
        sections.push((
            "top-errors",
            "Top five errors by sampler",
            top_errors(dashboard),
        ));
    }
    if dashboard.problem_count > 0 {
        sections.push(("problems", "Rows left out", problems(dashboard)));
    }
    sections
}

fn rows(dashboard: &Dashboard) -> impl Iterator<Item = &Statistics> {
    std::iter::once(&dashboard.total).chain(&dashboard.labels)
}

fn statistics(dashboard: &Dashboard) -> Markup {
    let names = dashboard
        .options
        .percentiles
        .map(|percentile| format!("P{percentile}"));
    let forgotten: u64 = dashboard
        .labels
        .iter()
        .map(|label| label.window.forgotten)
        .sum();
    html! {
        p.about {
            "Times are elapsed times in milliseconds, of failed samples too. The large percentiles are those of "
            "the whole run, by nearest rank. "
            @match dashboard.options.window {
                Some(window) => {
                    "Below them, in grey, stands what JMeter’s own dashboard shows: an interpolated percentile of "
                    "the last " (format::count(window as u64)) " samples of a label. "
                }
                None => {
                    "Below them, in grey, stands what JMeter’s own dashboard shows with an unlimited window: "
                    "interpolated percentiles. "
                }
            }
            @if forgotten > 0 {
                b { "JMeter’s window left out " (format::count(forgotten)) " samples of this file." }
            }
        }
        div.scroll role="region" aria-label="Statistics" tabindex="0" {
            table.wide {
                thead {
                    tr {
                        th scope="col" { "Label" }
                        @for name in ["Samples", "Failed", "Mean", "Min", "Max", "Median"] {
                            th.number scope="col" { (name) }
                        }
                        @for name in &names { th.number scope="col" { (name) } }
                        @for name in ["Per second", "KiB/s received", "KiB/s sent"] {
                            th.number scope="col" { (name) }
                        }
                    }
                }
                tbody { @for row in rows(dashboard) { (statistics_row(row)) } }
            }
        }
        @if dashboard.other_labels > 0 {
            p.note {
                (format::count(dashboard.other_labels))
                " samples have labels beyond those that are told apart; they are in the total."
            }
        }
    }
}

fn statistics_row(row: &Statistics) -> Markup {
    let failed = row.errors as f64 / (row.samples as f64).max(1.0);
    html! {
        tr {
            th scope="row" {
                (row.label)
                @if row.is_transaction { span.sub { "transaction, not in the total" } }
            }
            td.number { (format::count(row.samples)) }
            td.number {
                (format::percent(failed))
                @if row.errors > 0 { span.sub { (format::count(row.errors)) } }
            }
            td.number { (one_place(row.mean_ms)) }
            td.number { (format::count(row.min_ms)) }
            td.number { (format::count(row.max_ms)) }
            (percentile(row.full_run.median_ms, row.window.median_ms))
            @for (full, window) in row.full_run.others_ms.iter().zip(row.window.others_ms) {
                (percentile(*full, window))
            }
            td.number { (rate(row.per_second)) }
            td.number { (rate(row.received_kib_per_second)) }
            td.number { (rate(row.sent_kib_per_second)) }
        }
    }
}

fn percentile(full_run_ms: u64, window_ms: f64) -> Markup {
    html! {
        td.number {
            b { (format::count(full_run_ms)) }
            span.sub { (one_place(window_ms)) }
        }
    }
}

fn apdex(dashboard: &Dashboard) -> Markup {
    let options = dashboard.options;
    html! {
        p.about {
            "(satisfied + tolerated / 2) / all; a success satisfies up to "
            (format::count(options.satisfied_ms)) " ms and is tolerated up to "
            (format::count(options.tolerated_ms)) " ms. As in JMeter, the total counts transactions too."
        }
        div.scroll role="region" aria-label="APDEX" tabindex="0" {
            table.wide {
                thead {
                    tr { th scope="col" { "Label" } th.number scope="col" { "APDEX" } th scope="col" { "" } }
                }
                tbody {
                    @for row in rows(dashboard) {
                        tr {
                            th scope="row" { (row.label) }
                            td.number { (format!("{:.3}", row.apdex)) }
                            td { span.bar { i style=(format!("width:{:.1}%", row.apdex * 100.0)) {} } }
                        }
                    }
                }
            }
        }
    }
}

fn over_time(dashboard: &Dashboard) -> Markup {
    let stretch = dashboard.interval_s;
    let every = if stretch == 1 {
        "second".to_owned()
    } else {
        format!("stretch of {stretch} seconds")
    };
    let pictures = [
        (
            charts::SAMPLES,
            "Samples per second",
            format!("What ended in each {every}, transactions left out."),
        ),
        (
            charts::TIMES,
            "Response times",
            format!("Elapsed times of what ended in each {every}, failed samples too."),
        ),
        (
            charts::THREADS,
            "Active users",
            "The most that a row of each stretch tells of.".to_owned(),
        ),
    ];
    let has_threads = charts::has_threads(dashboard);
    html! {
        @for (id, title, summary) in pictures {
            @if id != charts::THREADS || has_threads {
                figure {
                    figcaption { b { (title) } p.summary { (summary) } }
                    div.chart id=(id) data-label=(format!("{title}. {summary}")) {}
                }
            }
        }
    }
}

fn errors(dashboard: &Dashboard) -> Markup {
    if dashboard.errors.is_empty() {
        return html! { p { "No sample failed." } };
    }
    html! {
        div.scroll role="region" aria-label="Errors" tabindex="0" {
            table.wide {
                thead {
                    tr {
                        th scope="col" { "Error" }
                        th.number scope="col" { "Count" }
                        th.number scope="col" { "Of errors" }
                        th.number scope="col" { "Of samples" }
                    }
                }
                tbody {
                    @for error in dashboard.errors.iter().take(ERRORS_SHOWN) {
                        tr {
                            th scope="row" { (error.kind) }
                            td.number { (format::count(error.count)) }
                            td.number { (format::percent(error.share_of_errors)) }
                            td.number { (format::percent(error.share_of_samples)) }
                        }
                    }
                }
            }
        }
        @if dashboard.errors.len() > ERRORS_SHOWN {
            p.note { "And " (dashboard.errors.len() - ERRORS_SHOWN) " rarer kinds." }
        }
    }
}

fn top_errors(dashboard: &Dashboard) -> Markup {
    html! {
        div.scroll role="region" aria-label="Top five errors by sampler" tabindex="0" {
            table.wide {
                thead {
                    tr {
                        th scope="col" { "Label" }
                        th.number scope="col" { "Samples" }
                        th.number scope="col" { "Errors" }
                        th scope="col" { "Most frequent" }
                    }
                }
                tbody {
                    @for sampler in dashboard.sampler_errors.iter().take(ERRORS_SHOWN) {
                        tr {
                            th scope="row" { (sampler.label) }
                            td.number { (format::count(sampler.samples)) }
                            td.number { (format::count(sampler.errors)) }
                            td {
                                @for (kind, count) in &sampler.top {
                                    div { (format::count(*count)) " × " (kind) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn problems(dashboard: &Dashboard) -> Markup {
    html! {
        p { (format::count(dashboard.problem_count)) " rows of the file could not be read and are in no figure:" }
        ul.remarks { @for problem in &dashboard.problems { li { (problem) } } }
    }
}

fn one_place(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    format::plain(rounded)
}

/// A rate over no time is no figure.
fn rate(value: f64) -> String {
    if value.is_finite() {
        format::rate(value)
    } else {
        format::NONE.to_owned()
    }
}

#[cfg(test)]
mod tests;
