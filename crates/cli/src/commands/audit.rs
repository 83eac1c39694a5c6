//! `double11 audit`: the store against what clients and gateway were told.

use double11_audit::{AuditOptions, Verdict};
use double11_store::{Clock as _, SystemClock};

use crate::arguments::Audit;
use crate::commands::store_url;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

pub(crate) fn run(arguments: &Audit) -> CommandResult {
    let store = store_url::sqlite_path(&arguments.store)?;
    let beside = store_url::gateway_ledger(&store);
    let gateway_ledger = arguments
        .gateway_ledger
        .clone()
        .or_else(|| beside.exists().then_some(beside));
    let options = AuditOptions {
        store,
        client_ledgers: arguments.ledger.clone(),
        gateway_ledger,
        ledger_is_complete: arguments.complete,
        settled_required: !arguments.unsettled,
        now: SystemClock.now(),
    };
    let report = double11_audit::run(&options).map_err(|error| {
        Failure::environment(error).hint(
            "name the store with `--store sqlite:FILE` and each run's `client-ledger.jsonl` with \
             `--ledger`",
        )
    })?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::environment)?;
        console::data(&format!("{text}\n"));
    } else {
        console::data(&double11_audit::render_text(&report));
    }
    let money = report
        .figures
        .as_ref()
        .is_some_and(|figures| figures.captured != 0);
    if report.verdict == Verdict::Passed && report.gateway_ledger.is_none() && money {
        console::say(
            "cannot say whether the money is right, because the gateway's ledger is not there; \
             name it with `--gateway-ledger`",
        );
        return Ok(Exit::CannotJudge);
    }
    Ok(if report.verdict == Verdict::Passed {
        Exit::Done
    } else {
        Exit::Failed
    })
}
