//! A rehearsal on servers: on databases and keys of its own, of which nothing is left.

use std::path::Path;

use double11_servers::Redis;
use serde_json::Value;

use crate::ground::{Database, DatabaseKind, Ground, USUAL};
use crate::harness::{both, run, soak};

/// Every file of a rehearsal that is text, with its name.
fn texts(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path.display().to_string(), text));
        }
    }
}

/// Rehearses on databases and keys of its own, beside what somebody else has there.
fn rehearses_and_leaves_nothing(kind: DatabaseKind) {
    let ground = Ground {
        database: kind,
        ..USUAL
    };
    if !ground.is_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = Database::start(kind, folder.path());
    let cache = Redis::start().unwrap();
    // The administrator of seekdb needs no right.
    if !matches!(kind, DatabaseKind::SeekDb) {
        database
            .sql(r"GRANT ALL ON `double11\_rehearsal\_2%`.* TO 'shop'@'%'")
            .unwrap();
    }
    database
        .sql("CREATE DATABASE double11_rehearsal_of_somebody_else")
        .unwrap();
    let server = database.create("production").replace("/production", "");
    cache
        .command(&["SET", "double11:cart:7", "production"])
        .unwrap();
    let before = database.sql("SHOW DATABASES").unwrap();
    let out = folder.path().join("results");
    let output = run([
        "rehearse",
        "--quick",
        "--time-scale",
        "8",
        "--products",
        "500",
        "--ports",
        "0,0",
        "--store",
        &server,
        "--cache",
        &cache.url(),
        "--out",
        out.to_str().unwrap(),
    ]);
    // Targets may be missed in so short a time; the audits may not.
    let said = both(&output);
    assert!(matches!(output.status.code(), Some(0 | 1 | 4)), "{said}");
    assert!(said.contains("baseline: audit clean"), "{said}");
    assert!(said.contains("optimized: audit clean"), "{said}");
    assert_eq!(database.sql("SHOW DATABASES").unwrap(), before);
    assert_eq!(
        cache.command(&["KEYS", "*"]).unwrap().trim(),
        "double11:cart:7"
    );
    tells_no_password(&out, &said);
}

/// The report is there, and nothing that was written or said has the password in it.
fn tells_no_password(out: &Path, said: &str) {
    let report = std::fs::read(out.join("improvement_report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert!(report["schema_version"].is_u64());
    let mut written = Vec::new();
    texts(out, &mut written);
    assert!(written.len() > 10, "{}", written.len());
    for (name, text) in &written {
        assert!(!text.contains("only-for-tests"), "a password is in {name}");
    }
    assert!(!said.contains("only-for-tests"), "{said}");
}

#[test]
fn a_rehearsal_on_servers_leaves_nothing_there() {
    rehearses_and_leaves_nothing(DatabaseKind::MariaDb);
}

/// It takes half a minute: in `make soak` only.
#[test]
fn a_rehearsal_on_seekdb_leaves_nothing_there() {
    if !soak() {
        return;
    }
    rehearses_and_leaves_nothing(DatabaseKind::SeekDb);
    println!("soak: rehearse_on_seekdb: audits clean, nothing left on the servers");
}
