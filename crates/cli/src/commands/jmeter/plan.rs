//! Plans as files: reading them, and `--check`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use double11_jmeter::compiler::Compiler;
use double11_jmeter::functions::expression;
use double11_jmeter::http::HttpSettings;
use double11_jmeter::plan::{Plan, PlanOptions, compile};
use double11_jmeter::results::SaveForm;
use double11_jmx::check::{Expressions, Language, Report};
use double11_jmx::document::{Document, Limits};
use double11_jmx::template::Template;

use super::settings::Settings;
use crate::arguments::Jmeter;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

/// A plan ready to run, and what was found on the way.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) plan: Plan,
    pub(super) report: Report,
    /// The folder of its file.
    pub(super) folder: PathBuf,
}

/// `jmeter --check PLAN`.
pub(super) fn check(arguments: &Jmeter, path: &Path) -> CommandResult {
    let settings = Settings::of(arguments)?;
    let form = SaveForm::of(&|name| settings.get(name)).map_err(Failure::usage)?;
    let report = compiled(arguments, &settings, &form, path)?.report;
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
pub(super) fn compiled(
    arguments: &Jmeter,
    settings: &Settings,
    form: &SaveForm,
    path: &Path,
) -> Result<Compiled, Failure> {
    let document = read(path).map_err(|error| {
        Failure::usage(error).hint("name a plan that JMeter has saved, a `.jmx` file")
    })?;
    let mut report = double11_jmx::check::check(&document, &Subset);
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    include(&mut report, &folder, &mut vec![path.to_owned()]);
    let mut compiler = Compiler::new(&folder);
    let property = |name: &str| settings.get(name);
    let target = arguments.ours.target.as_deref();
    let http = HttpSettings::new(&property, target, &mut compiler)
        .map_err(|error| Failure::usage(error).hint("write `--target http://127.0.0.1:8080`"))?;
    let options = PlanOptions {
        http: &Arc::new(http),
        form,
        needs: form.needs(),
        include_prefix: &settings.get("includecontroller.prefix").unwrap_or_default(),
        include: &|path| {
            read(path)
                .map(|plan| plan.root)
                .map_err(|error| format!("{error:#}"))
        },
    };
    let plan = compile(&document.root, &options, &mut compiler);
    for problem in compiler.problems() {
        let known = report.refused.iter();
        let mut known = known.filter(|one| one.line == problem.line && one.class == problem.class);
        // What the check says of an element need not be said twice.
        if known.next().is_none() {
            report.refuse(problem.line, &problem.class, &problem.name, &problem.text);
        }
    }
    Ok(Compiled {
        plan,
        report,
        folder,
    })
}

fn read(path: &Path) -> anyhow::Result<Document> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the plan `{shown}`"))?;
    double11_jmx::document::read(&bytes, Limits::STANDARD)
        .with_context(|| format!("`{shown}` is no plan"))
}

/// Adds what is found in included plans; `above` are those that are being read.
fn include(report: &mut Report, folder: &Path, above: &mut Vec<PathBuf>) {
    for included in report.includes.clone() {
        let path = folder.join(&included.path);
        // A name with functions is filled in when the plan is compiled, which tells what is wrong.
        if included.path.contains("${") || above.contains(&path) {
            continue;
        }
        let Ok(document) = read(&path) else { continue };
        let mut inner = double11_jmx::check::check(&document, &Subset);
        above.push(path);
        include(&mut inner, folder, above);
        above.pop();
        report.include(&included.path, inner);
    }
}

/// Expressions that the evaluator takes.
struct Subset;

impl Expressions for Subset {
    fn accepts(&self, language: Language, text: &Template) -> Result<(), String> {
        let language = match language {
            Language::JavaScript => expression::Language::JavaScript,
            Language::Jexl2 => expression::Language::Jexl2,
            Language::Jexl3 => expression::Language::Jexl3,
            Language::Groovy => expression::Language::Groovy,
        };
        expression::check(text, language).map_err(|unsupported| unsupported.to_string())
    }
}

/// The elements of a report that stop a run, as lines.
pub(super) fn refusals(report: &Report) -> Vec<String> {
    let refused = report.refused.iter();
    let line = |one: &double11_jmx::check::Finding| {
        format!(
            "line {}: {} `{}`: {}",
            one.line,
            one.what(),
            one.name,
            one.reason
        )
    };
    refused.map(line).collect()
}
