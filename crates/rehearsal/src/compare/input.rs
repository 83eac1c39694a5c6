//! One run that is compared: read from its directory, or from a sample file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use double11_audit::AuditReport;
use double11_load::RunManifest;
use double11_load::run_directory::{LEDGER, RUN, SUMMARY, TIME_SERIES};
use double11_measure::jtl::{self, JtlSummary, Limits, Problem};
use double11_measure::run::{Summary, TimeSeries};
use double11_monitor::cross_check::{
    CLIENT_OVERHEAD_DEFAULT, CrossCheck, CrossCheckInput, cross_check,
};
use double11_monitor::matrix::Matrix;
use double11_report::model::{
    AuditMissing, CrossCheckReport, Finding, HostFacts, PlanFacts, VariantReport, Warning,
};
use double11_units::UnixMicros;
use serde::de::DeserializeOwned;

use super::{is_run_directory, unknown_host, unknown_plan};
use crate::report_of::phases::{Beside, Business};
use crate::report_of::variant::{self, Measured};
use crate::report_of::{checks, remarks};
use crate::resources::{self, ResourceSample};
use crate::under_limits::UnderLimits;

/// Bytes that are read from a sample file at a time.
const READ_BYTES: usize = 1 << 18;

/// Why a run cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is a folder, but none that a run left behind.
    #[error("`{}` is a folder without `run.json`", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// A file of a run directory is not of its form.
    #[error("`{}` is not of the form that a run leaves behind", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A sample file is not one, or is damaged.
    #[error("`{}`", path.display())]
    Samples {
        /// The file.
        path: PathBuf,
        /// What is wrong, and on which line.
        #[source]
        source: Box<Problem>,
    },
    /// Figures of a version that this program does not know.
    #[error("`{}` has `schema_version` {found}, this program reads {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// What is read.
        known: u32,
    },
}

/// A run that was read.
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) summary: Summary,
    series: TimeSeries,
    business: Business,
    resources: Vec<ResourceSample>,
    under_limits: UnderLimits,
    window_seconds: u32,
    pub(crate) kind: Kind,
}

/// Where a run was read from.
pub(crate) enum Kind {
    /// A run directory.
    Directory(Box<Directory>),
    /// A sample file: its warnings.
    Samples(Vec<String>),
}

/// What a run directory tells besides the figures.
pub(crate) struct Directory {
    pub(crate) manifest: RunManifest,
    audit: Option<AuditReport>,
    cross_check: Option<CrossCheck>,
    scrape_warnings: Vec<String>,
}

/// Reads a run directory or a sample file.
pub(crate) fn read(path: &Path, name: &str) -> Result<Input, InputError> {
    if is_run_directory(path) {
        directory(path, name)
    } else if path.is_dir() {
        Err(InputError::NoRun {
            path: path.to_owned(),
        })
    } else {
        samples(path, name)
    }
}

fn samples(path: &Path, name: &str) -> Result<Input, InputError> {
    let file = open(path)?;
    let reader = BufReader::with_capacity(READ_BYTES, file);
    let JtlSummary {
        summary,
        time_series,
        window_seconds,
        warnings,
        ..
    } = jtl::summarize(reader, Limits::default()).map_err(|problem| InputError::Samples {
        path: path.to_owned(),
        source: Box::new(problem),
    })?;
    Ok(Input {
        path: path.to_owned(),
        name: name.to_owned(),
        summary,
        series: time_series,
        business: Business::default(),
        resources: Vec::new(),
        under_limits: UnderLimits::default(),
        window_seconds,
        kind: Kind::Samples(warnings.iter().map(ToString::to_string).collect()),
    })
}

fn directory(path: &Path, name: &str) -> Result<Input, InputError> {
    let manifest: RunManifest = json(&path.join(RUN))?;
    let summary: Summary = json(&path.join(SUMMARY))?;
    let series: TimeSeries = json(&path.join(TIME_SERIES))?;
    known_version(&path.join(SUMMARY), summary.schema_version)?;
    known_version(&path.join(TIME_SERIES), series.schema_version)?;
    let matrix: Option<Matrix> = optional(&path.join("metrics.json"))?;
    let audit: Option<AuditReport> = optional(&path.join("audit.json"))?;
    let under_limits: Option<UnderLimits> = optional(&path.join(UnderLimits::FILE))?;
    let endpoints = crate::built_in_plan(&manifest).map_or_else(
        || crate::endpoints_asked(&manifest.plan.asked),
        |plan| crate::endpoints(&plan),
    );
    let ledger = path.join(LEDGER);
    let cross_check = matrix
        .as_ref()
        .filter(|_| !endpoints.is_empty())
        .map(|matrix| {
            cross_check(&CrossCheckInput {
                summary: &summary,
                time_series: &series,
                matrix,
                endpoints: &endpoints,
                writes: crate::count_writes(&ledger).ok(),
                client_overhead: CLIENT_OVERHEAD_DEFAULT,
            })
        });
    // Runs of before this was kept are known by the names of their steps.
    let writes: Vec<_> = manifest.plan.writes.clone().into_iter().collect();
    let business = if writes.is_empty() {
        Business::default()
    } else {
        Business::of_writes(&writes)
    };
    let started = UnixMicros::new(manifest.started_unix_us);
    let resources = matrix
        .as_ref()
        .map_or_else(Vec::new, |matrix| resources::from_metrics(matrix, started));
    Ok(Input {
        path: path.to_owned(),
        name: name.to_owned(),
        summary,
        series,
        business,
        resources,
        under_limits: under_limits.unwrap_or_default(),
        window_seconds: 1,
        kind: Kind::Directory(Box::new(Directory {
            manifest,
            audit,
            cross_check,
            scrape_warnings: matrix.map_or_else(Vec::new, |matrix| matrix.warnings().to_vec()),
        })),
    })
}

fn open(path: &Path) -> Result<File, InputError> {
    File::open(path).map_err(|source| InputError::Read {
        path: path.to_owned(),
        source,
    })
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, InputError> {
    serde_json::from_reader(BufReader::with_capacity(READ_BYTES, open(path)?)).map_err(|source| {
        InputError::Form {
            path: path.to_owned(),
            source,
        }
    })
}

/// A file that not every run has.
fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, InputError> {
    path.exists().then(|| json(path)).transpose()
}

fn known_version(path: &Path, found: u32) -> Result<(), InputError> {
    let known = double11_measure::run::SCHEMA_VERSION;
    if found == known {
        Ok(())
    } else {
        Err(InputError::Version {
            path: path.to_owned(),
            found,
            known,
        })
    }
}

impl Input {
    /// What a run directory tells besides the figures.
    pub(crate) fn as_directory(&self) -> Option<&Directory> {
        match &self.kind {
            Kind::Directory(directory) => Some(directory),
            Kind::Samples(_) => None,
        }
    }

    pub(crate) fn seed(&self) -> Option<u64> {
        self.as_directory().map(|directory| directory.manifest.seed)
    }

    pub(crate) fn generator_limited(&self) -> bool {
        self.as_directory()
            .is_some_and(|directory| directory.manifest.generator.generator_limited)
    }

    pub(crate) fn audit_passed(&self) -> Option<bool> {
        let audit = self.as_directory()?.audit.as_ref()?;
        Some(audit.verdict == double11_audit::Verdict::Passed)
    }

    pub(crate) fn cross_check_failed(&self) -> Option<bool> {
        self.cross_check_report().as_ref().and_then(checks::failed)
    }

    fn cross_check_report(&self) -> Option<CrossCheckReport> {
        let limited = self.generator_limited();
        self.cross_check()
            .map(|check| checks::cross_check(check, limited))
    }

    fn cross_check(&self) -> Option<&CrossCheck> {
        self.as_directory()?.cross_check.as_ref()
    }

    /// What is known besides the samples. How many processors the shop had is not.
    pub(crate) fn beside(&self) -> Beside<'_> {
        Beside {
            normal_per_second: self.normal_per_second(),
            resources: &self.resources,
            shop_cores: None,
            under_limits: &self.under_limits,
            business: &self.business,
            window_seconds: self.window_seconds,
        }
    }

    /// The rate of the phase that a rehearsal calls normal; another run does not say which is.
    fn normal_per_second(&self) -> Option<f64> {
        self.summary.phase("normal")?.offered_per_second
    }

    pub(crate) fn variant(&self, judged: &str) -> VariantReport {
        let directory = self.as_directory();
        let audit = directory.and_then(|directory| directory.audit.as_ref());
        let missing = if directory.is_some() {
            AuditMissing::NoStoreAccess
        } else {
            AuditMissing::NotFromSamples
        };
        variant::variant(Measured {
            name: &self.name,
            levers: &[],
            summary: &self.summary,
            series: &self.series,
            beside: self.beside(),
            judged,
            plan: None,
            health: directory.map(|directory| &directory.manifest.generator),
            audit: audit.map(|audit| checks::audit(audit, None)).ok_or(missing),
            cross_check: self.cross_check_report(),
            prometheus: None,
            group_memory: self.under_limits.memory,
        })
    }

    pub(crate) fn findings(&self, judged: &str) -> Vec<Finding> {
        let mut findings = remarks::failures(&self.name, &self.summary);
        findings.extend(remarks::throttled(&self.name, judged, &self.under_limits));
        if let Some(cross_check) = self.cross_check() {
            findings.extend(remarks::not_compared(&self.name, cross_check));
        }
        findings
    }

    pub(crate) fn warnings(&self) -> Vec<Warning> {
        match &self.kind {
            Kind::Directory(directory) => {
                let scrapes = directory.scrape_warnings.iter();
                scrapes
                    .map(|message| Warning::ScrapeFailed {
                        variant: self.name.clone(),
                        message: message.clone(),
                    })
                    .collect()
            }
            Kind::Samples(warnings) => {
                let path = self.path.display();
                warnings
                    .iter()
                    .map(|warning| Warning::Other {
                        text: format!("`{path}`: {warning}"),
                    })
                    .collect()
            }
        }
    }

    pub(crate) fn host(&self) -> HostFacts {
        let Some(Directory { manifest, .. }) = self.as_directory() else {
            return unknown_host();
        };
        let pinned = &manifest.limits.pinned_to;
        let cores: Vec<String> = pinned.iter().map(usize::to_string).collect();
        HostFacts {
            cpu_model: manifest.host.processor.clone(),
            logical_cpus: u32::try_from(manifest.host.processors).ok(),
            memory_bytes: manifest.host.memory_bytes,
            kernel: Some(manifest.host.kernel.clone()),
            generator_cpus: (!cores.is_empty()).then(|| format!("CPU {}", cores.join(", "))),
            ..unknown_host()
        }
    }

    pub(crate) fn plan(&self) -> PlanFacts {
        let Some(Directory { manifest, .. }) = self.as_directory() else {
            return unknown_plan();
        };
        PlanFacts {
            name: manifest.plan.name.clone(),
            hash: Some(manifest.plan.hash.clone()),
            normal_per_second: self.normal_per_second(),
            connections: u32::try_from(manifest.limits.connections).ok(),
            max_in_flight: u32::try_from(manifest.limits.max_in_flight).ok(),
            request_timeout_ms: manifest.limits.request_timeout_s * 1_000.0,
            ..unknown_plan()
        }
    }
}
