//! A rehearsal on servers: on databases and keys of its own, of which nothing is left.

use std::path::Path;

use double11_servers::{MariaDb, Redis, Tool, present};
use serde_json::Value;

use crate::harness::{both, run};

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

#[test]
fn a_rehearsal_on_servers_leaves_nothing_there() {
    if !(present(Tool::MariaDb) && present(Tool::Redis)) {
        return;
    }
    let database = MariaDb::start().unwrap();
    let cache = Redis::start().unwrap();
    database
        .sql(
            r"CREATE DATABASE double11_rehearsal_of_somebody_else;
              CREATE DATABASE production;
              GRANT ALL ON `double11\_rehearsal\_2%`.* TO 'shop'@'%'",
        )
        .unwrap();
    cache
        .command(&["SET", "double11:cart:7", "production"])
        .unwrap();
    let before = database.sql("SHOW DATABASES").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let server = database.url("");
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
        server.trim_end_matches('/'),
        "--cache",
        &cache.url(),
        "--out",
        out.to_str().unwrap(),
    ]);
    // Targets may be missed in so short a time; the audits may not.
    let said = both(&output);
    assert!(matches!(output.status.code(), Some(0 | 1 | 4)), "{said}");
    let report = std::fs::read(out.join("improvement_report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert!(report["schema_version"].is_u64());
    assert!(said.contains("baseline: audit clean"), "{said}");
    assert!(said.contains("optimized: audit clean"), "{said}");
    assert_eq!(database.sql("SHOW DATABASES").unwrap(), before);
    assert_eq!(
        cache.command(&["KEYS", "*"]).unwrap().trim(),
        "double11:cart:7"
    );
    let mut written = Vec::new();
    texts(&out, &mut written);
    assert!(written.len() > 10, "{}", written.len());
    for (name, text) in &written {
        assert!(!text.contains("only-for-tests"), "a password is in {name}");
    }
    assert!(!said.contains("only-for-tests"), "{said}");
}
