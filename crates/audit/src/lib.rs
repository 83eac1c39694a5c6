//! Judges a store after a run: nothing oversold, nothing lost, nothing charged twice.
//!
//! The audit reads three things — the store, the gateway's ledger and the ledgers that the load
//! generator kept of every write it sent — and joins them in SQL. It knows `docs/SCHEMA.md` and
//! nothing else: it must not know the shop or any store crate, because a tester that shares code
//! with the tested cannot find its faults. It prints nothing and reads no clock.
//!
//! [`run`] gives an [`AuditReport`] of named checks; `docs/AUDIT.md` describes each of them and what
//! it cannot see. Nothing is ever written to the store. Ledgers, and the tables of a store on a server,
//! are loaded into a private temporary database on disk, so that their size is not bounded by memory.

mod audited;
mod check;
mod checks;
mod client_ledger;
mod error;
mod gateway_ledger;
mod ledger_lines;
mod location;
mod mysql_copy;
mod mysql_server;
mod mysql_tables;
mod report;
mod sqlite_file;
mod stock_changes;
mod unsettled;

use std::path::PathBuf;
use std::time::Duration;

use double11_units::{Currency, UnixMicros};

pub use error::AuditError;
pub use location::StoreLocation;
pub use report::{
    AuditReport, CheckReport, CheckStatus, Figures, Finding, LedgerInput, NamedValue,
    SCHEMA_VERSION, Scalar, Verdict, render_text,
};
pub use unsettled::{Unsettled, unsettled};

use audited::AuditedStore;
use check::{Given, Run};

/// What to audit, and how strictly. The caller chooses every field.
#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// The shop's store.
    pub store: StoreLocation,
    /// The `client-ledger.jsonl` files of every run against this store; without one, the checks
    /// that compare what clients were told with what is stored do not apply.
    pub client_ledgers: Vec<PathBuf>,
    /// The sandbox gateway's ledger; without it, the checks of charges and refunds do not apply.
    pub gateway_ledger: Option<PathBuf>,
    /// Whether the client ledgers hold every write that this store was ever sent. Only then can a
    /// stored order that no ledger explains be called a fault.
    pub ledger_is_complete: bool,
    /// Whether the shop had the time to settle: an attempt still `processing` or a refund still
    /// `pending` is then a fault.
    pub settled_required: bool,
    /// For how long the shop keeps what it may delete.
    pub kept: Retention,
    /// The time of day at which the audit is run, for the report and for instants that lie in the
    /// future. Must not be earlier than the last write.
    pub now: UnixMicros,
}

/// For how long a shop keeps what it may delete at some time. What is older and missing is no fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Idempotency keys, from the write that claimed them.
    pub keys: Duration,
    /// Carts, from their last change.
    pub carts: Duration,
}

impl Default for Retention {
    /// A day for keys and seven for carts, as the shop does when it is told nothing else.
    fn default() -> Self {
        Self {
            keys: Duration::from_hours(24),
            carts: Duration::from_hours(7 * 24),
        }
    }
}

/// Audits a store that no shop is writing to.
///
/// A shop that is running does no harm to the audit, which reads one consistent snapshot, but the
/// ledgers then run ahead of that snapshot; the report's notes say when that happened.
///
/// # Errors
/// [`AuditError`] when the store or a ledger cannot be read or has another format. A fault *in* a
/// readable store is never an error; it is a failed check of the report.
pub fn run(options: &AuditOptions) -> Result<AuditReport, AuditError> {
    let store = AuditedStore::open(&options.store)?;
    store.begin()?;
    let currency = store.currency()?;
    let mut notes = Vec::new();
    let client_ledgers = load_client_ledgers(&store, options, currency)?;
    let gateway_ledger = match &options.gateway_ledger {
        Some(path) => Some(gateway_ledger::load(&store, path, currency)?),
        None => None,
    };
    note_torn_lines(client_ledgers.iter().chain(&gateway_ledger), &mut notes);
    let given = Given {
        gateway_ledger: gateway_ledger.is_some(),
        client_ledger: !client_ledgers.is_empty(),
        complete_ledger: options.ledger_is_complete,
        torn_client_ledger: client_ledgers.iter().any(|ledger| ledger.torn_last_line),
        settled: options.settled_required,
    };
    let run = Run::begin(&store, given, options)?;
    let mut reports = Vec::new();
    for check in checks::all() {
        reports.push(run.judge(check)?);
    }
    let figures = checks::figures::read(&store, gateway_ledger.is_some())?;
    if store.end_and_tell_whether_it_changed()? {
        notes.push(
            "another process wrote to the store during the audit: the ledgers may tell of writes \
             that are younger than the snapshot that was judged"
                .to_owned(),
        );
    }
    Ok(AuditReport {
        schema_version: SCHEMA_VERSION,
        store: options.store.to_string(),
        audited_at_unix_micros: options.now.get(),
        currency: currency.code().to_owned(),
        verdict: Verdict::of(&reports),
        client_ledgers,
        gateway_ledger,
        figures,
        checks: reports,
        notes,
    })
}

/// The stable ids of every check, in the order of the report.
pub fn check_ids() -> impl Iterator<Item = &'static str> {
    checks::all().map(|check| check.id)
}

fn load_client_ledgers(
    store: &AuditedStore,
    options: &AuditOptions,
    currency: Currency,
) -> Result<Vec<LedgerInput>, AuditError> {
    let mut loader = client_ledger::Loader::new(store, currency)?;
    let mut inputs = Vec::new();
    for path in &options.client_ledgers {
        inputs.push(loader.load(path)?);
    }
    loader.finish()?;
    Ok(inputs)
}

fn note_torn_lines<'input>(
    inputs: impl Iterator<Item = &'input LedgerInput>,
    notes: &mut Vec<String>,
) {
    for input in inputs.filter(|input| input.torn_last_line) {
        notes.push(format!(
            "the last line of `{}` is torn and was not read: its writer was stopped while writing",
            input.path
        ));
    }
}
