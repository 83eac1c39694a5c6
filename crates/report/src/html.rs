//! The report as one HTML file that needs nothing else: no network, no fonts, no other file.
//!
//! All figures stand in tables and sentences, so that the page can be read without scripts; the
//! charts are drawn by the vendored uPlot from data that the page carries. A content security
//! policy in the page forbids every request.

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::format;
use crate::model::{ImprovementReport, Metric, Source, TimeBasis, VariantReport};
use crate::texts::{Language, Texts, fill};
use crate::vendor;

mod capacity;
mod charts;
mod checks;
mod comparison;
mod dashboard;
mod facts;
mod forest;
mod histograms;
mod ladder;
mod phases;
mod pictures;
mod prometheus;
mod top;

pub use dashboard::{DashboardAbout, write_dashboard};

pub(crate) use capacity::range as capacity_range;
pub(crate) use ladder::sentences as ladder_sentences;

/// Writes the page.
///
/// # Errors
/// What the writer returns.
pub fn write(
    report: &ImprovementReport,
    language: Language,
    writer: &mut impl Write,
) -> io::Result<()> {
    let context = Context::new(report, language);
    writer.write_all(page(&context, language).into_string().as_bytes())
}

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data:; base-uri 'none'; form-action 'none'";

/// What every part of the page needs.
struct Context<'a> {
    report: &'a ImprovementReport,
    language: Language,
    texts: &'static Texts,
    baseline: &'a str,
    optimised: &'a str,
    judged_phase: &'a str,
}

impl<'a> Context<'a> {
    fn new(report: &'a ImprovementReport, language: Language) -> Self {
        let name = |variant: Option<&'a VariantReport>| {
            variant.map_or(format::NONE, |variant| variant.name.as_str())
        };
        Self {
            report,
            language,
            texts: language.texts_by(report.method.time_basis),
            baseline: name(report.baseline()),
            optimised: name(report.optimised()),
            judged_phase: &report.method.judged_phase,
        }
    }

    /// A template with the names of the two variants and the judged phase filled in.
    fn fill(&self, template: &str) -> String {
        fill(
            template,
            &[
                ("baseline", self.baseline),
                ("optimised", self.optimised),
                ("phase", self.judged_phase),
            ],
        )
    }

    /// Whether both shops are ours, so that their promises are known.
    fn shops_are_ours(&self) -> bool {
        self.report.method.source == Source::Rehearsal
            && self
                .report
                .variants
                .iter()
                .all(|variant| variant.audit_missing.is_none())
    }

    /// Whether nothing but files of samples is known: no plan, no seed, no time-out.
    fn is_samples_only(&self) -> bool {
        self.report.method.source == Source::SampleFiles
    }

    /// Whether the times count from the sending, because planned starts are unknown.
    fn is_service_time_only(&self) -> bool {
        self.report.method.time_basis == TimeBasis::ServiceTimeOnly
    }

    /// The name of a metric in this report.
    fn metric(&self, metric: Metric) -> &'static str {
        self.texts.metric_by(metric, self.report.method.time_basis)
    }

    fn variants(&self) -> impl Iterator<Item = (usize, &'a VariantReport)> {
        self.report.variants.iter().enumerate()
    }
}

/// A part of the page with its heading.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

fn page(context: &Context<'_>, language: Language) -> Markup {
    let texts = context.texts;
    let sections = sections(context);
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (context.fill(texts.page_title)) }
                // Without an icon of its own a browser would ask the server for one.
                link rel="icon" href="data:,";
                style { (PreEscaped(vendor::UPLOT_STYLE)) (PreEscaped(STYLE)) }
            }
            body {
                (top::header(context))
                main {
                    (top::outcome(context))
                    noscript { p.note { (texts.no_script) } }
                    nav aria-label=(texts.contents) {
                        ul {
                            @for section in &sections {
                                li { a href=(format!("#{}", section.id)) { (section.title) } }
                            }
                        }
                    }
                    @for section in &sections {
                        section id=(section.id) aria-labelledby=(format!("{}-title", section.id)) {
                            h2 id=(format!("{}-title", section.id)) { (section.title) }
                            (section.body)
                        }
                    }
                }
                footer {
                    p {
                        (fill(texts.footer, &[
                            ("version", &context.report.run.version),
                            ("uplot", vendor::UPLOT_VERSION),
                        ]))
                    }
                }
                script type="application/json" id="report-data" {
                    (PreEscaped(embedded_data(context)))
                }
                (PreEscaped(format!("<!--\n{}-->", vendor::UPLOT_LICENCE)))
                script { (PreEscaped(vendor::UPLOT_SCRIPT)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn sections(context: &Context<'_>) -> Vec<Section> {
    let texts = context.texts;
    let section = |id, title, body| Section { id, title, body };
    let mut sections = vec![section(
        "improvement",
        texts.improvement,
        top::improvement(context),
    )];
    // A part without figures is left out, so that none is empty.
    let optional = [
        (
            "comparison",
            texts.comparison,
            comparison::comparison(context),
        ),
        ("findings", texts.findings, Some(top::findings(context))),
        ("capacity", texts.capacity, capacity::capacity(context)),
        ("ladder", texts.ladder, ladder::ladder(context)),
        (
            "throughput",
            texts.throughput,
            pictures::throughput(context),
        ),
        ("response", texts.response, pictures::response(context)),
        ("heatmap", texts.heatmap, pictures::heatmaps(context)),
        (
            "histogram",
            texts.histogram,
            histograms::histograms(context),
        ),
        ("errors", texts.errors, pictures::errors(context)),
        ("resources", texts.resources, pictures::resources(context)),
        ("funnel", texts.funnel, phases::funnel(context)),
    ];
    sections.extend(
        optional
            .into_iter()
            .filter_map(|(id, title, body)| Some(section(id, title, body?))),
    );
    sections.extend([
        section("phases", texts.phases, phases::phases(context)),
        section("audit", texts.audit, checks::audit(context)),
        section(
            "cross-check",
            texts.cross_check,
            checks::cross_check(context),
        ),
    ]);
    sections.extend(
        prometheus::prometheus(context).map(|body| section("prometheus", texts.prometheus, body)),
    );
    sections.extend([
        section("generator", texts.generator, checks::generator(context)),
        section("method", texts.method, facts::method(context)),
        section("facts", texts.facts_run, facts::facts(context)),
    ]);
    sections
}

/// The data of the charts as JSON that cannot end its script element.
fn embedded_data(context: &Context<'_>) -> String {
    let data = charts::chart_data(context.report, context.texts);
    let json = serde_json::to_string(&data).expect("plain structs of numbers and texts have JSON");
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests;
