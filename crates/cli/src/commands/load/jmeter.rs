//! `load` with a plan of `JMeter`.

use double11_jmeter::measured_run::{self, MeasuredError, MeasuredOptions};
use double11_load::run_directory::RunDirectory;
use double11_load::transport::Target;
use double11_load::{Observation, RunAbout, RunOptions};
use double11_monitor::sampler::{INTERVAL_DEFAULT, Sampler};

use super::{keep_metrics, load_failure, tables, target, without_secrets};
use crate::arguments::{Load, MAX_IN_FLIGHT_DEFAULT};
use crate::commands::jmeter::unreadable;
use crate::commands::jmeter_plan::{self, Given};
use crate::console;
use crate::exit::{CommandResult, Failure};
use crate::live_view::{LiveView, Snapshot};

pub(super) fn run(arguments: &Load) -> CommandResult {
    refuse_what_has_no_use(arguments)?;
    let plan = jmeter_plan::read(
        &arguments.plan,
        &Given {
            properties: &arguments.property,
            products: arguments.products,
            duration: arguments.duration,
        },
    )?;
    super::thresholds::check_jmeter(&arguments.fail_if)?;
    let url = target(arguments).trim_end_matches('/').to_owned();
    let options = options(arguments, &url)?;
    let phases: Vec<String> = plan.phases().iter().map(|one| one.name.clone()).collect();
    let stop = super::stop_on_signals()?;
    let sampler = Sampler::of_shop(&url, INTERVAL_DEFAULT).map_err(Failure::environment)?;
    let mut view = LiveView::new(&format!("double11 load {} at {url}", arguments.plan));
    let mut observe = |seen: &Observation| {
        let phase = phases.get(usize::from(seen.phase.0));
        view.show(Snapshot::observed(phase.map_or("", String::as_str), seen));
    };
    let outcome = measured_run::run(&plan, options, &stop, &mut observe);
    view.finish();
    let outcome = outcome.map_err(failure)?;
    let kept = keep_metrics(sampler, &arguments.out);
    console::data(&tables::summary(&outcome));
    console::say(&format!("kept in `{}`", arguments.out.display()));
    let exit = super::conclude(arguments, outcome)?;
    kept.map(|()| exit)
}

fn options(arguments: &Load, url: &str) -> Result<MeasuredOptions, Failure> {
    let keeps_samples = match arguments.samples.as_str() {
        "all" => true,
        "none" => false,
        other => {
            let error = anyhow::anyhow!("`--samples {other}` is not for plans of JMeter");
            return Err(Failure::usage(error).hint("use all or none"));
        }
    };
    let target = Target::parse(url)
        .map_err(|error| Failure::usage(error).hint("write it as `http://127.0.0.1:8080`"))?;
    // An earlier run is only replaced when this one can begin.
    let reached = target.reach(RunOptions::CONNECT_TIMEOUT);
    reached.map_err(|error| load_failure(error.into()))?;
    let output = RunDirectory::create(&arguments.out, arguments.force);
    Ok(MeasuredOptions {
        target: url.to_owned(),
        seed: arguments.seed,
        workers: arguments.threads.map(usize::from),
        pin_to: arguments.cpus.clone(),
        request_timeout: arguments.timeout,
        keeps_samples,
        output: Some(output.map_err(|error| load_failure(error.into()))?),
        about: RunAbout {
            command_line: without_secrets(std::env::args()),
            versions: [("double11".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into(),
            target_limits: None,
        },
    })
}

/// What only the load engine's own plans can be told.
fn refuse_what_has_no_use(arguments: &Load) -> Result<(), Failure> {
    jmeter_plan::refuse(&[
        ("--rate", arguments.rate.is_some()),
        ("--users", arguments.users.is_some()),
        ("--ramp", arguments.ramp.is_some()),
        ("--hour", arguments.hour.is_some()),
        ("--time-scale", arguments.time_scale.is_some()),
        ("--peak", arguments.peak),
        ("--base-users", arguments.base_users.is_some()),
        ("--connections", arguments.connections.is_some()),
        (
            "--max-in-flight",
            arguments.max_in_flight != MAX_IN_FLIGHT_DEFAULT,
        ),
        ("--param", !arguments.param.is_empty()),
        ("--header", !arguments.headers.is_empty()),
        ("--ca-cert", !arguments.ca_cert.is_empty()),
        ("--shard", !arguments.sharding.shard.is_whole()),
        ("--start-at", arguments.sharding.start_at.is_some()),
    ])
}

fn failure(error: MeasuredError) -> Failure {
    match error {
        MeasuredError::Load(error) => load_failure(error),
        MeasuredError::Open(error) => unreadable(error),
        MeasuredError::Engine(_) | MeasuredError::Recorder(_) => {
            Failure::environment(error).hint("what was measured until then is kept")
        }
    }
}
