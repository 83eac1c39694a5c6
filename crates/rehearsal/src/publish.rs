//! The files with fixed names: the report in all its forms, and what the first pair left behind.

use double11_load::run_directory::SAMPLES;
use double11_report::{ImprovementReport, Language, histogram, html, json, markdown, picture};

use crate::files::Folders;
use crate::prometheus;
use crate::rehearse::RehearsalError;
use crate::run::Run;

/// The page.
pub(crate) const PAGE: &str = "improvement_report.html";
/// The same as data.
pub(crate) const DATA: &str = "improvement_report.json";
/// The summary as a picture.
pub(crate) const PICTURE: &str = "improvement_report.svg";
/// The summary as a table for a page of text.
pub(crate) const MARKDOWN: &str = "improvement_report.md";

/// Replaces the files with fixed names, each atomically and no others. Of a `JMeter` plan the samples are
/// one file, which has those of the rise as well.
pub(crate) fn publish(
    folders: &Folders,
    runs: &[&Run],
    report: &ImprovementReport,
    (language, is_jmeter): (Language, bool),
) -> Result<(), RehearsalError> {
    for run in runs {
        let name = &run.variant;
        if is_jmeter {
            let source = run.folder.join(SAMPLES);
            folders.publish(&source, &format!("{name}_{SAMPLES}"))?;
        }
        // What a real Prometheus answered counts before our own scrapes, which have the same form.
        let asked = run.folder.join(prometheus::ANSWER).exists();
        let metrics = if asked {
            prometheus::ANSWER
        } else {
            "metrics.json"
        };
        for (source, name) in [
            ("normal.jtl", format!("{name}_normal.jtl")),
            ("peak.jtl", format!("{name}_peak.jtl")),
            (metrics, format!("{name}_metrics.json")),
        ] {
            let source = run.folder.join(source);
            // A plan without a normal day has no such samples, a foreign shop perhaps no metrics.
            if source.exists() {
                folders.publish(&source, &name)?;
            }
        }
    }
    for variant in &report.variants {
        let times = variant.histogram.as_ref();
        let Some(times) = times.and_then(|times| times.response_time.as_deref()) else {
            continue;
        };
        let name = percentiles_of(&variant.name, &report.method.judged_phase);
        let mut text = Vec::new();
        histogram::write_percentiles(times, &mut text)
            .map_err(|error| failed(&name, std::io::Error::other(error)))?;
        folders.write_and_publish(&name, &text)?;
    }
    let mut data = Vec::new();
    json::write(report, &mut data).map_err(|error| failed(DATA, std::io::Error::other(error)))?;
    folders.write_and_publish(DATA, &data)?;
    let mut page = Vec::new();
    html::write(report, language, &mut page).map_err(|source| failed(PAGE, source))?;
    folders.write_and_publish(PAGE, &page)?;
    let mut drawing = Vec::new();
    picture::write(report, language, &mut drawing).map_err(|source| failed(PICTURE, source))?;
    folders.write_and_publish(PICTURE, &drawing)?;
    let mut table = Vec::new();
    markdown::write(report, language, &mut table).map_err(|source| failed(MARKDOWN, source))?;
    folders.write_and_publish(MARKDOWN, &table)?;
    Ok(())
}

/// The file with the percentiles of a variant's judged phase.
pub(crate) fn percentiles_of(variant: &str, phase: &str) -> String {
    format!("{variant}_{phase}.hgrm")
}

fn failed(name: &str, source: std::io::Error) -> RehearsalError {
    RehearsalError::Write {
        path: name.into(),
        source,
    }
}
