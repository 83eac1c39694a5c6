//! One run: a fresh shop, the traffic, the settling, the audit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use double11_audit::{AuditOptions, AuditReport, Retention};
use double11_limits::Group;
use double11_load::engine::{RunAbout, RunOptions, RunOutcome, SamplePolicy};
use double11_load::plan::Plan;
use double11_load::run_directory::RunDirectory;
use double11_load::schedule::Phase;
use double11_load::shard::Shard;
use double11_load::transport::{Limits, Target};
use double11_monitor::cross_check::{
    CLIENT_OVERHEAD_DEFAULT, ClientWrites, CrossCheck, CrossCheckInput, StepEndpoint, cross_check,
};
use double11_monitor::matrix::{Matrix, Selector};
use double11_monitor::sampler::Sampler;

use crate::child::{Shop, ShopSpec};
use crate::endpoints::{endpoints, endpoints_asked};
use crate::files::Folders;
use crate::options::{Event, Observer, RehearsalOptions, Side};
use crate::prometheus::{Client, Said, Scraping};
use crate::rehearse::RehearsalError;
use crate::resources::{ResourceSample, ResourceSampler};
use crate::schedule::Schedule;
use crate::store::FreshStore;
use crate::under_limits::UnderLimits;
use crate::{clock, resources, settle, writes};

/// Everything that one run left behind.
pub(crate) struct Run {
    pub(crate) variant: String,
    pub(crate) folder: PathBuf,
    pub(crate) outcome: RunOutcome,
    pub(crate) resources: Vec<ResourceSample>,
    /// `None` when the shop tells no metrics.
    pub(crate) cross_check: Option<CrossCheck>,
    /// `None` when the store is not ours.
    pub(crate) audit: Option<AuditReport>,
    pub(crate) settled_after: Option<Duration>,
    pub(crate) scrape_warnings: Vec<String>,
    pub(crate) levers: Vec<String>,
    /// What a Prometheus said of it, where one scraped the shop.
    pub(crate) prometheus: Option<Said>,
    /// How the shop fared under its limits.
    pub(crate) under_limits: UnderLimits,
}

/// Which run of a rehearsal this is.
#[derive(Clone, Copy)]
pub(crate) struct Which<'which> {
    /// What the shop is called.
    pub(crate) name: &'which str,
    /// Where the shop comes from.
    pub(crate) origin: Origin<'which>,
    /// Decides instants and choices of the shoppers.
    pub(crate) seed: u64,
    /// The traffic.
    pub(crate) schedule: &'which Schedule,
}

/// Where a shop comes from.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'origin> {
    /// It is started here, on a fresh store.
    Ours {
        variant: &'origin str,
        enable: &'origin [String],
        port: u16,
    },
    /// It runs already.
    Theirs { target: &'origin str },
}

impl<'side> From<&'side Side> for Origin<'side> {
    fn from(side: &'side Side) -> Self {
        match side {
            Side::Variant { variant, port, .. } => Self::Ours {
                variant,
                enable: &[],
                port: *port,
            },
            Side::Url { target, .. } => Self::Theirs { target },
        }
    }
}

/// A shop that takes requests.
pub(crate) struct OpenShop {
    /// A shop of ours with its store.
    ours: Option<(Shop, FreshStore)>,
    pub(crate) target: String,
}

impl OpenShop {
    /// Starts a shop of ours with its store in `folder`, or takes the one that is there.
    pub(crate) fn start(
        options: &RehearsalOptions,
        folder: &Path,
        which: Which<'_>,
        observer: &dyn Observer,
    ) -> Result<Self, RehearsalError> {
        let variant = which.name;
        let (ours, target, after) = match which.origin {
            Origin::Theirs { target } => (None, target.to_owned(), Duration::ZERO),
            Origin::Ours {
                variant: base,
                enable,
                port,
            } => {
                observer.event(Event::Starting { variant });
                let store = FreshStore::make(&options.stores, &options.program, folder)?;
                let shop = Shop::start(&ShopSpec {
                    program: &options.program,
                    variant: base,
                    enable,
                    store: &store,
                    log: &folder.join("shop.log"),
                    port,
                    products: options.products,
                    stock: options.stock,
                    seed: options.seed,
                    payment_window: RehearsalOptions::PAYMENT_WINDOW,
                    cpus: &options.shop_cpus,
                    limits: options.limits,
                })?;
                let (target, after) = (shop.target.clone(), shop.ready_after);
                (Some((shop, store)), target, after)
            }
        };
        observer.event(Event::Ready {
            variant,
            target: &target,
            after,
        });
        Ok(Self { ours, target })
    }

    /// The process of a shop of ours.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.ours.as_ref().map(|(shop, _)| shop.process_id())
    }

    /// The control group that holds a shop of ours to its limits.
    pub(crate) fn group(&self) -> Option<Group> {
        self.ours.as_ref()?.0.group().cloned()
    }
}

/// Makes one run from its start to its audit, and keeps it in a folder such as `1-a-baseline`.
pub(crate) fn run(
    options: &RehearsalOptions,
    (folders, folder): (&Folders, &str),
    which: Which<'_>,
    scraping: Option<&Scraping>,
    observer: &dyn Observer,
) -> Result<Run, RehearsalError> {
    let folder = folders.run(folder)?;
    let open = OpenShop::start(options, &folder, which, observer)?;
    let attached = scraping
        .map(|scraping| scraping.attach(which.name, &open.target, observer))
        .transpose()?;
    let traffic = traffic(options, &open, &folder, which, observer)?;
    let variant = which.name;
    let prometheus = attached.map(|attached| {
        observer.event(Event::AskingPrometheus { variant });
        let client = Client {
            outcome: &traffic.outcome,
            endpoints: &traffic.endpoints,
            writes: traffic.writes,
            folder: &folder,
        };
        let said = attached.finish(client, observer);
        observer.event(said.event(variant));
        said
    });
    let ledger = folder.join("client-ledger.jsonl");
    let memory = open.group().as_ref().and_then(Group::memory);
    let under_limits = UnderLimits::of(&traffic.outcome.summary, &traffic.resources, memory);
    if options.limits.is_some() {
        write_json(&folder.join(UnderLimits::FILE), &under_limits)?;
    }
    let (audit, settled_after) = match close(open, Some(&ledger), which.name, observer)? {
        Some((audit, settled_after)) => (Some(audit), settled_after),
        None => (None, None),
    };
    if let Some(audit) = &audit {
        write_json(&folder.join("audit.json"), audit)?;
    }
    Ok(Run {
        variant: which.name.to_owned(),
        folder,
        outcome: traffic.outcome,
        resources: traffic.resources,
        cross_check: traffic.cross_check,
        audit,
        settled_after,
        scrape_warnings: traffic.scrape_warnings,
        levers: traffic.levers,
        prometheus,
        under_limits,
    })
}

/// Lets a shop of ours come to rest, stops it and audits its store; tells how long it took to settle.
/// Without a ledger only what the store says of itself is audited. A shop that is not ours is left
/// alone.
pub(crate) fn close(
    open: OpenShop,
    ledger: Option<&Path>,
    variant: &str,
    observer: &dyn Observer,
) -> Result<Option<(AuditReport, Option<Duration>)>, RehearsalError> {
    let Some((mut shop, store)) = open.ours else {
        return Ok(None);
    };
    shop.check_alive()?;
    observer.event(Event::Settling { variant });
    let settled_after = settle::wait(store.location(), RehearsalOptions::SETTLE_LIMIT)?;
    if !shop.stop()? {
        let text = "a shop did not end in time and was killed";
        observer.event(Event::Warning { text });
    }
    observer.event(Event::Auditing { variant });
    let audit = audit(&store, ledger)?;
    let passed = audit.verdict == double11_audit::Verdict::Passed;
    observer.event(Event::Audited { variant, passed });
    if passed {
        store.remove()?;
    } else {
        let name = store.keep();
        let text = format!("the store of the failed audit was kept: {name}");
        observer.event(Event::Warning { text: &text });
    }
    Ok(Some((audit, settled_after)))
}

/// What the traffic left behind.
struct Traffic {
    outcome: RunOutcome,
    resources: Vec<ResourceSample>,
    cross_check: Option<CrossCheck>,
    scrape_warnings: Vec<String>,
    levers: Vec<String>,
    endpoints: Vec<StepEndpoint>,
    writes: ClientWrites,
}

fn traffic(
    options: &RehearsalOptions,
    open: &OpenShop,
    folder: &Path,
    which: Which<'_>,
    observer: &dyn Observer,
) -> Result<Traffic, RehearsalError> {
    let sampler = Sampler::of_shop(&open.target, RehearsalOptions::SCRAPE_INTERVAL)
        .map_err(RehearsalError::Thread)?;
    let start = clock::steady();
    let resources = open
        .process_id()
        .map(|process_id| ResourceSampler::start(process_id, open.group(), start));
    let phases = &which.schedule.phases;
    let outcome = with_boundary_scrapes(sampler.as_ref(), start, phases, || {
        let mut observe = |seen: &double11_load::engine::Observation| {
            let phase = phases.get(usize::from(seen.phase.0));
            observer.event(Event::Progress {
                variant: which.name,
                phase: phase.map_or("drain", |phase| phase.name.as_str()),
                seen,
            });
        };
        let to = (open.target.as_str(), folder);
        options.plan.run(options, which, to, &mut observe)
    })?;
    let endpoints = match options.plan.steps() {
        Some(plan) => endpoints(plan),
        None => endpoints_asked(&outcome.asked),
    };
    let matrix = match sampler {
        Some(sampler) => {
            drop(sampler.scrape_now());
            let matrix = sampler.stop();
            write_json(&folder.join("metrics.json"), &matrix)?;
            Some(matrix)
        }
        None => None,
    };
    let resources = match resources {
        Some(sampler) => sampler.finish(),
        None => matrix.as_ref().map_or_else(Vec::new, |matrix| {
            resources::from_metrics(matrix, outcome.started)
        }),
    };
    if let Some(error) = outcome.write_error {
        return Err(error.into());
    }
    if options.stop.is_stopping() {
        return Err(RehearsalError::Interrupted {
            kept: folder.to_owned(),
        });
    }
    let writes = writes_of(folder)?;
    let cross_check = matrix
        .as_ref()
        .filter(|_| !endpoints.is_empty())
        .map(|matrix| {
            cross_check(&CrossCheckInput {
                summary: &outcome.summary,
                time_series: &outcome.time_series,
                matrix,
                endpoints: &endpoints,
                writes: Some(writes),
                client_overhead: CLIENT_OVERHEAD_DEFAULT,
            })
        });
    let matrix = matrix.unwrap_or_default();
    Ok(Traffic {
        outcome,
        resources,
        cross_check,
        scrape_warnings: matrix.warnings().to_vec(),
        levers: levers(&matrix),
        endpoints,
        writes,
    })
}

/// The client's writes by its own ledger.
fn writes_of(folder: &Path) -> Result<ClientWrites, RehearsalError> {
    let ledger = folder.join("client-ledger.jsonl");
    writes::count(&ledger).map_err(|source| RehearsalError::Read {
        path: ledger,
        source,
    })
}

/// Runs `traffic` while a thread scrapes at the end of every phase.
fn with_boundary_scrapes<T>(
    sampler: Option<&Sampler>,
    start: Instant,
    phases: &[Phase],
    traffic: impl FnOnce() -> T,
) -> T {
    let Some(sampler) = sampler else {
        return traffic();
    };
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

/// How a run is made; without a folder nothing but its outcome is kept.
pub(crate) fn run_options(
    options: &RehearsalOptions,
    plan: &Plan,
    which: Which<'_>,
    target: &str,
    folder: Option<&Path>,
) -> Result<RunOptions, RehearsalError> {
    let output = folder
        .map(|folder| RunDirectory::create(folder, true))
        .transpose()
        .map_err(double11_load::engine::LoadError::from)?;
    Ok(RunOptions {
        plan: plan.clone(),
        target: Target::parse(target)
            .map_err(double11_load::engine::LoadError::from)?
            .with_headers(options.headers.clone()),
        extra_roots: options.extra_roots.clone(),
        model: which.schedule.model,
        phases: which.schedule.phases.clone(),
        seed: which.seed,
        shard: Shard::WHOLE,
        start_at: None,
        threads: Some(1),
        pin_to: options.generator_cpus.clone(),
        connections: which.schedule.connections() as usize,
        max_in_flight: RehearsalOptions::MAX_IN_FLIGHT as usize,
        request_timeout: RehearsalOptions::REQUEST_TIMEOUT,
        connect_timeout: RunOptions::CONNECT_TIMEOUT,
        limits: Limits::DEFAULT,
        require_reachable: true,
        samples: SamplePolicy::All,
        output,
        about: RunAbout {
            command_line: vec![options.command.clone()],
            versions: [("double11".to_owned(), options.version.clone())].into(),
            target_limits: options.limits.map(|held| held.to_string()),
        },
    })
}

/// The levers that the shop says are on, in its build information.
fn levers(matrix: &Matrix) -> Vec<String> {
    let named = matrix
        .select(Selector::new("ecommerce_build_info", &[]))
        .find_map(|(labels, _)| labels.get("levers"));
    let named = named.map_or("", String::as_str).split(',');
    named
        .filter(|lever| !lever.is_empty())
        .map(str::to_owned)
        .collect()
}

fn write_json(path: &Path, content: &impl serde::Serialize) -> Result<(), RehearsalError> {
    serde_json::to_vec(content)
        .map_err(std::io::Error::from)
        .and_then(|text| std::fs::write(path, text))
        .map_err(|source| RehearsalError::Write {
            path: path.to_owned(),
            source,
        })
}

fn audit(store: &FreshStore, ledger: Option<&Path>) -> Result<AuditReport, RehearsalError> {
    Ok(double11_audit::run(&AuditOptions {
        store: store.location().clone(),
        client_ledgers: ledger.map(Path::to_owned).into_iter().collect(),
        gateway_ledger: Some(store.gateway_ledger().to_owned()),
        ledger_is_complete: ledger.is_some(),
        settled_required: true,
        kept: Retention::default(),
        now: clock::now(),
    })?)
}
