//! `double11 audit`: the store against what clients and gateway were told.

use double11_audit::{AuditError, AuditOptions, AuditReport, Retention, Verdict};
use double11_store::{Clock as _, SystemClock};

use crate::arguments::Audit;
use crate::commands::store_url::{self, StoreUrl};
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

pub(crate) fn run(arguments: &Audit) -> CommandResult {
    let store = StoreUrl::parse(&arguments.store)?;
    // Only a file has a ledger beside it.
    let beside = match &store {
        StoreUrl::Sqlite(path) => Some(store_url::gateway_ledger(path)),
        StoreUrl::Mysql { .. } => None,
    };
    let gateway_ledger = arguments
        .gateway_ledger
        .clone()
        .or_else(|| beside.filter(|ledger| ledger.exists()));
    let options = AuditOptions {
        store: store.location(),
        client_ledgers: arguments.ledger.clone(),
        gateway_ledger,
        ledger_is_complete: arguments.complete,
        settled_required: !arguments.unsettled,
        kept: Retention {
            keys: arguments.kept.keep_keys,
            carts: arguments.kept.keep_carts,
        },
        now: SystemClock.now(),
    };
    let report = double11_audit::run(&options).map_err(failure)?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::environment)?;
        console::data(&format!("{text}\n"));
    } else {
        console::data(&double11_audit::render_text(&report));
    }
    Ok(verdict(&report))
}

fn verdict(report: &AuditReport) -> Exit {
    if report.verdict == Verdict::Failed {
        return Exit::Failed;
    }
    let money = report
        .figures
        .as_ref()
        .is_some_and(|figures| figures.captured != 0);
    if report.gateway_ledger.is_none() && money {
        console::say(
            "cannot say whether the money is right, because the gateway's ledger is not there; \
             name it with `--gateway-ledger`",
        );
        return Exit::CannotJudge;
    }
    Exit::Done
}

fn failure(error: AuditError) -> Failure {
    let hint = match &error {
        AuditError::LocationMalformed { .. } => {
            "write `mysql://USER@HOST:PORT/DATABASE`, and the password in DOUBLE11_STORE_PASSWORD"
        }
        AuditError::Unreachable { .. } => "check host and port, and that the server runs",
        AuditError::AccessDenied { .. } => {
            "check the user, and the password in DOUBLE11_STORE_PASSWORD; the audit needs SELECT on \
             every table"
        }
        AuditError::DatabaseMissing { .. } => "check the name behind the last slash of the URL",
        AuditError::NotAStore { .. } => {
            "name a database that was made by `double11 migrate`, of this version"
        }
        AuditError::OtherServerVersion { .. } => {
            "use the version of the program that made its tables"
        }
        AuditError::ServerFailed { .. } => "look into the server's log, then audit again",
        _ => {
            "name the store with `--store sqlite:FILE` and each run's `client-ledger.jsonl` with \
             `--ledger`"
        }
    };
    Failure::environment(error).hint(hint)
}
