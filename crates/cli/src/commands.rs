//! One file per command.

mod audit;
mod compare;
mod load;
mod plan_source;
mod rehearse;
mod scale;
mod serve;
mod store_url;
mod validate;

use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command};
use crate::exit::{CommandResult, Failure};

/// Runs the command that was asked for.
pub(crate) fn run(arguments: Arguments) -> CommandResult {
    start_log(&arguments.log)?;
    match arguments.command {
        Command::Rehearse(rehearse) => rehearse::run(rehearse),
        Command::Serve(serve) => serve::run(*serve),
        Command::Load(load) => load::run(&load),
        Command::Compare(compare) => compare::run(compare),
        Command::Audit(audit) => audit::run(&audit),
        Command::Validate(validate) => validate::run(&validate),
        Command::Scale(scale) => Ok(scale::run(scale.scale)),
    }
}

fn start_log(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(filter).map_err(|error| {
        Failure::usage(anyhow::Error::new(error).context(format!("`--log {filter}`")))
            .hint("use error, warn, info, debug or trace")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
