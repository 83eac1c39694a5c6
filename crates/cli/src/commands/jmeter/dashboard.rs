//! The dashboard of a result file: a page and `statistics.json`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use double11_measure::jtl::{Dashboard, DashboardOptions, Limits, Statistics};
use double11_report::Language;
use double11_report::html::{DashboardAbout, write_dashboard};
use double11_units::UnixMicros;
use serde::Serialize;
use serde_json::Value;

use super::run_log;
use super::settings::Settings;
use crate::arguments::Jmeter;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

/// `jmeter -g FILE -o DIR`.
pub(super) fn of_file(arguments: &Jmeter, results: &Path) -> CommandResult {
    let settings = Settings::of(arguments)?;
    make_folder(&arguments.report_folder, arguments.force)?;
    let language = arguments.ours.report.lang;
    write(&settings, results, &arguments.report_folder, language)?;
    Ok(Exit::Done)
}

/// Makes the folder of a dashboard, which must be empty or missing unless it may be replaced.
pub(super) fn make_folder(folder: &Path, replaces: bool) -> Result<(), Failure> {
    let shown = folder.display();
    let is_empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("`-o {shown}`"));
            return Err(Failure::usage(error).hint("name a folder"));
        }
    };
    let may_be_used = is_empty || replaces && is_ours(folder);
    if !may_be_used {
        let error = anyhow::anyhow!("the folder `{shown}` of the dashboard is not empty");
        return Err(Failure::usage(error).hint(if replaces {
            "it holds no dashboard, and `-f` deletes nothing else; name another with `-o`"
        } else {
            "name another with `-o`, or replace an earlier dashboard with `-f`"
        }));
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder `{shown}`"))
        .map_err(|error| Failure::environment(error).hint("name a folder that can be written"))
}

/// Whether a folder holds a dashboard, ours or JMeter's.
fn is_ours(folder: &Path) -> bool {
    folder.join("statistics.json").is_file() && folder.join("index.html").is_file()
}

/// Writes the dashboard of a result file into a folder that is there.
pub(super) fn write(
    settings: &Settings,
    results: &Path,
    folder: &Path,
    language: Language,
) -> Result<(), Failure> {
    let shown = results.display();
    let file = File::open(results)
        .with_context(|| format!("cannot read the result file `{shown}`"))
        .map_err(|error| Failure::usage(error).hint("name a JTL file: `-g out.jtl`"))?;
    let options = options(settings)?;
    let dashboard = Dashboard::read(BufReader::new(file), options, Limits::default())
        .with_context(|| format!("`{shown}`"))
        .map_err(|error| {
            Failure::usage(error).hint("name a JTL file, CSV with its header or XML")
        })?;
    if dashboard.problem_count > 0 {
        let first = dashboard.problems.first().map_or("", String::as_str);
        let count = dashboard.problem_count;
        console::say(&format!(
            "warning: {count} rows of `{shown}` are left out: {first}"
        ));
    }
    let name = results.file_name().unwrap_or(results.as_os_str());
    let about = DashboardAbout {
        file: name.to_string_lossy().into_owned(),
        started_at: run_log::shown(UnixMicros::new(dashboard.start_ms.saturating_mul(1_000))),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let page = folder.join("index.html");
    let json = folder.join("statistics.json");
    let full = folder.join("full-run.json");
    let written = || -> anyhow::Result<()> {
        let mut file = BufWriter::new(File::create(&page)?);
        write_dashboard(&dashboard, &about, language, &mut file)?;
        file.flush()?;
        std::fs::write(&json, pretty(&statistics(&dashboard))?)?;
        std::fs::write(&full, pretty(&full_run(&dashboard))?)?;
        Ok(())
    };
    written()
        .with_context(|| format!("cannot write the dashboard into `{}`", folder.display()))
        .map_err(|error| Failure::environment(error).hint("make room on the disk"))?;
    console::say(&format!("dashboard: {}", page.display()));
    Ok(())
}

fn pretty(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// What the figures go by, as `JMeter`'s properties say.
fn options(settings: &Settings) -> Result<DashboardOptions, Failure> {
    let default = DashboardOptions::default();
    let number = |name: &str, default: f64| match settings.get(name) {
        None => Ok(default),
        Some(text) => text.trim().parse::<f64>().map_err(|_| {
            Failure::usage(anyhow::anyhow!("the property `{name}` is `{text}`"))
                .hint("give it a number")
        }),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a conversion of floats saturates"
    )]
    let whole = |name: &str, default: u64| Ok::<_, Failure>(number(name, default as f64)? as u64);
    let prefix = "jmeter.reportgenerator.";
    let window = number(&format!("{prefix}statistic_window"), 20_000.0)?;
    let [first, second, third] = default.percentiles;
    Ok(DashboardOptions {
        satisfied_ms: whole(
            &format!("{prefix}apdex_satisfied_threshold"),
            default.satisfied_ms,
        )?,
        tolerated_ms: whole(
            &format!("{prefix}apdex_tolerated_threshold"),
            default.tolerated_ms,
        )?,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a conversion of floats saturates"
        )]
        window: (window > 0.0).then_some(window as usize),
        percentiles: [
            number("aggregate_rpt_pct1", first)?,
            number("aggregate_rpt_pct2", second)?,
            number("aggregate_rpt_pct3", third)?,
        ],
        stamps_start: settings
            .get("sampleresult.timestamp.start")
            .is_some_and(|value| value.eq_ignore_ascii_case("true")),
    })
}

/// A label in `statistics.json`.
///
/// Source: `JMeter`'s `SamplingStatistic`, in its order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sampling<'a> {
    transaction: &'a str,
    sample_count: u64,
    error_count: u64,
    error_pct: f32,
    mean_res_time: Value,
    median_res_time: Value,
    min_res_time: Value,
    max_res_time: Value,
    pct1_res_time: Value,
    pct2_res_time: Value,
    pct3_res_time: Value,
    throughput: Value,
    received_k_bytes_per_sec: Value,
    sent_k_bytes_per_sec: Value,
}

/// The figures of `JMeter`'s own file of this name, so that what reads one reads the other.
fn statistics(dashboard: &Dashboard) -> BTreeMap<&str, Sampling<'_>> {
    let rows = std::iter::once(&dashboard.total).chain(&dashboard.labels);
    let by_label = rows.map(|row| {
        let [first, second, third] = row.window.others_ms;
        let sampling = Sampling {
            median_res_time: float(row.window.median_ms),
            pct1_res_time: float(first),
            pct2_res_time: float(second),
            pct3_res_time: float(third),
            ..sampling(row)
        };
        (row.label.as_str(), sampling)
    });
    by_label.collect()
}

/// The same with percentiles of the whole run.
fn full_run(dashboard: &Dashboard) -> BTreeMap<&str, Sampling<'_>> {
    let rows = std::iter::once(&dashboard.total).chain(&dashboard.labels);
    rows.map(|row| (row.label.as_str(), sampling(row)))
        .collect()
}

fn sampling(row: &Statistics) -> Sampling<'_> {
    let [first, second, third] = row.full_run.others_ms;
    let share = row.errors as f64 * 100.0 / (row.samples as f64).max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "JMeter writes it as a float"
    )]
    let error_pct = share as f32;
    Sampling {
        transaction: &row.label,
        sample_count: row.samples,
        error_count: row.errors,
        error_pct,
        mean_res_time: float(row.mean_ms),
        median_res_time: float(row.full_run.median_ms as f64),
        min_res_time: float(row.min_ms as f64),
        max_res_time: float(row.max_ms as f64),
        pct1_res_time: float(first as f64),
        pct2_res_time: float(second as f64),
        pct3_res_time: float(third as f64),
        throughput: float(row.per_second),
        received_k_bytes_per_sec: float(row.received_kib_per_second),
        sent_k_bytes_per_sec: float(row.sent_kib_per_second),
    }
}

/// A number; what is none is a text there, as Java's library of JSON writes it.
fn float(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None => "Infinity".into(),
    }
}
