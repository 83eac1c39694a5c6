//! The files that containers give to `MariaDB`, tried on a real one.

use std::process::{Command, Stdio};

use double11_servers::{MariaDb, Tool, present};

use crate::harness::{PROGRAM, both};
use crate::rendered::root;

/// The words of an options file as the server itself understands them, without starting it.
#[test]
fn the_options_file_is_understood() {
    if !present(Tool::MariaDb) {
        return;
    }
    let defaults = format!(
        "--defaults-file={}",
        root().join("k8s/data/double11.cnf").display()
    );
    let output = Command::new("mariadbd")
        .args([&defaults, "--user=root", "--verbose", "--help"])
        .env(
            "PATH",
            format!("{}:/usr/sbin", crate::rendered::search_path()),
        )
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = both(&output);
    for (name, value) in [
        ("max-connections", "1200"),
        ("innodb-flush-log-at-trx-commit", "1"),
        ("sync-binlog", "1"),
        ("innodb-buffer-pool-size", "536870912"),
        ("log-bin", "(No default value)"),
        ("skip-name-resolve", "TRUE"),
    ] {
        let line = said
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        let found = line.and_then(|line| line.strip_prefix(name)).map(str::trim);
        assert_eq!(found, Some(value), "{name}");
    }
    assert!(!said.contains("unknown variable"), "{said}");
}

/// What the image does with an empty volume: the user, then the script. The shop may make and drop the databases of a
/// run and nothing else; the exporter may look.
#[test]
fn the_accounts_are_those_that_the_shop_and_the_exporter_need() {
    if !present(Tool::MariaDb) {
        return;
    }
    let server = MariaDb::start_with(&[]).unwrap();
    server
        .sql("CREATE OR REPLACE USER 'shop'@'%' IDENTIFIED BY 'secret'")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    // The image's root has a password and its client finds the server; here both are said by a client of that name.
    let client = folder.path().join("mariadb");
    let real = "#!/bin/sh\nexec \"$REAL\" --no-defaults --protocol=tcp --host=127.0.0.1 --port=\"$PORT\" --user=root\n";
    std::fs::write(&client, real).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&client, permissions).unwrap();
    let path = crate::rendered::search_path();
    let found = path
        .split(':')
        .map(|it| format!("{it}/mariadb"))
        .find(|it| std::path::Path::new(it).exists());
    let output = Command::new("sh")
        .arg(root().join("k8s/data/accounts.sh"))
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("REAL", found.unwrap())
        .env("PORT", server.port().to_string())
        .env("MARIADB_ROOT_PASSWORD", "")
        .env("EXPORTER_PASSWORD", "watching")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", both(&output));
    for variant in crate::rendered::VARIANTS {
        let database = format!("double11_rehearsal_{variant}");
        for action in ["drop", "make"] {
            let done = scratch(&server, action, &database);
            assert!(
                done.status.success(),
                "{action} {database}: {}",
                both(&done)
            );
        }
    }
    let foreign = scratch(&server, "make", "somebody_elses");
    assert_eq!(foreign.status.code(), Some(3), "{}", both(&foreign));
    let grants = server
        .sql("SHOW GRANTS FOR 'exporter'@'127.0.0.1'")
        .unwrap();
    for right in ["PROCESS", "SELECT", "MAX_USER_CONNECTIONS 3"] {
        assert!(grants.contains(right), "{grants}");
    }
    for right in ["INSERT", "UPDATE", "DROP", "ALL PRIVILEGES"] {
        assert!(!grants.contains(right), "{grants}");
    }
}

fn scratch(server: &MariaDb, action: &str, database: &str) -> std::process::Output {
    let url = format!("mysql://shop@127.0.0.1:{}/{database}", server.port());
    Command::new(PROGRAM)
        .args(["scratch", action, "--store", &url])
        .env("DOUBLE11_STORE_PASSWORD", "secret")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
