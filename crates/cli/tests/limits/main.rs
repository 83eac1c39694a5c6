//! The program under limits and in containers: a part of the processors and of the memory, the health
//! check, and the static binary in an empty root.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

#[expect(
    dead_code,
    reason = "shared with the other targets, which use more of it"
)]
#[path = "../double11/harness.rs"]
mod harness;

mod groups;
mod healthcheck;
mod names;
mod rehearsed;
mod share;
mod shop;
mod static_binary;

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tests of this target take turns: what they measure is the machine's.
static MACHINE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    // A test that failed leaves the machine as good as one that passed.
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether mounts can be changed in a name space of one's own; says so where not.
fn can_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output();
    match tried {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            harness::skip(&format!("mounting needs root: {}", why.trim()));
            false
        }
        Err(error) => {
            harness::skip(&format!("`unshare` cannot be started: {error}"));
            false
        }
    }
}
