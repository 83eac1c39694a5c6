//! `double11 dashboards`: the Grafana dashboards on a page of their own, until it is asked to end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use double11_report::Language;
use double11_viewer::Settings;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::arguments::Dashboards;
use crate::commands::serve::{Asked, check_address};
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

use relay::{Relay, Unusable};
use server::Site;

mod relay;
mod server;

/// Largest dashboard file that is read.
const FILE_BYTES_MAX: u64 = 4 << 20;

pub(crate) fn run(arguments: &Dashboards) -> CommandResult {
    check_address("--addr", arguments.addr, arguments.auth)?;
    let relay = Relay::new(&arguments.prometheus).map_err(address_failure)?;
    let settings = settings(arguments, relay.address())?;
    relay.check().map_err(|error| {
        Failure::environment(error).hint(
            "start Prometheus with `deploy/prometheus/prometheus.yml`, or name another one with \
             `--prometheus`",
        )
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(relay::AT_A_TIME)
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    let site = Site::new(&settings, relay, !arguments.addr.ip().is_loopback());
    let exit = runtime.block_on(serve(arguments, site));
    // A question that Prometheus has not answered must not hang the program.
    runtime.shutdown_background();
    exit
}

async fn serve(arguments: &Dashboards, site: Site) -> CommandResult {
    // Heard from here on: whoever sees the address may ask for the end at once.
    let asked = Asked::listen().map_err(Failure::environment)?;
    let listener = TcpListener::bind(arguments.addr)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.addr))
        .map_err(|error| {
            Failure::environment(error)
                .hint("choose another address with `--addr`; port 0 is always free")
        })?;
    let addr = listener.local_addr().map_err(Failure::environment)?;
    console::say(&format!(
        "dashboards of Prometheus at {}; Ctrl-C ends this",
        arguments.prometheus
    ));
    console::data(&format!("listening on http://{addr}\n"));
    server::run(listener, Arc::new(site), asked).await;
    Ok(Exit::Done)
}

fn address_failure(error: Unusable) -> Failure {
    let hint = match error {
        Unusable::Encrypted { .. } => {
            "forward a port to it, such as by `ssh -L 9090:localhost:9090 HOST`, and name that"
        }
        Unusable::Credentials | Unusable::Malformed { .. } => {
            "write it as `http://HOST:PORT`, or `http://HOST:PORT/PATH`"
        }
    };
    Failure::usage(error).hint(hint)
}

fn settings(arguments: &Dashboards, prometheus: &str) -> Result<Settings, Failure> {
    let dashboards = if arguments.file.is_empty() {
        shipped().map_err(Failure::environment)?
    } else {
        let files: Vec<Value> = arguments
            .file
            .iter()
            .map(|file| read(file))
            .collect::<Result<_, _>>()?;
        Language::ALL
            .map(|language| (language.name().to_owned(), files.clone()))
            .into()
    };
    Ok(Settings {
        language: arguments.lang.name().to_owned(),
        prometheus: prometheus.to_owned(),
        scrape_interval: format!("{}ms", arguments.scrape_interval.as_millis().max(1)),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        dashboards,
    })
}

/// The dashboards that the program carries, by language.
fn shipped() -> Result<BTreeMap<String, Vec<Value>>, serde_json::Error> {
    double11_dashboards::Language::ALL
        .into_iter()
        .map(|language| {
            let dashboards = double11_dashboards::all(language);
            let values = dashboards.iter().map(serde_json::to_value);
            Ok((
                language.folder().to_owned(),
                values.collect::<Result<_, _>>()?,
            ))
        })
        .collect()
}

/// A dashboard in Grafana's classic JSON; whatever else it may be, it has a name and panels.
fn read(file: &Path) -> Result<Value, Failure> {
    let named = || format!("`--file {}`", file.display());
    let length = std::fs::metadata(file)
        .with_context(named)
        .map_err(Failure::usage)?
        .len();
    if length > FILE_BYTES_MAX {
        let problem = anyhow::anyhow!("{length} bytes are no dashboard").context(named());
        return Err(Failure::usage(problem).hint("name a dashboard that Grafana exported"));
    }
    let text = std::fs::read_to_string(file)
        .with_context(named)
        .map_err(Failure::usage)?;
    let dashboard: Value = serde_json::from_str(&text)
        .with_context(named)
        .map_err(|error| Failure::usage(error).hint("name a dashboard that Grafana exported"))?;
    let has = |key: &str, fits: fn(&Value) -> bool| dashboard.get(key).is_some_and(fits);
    let placed = |panel: &Value| panel["type"].is_string() && panel["gridPos"]["y"].is_number();
    let panels = dashboard["panels"].as_array();
    if has("uid", Value::is_string)
        && has("title", Value::is_string)
        && panels.is_some_and(|panels| panels.iter().all(placed))
    {
        return Ok(dashboard);
    }
    let problem = anyhow::anyhow!("no dashboard in Grafana's classic JSON").context(named());
    Err(Failure::usage(problem)
        .hint("it needs `uid`, `title` and `panels`, each with `type` and `gridPos`"))
}
