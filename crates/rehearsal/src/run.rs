//! One run: a fresh shop, the traffic, the settling, the audit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use double11_audit::{AuditOptions, AuditReport};
use double11_load::engine::{LoadModel, RunAbout, RunOptions, RunOutcome, SamplePolicy};
use double11_load::plan::Plan;
use double11_load::run_directory::RunDirectory;
use double11_load::schedule::{Phase, Ramp, Rate, Spread};
use double11_load::transport::{Limits, Target};
use double11_monitor::cross_check::{
    CLIENT_OVERHEAD_DEFAULT, CrossCheck, CrossCheckInput, cross_check,
};
use double11_monitor::matrix::Matrix;
use double11_monitor::sampler::Sampler;
use double11_monitor::scrape::Scraper;

use crate::child::{Shop, ShopSpec};
use crate::files::Folders;
use crate::options::{Event, Observer, PhasePlan, RehearsalOptions};
use crate::rehearse::RehearsalError;
use crate::resources::{ResourceSample, ResourceSampler};
use crate::{clock, endpoints, settle, writes};

/// The plan of a rehearsal.
pub(crate) const PLAN: &str = "funnel";
/// Share of the payments that start when their order is about to expire.
const DELAYED_PAYMENTS: f64 = 0.02;
/// How long a scrape may take.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the load generator waits for a connection to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Bounds of an answer of the shop.
const RESPONSE_LIMITS: Limits = Limits {
    head_bytes_max: 16 * 1024,
    body_bytes_max: 1 << 20,
};

/// Everything that one run left behind.
pub(crate) struct Run {
    pub(crate) variant: String,
    pub(crate) folder: PathBuf,
    pub(crate) outcome: RunOutcome,
    pub(crate) resources: Vec<ResourceSample>,
    pub(crate) cross_check: CrossCheck,
    pub(crate) audit: AuditReport,
    pub(crate) settled_after: Option<Duration>,
    pub(crate) scrape_warnings: Vec<String>,
    pub(crate) levers: Vec<String>,
}

/// Which run of a rehearsal this is.
#[derive(Clone, Copy)]
pub(crate) struct Which<'which> {
    pub(crate) pair: u32,
    /// `a` for the first of the pair, `b` for the second.
    pub(crate) position: char,
    pub(crate) variant: &'which str,
    pub(crate) port: u16,
}

/// The plan, made for a rehearsal of this catalogue.
pub(crate) fn plan(products: u32) -> Result<Plan, RehearsalError> {
    let parameters = [
        ("products", f64::from(products)),
        ("delayed_payments", DELAYED_PAYMENTS),
    ];
    Ok(Plan::built_in(PLAN, &parameters).map_err(double11_load::engine::LoadError::from)?)
}

/// Makes one run from its start to its audit.
pub(crate) fn run(
    options: &RehearsalOptions,
    folders: &Folders,
    which: Which<'_>,
    observer: &dyn Observer,
) -> Result<Run, RehearsalError> {
    let variant = which.variant;
    let folder = folders.run(which.pair, which.position, variant)?;
    let store = folder.join("shop.db");
    observer.event(Event::Starting { variant });
    let shop = Shop::start(&ShopSpec {
        program: &options.program,
        variant,
        store: &store,
        log: &folder.join("shop.log"),
        port: which.port,
        products: options.products,
        seed: options.seed,
        payment_window: RehearsalOptions::PAYMENT_WINDOW,
        cpus: &options.shop_cpus,
    })?;
    let (target, after) = (shop.target.as_str(), shop.ready_after);
    observer.event(Event::Ready {
        variant,
        target,
        after,
    });
    let traffic = traffic(options, &shop, &folder, which, observer)?;
    observer.event(Event::Settling { variant });
    let settled_after = settle::wait(&store, RehearsalOptions::SETTLE_LIMIT)?;
    shop.stop()?;
    observer.event(Event::Auditing { variant });
    let audit = audit(&store, &folder)?;
    let passed = audit.verdict == double11_audit::Verdict::Passed;
    observer.event(Event::Audited { variant, passed });
    if passed {
        remove_store(&store);
    }
    Ok(Run {
        variant: variant.to_owned(),
        folder,
        outcome: traffic.outcome,
        resources: traffic.resources,
        cross_check: traffic.cross_check,
        audit,
        settled_after,
        scrape_warnings: traffic.scrape_warnings,
        levers: traffic.levers,
    })
}

/// What the traffic left behind.
struct Traffic {
    outcome: RunOutcome,
    resources: Vec<ResourceSample>,
    cross_check: CrossCheck,
    scrape_warnings: Vec<String>,
    levers: Vec<String>,
}

fn traffic(
    options: &RehearsalOptions,
    shop: &Shop,
    folder: &Path,
    which: Which<'_>,
    observer: &dyn Observer,
) -> Result<Traffic, RehearsalError> {
    let plan = plan(options.products)?;
    let endpoints = endpoints(&plan);
    let run_options = run_options(options, plan, &shop.target, folder)?;
    let scraper = Scraper::new(
        format!("{}/actuator/prometheus", shop.target),
        SCRAPE_TIMEOUT,
    );
    let levers = levers(&scraper);
    let sampler = Sampler::start(scraper, RehearsalOptions::SCRAPE_INTERVAL)
        .map_err(RehearsalError::Thread)?;
    // Without a scrape before the first request the cross-check says so itself.
    drop(sampler.scrape_now());
    let start = clock::steady();
    let resources = ResourceSampler::start(shop.process_id(), start);
    let outcome = with_boundary_scrapes(&sampler, start, &options.schedule.phases, || {
        let mut observe = |seen: &double11_load::engine::Observation| {
            let phase = options.schedule.phases.get(usize::from(seen.phase.0));
            observer.event(Event::Progress {
                variant: which.variant,
                phase: phase.map_or("drain", |phase| phase.name),
                elapsed: seen.elapsed,
                planned: seen.planned_end,
                progress: seen.progress,
            });
        };
        double11_load::run(&run_options, &options.stop, &mut observe)
    })?;
    drop(sampler.scrape_now());
    let resources = resources.finish();
    let matrix = sampler.stop();
    write_matrix(&matrix, &folder.join("metrics.json"))?;
    if let Some(error) = outcome.write_error {
        return Err(error.into());
    }
    if options.stop.is_stopping() {
        return Err(RehearsalError::Interrupted {
            kept: folder.to_owned(),
        });
    }
    let ledger = folder.join("client-ledger.jsonl");
    let writes = writes::count(&ledger).map_err(|source| RehearsalError::Read {
        path: ledger,
        source,
    })?;
    let cross_check = cross_check(&CrossCheckInput {
        summary: &outcome.summary,
        time_series: &outcome.time_series,
        matrix: &matrix,
        endpoints: &endpoints,
        writes: Some(writes),
        client_overhead: CLIENT_OVERHEAD_DEFAULT,
    });
    let scrape_warnings = matrix.warnings().to_vec();
    Ok(Traffic {
        outcome,
        resources,
        cross_check,
        scrape_warnings,
        levers,
    })
}

/// Runs `traffic` while a thread scrapes at the end of every phase.
fn with_boundary_scrapes<T>(
    sampler: &Sampler,
    start: Instant,
    phases: &[PhasePlan],
    traffic: impl FnOnce() -> T,
) -> T {
    let over = Arc::new(AtomicBool::new(false));
    let mut boundary = start;
    let boundaries: Vec<Instant> = phases
        .iter()
        .map(|phase| {
            boundary += phase.duration;
            boundary
        })
        .collect();
    std::thread::scope(|scope| {
        let stopped = Arc::clone(&over);
        scope.spawn(move || {
            for boundary in boundaries {
                while clock::steady() < boundary {
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    let rest = boundary.saturating_duration_since(clock::steady());
                    clock::pause(rest.min(Duration::from_millis(100)));
                }
                // A scrape that fails leaves a gap and a warning in the matrix.
                drop(sampler.scrape_now());
            }
        });
        let result = traffic();
        over.store(true, Ordering::Relaxed);
        result
    })
}

fn run_options(
    options: &RehearsalOptions,
    plan: Plan,
    target: &str,
    folder: &Path,
) -> Result<RunOptions, RehearsalError> {
    let phases = options.schedule.phases.iter().map(|phase| Phase {
        name: phase.name.to_owned(),
        duration: phase.duration,
        rate: Some(Rate::Requests(Ramp::constant(phase.per_second))),
        peak: phase.peak,
        measured: phase.measured,
        samples_file: phase.measured.then(|| {
            if phase.peak {
                "peak".to_owned()
            } else {
                "normal".to_owned()
            }
        }),
    });
    Ok(RunOptions {
        plan,
        target: Target::parse(target).map_err(double11_load::engine::LoadError::from)?,
        extra_roots: Vec::new(),
        model: LoadModel::Open {
            spread: Spread::Poisson,
        },
        phases: phases.collect(),
        seed: options.seed,
        threads: Some(1),
        pin_to: options.generator_cpus.clone(),
        connections: RehearsalOptions::CONNECTIONS as usize,
        max_in_flight: RehearsalOptions::MAX_IN_FLIGHT as usize,
        request_timeout: RehearsalOptions::REQUEST_TIMEOUT,
        connect_timeout: CONNECT_TIMEOUT,
        limits: RESPONSE_LIMITS,
        require_reachable: true,
        samples: SamplePolicy::All,
        output: Some(
            RunDirectory::create(folder, true).map_err(double11_load::engine::LoadError::from)?,
        ),
        about: RunAbout {
            command_line: vec![options.command.clone()],
            versions: [("double11".to_owned(), options.version.clone())].into(),
        },
    })
}

/// The levers that the shop says are on, from its build information.
fn levers(scraper: &Scraper) -> Vec<String> {
    let Ok(scrape) = scraper.scrape() else {
        return Vec::new();
    };
    scrape
        .exposition
        .samples()
        .find(|sample| sample.name == "ecommerce_build_info")
        .and_then(|sample| sample.labels.iter().find(|(name, _)| *name == "levers"))
        .map(|(_, levers)| {
            levers
                .split(',')
                .filter(|l| !l.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default()
}

fn write_matrix(matrix: &Matrix, path: &Path) -> Result<(), RehearsalError> {
    serde_json::to_vec(matrix)
        .map_err(std::io::Error::from)
        .and_then(|text| std::fs::write(path, text))
        .map_err(|source| RehearsalError::Write {
            path: path.to_owned(),
            source,
        })
}

fn audit(store: &Path, folder: &Path) -> Result<AuditReport, RehearsalError> {
    let mut gateway_ledger = store.as_os_str().to_owned();
    gateway_ledger.push(".gateway");
    let report = double11_audit::run(&AuditOptions {
        store: store.to_owned(),
        client_ledgers: vec![folder.join("client-ledger.jsonl")],
        gateway_ledger: Some(PathBuf::from(gateway_ledger)),
        ledger_is_complete: true,
        settled_required: true,
        now: clock::now(),
    })?;
    let path = folder.join("audit.json");
    let text = serde_json::to_vec_pretty(&report).unwrap_or_default();
    std::fs::write(&path, text).map_err(|source| RehearsalError::Write { path, source })?;
    Ok(report)
}

/// The stores of clean runs are large and tell nothing more; those of failed audits are kept.
fn remove_store(store: &Path) {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mut name = store.as_os_str().to_owned();
        name.push(suffix);
        // A file that is not there needs no removing.
        drop(std::fs::remove_file(name));
    }
}
