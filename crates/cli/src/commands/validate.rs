//! `double11 validate`: a run's own figures against those that the shop counted meanwhile, by the
//! scrapes kept with the run or by a Prometheus.

use std::path::Path;

use anyhow::Context as _;
use double11_load::RunManifest;
use double11_measure::run::{Summary, TimeSeries};
use double11_monitor::cross_check::{
    CLIENT_OVERHEAD_DEFAULT, ClientWrites, CrossCheck, CrossCheckInput, Overall, StepEndpoint,
    cross_check,
};
use double11_monitor::matrix::Matrix;
use double11_rehearsal::{built_in_plan, count_writes, endpoints, endpoints_asked};
use serde::de::DeserializeOwned;

use crate::arguments::Validate;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

mod asked;
mod table;

pub(crate) fn run(arguments: &Validate) -> CommandResult {
    let checked = match (&arguments.run, &arguments.jtl, &arguments.prometheus) {
        (Some(folder), _, None) => scraped(folder)?,
        (Some(folder), _, Some(url)) => Some(asked::run(&Run::read(folder)?, url, arguments)?),
        (None, Some(file), Some(url)) => Some(asked::sample_file(file, url, arguments)?),
        (None, ..) => unreachable!("the command line asks for a run, or a file with a Prometheus"),
    };
    let Some(result) = checked else {
        console::say("cannot say, because the target's metrics were not scraped during the run");
        return Ok(Exit::CannotJudge);
    };
    if arguments.json {
        let text = serde_json::to_string_pretty(&result).map_err(Failure::environment)?;
        console::data(&format!("{text}\n"));
    } else {
        let told_by = arguments
            .prometheus
            .as_ref()
            .map_or("shop", |_| "Prometheus");
        console::data(&table::table(&result, told_by));
    }
    Ok(match result.overall {
        Overall::Agrees => Exit::Done,
        Overall::Differs => Exit::Failed,
        Overall::CannotJudge => Exit::CannotJudge,
    })
}

/// By the scrapes that were kept with the run; `None` where there are none.
fn scraped(folder: &Path) -> Result<Option<CrossCheck>, Failure> {
    let run = Run::read(folder)?;
    if !folder.join("metrics.json").exists() {
        return Ok(None);
    }
    let matrix: Matrix = read(folder, "metrics.json")?;
    Ok(Some(cross_check(&run.input(&matrix))))
}

/// A run of the load engine.
struct Run {
    manifest: RunManifest,
    summary: Summary,
    time_series: TimeSeries,
    endpoints: Vec<StepEndpoint>,
    writes: ClientWrites,
}

impl Run {
    fn read(folder: &Path) -> Result<Self, Failure> {
        if !folder.is_dir() {
            return Err(
                Failure::usage(anyhow::anyhow!("`{}` is not a folder", folder.display()))
                    .hint("name the folder of a run, as `double11 load --out DIR` makes it"),
            );
        }
        let summary: Summary = read(folder, "summary.json")?;
        let time_series: TimeSeries = read(folder, "timeseries.json")?;
        let manifest = double11_load::read_manifest(folder).map_err(Failure::environment)?;
        let endpoints = built_in_plan(&manifest).map_or_else(
            || endpoints_asked(&manifest.plan.asked),
            |plan| endpoints(&plan),
        );
        if endpoints.is_empty() {
            let name = &manifest.plan.name;
            let error = anyhow::anyhow!("the run was made with a plan of its own, `{name}`");
            return Err(Failure::usage(error).hint(
                "which endpoints its steps ask is known of built-in plans and of those of JMeter only",
            ));
        }
        let ledger = folder.join("client-ledger.jsonl");
        let writes = count_writes(&ledger)
            .with_context(|| format!("`{}` cannot be read", ledger.display()))
            .map_err(Failure::environment)?;
        Ok(Self {
            manifest,
            summary,
            time_series,
            endpoints,
            writes,
        })
    }

    fn input<'run>(&'run self, matrix: &'run Matrix) -> CrossCheckInput<'run> {
        CrossCheckInput {
            summary: &self.summary,
            time_series: &self.time_series,
            matrix,
            endpoints: &self.endpoints,
            writes: Some(self.writes),
            client_overhead: CLIENT_OVERHEAD_DEFAULT,
        }
    }
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, Failure> {
    let path = folder.join(name);
    std::fs::read(&path)
        .map_err(anyhow::Error::new)
        .and_then(|bytes| Ok(serde_json::from_slice(&bytes)?))
        .with_context(|| format!("`{}` cannot be read", path.display()))
        .map_err(|error| {
            Failure::environment(error).hint("name the folder of a run that ended by itself")
        })
}
