//! The dashboard of a result file: the counterpart of `JMeter`'s, on one page, with the percentiles of
//! the whole run beside those that `JMeter` shows.

use std::io::{self, Write};

use double11_measure::jtl::{Dashboard, Statistics};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts::result_file as charts;
use super::{POLICY, SCRIPT, STYLE};
use crate::format;
use crate::texts::{DashboardTexts, Language, fill};
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
    language: Language,
    writer: &mut impl Write,
) -> io::Result<()> {
    let page = Page {
        dashboard,
        about,
        language,
        texts: language.dashboard_texts(),
    };
    writer.write_all(page.whole().into_string().as_bytes())
}

/// What the page is made of.
struct Page<'p> {
    dashboard: &'p Dashboard,
    about: &'p DashboardAbout,
    language: Language,
    texts: &'static DashboardTexts,
}

/// The head of a table: a name, and whether numbers stand below it.
type Column<'c> = (&'c str, bool);

impl Page<'_> {
    fn whole(&self) -> Markup {
        let texts = self.texts;
        let data = charts::charts(self.dashboard, texts);
        let json =
            serde_json::to_string(&data).expect("plain structs of numbers and texts have JSON");
        let versions = [
            ("version", self.about.version.as_str()),
            ("charts", vendor::UPLOT_VERSION),
        ];
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (fill(texts.title, &[("file", &self.about.file)])) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(vendor::UPLOT_STYLE)) (PreEscaped(STYLE)) }
                }
                body {
                    (self.header())
                    main {
                        noscript { p.note { (texts.no_script) } }
                        @for (id, title, body) in self.sections() {
                            section id=(id) aria-labelledby=(format!("{id}-title")) {
                                h2 id=(format!("{id}-title")) { (title) }
                                (body)
                            }
                        }
                    }
                    footer { p { (fill(texts.footer, &versions)) } }
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

    fn header(&self) -> Markup {
        let (texts, total) = (self.texts, &self.dashboard.total);
        let span_s = (self.dashboard.end_ms - self.dashboard.start_ms) as f64 / 1_000.0;
        let span = fill(texts.seconds, &[("value", &format::seconds(span_s))]);
        let failed = total.errors as f64 / (total.samples as f64).max(1.0);
        let facts = [
            (texts.started, self.about.started_at.clone()),
            (texts.duration, span),
            (texts.samples, format::count(total.samples)),
            (texts.failed, format::percent(failed)),
            (texts.throughput, format!("{}/s", rate(total.per_second))),
        ];
        html! {
            header {
                button.theme type="button" hidden { (texts.dark) }
                p.eyebrow { (texts.eyebrow) }
                h1 { (self.about.file) }
                ul.when {
                    @for (name, value) in &facts { li { (name) " " b { (value) } } }
                }
            }
        }
    }

    fn sections(&self) -> Vec<(&'static str, &'static str, Markup)> {
        let (texts, dashboard) = (self.texts, self.dashboard);
        let mut sections = vec![
            ("statistics", texts.statistics, self.statistics()),
            ("apdex", texts.apdex, self.apdex()),
        ];
        if !dashboard.intervals.is_empty() {
            sections.push(("over-time", texts.over_time, self.over_time()));
        }
        sections.push(("errors", texts.errors, self.errors()));
        if !dashboard.sampler_errors.is_empty() {
            sections.push(("top-errors", texts.top_errors, self.top_errors()));
        }
        if dashboard.problem_count > 0 {
            sections.push(("problems", texts.problems, self.problems()));
        }
        sections
    }

    /// The figures of all samples and of each label, with the names that stand beside them.
    fn rows(&self) -> impl Iterator<Item = (&str, &Statistics)> {
        let labels = self.dashboard.labels.iter();
        let labels = labels.map(|row| (row.label.as_str(), row));
        std::iter::once((self.texts.total, &self.dashboard.total)).chain(labels)
    }

    fn statistics(&self) -> Markup {
        let (texts, dashboard) = (self.texts, self.dashboard);
        let percentiles = dashboard.options.percentiles;
        let percentiles = percentiles.map(|percentile| format!("P{percentile}"));
        let forgotten = dashboard.labels.iter().map(|label| label.window.forgotten);
        let forgotten: u64 = forgotten.sum();
        let mut columns = vec![(texts.label, false)];
        let figures = [
            texts.samples,
            texts.failed,
            texts.mean,
            texts.min,
            texts.max,
            texts.median,
        ];
        let percentiles = percentiles.iter().map(String::as_str);
        let rates = [texts.per_second, texts.received, texts.sent];
        let numbers = figures.into_iter().chain(percentiles).chain(rates);
        columns.extend(numbers.map(|name| (name, true)));
        let rows = html! { @for (name, row) in self.rows() { (self.statistics_row(name, row)) } };
        html! {
            p.about {
                (texts.statistics_about) (texts.between_sentences)
                @match dashboard.options.window {
                    Some(window) => (counted(texts.statistics_window, "window", window as u64)),
                    None => (texts.statistics_no_window),
                }
                @if forgotten > 0 {
                    (texts.between_sentences) b { (counted(texts.statistics_forgotten, "count", forgotten)) }
                }
            }
            (table(texts.statistics, &columns, &rows))
            @if dashboard.other_labels > 0 {
                p.note { (counted(texts.statistics_other_labels, "count", dashboard.other_labels)) }
            }
        }
    }

    fn statistics_row(&self, name: &str, row: &Statistics) -> Markup {
        let failed = row.errors as f64 / (row.samples as f64).max(1.0);
        html! {
            tr {
                th scope="row" {
                    (name)
                    @if row.is_transaction { span.sub { (self.texts.transaction) } }
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

    fn apdex(&self) -> Markup {
        let (texts, options) = (self.texts, self.dashboard.options);
        let limits = [
            ("satisfied", &*format::count(options.satisfied_ms)),
            ("tolerated", &*format::count(options.tolerated_ms)),
        ];
        let columns = [(texts.label, false), (texts.apdex, true), ("", false)];
        let rows = html! {
            @for (name, row) in self.rows() {
                tr {
                    th scope="row" { (name) }
                    td.number { (format!("{:.3}", row.apdex)) }
                    td { span.bar { i style=(format!("width:{:.1}%", row.apdex * 100.0)) {} } }
                }
            }
        };
        html! {
            p.about { (fill(texts.apdex_about, &limits)) }
            (table(texts.apdex, &columns, &rows))
        }
    }

    fn over_time(&self) -> Markup {
        let (texts, stretch) = (self.texts, self.dashboard.interval_s);
        let every = if stretch == 1 {
            texts.every_second.to_owned()
        } else {
            counted(texts.every_stretch, "seconds", u64::from(stretch))
        };
        let pictures = [
            (
                charts::SAMPLES,
                texts.chart_samples,
                texts.chart_samples_about,
            ),
            (charts::TIMES, texts.chart_times, texts.chart_times_about),
            (charts::THREADS, texts.chart_users, texts.chart_users_about),
        ];
        let has_threads = charts::has_threads(self.dashboard);
        html! {
            @for (id, title, about) in pictures {
                @if id != charts::THREADS || has_threads {
                    @let summary = fill(about, &[("every", &every)]);
                    figure {
                        figcaption { b { (title) } p.summary { (summary) } }
                        div.chart id=(id) data-label=(format!("{title}. {summary}")) {}
                    }
                }
            }
        }
    }

    fn errors(&self) -> Markup {
        let (texts, errors) = (self.texts, &self.dashboard.errors);
        if errors.is_empty() {
            return html! { p { (texts.no_errors) } };
        }
        let columns = [
            (texts.error, false),
            (texts.count, true),
            (texts.of_errors, true),
            (texts.of_samples, true),
        ];
        let rows = html! {
            @for error in errors.iter().take(ERRORS_SHOWN) {
                tr {
                    th scope="row" { (error.kind) }
                    td.number { (format::count(error.count)) }
                    td.number { (format::percent(error.share_of_errors)) }
                    td.number { (format::percent(error.share_of_samples)) }
                }
            }
        };
        let rarer = errors.len().saturating_sub(ERRORS_SHOWN);
        html! {
            (table(texts.errors, &columns, &rows))
            @if rarer > 0 { p.note { (counted(texts.rarer, "count", rarer as u64)) } }
        }
    }

    fn top_errors(&self) -> Markup {
        let texts = self.texts;
        let columns = [
            (texts.label, false),
            (texts.samples, true),
            (texts.errors, true),
            (texts.most_frequent, false),
        ];
        let rows = html! {
            @for sampler in self.dashboard.sampler_errors.iter().take(ERRORS_SHOWN) {
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
        };
        table(texts.top_errors, &columns, &rows)
    }

    fn problems(&self) -> Markup {
        let dashboard = self.dashboard;
        html! {
            p { (counted(self.texts.problems_about, "count", dashboard.problem_count)) }
            ul.remarks { @for problem in &dashboard.problems { li { (problem) } } }
        }
    }
}

/// A table that scrolls by itself where the page is narrow.
fn table(name: &str, columns: &[Column<'_>], rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(name) tabindex="0" {
            table.wide {
                thead {
                    tr {
                        @for (name, is_number) in columns {
                            th.number[*is_number] scope="col" { (name) }
                        }
                    }
                }
                tbody { (rows) }
            }
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

/// A template with one count.
fn counted(template: &str, place: &str, count: u64) -> String {
    fill(template, &[(place, &format::count(count))])
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
