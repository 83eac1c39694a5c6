//! A disk that fills up while a run goes on.

use std::path::Path;
use std::process::Command;

use double11_load::run_directory::RunDirectory;
use double11_load::{Ending, LoadError, LoadModel, read_manifest};

use crate::support::*;

#[test]
fn a_file_that_takes_no_more_ends_the_run_and_keeps_the_figures() {
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let mut only = phase("only", 30.0, 0.0);
    only.rate = None;
    let mut options = options(plan(GET), server.target(), vec![only]);
    options.model = LoadModel::Closed { users: 4 };
    let directory = tempfile::tempdir().unwrap();
    options.output = Some(RunDirectory::create(directory.path(), false).unwrap());
    // Every write into this device is refused for lack of space.
    std::os::unix::fs::symlink("/dev/full", directory.path().join("samples.jtl")).unwrap();
    let outcome = run(&options);
    assert_eq!(outcome.ending, Ending::WriteFailed);
    let error = outcome.write_error.unwrap();
    assert!(matches!(error, LoadError::Write { .. }), "{error}");
    assert!(outcome.duration.as_secs() < 20);
    assert!(outcome.summary.whole.total.succeeded > 100);
    let manifest = read_manifest(directory.path()).unwrap();
    assert_eq!(manifest.ending, Ending::WriteFailed);
    assert!(directory.path().join("summary.json").exists());
}

/// A small file system in memory, gone with the value.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(path: &'a Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=9m", "double11-test"])
            .arg(path)
            .output()
            .ok()?;
        mount.status.success().then_some(Self(path))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0).status());
    }
}

#[test]
fn a_full_disk_ends_the_run_and_leaves_whole_lines() {
    let parent = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(parent.path()) else {
        eprintln!("SKIPPED a_full_disk_ends_the_run_and_leaves_whole_lines: mounting needs root");
        return;
    };
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let mut only = phase("only", 60.0, 0.0);
    only.rate = None;
    // Long paths fill the disk sooner.
    let text = GET.replace(
        "path = \"/\"",
        &format!("path = \"/{}\"", "x".repeat(1_000)),
    );
    let mut options = options(plan(&text), server.target(), vec![only]);
    options.model = LoadModel::Closed { users: 4 };
    options.output = Some(RunDirectory::create(&parent.path().join("run"), false).unwrap());
    let outcome = run(&options);
    assert_eq!(outcome.ending, Ending::WriteFailed);
    assert!(
        outcome
            .write_error
            .unwrap()
            .to_string()
            .contains("samples.jtl")
    );
    let kept = parent.path().join("run");
    let rows = rows(&kept.join("samples.jtl"));
    assert!(rows.len() > 1_000 && rows.iter().all(|row| row.0 == "get" && row.3 == "200"));
    let samples = std::fs::read(kept.join("samples.jtl")).unwrap();
    assert_eq!(samples.last(), Some(&b'\n'), "the last line is whole");
    for name in [
        "run.json",
        "summary.json",
        "tallies.json",
        "timeseries.json",
    ] {
        let bytes = std::fs::read(kept.join(name)).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
    }
}
