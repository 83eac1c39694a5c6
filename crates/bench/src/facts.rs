//! What is measured, with what, and where.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::probe;

/// Facts that a reader of the figures needs, besides those of the host.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The commit that is measured, `-dirty` behind it where the tree has changes.
    pub(crate) commit: Option<String>,
    /// Seconds since 1970.
    began_unix_s: u64,
    /// Versions by the name of the program, none for one that is not there.
    pub(crate) versions: BTreeMap<String, Option<String>>,
    /// The median of `fdatasync` where the stores are, in milliseconds.
    fdatasync_ms: Option<f64>,
}

impl Facts {
    /// Looks at the programs, and at the disk that holds `folder`.
    pub(crate) fn look(program: &Path, folder: &Path, lasts: Duration) -> anyhow::Result<Self> {
        let made = std::fs::metadata(folder)?.modified()?;
        let began = made
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let spans = probe::fdatasync(folder, lasts)?;
        let mut versions = BTreeMap::new();
        for (name, program, flag) in [
            ("double11", program, "--version"),
            ("rustc", Path::new("rustc"), "--version"),
            ("wrk", Path::new("wrk"), "-v"),
            ("oha", Path::new("oha"), "--version"),
        ] {
            versions.insert(name.to_owned(), first_line(program, flag));
        }
        Ok(Self {
            commit: commit(),
            began_unix_s: began.as_secs(),
            versions,
            fdatasync_ms: probe::percentile_ms(&spans, 50),
        })
    }
}

/// The first line that a program says about itself; `wrk` ends with 1 when asked for its version.
fn first_line(program: &Path, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
