//! `double11 validate`: a run's own figures against those that the shop counted meanwhile.

use std::path::Path;

use anyhow::Context as _;
use double11_measure::run::{Summary, TimeSeries};
use double11_monitor::cross_check::{
    CLIENT_OVERHEAD_DEFAULT, CrossCheck, CrossCheckInput, Overall, cross_check,
};
use double11_monitor::matrix::Matrix;
use double11_rehearsal::{built_in_plan, count_writes, endpoints};
use serde::de::DeserializeOwned;

use crate::arguments::Validate;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

pub(crate) fn run(arguments: &Validate) -> CommandResult {
    let folder = &arguments.run;
    if !folder.is_dir() {
        return Err(
            Failure::usage(anyhow::anyhow!("`{}` is not a folder", folder.display()))
                .hint("name the folder of a run, as `double11 load --out DIR` makes it"),
        );
    }
    let summary: Summary = read(folder, "summary.json")?;
    let time_series: TimeSeries = read(folder, "timeseries.json")?;
    let metrics = folder.join("metrics.json");
    if !metrics.exists() {
        console::say("cannot say, because the target's metrics were not scraped during the run");
        return Ok(Exit::CannotJudge);
    }
    let matrix: Matrix = read(folder, "metrics.json")?;
    let manifest = double11_load::read_manifest(folder).map_err(Failure::environment)?;
    let plan = built_in_plan(&manifest).ok_or_else(|| {
        let name = &manifest.plan.name;
        let error = anyhow::anyhow!("the run was made with a plan of its own, `{name}`");
        Failure::usage(error).hint("which endpoints its steps ask is known of built-in plans only")
    })?;
    let ledger = folder.join("client-ledger.jsonl");
    let writes = count_writes(&ledger)
        .with_context(|| format!("`{}` cannot be read", ledger.display()))
        .map_err(Failure::environment)?;
    let result = cross_check(&CrossCheckInput {
        summary: &summary,
        time_series: &time_series,
        matrix: &matrix,
        endpoints: &endpoints(&plan),
        writes: Some(writes),
        client_overhead: CLIENT_OVERHEAD_DEFAULT,
    });
    if arguments.json {
        let text = serde_json::to_string_pretty(&result).map_err(Failure::environment)?;
        console::data(&format!("{text}\n"));
    } else {
        console::data(&table(&result));
    }
    Ok(match result.overall {
        Overall::Agrees => Exit::Done,
        Overall::Differs => Exit::Failed,
        Overall::CannotJudge => Exit::CannotJudge,
    })
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

fn table(result: &CrossCheck) -> String {
    let number = |value: Option<f64>| {
        value.map_or_else(
            || "-".to_owned(),
            |value| format!("{value:.2}").replace(".00", ""),
        )
    };
    let widest = result
        .checks
        .iter()
        .map(|check| check.name.chars().count())
        .max()
        .unwrap_or(4);
    let row = |cells: [&str; 6]| {
        let [what, phase, client, shop, limit, verdict] = cells;
        format!("{what:<widest$}  {phase:<10}{client:>11}{shop:>11}{limit:>12}  {verdict}\n")
    };
    let rows: String = result
        .checks
        .iter()
        .map(|check| {
            row([
                &check.name,
                check.phase.as_deref().unwrap_or("whole run"),
                &number(check.client),
                &number(check.shop),
                &number(check.limit),
                &check.verdict.to_string(),
            ])
        })
        .collect();
    let verdict = match result.overall {
        Overall::Agrees => "the figures agree\n",
        Overall::Differs => "the figures DIFFER: one of the two counts wrongly\n",
        Overall::CannotJudge => "not everything could be compared\n",
    };
    row(["what", "phase", "client", "shop", "may differ", "verdict"]) + &rows + verdict
}
