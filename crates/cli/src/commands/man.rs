//! `double11 man`: the manual, from the same description as the help.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::arguments::{Arguments, Man as ManArguments};
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

/// The documented exit codes.
const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "Done, and nothing to object to."),
    (
        "1",
        "Done, but a target, the audit or the cross-check failed.",
    ),
    ("2", "Wrong usage or configuration."),
    (
        "3",
        "Something around the program failed: a port, a disk, a target that does not answer.",
    ),
    (
        "4",
        "Cannot judge: not comparable, or the load engine was the bottleneck.",
    ),
    ("130", "Interrupted."),
];

pub(crate) fn run(arguments: &ManArguments) -> CommandResult {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    if let Some(folder) = &arguments.out {
        write_all(&program, folder)
            .with_context(|| format!("writing the manual into `{}`", folder.display()))
            .map_err(|error| {
                Failure::environment(error).hint("name a folder that can be written")
            })?;
        return Ok(Exit::Done);
    }
    let command = match &arguments.command {
        None => &program,
        Some(name) => program.find_subcommand(name).ok_or_else(|| {
            let names = program.get_subcommands().map(Command::get_name);
            let names = names.collect::<Vec<_>>().join(", ");
            Failure::usage(anyhow::anyhow!("there is no command `{name}`"))
                .hint(format!("the commands are {names}"))
        })?,
    };
    let mut page = Vec::new();
    write_page(command, &mut page).map_err(Failure::environment)?;
    console::data(&String::from_utf8_lossy(&page));
    Ok(Exit::Done)
}

fn write_all(program: &Command, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let shown = program.get_subcommands().filter(|one| !one.is_hide_set());
    for command in shown.chain([program]) {
        let mut page = Vec::new();
        write_page(command, &mut page)?;
        std::fs::write(folder.join(man(command).get_filename()), page)?;
    }
    Ok(())
}

fn man(command: &Command) -> Man {
    Man::new(command.clone())
        .source(concat!("Double11 ", env!("CARGO_PKG_VERSION")))
        .manual("Double11")
}

fn write_page(command: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let man = man(command);
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    let mut rest = Roff::new();
    for (title, lines) in sections(command) {
        rest.control("SH", [title.to_uppercase().as_str()]);
        rest.control("nf", []);
        for line in lines {
            rest.text([roman(line)]);
        }
        rest.control("fi", []);
    }
    rest.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        rest.control("TP", []);
        rest.text([bold(code)]);
        rest.text([roman(meaning)]);
    }
    page.write_all(rest.render().as_bytes())
}

/// What stands below the options in the help, as titles with their lines. Exit codes have a section of
/// their own.
fn sections(command: &Command) -> Vec<(String, Vec<String>)> {
    let text = command.get_after_help().map(ToString::to_string);
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.unwrap_or_default().lines() {
        match (line.strip_prefix("  "), sections.last_mut()) {
            (Some(line), Some((_, lines))) => lines.push(line.to_owned()),
            _ if line.is_empty() => {}
            _ => sections.push((line.trim_end_matches(':').to_owned(), Vec::new())),
        }
    }
    sections.retain(|(title, _)| title != "Exit codes");
    sections
}
