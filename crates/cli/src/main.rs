//! The `double11` program: parse, resolve, run, exit. Everything of substance is in other crates.

mod arguments;
mod commands;
mod console;
mod exit;
mod live_view;
mod machine;

/// Orders are allocated on one thread and freed on another, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let arguments = match arguments::parse(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(arguments) => arguments,
        Err(refusal) => return exit::refused_arguments(&refusal),
    };
    match commands::run(arguments) {
        Ok(exit) => exit.into(),
        Err(failure) => exit::report(&failure),
    }
}
