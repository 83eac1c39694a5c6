//! `double11 gateway`: the sandbox gateway as a service of its own, until it is asked to end; and the
//! gateway that `serve` is told to use.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use double11_gateway::client::{HttpGateway, HttpSettings};
use double11_gateway::service::{CallbackSettings, Service, ServiceSettings, Shares, serve};
use double11_gateway::signature::Secret;
use double11_gateway::{LedgerError, SANDBOX, SandboxGateway, SandboxSettings};
use double11_store::{Clock, SystemClock};
use tokio::net::TcpListener;

use crate::arguments::{Gateway, GatewayArguments, SecretArguments, Serve};
use crate::commands::serve::Asked;
use crate::commands::store_url::{self, StoreUrl};
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};
use crate::machine;

/// The largest file of a secret or of certificates that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

pub(crate) fn run(arguments: &Gateway) -> CommandResult {
    let secret = secret(&arguments.secret)?;
    if secret.is_none() && !arguments.addr.ip().is_loopback() {
        return Err(Failure::usage(anyhow::anyhow!(
            "`--addr {}` is reachable from other machines, and there is no secret",
            arguments.addr
        ))
        .hint("give shop and gateway the same `--gateway-secret-file`"));
    }
    let settings = service_settings(arguments, secret)?;
    if arguments.end_with_parent {
        machine::end_with_parent().map_err(Failure::environment)?;
    }
    machine::raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(machine::cores().len())
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    runtime.block_on(listen(arguments, settings))
}

async fn listen(arguments: &Gateway, settings: ServiceSettings) -> CommandResult {
    // Heard from here on: whoever sees the line "listening" may ask for the end at once.
    let mut asked = Asked::listen().map_err(Failure::environment)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut sandbox = SandboxSettings::serve(arguments.ledger.clone(), arguments.seed);
    sandbox.latency_median = arguments.latency;
    sandbox.decline_rate = arguments.decline;
    let sandbox = SandboxGateway::open(sandbox, Arc::clone(&clock)).map_err(|error| {
        let hint = match &error {
            LedgerError::InUse { .. } => "stop the other gateway, or name another `--ledger`",
            LedgerError::BadLine { .. } => "name a ledger that a gateway wrote, or a new file",
            LedgerError::Io { .. } => "check that the folder exists, can be written and has room",
        };
        Failure::environment(error).hint(hint)
    })?;
    let service = Service::new(sandbox, settings, clock)
        .context("`--callbacks` cannot be used")
        .map_err(Failure::usage)?;
    let listener = TcpListener::bind(arguments.addr)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.addr))
        .map_err(|error| {
            Failure::environment(error)
                .hint("choose another address with `--addr`; port 0 is always free")
        })?;
    let addr = listener.local_addr().map_err(Failure::environment)?;
    console::data(&format!("listening on http://{addr}\n"));
    let report = serve(listener, service, async move { asked.heard().await }).await;
    if report.connections_cut > 0 || report.callbacks_untold > 0 {
        console::say(&format!(
            "cut off: {} connections; not told: {} outcomes, for which the shop has to ask",
            report.connections_cut, report.callbacks_untold
        ));
    }
    Ok(Exit::Done)
}

fn service_settings(
    arguments: &Gateway,
    secret: Option<Secret>,
) -> Result<ServiceSettings, Failure> {
    let callbacks = match (&arguments.callbacks, &secret) {
        (None, _) => None,
        (Some(url), Some(secret)) => Some(CallbackSettings {
            url: url.clone(),
            secret: secret.clone(),
            extra_roots: arguments.ca_cert.as_deref().map(read).transpose()?,
            late_by: arguments.late_by,
        }),
        (Some(_), None) => {
            return Err(Failure::usage(anyhow::anyhow!(
                "`--callbacks` without a secret: no shop believes unsigned callbacks"
            ))
            .hint("give shop and gateway the same `--gateway-secret-file`"));
        }
    };
    Ok(ServiceSettings {
        secret,
        callbacks,
        shares: Shares {
            no_answer: arguments.no_answer,
            duplicate: arguments.duplicate_callbacks,
            late: arguments.late_callbacks,
        },
        seed: arguments.seed,
    })
}

/// The name of the gateway that a shop uses, which it keeps for life. That of its own sandbox belongs to
/// no other: what is open at one would be asked of the other.
pub(super) fn name(arguments: &GatewayArguments) -> Result<&'static str, Failure> {
    match &arguments.gateway {
        None => Ok(SANDBOX),
        Some(_) if arguments.gateway_name == SANDBOX => Err(Failure::usage(anyhow::anyhow!(
            "`{SANDBOX}` is the name of the shop's own gateway"
        ))
        .hint("give the one at `--gateway` another name with `--gateway-name`")),
        // Once in the life of the program.
        Some(_) => Ok(arguments.gateway_name.clone().leak()),
    }
}

/// The secret that a shop shares with its gateway.
pub(super) fn secret(arguments: &SecretArguments) -> Result<Option<Secret>, Failure> {
    let bytes = match (&arguments.gateway_secret_file, &arguments.gateway_secret) {
        (None, None) => return Ok(None),
        (Some(file), _) => read(file)?,
        (None, Some(secret)) => secret.as_bytes().to_owned(),
    };
    Secret::new(bytes.trim_ascii())
        .map(Some)
        .context("the gateway's secret cannot be used")
        .map_err(|error| Failure::usage(error).hint("make one: `openssl rand -hex 32`"))
}

/// The gateway that a shop is told to use: another one over HTTP, or its own sandbox.
pub(super) fn open(
    arguments: &Serve,
    name: &'static str,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn double11_gateway::Gateway>, Failure> {
    let clock = Arc::clone(clock);
    let wanted = &arguments.gateway;
    let Some(url) = &wanted.gateway else {
        let ledger = sandbox_ledger(arguments)?;
        let mut settings = SandboxSettings::serve(ledger, arguments.seed);
        settings.latency_median = arguments.gateway_latency;
        settings.decline_rate = arguments.gateway_decline;
        let sandbox = SandboxGateway::open(settings, clock).map_err(|error| {
            Failure::environment(error)
                .hint("the gateway's ledger belongs to its store; move both or none")
        })?;
        return Ok(Arc::new(sandbox));
    };
    let settings = HttpSettings {
        url: url.clone(),
        name,
        secret: secret(&wanted.secret)?,
        extra_roots: wanted.gateway_ca_cert.as_deref().map(read).transpose()?,
        in_flight_max: wanted.gateway_in_flight as usize,
        // A little before the payment gives up, so that the log can say why.
        timeout: wanted.gateway_deadline.mul_f64(0.95),
    };
    let gateway = HttpGateway::new(settings, clock)
        .context("`--gateway` cannot be used")
        .map_err(|error| {
            Failure::usage(error).hint("write it as `http://HOST:PORT` or `https://HOST`")
        })?;
    Ok(Arc::new(gateway))
}

/// Where the shop's own sandbox keeps its ledger.
fn sandbox_ledger(arguments: &Serve) -> Result<PathBuf, Failure> {
    if let Some(ledger) = &arguments.gateway_ledger {
        return Ok(ledger.clone());
    }
    match StoreUrl::parse(&arguments.store)? {
        StoreUrl::Sqlite(path) => Ok(store_url::gateway_ledger(&path)),
        StoreUrl::Mysql { .. } => Err(Failure::usage(anyhow::anyhow!(
            "the store is on a server, and there is no gateway that all its shops could use"
        ))
        .hint(
            "start `double11 gateway` and name it with `--gateway URL`; a shop that is alone may use \
             its own sandbox, with `--gateway-ledger FILE`",
        )),
    }
}

/// A small file, whole.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read `{}`", path.display()))
        .map_err(Failure::usage)?;
    Ok(bytes)
}
