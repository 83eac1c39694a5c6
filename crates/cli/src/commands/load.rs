//! `double11 load`: shoppers against any HTTP shop.

mod jmeter;
mod shard;
mod tables;
mod thresholds;

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use double11_load::plan::{Plan, ProfileError, ProfileOverrides};
use double11_load::run_directory::RunDirectory;
use double11_load::transport::{
    CertificateDer, Headers, Limits, Target, TlsSettings, certificates_from_pem,
};
use double11_load::{
    Ending, LoadError, LoadModel, Observation, RunAbout, RunOptions, RunOutcome, SamplePolicy,
    StopHandle,
};
use double11_monitor::sampler::{INTERVAL_DEFAULT, Sampler};

use crate::arguments::Load;
use crate::commands::jmeter_plan;
use crate::commands::plan;
use crate::commands::store_url;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};
use crate::live_view::{LiveView, Snapshot};

pub(crate) use shard::merge_failure;
pub(crate) use tables::summary;
pub(crate) use thresholds::{check as check_thresholds, judge, spoilt};

/// Connections at a time where nothing else is said.
const CONNECTIONS: usize = 256;

pub(crate) fn run(arguments: &Load) -> CommandResult {
    if jmeter_plan::is_one(&arguments.plan) {
        return jmeter::run(arguments);
    }
    jmeter_plan::no_properties(&arguments.property)?;
    if let Some(base_users) = arguments.base_users {
        let plan = chosen_plan(arguments)?;
        console::data(&tables::step_table(&plan, base_users, arguments.peak));
        return Ok(Exit::Done);
    }
    let target_url = target(arguments).trim_end_matches('/').to_owned();
    let options = run_options(arguments)?;
    let out = arguments.out.clone();
    let phases: Vec<String> = options
        .phases
        .iter()
        .map(|phase| phase.name.clone())
        .collect();
    let stop = stop_on_signals()?;
    shard::announce(&arguments.sharding);
    let sampler = Sampler::of_shop(&target_url, INTERVAL_DEFAULT).map_err(Failure::environment)?;
    let mut view = LiveView::new(&format!("double11 load {} at {target_url}", arguments.plan));
    let mut observe = |seen: &Observation| {
        let phase = phases
            .get(usize::from(seen.phase.0))
            .map_or("", String::as_str);
        view.show(Snapshot::observed(phase, seen));
    };
    let outcome = double11_load::run(&options, &stop, &mut observe);
    view.finish();
    if let Err(LoadError::StoppedBeforeStart) = outcome {
        return Ok(Exit::Interrupted);
    }
    let outcome = outcome.map_err(load_failure)?;
    let kept = keep_metrics(sampler, &out);
    console::data(&summary(&outcome));
    console::say(&format!("kept in `{}`", out.display()));
    let exit = conclude(arguments, outcome)?;
    kept.map(|()| exit)
}

/// A run that was cut short, or whose generator was the bottleneck, is judged by no threshold.
fn conclude(arguments: &Load, outcome: RunOutcome) -> CommandResult {
    if let Some(error) = outcome.write_error {
        return Err(Failure::environment(error)
            .hint("make room on the disk; what was measured until then is kept"));
    }
    if outcome.ending == Ending::Stopped {
        return Ok(Exit::Interrupted);
    }
    for reason in &outcome.health.reasons {
        console::say(&format!("warning: generator-limited: {reason}"));
    }
    if shard::leaves_judging(arguments) {
        return Ok(Exit::Done);
    }
    Ok(judge(&arguments.fail_if, spoilt(&outcome), |threshold| {
        threshold.judge(&outcome)
    }))
}

/// The plan that was asked for, with its parameters.
fn chosen_plan(arguments: &Load) -> Result<Plan, Failure> {
    let mut parameters = arguments.param.clone();
    if let Some(products) = arguments.products {
        parameters.push(("products".to_owned(), f64::from(products)));
    }
    plan::resolve(&arguments.plan, &parameters)
}

/// The shop to storm; the command line demands it of everything that sends.
fn target(arguments: &Load) -> &str {
    arguments.target.as_deref().unwrap_or_default()
}

/// A flag that SIGINT and SIGTERM set; a second signal ends the program at once.
pub(crate) fn stop_on_signals() -> Result<StopHandle, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(Failure::environment)?;
    }
    Ok(StopHandle::from_flag(flag))
}

fn keep_metrics(sampler: Option<Sampler>, out: &Path) -> Result<(), Failure> {
    let Some(sampler) = sampler else {
        return Ok(());
    };
    drop(sampler.scrape_now());
    let matrix = sampler.stop();
    let path = out.join("metrics.json");
    serde_json::to_vec(&matrix)
        .map_err(anyhow::Error::new)
        .and_then(|text| Ok(std::fs::write(&path, text)?))
        .with_context(|| format!("`{}` could not be written", path.display()))
        .map_err(|error| Failure::environment(error).hint("make room on the disk"))
}

fn run_options(arguments: &Load) -> Result<RunOptions, Failure> {
    let plan = chosen_plan(arguments)?.with_overrides(overrides(arguments));
    check_thresholds(&arguments.fail_if, |threshold| threshold.check(&plan))?;
    let samples = sample_policy(&arguments.samples)?;
    let target = Target::parse(target(arguments))
        .map_err(|error| Failure::usage(error).hint("write it as `http://127.0.0.1:8080`"))?
        .with_headers(headers(&arguments.headers)?);
    let traffic = plan.traffic().map_err(|error| profile_failure(&error))?;
    let users = match traffic.model {
        LoadModel::Closed { users } => users,
        LoadModel::Open { .. } => 0,
    };
    let extra_roots = authorities(&arguments.ca_cert, &target)?;
    // An earlier run is only replaced when this one can begin.
    shard::check_start(arguments.sharding.start_at)?;
    target
        .reach(RunOptions::CONNECT_TIMEOUT)
        .map_err(|error| load_failure(error.into()))?;
    let output = RunDirectory::create(&arguments.out, arguments.force)
        .map_err(|error| load_failure(error.into()))?;
    Ok(RunOptions {
        plan,
        target,
        extra_roots,
        model: traffic.model,
        phases: traffic.phases,
        seed: arguments.seed,
        shard: arguments.sharding.shard,
        start_at: arguments.sharding.start_at,
        threads: arguments.threads.map(usize::from),
        pin_to: arguments.cpus.clone(),
        connections: match arguments.connections {
            Some(connections) => connections as usize,
            None => CONNECTIONS.max(users),
        },
        max_in_flight: arguments.max_in_flight as usize,
        request_timeout: arguments.timeout,
        connect_timeout: RunOptions::CONNECT_TIMEOUT,
        limits: Limits::DEFAULT,
        require_reachable: true,
        samples,
        output: Some(output),
        about: RunAbout {
            command_line: without_secrets(std::env::args()),
            versions: [("double11".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into(),
            target_limits: None,
        },
    })
}

fn overrides(arguments: &Load) -> ProfileOverrides {
    ProfileOverrides {
        rate: arguments.rate,
        users: arguments.users,
        duration: arguments.duration,
        ramp: arguments.ramp,
        hour: arguments.hour,
        time_scale: arguments.time_scale,
        peak: arguments.peak,
    }
}

pub(crate) fn profile_failure(error: &ProfileError) -> Failure {
    match error {
        ProfileError::NoPace => {
            Failure::usage(anyhow::anyhow!("neither `--rate` nor `--users` was given"))
                .hint("say how many requests per second to offer, such as `--rate 100`")
        }
        ProfileError::Option { option, reason } => {
            Failure::usage(anyhow::anyhow!("`--{option}`: {reason}"))
                .hint("`double11 plan check PLAN` prints the profile of a plan")
        }
    }
}

pub(crate) fn headers(lines: &[String]) -> Result<Headers, Failure> {
    let mut headers = Headers::default();
    for line in lines {
        headers.add(line).map_err(|error| {
            Failure::usage(anyhow::Error::new(error).context("`--header`"))
                .hint("write it as `-H 'Authorization: Bearer …'`; framing is not yours to set")
        })?;
    }
    Ok(headers)
}

/// The certificate authorities to trust besides the public ones.
pub(crate) fn authorities(
    files: &[PathBuf],
    target: &Target,
) -> Result<Vec<CertificateDer<'static>>, Failure> {
    const HINT: &str = "name a PEM file with one or several `BEGIN CERTIFICATE` blocks";
    let mut roots = Vec::new();
    for file in files {
        let refuse = |error: anyhow::Error| {
            Failure::usage(error.context(format!("`--ca-cert {}`", file.display()))).hint(HINT)
        };
        if !target.is_tls() {
            let error = anyhow::anyhow!("the target is asked without TLS");
            return Err(refuse(error).hint("write the target as `https://…`"));
        }
        let text = std::fs::read(file).map_err(|error| refuse(error.into()))?;
        let found = certificates_from_pem(&text).map_err(|error| refuse(error.into()))?;
        TlsSettings::new(target, &found).map_err(|error| refuse(error.into()))?;
        roots.extend(found);
    }
    Ok(roots)
}

/// The command line without the values of headers and without passwords of stores and caches.
pub(crate) fn without_secrets(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let hidden = |line: &str| match line.split_once(':') {
        Some((name, _)) => format!("{name}: …"),
        None => "…".to_owned(),
    };
    let mut is_header = false;
    let shown = arguments.map(|argument| {
        let follows = std::mem::replace(&mut is_header, false);
        if follows {
            return hidden(&argument);
        }
        if argument == "-H" || argument == "--header" {
            is_header = true;
            return argument;
        }
        for start in ["--header=", "-H"] {
            if let Some(line) = argument.strip_prefix(start) {
                return format!("{start}{}", hidden(line));
            }
        }
        store_url::without_secret(&argument)
    });
    shown.collect()
}

fn sample_policy(text: &str) -> Result<SamplePolicy, Failure> {
    let one_in = |text: &str| text.strip_prefix("1:")?.parse::<NonZeroU64>().ok();
    match text {
        "all" => Ok(SamplePolicy::All),
        "errors" => Ok(SamplePolicy::Errors),
        "none" => Ok(SamplePolicy::None),
        _ => one_in(text).map(SamplePolicy::OneIn).ok_or_else(|| {
            Failure::usage(anyhow::anyhow!("`--samples {text}` is not known"))
                .hint("use all, errors, 1:N or none")
        }),
    }
}

fn load_failure(error: LoadError) -> Failure {
    use double11_load::run_directory::RunDirectoryError as Directory;
    match &error {
        LoadError::RunDirectory(Directory::NotEmpty { .. }) => Failure::usage(error)
            .hint("name another folder with `--out`, or add `--force` to replace an earlier run"),
        LoadError::RunDirectory(Directory::Space { .. }) => Failure::environment(error)
            .hint("make room, or keep fewer samples with `--samples errors`"),
        LoadError::RunDirectory(_) => {
            Failure::environment(error).hint("name a folder that can be written with `--out`")
        }
        LoadError::Target(_) => {
            Failure::environment(error).hint("start the shop first: `double11 serve`")
        }
        LoadError::StartMissed { .. } => {
            Failure::usage(error).hint("name a later instant with `--start-at`")
        }
        LoadError::Option { .. } => Failure::usage(error).hint("see `double11 load --help`"),
        LoadError::Descriptors { .. } => {
            Failure::environment(error).hint("raise `ulimit -n`, or ask for fewer `--connections`")
        }
        _ => Failure::environment(error),
    }
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn the_values_of_headers_are_kept_out_of_files() {
        let typed = "double11|load|-H|Authorization: Bearer s3cret|--header=X-Key: s3cret|-HX: s3cret\
                     |--header|s3cret|--seed|7";
        let shown = without_secrets(typed.split('|').map(str::to_owned));
        assert_eq!(
            shown.join("|"),
            "double11|load|-H|Authorization: …|--header=X-Key: …|-HX: …|--header|…|--seed|7"
        );
    }
}
