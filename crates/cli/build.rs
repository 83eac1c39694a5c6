//! Tells the program which commit it was built from, where that is known.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=../../.git/HEAD");
    println!("cargo:rerun-if-changed=../../.git/refs/heads");
    let output = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output();
    // An archive of the sources has no commit; reports then leave it out.
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        return;
    };
    let commit = String::from_utf8_lossy(&output.stdout);
    println!("cargo:rustc-env=DOUBLE11_COMMIT={}", commit.trim());
}
