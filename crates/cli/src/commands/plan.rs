//! `double11 plan`: the built-in plans, and whether a plan file is right.

use std::path::Path;

use anyhow::Context as _;
use double11_load::LoadModel;
use double11_load::plan::{
    BUILT_IN_NAMES, Plan, PlanError, ProfileOverrides, Retry, Step, Traffic, built_in_text,
};
use double11_load::schedule::Phase;

use crate::arguments::{CheckPlan, PlanAction};
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

pub(crate) fn run(action: &PlanAction) -> CommandResult {
    match action {
        PlanAction::List => console::data(&list()?),
        PlanAction::Show { name } => match built_in_text(name) {
            Some(text) => console::data(text),
            None => return Err(unknown(name)),
        },
        PlanAction::Check(CheckPlan { plan, param }) => {
            console::data(&description(&resolve(plan, param)?));
        }
    }
    Ok(Exit::Done)
}

/// The built-in plan of this name, or the plan of the file of this name.
pub(crate) fn resolve(name: &str, parameters: &[(String, f64)]) -> Result<Plan, Failure> {
    let parameters: Vec<(&str, f64)> = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let has_ending = |ending: &str| {
        Path::new(name)
            .extension()
            .is_some_and(|given| given.eq_ignore_ascii_case(ending))
    };
    if has_ending("jmx") {
        let error = anyhow::anyhow!("`{name}` is a JMeter plan, which has no steps to show");
        return Err(Failure::usage(error).hint(format!(
            "`double11 jmeter --check {name}` says what of it runs; `load` and `rehearse` run it"
        )));
    }
    let parsed = if has_ending("toml") {
        let text = std::fs::read_to_string(name)
            .with_context(|| format!("the plan `{name}` cannot be read"))
            .map_err(|error| Failure::usage(error).hint("name a file that can be read"))?;
        Plan::parse(name, &text, &parameters)
    } else if built_in_text(name).is_some() {
        Plan::built_in(name, &parameters)
    } else {
        return Err(unknown(name));
    };
    parsed.map_err(plan_failure)
}

fn unknown(name: &str) -> Failure {
    let error = anyhow::anyhow!("there is no built-in plan `{name}`");
    let names = BUILT_IN_NAMES.join(", ");
    Failure::usage(error).hint(format!(
        "the plans are {names}; a plan file ends in `.toml`"
    ))
}

/// Several problems are told a line each.
fn plan_failure(error: PlanError) -> Failure {
    const HINT: &str =
        "docs/PLANS.md has the form of a plan; `double11 plan show funnel` is an example";
    if error.problems.len() == 1 {
        return Failure::usage(error).hint(HINT);
    }
    let (name, count) = (error.source_name.clone(), error.problems.len());
    for problem in error.problems {
        let one = PlanError {
            source_name: name.clone(),
            problems: vec![problem],
        };
        console::say(&one.to_string());
    }
    Failure::usage(anyhow::anyhow!("`{name}` has {count} problems")).hint(HINT)
}

fn profile_in_words(plan: &Plan) -> String {
    plan.profile().map_or_else(
        || "none: `--rate` or `--users` sets the pace".to_owned(),
        ToString::to_string,
    )
}

fn list() -> Result<String, Failure> {
    let mut text = format!(
        "{:<12}{:>18}{:>12}  load profile\n",
        "plan", "requests/visit", "at peak"
    );
    for name in BUILT_IN_NAMES {
        let plan = resolve(name, &[])?;
        let row = format!(
            "{name:<12}{:>18.3}{:>12.3}  {}\n            {}\n",
            plan.requests_per_visit(false),
            plan.requests_per_visit(true),
            profile_in_words(&plan),
            plan.description(),
        );
        text.push_str(&row);
    }
    Ok(text)
}

/// What a run of the plan would do.
fn description(plan: &Plan) -> String {
    let mut lines = vec![
        format!("plan {}: {}", plan.name(), plan.description()),
        format!("hash {}", plan.hash()),
    ];
    let parameters: Vec<String> = plan
        .parameters()
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    if !parameters.is_empty() {
        lines.push(format!("parameters: {}", parameters.join(", ")));
    }
    let longest = plan.steps().iter().map(|step| step.name.len()).max();
    let width = longest.unwrap_or(0).max(10) + 2;
    lines.push(String::new());
    lines.push(format!(
        "{:<width$}{:>8}{:>9}  request",
        "step", "visits", "at peak"
    ));
    lines.extend(plan.steps().iter().map(|step| step_line(plan, step, width)));
    lines.push(format!(
        "{:<width$}{:>8.3}{:>9.3}",
        "requests",
        plan.requests_per_visit(false),
        plan.requests_per_visit(true)
    ));
    lines.push(String::new());
    lines.push(format!("load profile: {}", profile_in_words(plan)));
    let planned = plan
        .clone()
        .with_overrides(ProfileOverrides::default())
        .traffic();
    if let Ok(Traffic { model, phases }) = planned {
        lines.extend(phases.iter().map(|phase| phase_line(plan, model, phase)));
    }
    lines.join("\n") + "\n"
}

fn step_line(plan: &Plan, step: &Step, width: usize) -> String {
    let shares = format!(
        "{:<width$}{:>7.2}%{:>8.2}%",
        step.name,
        step.weight * 100.0,
        step.peak_weight * 100.0
    );
    let request = step.request.as_ref().map_or_else(
        || "sends nothing".to_owned(),
        |request| {
            let statuses: Vec<String> = request.success.iter().map(ToString::to_string).collect();
            format!("{} for {}", request.method, statuses.join(" or "))
        },
    );
    let within = step
        .parent
        .and_then(|parent| plan.steps().get(parent))
        .map_or_else(String::new, |parent| format!(", within {}", parent.name));
    let retry = step.retry.as_ref().map_or_else(String::new, retry_in_words);
    format!("{shares}  {request}{within}{retry}")
}

fn retry_in_words(retry: &Retry) -> String {
    let mut causes: Vec<String> = retry.statuses.iter().map(ToString::to_string).collect();
    if retry.transport {
        causes.push("no answer".to_owned());
    }
    format!(
        ", up to {} attempts after {}",
        retry.attempts,
        causes.join(", ")
    )
}

fn phase_line(plan: &Plan, model: LoadModel, phase: &Phase) -> String {
    let seconds = phase.duration.as_secs_f64();
    let per_visit = plan.requests_per_visit(phase.peak);
    let users = match model {
        LoadModel::Closed { users } => format!("{users:>8} users"),
        LoadModel::Open { .. } => String::new(),
    };
    let rates = phase.rate.map_or(users, |rate| {
        let visits = rate.visits(per_visit);
        let range = |from: f64, to: f64| {
            if (from - to).abs() < 0.05 {
                format!("{from:>8.1}")
            } else {
                format!("{from:.1} to {to:.1}")
            }
        };
        format!(
            "{} visits/s {} requests/s",
            range(visits.from, visits.to),
            range(visits.from * per_visit, visits.to * per_visit)
        )
    });
    let peak = if phase.peak { "  peak" } else { "" };
    let note = if phase.measured { "" } else { "  not measured" };
    format!("  {:<14}{seconds:>9.2} s  {rates}{peak}{note}", phase.name)
}
