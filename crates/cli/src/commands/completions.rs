//! `double11 completions`: what a shell needs to complete this program's words.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::console;
use crate::exit::Exit;

pub(crate) fn run(shell: Shell) -> Exit {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    console::data(&String::from_utf8_lossy(&script));
    Exit::Done
}
