//! `double11 compare`: two finished runs side by side.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use double11_rehearsal::{CompareError, CompareOptions, compare};
use double11_report::{html, json};

use crate::arguments::Compare;
use crate::commands::rehearse::{exit_of, print};
use crate::console;
use crate::exit::{CommandResult, Failure};

pub(crate) fn run(arguments: Compare) -> CommandResult {
    let language = arguments.report.lang;
    let output = arguments.output;
    let inputs = arguments.baseline.iter().chain(&arguments.optimized);
    let is_data = output.extension().is_some_and(|ending| ending == "json");
    if is_data || inputs.into_iter().any(|input| same_file(input, &output)) {
        let error = anyhow::anyhow!(
            "`--output {}` would overwrite what is needed",
            output.display()
        );
        return Err(Failure::usage(error).hint("name the page: `--output report.html`"));
    }
    let report = compare(&CompareOptions {
        baseline: arguments.baseline,
        optimized: arguments.optimized,
        phase: arguments.phase,
        command: crate::commands::command_line(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_commit: option_env!("DOUBLE11_COMMIT").map(str::to_owned),
    })
    .map_err(explain)?;
    let data = output.with_extension("json");
    write(&data, |file| {
        json::write(&report, file).map_err(std::io::Error::other)
    })?;
    write(&output, |file| html::write(&report, language, file))?;
    print(&report, language)?;
    console::say(&format!(
        "report: {}\ndata: {}",
        output.display(),
        data.display()
    ));
    Ok(exit_of(&report))
}

/// Whether two paths lead to one file that is there.
fn same_file(one: &Path, other: &Path) -> bool {
    let found = |path: &Path| path.canonicalize().ok();
    found(one).is_some_and(|one| Some(one) == found(other))
}

/// Writes a file beside its place first, so that an earlier one is replaced as a whole.
fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let written = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(&fresh)?);
        content(&mut file)?;
        file.flush()?;
        std::fs::rename(&fresh, path)
    };
    written()
        .with_context(|| format!("`{}` could not be written", path.display()))
        .map_err(|error| {
            Failure::environment(error).hint("name a file that can be written: `--output FILE`")
        })
}

fn explain(error: CompareError) -> Failure {
    let hint = match &error {
        CompareError::Unpaired { .. } => {
            "give `--optimized` as often as `--baseline`; the first of both make the first pair"
        }
        CompareError::Mixed { .. } => {
            "a run directory holds its samples too: name its `.jtl` file on that side"
        }
        CompareError::Repeated { .. } => "a pair needs a run of its own on each side",
        CompareError::NoSuchPhase { .. } => "name a phase that every run has",
        CompareError::Input(_) => {
            "name a folder that `load` or `rehearse` wrote, or a JTL file of JMeter's, CSV or XML"
        }
    };
    Failure::usage(error).hint(hint)
}
