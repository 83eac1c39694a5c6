//! Where a plan comes from: its name or file, and its parameters.

use double11_load::plan::{BUILT_IN_NAMES, Plan};

use crate::exit::Failure;

/// Reads `NAME=VALUE`, once for each parameter.
pub(crate) fn parameters(given: &[String]) -> Result<Vec<(String, f64)>, Failure> {
    given
        .iter()
        .map(|text| {
            text.split_once('=')
                .and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
                .ok_or_else(|| {
                    Failure::usage(anyhow::anyhow!("`--param {text}`"))
                        .hint("write a name and a number: `--param products=1000`")
                })
        })
        .collect()
}

/// Sets a parameter of a built-in plan that has it, unless it was given.
pub(crate) fn set_default(parameters: &mut Vec<(String, f64)>, plan: &str, name: &str, value: f64) {
    let is_given = parameters.iter().any(|(given, _)| given == name);
    if !is_given && Plan::built_in(plan, &[(name, value)]).is_ok() {
        parameters.push((name.to_owned(), value));
    }
}

/// The plan of this name.
pub(crate) fn read(name: &str, parameters: &[(String, f64)]) -> Result<Plan, Failure> {
    let parameters: Vec<(&str, f64)> = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    Plan::built_in(name, &parameters).map_err(|error| {
        Failure::usage(error).hint(format!("the plans are {}", BUILT_IN_NAMES.join(" and ")))
    })
}
