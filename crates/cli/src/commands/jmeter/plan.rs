//! Plans as files: reading them, and `--check`.

use std::path::Path;

use double11_jmeter::plan_file::{self, OpenError, OpenOptions, Opened};
use double11_jmeter::results::SaveForm;

use super::settings::Settings;
use crate::arguments::Jmeter;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

/// `jmeter --check PLAN`.
pub(super) fn check(arguments: &Jmeter, path: &Path) -> CommandResult {
    let settings = Settings::of(arguments)?;
    let form = SaveForm::of(&|name| settings.get(name)).map_err(Failure::usage)?;
    let report = opened(arguments, &settings, &form, path)?.report;
    if arguments.ours.json {
        let json = serde_json::to_string_pretty(&report.json());
        console::data(&format!("{}\n", json.map_err(Failure::environment)?));
    } else {
        console::data(&report.text());
    }
    if report.runs() || arguments.ours.lenient {
        Ok(Exit::Done)
    } else {
        Ok(Exit::Usage)
    }
}

/// Reads a plan, checks it and makes it ready to run, as far as it can be run.
pub(super) fn opened(
    arguments: &Jmeter,
    settings: &Settings,
    form: &SaveForm,
    path: &Path,
) -> Result<Opened, Failure> {
    let options = OpenOptions {
        property: &|name| settings.get(name),
        target: arguments.ours.target.as_deref(),
        form,
        witness: None,
    };
    plan_file::open(path, &options).map_err(unreadable)
}

/// A plan that cannot be opened.
pub(crate) fn unreadable(error: OpenError) -> Failure {
    let hint = match &error {
        OpenError::Target(_) => "write `--target http://127.0.0.1:8080`",
        OpenError::Read { .. } | OpenError::Document { .. } => {
            "name a plan that JMeter has saved, a `.jmx` file"
        }
    };
    Failure::usage(error).hint(hint)
}
