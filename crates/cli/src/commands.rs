//! One file per command.

mod any_store;
mod audit;
mod cache_url;
mod compare;
mod completions;
mod dashboards;
mod end_with_parent;
mod gateway;
mod healthcheck;
mod import;
mod jmeter;
mod jmeter_plan;
mod limits;
mod load;
mod man;
mod merge;
mod migrate;
mod no_answer;
mod offline;
mod plan;
mod rehearse;
mod restock;
mod scale;
mod serve;
mod store_url;
mod validate;

use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command};
use crate::console;
use crate::exit::{CommandResult, Failure};

/// Runs the command that was asked for.
pub(crate) fn run(arguments: Arguments) -> CommandResult {
    console::choose_colour(arguments.color);
    start_log(&arguments.log)?;
    match arguments.command {
        Command::Rehearse(rehearse) => rehearse::run(*rehearse),
        Command::Serve(serve) => serve::run(*serve),
        Command::Healthcheck(healthcheck) => healthcheck::run(&healthcheck),
        Command::Gateway(gateway) => gateway::run(&gateway),
        Command::Load(load) => load::run(&load),
        Command::Merge(merge) => merge::run(&merge),
        Command::Jmeter(jmeter) => jmeter::run(&jmeter),
        Command::Compare(compare) => compare::run(compare),
        Command::Plan(plan) => plan::run(&plan.action),
        Command::Audit(audit) => audit::run(&audit),
        Command::Import(import) => import::run(&import),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Scratch(arguments) => migrate::scratch(&arguments),
        Command::EndWithParent(arguments) => end_with_parent::run(&arguments),
        Command::Restock(restock) => restock::run(&restock),
        Command::Validate(validate) => validate::run(&validate),
        Command::Dashboards(dashboards) => dashboards::run(&dashboards),
        Command::Scale(scale) => Ok(scale::run(scale.scale)),
        Command::Completions(completions) => Ok(completions::run(completions.shell)),
        Command::Man(man) => man::run(&man),
    }
}

/// The command line as it was typed, to be repeated, without the values of headers.
fn command_line() -> String {
    let typed = load::without_secrets(std::env::args().skip(1));
    let words = typed.iter().map(|word| quoted(word));
    std::iter::once("double11".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:,=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn start_log(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(filter).map_err(|error| {
        Failure::usage(anyhow::Error::new(error).context(format!("`--log {filter}`")))
            .hint("use error, warn, info, debug or trace")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(console::talk_colour())
        .with_writer(|| console::LogWriter)
        .init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_command_line_can_be_pasted() {
        let check = |word, expected| assert_eq!(quoted(word), expected);
        check("--seed=7", "--seed=7");
        check("", "''");
        check("p95>50ms", "'p95>50ms'");
        check("it's", r"'it'\''s'");
    }
}
