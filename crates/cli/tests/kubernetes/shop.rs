//! The manifests against the program itself: it takes these options and answers at these paths.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{PROGRAM, both, eventually, free_port, run};
use crate::rendered::{VARIANTS, all_objects, objects, only, text, variable};

/// The shop as it is deployed, but for the addresses of others: it becomes ready, and every path that the manifests
/// name answers.
#[test]
fn the_shop_answers_at_every_path_that_is_asked() {
    for variant in VARIANTS {
        let Some(all) = objects(&format!("overlays/{variant}")) else {
            return;
        };
        let deployment = only(&all, "Deployment", "ecommerce-app");
        let container = deployment.containers()[0];
        assert_eq!(variable(container, "DOUBLE11_VARIANT"), Some(variant));
        let (public, management) = (free_port(), free_port());
        let folder = tempfile::tempdir().unwrap();
        let mut shop = Command::new(PROGRAM)
            .args(arguments(container).filter_map(|argument| here(argument, public, management)))
            .arg(format!(
                "--store=sqlite:{}",
                folder.path().join("shop.db").display()
            ))
            .args(["--variant", variant])
            .env_clear()
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let template = deployment.template().unwrap();
        let mut paths = BTreeSet::from([template["metadata"]["annotations"]["prometheus.io/path"]
            .as_str()
            .unwrap()]);
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let asked = &container[probe]["httpGet"];
            assert_eq!(asked["port"], "management", "{probe}");
            paths.insert(asked["path"].as_str().unwrap());
        }
        assert_eq!(paths.len(), 3);
        for path in paths {
            eventually(path, Duration::from_mins(1), || {
                get(management, path) == Some(200)
            });
            assert_eq!(
                get(public, path),
                Some(404),
                "{path} is on the public address"
            );
        }
        assert_eq!(get(public, "/api/products/random"), Some(200));
        shop.kill().unwrap();
        shop.wait().unwrap();
    }
}

fn arguments(container: &Value) -> impl Iterator<Item = &str> {
    let arguments = container["args"].as_array().unwrap();
    arguments.iter().map(|argument| argument.as_str().unwrap())
}

/// An argument as it is on this machine; none where it names somebody who is not here.
fn here(argument: &str, public: u16, management: u16) -> Option<String> {
    match argument.split_once('=') {
        Some(("--addr", "0.0.0.0:8080")) => Some(format!("--addr=127.0.0.1:{public}")),
        Some(("--management-addr", "0.0.0.0:9080")) => {
            Some(format!("--management-addr=127.0.0.1:{management}"))
        }
        Some(("--addr" | "--management-addr", other)) => panic!("{other}"),
        Some(("--gateway" | "--gateway-secret-file", _)) => None,
        _ => Some(argument.to_owned()),
    }
}

/// The code of an answer.
fn get(port: u16, path: &str) -> Option<u16> {
    let url = format!("http://127.0.0.1:{port}{path}");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .into();
    agent
        .get(&url)
        .call()
        .ok()
        .map(|answer| answer.status().as_u16())
}

/// Every option that a manifest or the compose file gives to the program is one that it has.
#[test]
fn the_program_knows_every_option() {
    let Some(all) = all_objects() else {
        return;
    };
    let mut commands: Vec<Vec<String>> = Vec::new();
    for workload in &all {
        for container in workload.containers() {
            if container["image"] == "double11:dev" {
                commands.push(arguments(container).map(str::to_owned).collect());
            }
        }
    }
    let file: Value = serde_saphyr::from_str(&text("deploy/compose.yaml")).unwrap();
    for service in file["services"].as_object().unwrap().values() {
        if service["image"] == "double11:dev" {
            let words = service["command"].as_array().unwrap();
            commands.push(
                words
                    .iter()
                    .map(|it| it.as_str().unwrap().to_owned())
                    .collect(),
            );
        }
    }
    assert!(commands.len() >= 14, "{}", commands.len());
    for command in commands {
        let help = run([&command[0], "--help"]);
        let known = both(&help);
        for option in command.iter().filter_map(|it| it.strip_prefix("--")) {
            let name = option.split('=').next().unwrap();
            assert!(
                known.contains(&format!("--{name} ")) || known.contains(&format!("--{name}\n")),
                "{} --{name}",
                command[0]
            );
        }
    }
}
