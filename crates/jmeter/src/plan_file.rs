//! Plans as files: read, checked, and made ready to run as far as they can be.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use double11_jmx::check::{Finding, Report};
use double11_jmx::document::{Document, Limits, ReadError};
use double11_units::errors;

use crate::compiler::Compiler;
use crate::functions::expression::Subset;
use crate::http::{HttpSettings, SettingsError, Witness};
use crate::plan::{Plan, PlanOptions, compile};
use crate::results::SaveForm;

/// What opening a plan needs to know.
pub struct OpenOptions<'a> {
    /// `JMeter`'s properties, else those of Java.
    pub property: &'a dyn Fn(&str) -> Option<String>,
    /// Where every HTTP request goes instead of where the plan says.
    pub target: Option<&'a str>,
    /// The form of result files, by the properties.
    pub form: &'a SaveForm,
    /// Who looks at certain requests.
    pub witness: Option<Arc<dyn Witness>>,
}

/// A plan ready to run, and what was found on the way.
#[derive(Debug)]
pub struct Opened {
    /// The plan, without what the report refuses.
    pub plan: Plan,
    /// What of it runs here, and what does not.
    pub report: Report,
    /// The folder of its file.
    pub folder: PathBuf,
}

/// Why a plan cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("cannot read the plan `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no plan.
    #[error("`{}` is no plan", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The other target cannot be used.
    #[error(transparent)]
    Target(#[from] SettingsError),
}

impl std::fmt::Debug for OpenOptions<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("OpenOptions");
        debug.field("target", &self.target).finish_non_exhaustive()
    }
}

/// Reads a plan, checks it and makes it ready to run.
///
/// # Errors
/// [`OpenError`]; what of the plan cannot be run is no error but in the report.
pub fn open(path: &Path, options: &OpenOptions<'_>) -> Result<Opened, OpenError> {
    let document = read(path)?;
    let mut report = double11_jmx::check::check(&document, &Subset);
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    include(&mut report, &folder, &mut vec![path.to_owned()]);
    let mut compiler = Compiler::new(&folder);
    let http = HttpSettings::new(options.property, options.target, &mut compiler)?;
    let http = match &options.witness {
        Some(witness) => http.with_witness(Arc::clone(witness)),
        None => http,
    };
    let prefix = (options.property)("includecontroller.prefix");
    let plan_options = PlanOptions {
        http: &Arc::new(http),
        form: options.form,
        needs: options.form.needs(),
        include_prefix: &prefix.unwrap_or_default(),
        include: &|path| {
            let read = read(path).map(|plan| plan.root);
            read.map_err(|error| errors::in_one_line(&error))
        },
    };
    let plan = compile(&document.root, &plan_options, &mut compiler);
    for problem in compiler.problems() {
        let known = report.refused.iter();
        let mut known = known.filter(|one| one.line == problem.line && one.class == problem.class);
        // What the check says of an element need not be said twice.
        if known.next().is_none() {
            report.refuse(problem.line, &problem.class, &problem.name, &problem.text);
        }
    }
    Ok(Opened {
        plan,
        report,
        folder,
    })
}

/// The elements of a report that stop a run, as lines.
pub fn refusals(report: &Report) -> Vec<String> {
    let line = |one: &Finding| {
        let (what, name, reason) = (one.what(), &one.name, &one.reason);
        format!("line {}: {what} `{name}`: {reason}", one.line)
    };
    report.refused.iter().map(line).collect()
}

fn read(path: &Path) -> Result<Document, OpenError> {
    let bytes = std::fs::read(path).map_err(|source| OpenError::Read {
        path: path.to_owned(),
        source,
    })?;
    let read = double11_jmx::document::read(&bytes, Limits::STANDARD);
    read.map_err(|source| OpenError::Document {
        path: path.to_owned(),
        source,
    })
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
