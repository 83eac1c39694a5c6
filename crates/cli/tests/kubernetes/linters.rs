//! What others say about the image's recipe and the scripts.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::harness::both;
use crate::rendered::root;
use crate::schema::python_tool;

#[test]
fn hadolint_has_nothing_to_say() {
    let Some(output) = lint("hadolint", &["deploy/Dockerfile".into()]) else {
        return;
    };
    assert!(output.status.success(), "{}", both(&output));
}

#[test]
fn shellcheck_has_nothing_to_say() {
    let scripts = shell_scripts();
    assert!(scripts.len() >= 9, "{scripts:?}");
    let Some(output) = lint("shellcheck", &[&["-x".into()][..], &scripts].concat()) else {
        return;
    };
    assert!(output.status.success(), "{}", both(&output));
}

/// Both can object.
#[test]
fn the_linters_find_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (tool, text) in [
        ("hadolint", "FROM debian\nRUN cd /tmp && sudo ls | wc -l\n"),
        ("shellcheck", "#!/bin/sh\nrm -rf $1/*\n"),
    ] {
        let file = folder.path().join(tool);
        std::fs::write(&file, text).unwrap();
        let Some(output) = lint(tool, &[file]) else {
            return;
        };
        assert!(!output.status.success(), "{tool}: {}", both(&output));
    }
}

/// Every shell script of the checkout, CI's own included.
fn shell_scripts() -> Vec<PathBuf> {
    let mut found = vec![
        PathBuf::from(".ci/run"),
        PathBuf::from("k8s/data/accounts.sh"),
    ];
    for folder in ["scripts", "scripts/lib"] {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        let scripts = names.map(|name| PathBuf::from(folder).join(name));
        found.extend(scripts.filter(|path| path.extension().is_some_and(|it| it == "sh")));
    }
    found.sort();
    found
}

fn lint(tool: &str, arguments: &[PathBuf]) -> Option<Output> {
    let output = Command::new(python_tool(tool)?)
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .output();
    Some(output.unwrap())
}
