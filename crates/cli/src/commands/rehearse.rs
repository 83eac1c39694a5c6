//! `double11 rehearse`: the main job.

use std::time::Duration;

use double11_limits::{CpuLimit, Held};
use double11_load::LoadError;
use double11_load::plan::{Plan, ProfileOverrides};
use double11_load::transport::{CertificateDer, Target};
use double11_monitor::prometheus::PrometheusError;
use double11_rehearsal::{
    NORMAL_PER_SECOND, PrometheusFailure, PrometheusSource, RehearsalError, RehearsalOptions,
    RehearsedPlan, Rung, Schedule, ShopError, Side, StoreFailure, Stores, rehearse,
};
use double11_report::model::{ImprovementReport, Outcome};
use double11_report::terminal;
use double11_store::{Lever, Variant};

use crate::arguments::{Rehearse, RehearsedPrometheus, RehearsedShops};
use crate::commands::load::{authorities, headers, profile_failure, stop_on_signals};
use crate::commands::store_url::StoreUrl;
use crate::commands::{cache_url, limits, plan};
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};
use crate::machine;

mod dashboards;
mod jmeter_plan;
mod shown;

/// Products in the catalogue when nothing is said.
const PRODUCTS_DEFAULT: u32 = 100_000;
/// A rate that is offered for less than this tells nothing.
const PROBE_MIN: Duration = Duration::from_secs(1);
/// Rates of a normal day, in requests per second, and factors on the length of phases.
const RATES: std::ops::RangeInclusive<f64> = 0.1..=100_000.0;
const TIME_SCALES: std::ops::RangeInclusive<f64> = 0.01..=100_000.0;
/// Longest wait for a shop of somebody else's to accept a connection.
const REACH_LIMIT: Duration = Duration::from_secs(5);
/// Pairs of runs when nothing is said: enough for a 10 % effect at 2 % noise.
const PAIRS_DEFAULT: u32 = 6;
/// Starting, settling and auditing of one run, for the estimate of how long it will take.
const BESIDE_TRAFFIC: Duration = Duration::from_secs(4);
/// Waiting for Prometheus before and after one run, for the same estimate.
const AWAITING_SCRAPES: Duration = Duration::from_secs(12);
/// The search for one shop's capacity, for the same estimate.
const CAPACITY_SEARCH: Duration = Duration::from_mins(2);

pub(crate) fn run(arguments: Rehearse) -> CommandResult {
    let options = options(arguments)?;
    machine::raise_descriptor_limit();
    if !options.generator_cpus.is_empty() {
        machine::pin(&options.generator_cpus).map_err(Failure::environment)?;
    }
    let mut shown = shown::Shown::new(&options, estimate(&options));
    let result = rehearse(&options, &shown);
    shown.finish();
    let rehearsal = match result {
        Ok(rehearsal) => rehearsal,
        Err(RehearsalError::Interrupted { kept }) => {
            console::say(&format!(
                "interrupted; what was measured is in `{}`",
                kept.display()
            ));
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(explain(error)),
    };
    print(&rehearsal.report, options.language)?;
    console::say(&format!(
        "report: {}\nevery run: {}{}",
        rehearsal.page.display(),
        rehearsal.kept.display(),
        dashboards::of(&options, &rehearsal).unwrap_or_default()
    ));
    Ok(exit_of(&rehearsal.report))
}

/// The table of a report, on standard output.
pub(crate) fn print(
    report: &ImprovementReport,
    language: double11_report::Language,
) -> Result<(), Failure> {
    let layout = terminal::Layout {
        width: console::width(),
        colour: console::colour(),
        language,
    };
    let mut table = Vec::new();
    terminal::write(report, layout, &mut table).map_err(Failure::environment)?;
    console::data(&String::from_utf8_lossy(&table));
    Ok(())
}

pub(crate) const fn exit_of(report: &ImprovementReport) -> Exit {
    match report.outcome {
        Outcome::Passed => Exit::Done,
        Outcome::Failed => Exit::Failed,
        Outcome::CannotJudge => Exit::CannotJudge,
    }
}

/// How long a rate counts in the search for a capacity.
fn probe(plan: &Plan, time_scale: Option<f64>) -> Duration {
    let scale = time_scale.filter(|_| plan.profile().is_none());
    let compressed = RehearsalOptions::PROBE.div_f64(scale.unwrap_or(1.0));
    compressed.clamp(PROBE_MIN, RehearsalOptions::PROBE)
}

/// How long everything takes; `None` where only the loops of a `JMeter` plan say.
fn estimate(options: &RehearsalOptions) -> Option<Duration> {
    if let RehearsedPlan::Jmeter(plan) = &options.plan
        && plan.length().is_none()
    {
        return None;
    }
    let rungs = u32::try_from(options.ladder.len()).unwrap_or(u32::MAX);
    let searches = if options.capacity.is_some() { 2 } else { 0 };
    let scrapes = options.prometheus.as_ref().map_or(0, |_| 2 * options.pairs);
    let beside = BESIDE_TRAFFIC * (2 * options.pairs + rungs)
        + AWAITING_SCRAPES * scrapes
        + CAPACITY_SEARCH * searches;
    Some(options.traffic_time() + beside)
}

fn options(arguments: Rehearse) -> Result<RehearsalOptions, Failure> {
    let command = crate::commands::command_line();
    let sides = sides(&arguments)?;
    let ours = sides.iter().all(Side::is_ours);
    let traffic = &arguments.traffic;
    let (plan, schedule) = traffic_of(&arguments, ours)?;
    let limits = limits_of(&arguments, ours)?;
    let cores = machine::cores();
    let (shop_cpus, generator_cpus) = match cores.as_slice() {
        [_, _, ..] if ours => shared_out(&cores, limits),
        [.., generator] if !ours => (Vec::new(), vec![*generator]),
        _ => (Vec::new(), Vec::new()),
    };
    Ok(RehearsalOptions {
        program: std::env::current_exe().map_err(Failure::environment)?,
        seed: traffic.seed,
        pairs: arguments.pairs.unwrap_or(if arguments.length.quick {
            1
        } else {
            PAIRS_DEFAULT
        }),
        capacity: plan
            .steps()
            .filter(|_| !arguments.length.quick && !arguments.no_capacity)
            .map(|plan| probe(plan, traffic.time_scale)),
        ladder: if arguments.levers {
            ladder()
        } else {
            Vec::new()
        },
        plan,
        stores: stores(&arguments.shops)?,
        products: arguments.shops.products.unwrap_or(PRODUCTS_DEFAULT),
        stock: arguments.shops.stock,
        schedule,
        prometheus: prometheus(&arguments.prometheus),
        headers: headers(&arguments.shops.headers)?,
        extra_roots: roots(&arguments, &sides)?,
        shop_cpus,
        generator_cpus,
        limits,
        language: arguments.report.lang,
        command,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_commit: option_env!("DOUBLE11_COMMIT").map(str::to_owned),
        stop: stop_on_signals()?,
        sides,
        out: arguments.out,
    })
}

/// What holds our shops to their limits, known before anything is started.
fn limits_of(arguments: &Rehearse, ours: bool) -> Result<Option<Held>, Failure> {
    let Some(limits) = arguments.resources.limits() else {
        return Ok(None);
    };
    if !ours {
        return Err(Failure::usage(anyhow::anyhow!(
            "`--cpu-limit` and `--memory-limit` are for shops that the rehearsal starts"
        ))
        .hint("limit a shop of your own where you start it"));
    }
    limits::rehearsed(limits).map(Some)
}

/// The cores of the shop, as many as its limit wants, and the one of the load generator: the next one,
/// or the last one where the shop has all.
fn shared_out(cores: &[usize], limits: Option<Held>) -> (Vec<usize>, Vec<usize>) {
    let limit = limits.and_then(|held| held.limits.cpu);
    let wanted = limit.map_or(1, CpuLimit::rounded_up);
    let shop = cores.iter().copied().take(wanted).collect();
    let generator = cores.get(wanted).or(cores.last());
    (shop, generator.copied().into_iter().collect())
}

/// Where our shops keep their data: in files, or on a server that is told.
fn stores(arguments: &RehearsedShops) -> Result<Stores, Failure> {
    let Some(url) = &arguments.store else {
        return Ok(Stores::Files);
    };
    let StoreUrl::Mysql { url, password } = StoreUrl::parse(url)? else {
        return Err(Failure::usage(anyhow::anyhow!(
            "`--store` of a rehearsal names a server, on which each run makes a database of its own"
        ))
        .hint(
            "write `--store mysql://USER@HOST:PORT`; without it each run has a file of its own",
        ));
    };
    if let Some(cache) = &arguments.cache {
        cache_url::parse(cache)?;
    }
    Ok(Stores::Server {
        url,
        password,
        cache: arguments.cache.clone(),
    })
}

/// The Prometheus that is asked: one that runs, or `spawn`.
fn prometheus(arguments: &RehearsedPrometheus) -> Option<PrometheusSource> {
    Some(match arguments.prometheus.as_deref()? {
        "spawn" => PrometheusSource::Spawn {
            program: "prometheus".into(),
            keep_data: arguments.keep_prometheus_data,
        },
        url => PrometheusSource::Running {
            url: url.to_owned(),
            selector: arguments.selector.clone(),
        },
    })
}

/// The plan, and the phases: its own where it has a profile, else the plateaus of the rehearsal.
fn traffic_of(arguments: &Rehearse, ours: bool) -> Result<(RehearsedPlan, Schedule), Failure> {
    if crate::commands::jmeter_plan::is_one(&arguments.traffic.plan) {
        return jmeter_plan::traffic(arguments, ours);
    }
    jmeter_plan::refuse_its_options(&arguments.traffic)?;
    let traffic = &arguments.traffic;
    in_range("--normal-rate", traffic.normal_rate, RATES)?;
    in_range("--time-scale", traffic.time_scale, TIME_SCALES)?;
    let plan = plan_of(arguments, ours)?;
    if plan.profile().is_none() {
        let normal_rate = traffic.normal_rate.unwrap_or(NORMAL_PER_SECOND);
        let schedule = if arguments.length.full {
            Schedule::full(normal_rate)
        } else {
            Schedule::plateaus(normal_rate)
        };
        let schedule = schedule.compressed(traffic.time_scale.unwrap_or(1.0));
        return Ok((RehearsedPlan::Steps(Box::new(plan)), schedule));
    }
    if arguments.length.full {
        return Err(Failure::usage(anyhow::anyhow!(
            "`--full` has phases of its own, and so has the plan `{}`",
            plan.name()
        ))
        .hint("leave `--full` away; `double11 plan check PLAN` prints the phases of the plan"));
    }
    let plan = plan.with_overrides(ProfileOverrides {
        rate: traffic.normal_rate,
        time_scale: traffic.time_scale,
        ..ProfileOverrides::default()
    });
    let own = plan.traffic().map_err(|error| profile_failure(&error))?;
    let schedule = Schedule::of_profile(own, &plan);
    if schedule.judged_phase().is_none() {
        return Err(Failure::usage(anyhow::anyhow!(
            "no phase of the plan `{}` is measured",
            plan.name()
        ))
        .hint("leave `measured = false` away in at least one phase"));
    }
    Ok((RehearsedPlan::Steps(Box::new(plan)), schedule))
}

/// Refuses a number outside of a range.
fn in_range(
    option: &str,
    value: Option<f64>,
    range: std::ops::RangeInclusive<f64>,
) -> Result<(), Failure> {
    match value.filter(|value| !range.contains(value)) {
        Some(value) => Err(
            Failure::usage(anyhow::anyhow!("`{option} {value}`")).hint(format!(
                "give a number from {} to {}",
                range.start(),
                range.end()
            )),
        ),
        None => Ok(()),
    }
}

/// The plan with what was given, and with what a rehearsal of our shops adds where the plan has it.
fn plan_of(arguments: &Rehearse, ours: bool) -> Result<Plan, Failure> {
    let name = &arguments.traffic.plan;
    let given = &arguments.traffic.param;
    let plan = plan::resolve(name, given)?;
    let products = arguments.shops.products.map(f64::from);
    let delayed = ours.then_some(RehearsalOptions::DELAYED_PAYMENTS);
    let own = [("products", products), ("delayed_payments", delayed)];
    let added: Vec<(String, f64)> = own
        .into_iter()
        .filter(|(name, _)| plan.parameters().contains_key(*name))
        .filter(|(name, _)| given.iter().all(|(given, _)| given != name))
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    if added.is_empty() {
        return Ok(plan);
    }
    plan::resolve(name, &[given.as_slice(), &added].concat())
}

/// Certificate authorities to trust; they only make sense where a shop is asked with TLS.
fn roots(arguments: &Rehearse, sides: &[Side; 2]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    if arguments.shops.ca_cert.is_empty() {
        return Ok(Vec::new());
    }
    let url = sides.iter().find_map(|side| match side {
        Side::Url { target, .. } if target.starts_with("https:") => Some(target.as_str()),
        _ => None,
    });
    let target = Target::parse(url.unwrap_or("http://127.0.0.1")).map_err(Failure::usage)?;
    authorities(&arguments.shops.ca_cert, &target)
}

fn sides(arguments: &Rehearse) -> Result<[Side; 2], Failure> {
    let shops = &arguments.shops;
    if let (Some(baseline), Some(optimized)) = (&shops.baseline, &shops.optimized) {
        return Ok([
            foreign("baseline", baseline)?,
            foreign("optimized", optimized)?,
        ]);
    }
    let &[first, second] = shops.variants.as_slice() else {
        return Err(
            Failure::usage(anyhow::anyhow!("`--variants` takes two variants"))
                .hint("write `--variants baseline,optimized`"),
        );
    };
    let &[first_port, second_port] = shops.ports.as_slice() else {
        return Err(Failure::usage(anyhow::anyhow!("`--ports` takes two ports"))
            .hint("write `--ports 8080,8081`, or `--ports 0,0` for any"));
    };
    let side = |name: String, variant: Variant, port| Side::Variant {
        name,
        variant: variant.to_string(),
        port,
    };
    // The same variant twice, to see what chance alone does, needs two names.
    let again = if first == second { "-again" } else { "" };
    Ok([
        side(first.to_string(), first, first_port),
        side(format!("{second}{again}"), second, second_port),
    ])
}

/// A shop that runs already, and answers.
fn foreign(name: &str, target: &str) -> Result<Side, Failure> {
    let target = target.trim_end_matches('/').to_owned();
    let parsed = Target::parse(&target)
        .map_err(|error| Failure::usage(error).hint("write it as `http://127.0.0.1:8080`"))?;
    parsed.reach(REACH_LIMIT).map_err(|error| {
        Failure::environment(error).hint("start the shop first, or correct its address")
    })?;
    Ok(Side::Url {
        name: name.to_owned(),
        target,
    })
}

/// Baseline, then one lever more on each rung; where a rung is a named variant it has that name.
fn ladder() -> Vec<Rung> {
    let mut enabled = double11_store::Levers::NONE;
    let mut rungs = vec![rung(enabled, None)];
    for lever in Lever::ALL {
        enabled = enabled.with(lever);
        rungs.push(rung(enabled, Some(lever)));
    }
    rungs
}

fn rung(enabled: double11_store::Levers, added: Option<Lever>) -> Rung {
    let variant = Variant::ALL
        .into_iter()
        .find(|variant| variant.levers() == enabled)
        .map(Variant::name);
    let plus = added.map(|lever| format!("+ {lever}"));
    let name = match (variant, plus) {
        (Some(variant), Some(plus)) => format!("{plus} = {variant}"),
        (Some(variant), None) => variant.to_owned(),
        (None, plus) => plus.unwrap_or_default(),
    };
    Rung {
        name,
        variant: variant.map(str::to_owned),
        base: Variant::Baseline.to_string(),
        enable: enabled.iter().map(|lever| lever.to_string()).collect(),
        added: added.iter().map(ToString::to_string).collect(),
    }
}

fn explain(error: RehearsalError) -> Failure {
    if let RehearsalError::Prometheus(PrometheusFailure::NoAnswer(
        PrometheusError::Address { .. } | PrometheusError::Credentials,
    )) = &error
    {
        return Failure::usage(error)
            .hint("write `--prometheus http://127.0.0.1:9090`, or `--prometheus spawn`");
    }
    let hint = match &error {
        RehearsalError::Files(_)
        | RehearsalError::Write { .. }
        | RehearsalError::Load(LoadError::Write { .. } | LoadError::RunDirectory(_)) => {
            "name a folder with room that can be written: `--out DIR`"
        }
        RehearsalError::Store(StoreFailure::Refused { .. }) => {
            "check the server, and that its user may create and drop databases"
        }
        RehearsalError::Store(StoreFailure::Spawn(_)) => "check that the program can be started",
        RehearsalError::Prometheus(failure) => prometheus_hint(failure),
        RehearsalError::Shop(ShopError::OutOfMemory { .. }) => {
            "give the shops more with `--memory-limit`, or fewer products with `--products`"
        }
        RehearsalError::Shop(ShopError::Ended { .. }) => {
            "if a port is in use, choose others with `--ports A,B`; `0,0` are always free"
        }
        _ => "what was measured until then is kept under `runs/` in the output folder",
    };
    Failure::environment(error).hint(hint)
}

fn prometheus_hint(failure: &PrometheusFailure) -> &'static str {
    match failure {
        PrometheusFailure::NotFound { .. } => {
            "install Prometheus (Debian: `apt-get install prometheus`), or name one that runs: \
             `--prometheus http://127.0.0.1:9090`"
        }
        PrometheusFailure::NotScraping { .. } => {
            "make the shop a target of the job `ecommerce-app` as `deploy/prometheus/prometheus.yml` \
             does, or let the rehearsal do it: `--prometheus spawn`"
        }
        PrometheusFailure::NoAnswer(_) => {
            "start Prometheus, or correct its address; `--prometheus spawn` starts one"
        }
        _ => "`--keep-prometheus-data` keeps its log beside the runs",
    }
}

#[cfg(test)]
mod tests {
    use double11_limits::{Held, Limits, Version, Way};

    use super::{ladder, shared_out};

    #[test]
    fn a_shop_has_as_many_cores_as_its_limit_wants() {
        let check = |cores: &[usize], limit: &str, shop: &[usize], generator: usize| {
            let held = (!limit.is_empty()).then(|| Held {
                limits: Limits {
                    cpu: Some(limit.parse().unwrap()),
                    memory: None,
                },
                way: Way::Groups(Version::V1),
            });
            let expected = (shop.to_vec(), vec![generator]);
            assert_eq!(shared_out(cores, held), expected, "{cores:?} {limit}");
        };
        check(&[0, 1], "", &[0], 1);
        check(&[0, 1], "0.5", &[0], 1);
        check(&[0, 1], "1.5", &[0, 1], 1);
        check(&[2, 3, 4, 5], "", &[2], 3);
        check(&[2, 3, 4, 5], "2", &[2, 3], 4);
        check(&[2, 3, 4, 5], "4", &[2, 3, 4, 5], 5);
    }

    #[test]
    fn the_ladder_leads_from_baseline_over_tuned_to_optimized() {
        let rungs = ladder();
        let named: Vec<_> = rungs
            .iter()
            .map(|rung| (rung.name.as_str(), rung.enable.len()))
            .collect();
        assert_eq!(
            named,
            [
                ("baseline", 0),
                ("+ pool", 1),
                ("+ indexes", 2),
                ("+ random-id = tuned", 3),
                ("+ catalog-cache", 4),
                ("+ search-index", 5),
                ("+ cart-cache", 6),
                ("+ group-commit", 7),
                ("+ admission = optimized", 8),
            ]
        );
        assert!(rungs.iter().skip(1).all(|rung| rung.added.len() == 1));
    }
}
