//! Stores and caches that cannot be used: named at the start, with a hint, and without a password.

use std::process::Command;

use double11_servers::{MariaDb, Redis, Tool, present};

use crate::harness::{PROGRAM, both, free_port, run};

/// A shop that must not start: exit code 3 and one line that says why, with a hint.
fn refused(store: &str, cache: Option<&str>, words: &str) {
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", "--addr", "127.0.0.1:0", "--products", "10"])
        .env("DOUBLE11_STORE", store);
    if let Some(cache) = cache {
        command.env("DOUBLE11_CACHE", cache);
    }
    let output = command.output().unwrap();
    let said = both(&output);
    assert_eq!(output.status.code(), Some(3), "{words}: {said}");
    assert!(said.contains(words), "{words}: {said}");
    assert!(said.contains("hint: "), "{words}: {said}");
    assert!(
        !said.contains(PASSWORD),
        "{words}: a password was printed: {said}"
    );
}

const PASSWORD: &str = "s3cr3t-of-nobody";

fn migrate(store: &str) {
    let migrated = run(["migrate", "--store", store]);
    assert!(migrated.status.success(), "{}", both(&migrated));
}

#[test]
fn stores_that_cannot_be_used_are_named() {
    if !present(Tool::MariaDb) {
        return;
    }
    let database = MariaDb::start().unwrap();
    let port = database.port();
    let store = database.create_database("shop").unwrap();
    let wrong = format!("mysql://shop:{PASSWORD}@127.0.0.1:{port}/shop");
    refused(&wrong, None, "refuses the user or the password");
    let nobody = format!("mysql://root:{PASSWORD}@127.0.0.1:{}/shop", free_port());
    refused(&nobody, None, "no database server answers");
    refused(&database.root_url("nowhere"), None, "does not exist");
    refused(&store, None, "has no tables of Double11");
    migrate(&store);
    for (version, words) in [(0, "have version 0"), (99, "have version 99")] {
        database
            .sql(&format!(
                "UPDATE shop.schema_version SET version = {version}"
            ))
            .unwrap();
        refused(&store, None, words);
    }
    database
        .sql("UPDATE shop.schema_version SET version = 1")
        .unwrap();
    for (options, words) in [
        (&["--read-only"][..], "takes no writes"),
        (&["--innodb-flush-log-at-trx-commit=2"], "not durable"),
        (&["--log-bin", "--sync-binlog=0"], "not durable"),
    ] {
        database.stop();
        database.restart_with(options).unwrap();
        refused(&store, None, words);
    }
}

#[test]
fn caches_that_cannot_be_used_are_named() {
    if !(present(Tool::MariaDb) && present(Tool::Redis)) {
        return;
    }
    let database = MariaDb::start().unwrap();
    let store = database.create_database("shop").unwrap();
    migrate(&store);
    let evicting = Redis::start_with(&["--maxmemory-policy", "allkeys-lru"]).unwrap();
    refused(&store, Some(&evicting.url()), "evicts keys");
    let locked = Redis::start_with(&["--requirepass", "another"]).unwrap();
    let wrong = format!("redis://:{PASSWORD}@127.0.0.1:{}", locked.port());
    refused(&store, Some(&wrong), "does not accept user and password");
    let single = Redis::start().unwrap();
    let as_cluster = format!("{}?cluster=true", single.url());
    refused(&store, Some(&as_cluster), "not a Redis Cluster");
}
