//! `deploy/compose.yaml`: no engine runs it here, so that its words are held by types and its names by what they
//! lead to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::rendered::{root, text};

/// The words of the Compose Specification that this file uses; any other is a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Compose {
    name: String,
    services: BTreeMap<String, Service>,
    volumes: BTreeMap<String, Option<Value>>,
    #[serde(rename = "x-shop")]
    _shop: Value,
    #[serde(rename = "x-migration")]
    _migration: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the words are checked by reading them")]
struct Service {
    image: String,
    #[serde(default)]
    build: Option<Build>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    cap_drop: Vec<String>,
    #[serde(default)]
    security_opt: Vec<String>,
    #[serde(default)]
    restart: String,
    #[serde(default)]
    stop_grace_period: Option<String>,
    #[serde(default)]
    deploy: Option<Value>,
    #[serde(default)]
    healthcheck: Option<Healthcheck>,
    #[serde(default)]
    ports: Vec<String>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    depends_on: Dependencies,
    #[serde(default)]
    networks: BTreeMap<String, Network>,
    #[serde(default)]
    network_mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    context: String,
    dockerfile: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the words are checked by reading them")]
struct Healthcheck {
    #[serde(default)]
    test: Vec<String>,
    #[serde(default)]
    interval: Option<String>,
    #[serde(default)]
    timeout: Option<String>,
    #[serde(default)]
    start_period: Option<String>,
    #[serde(default)]
    disable: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Dependencies {
    Started(Vec<String>),
    Until(BTreeMap<String, Condition>),
}

impl Default for Dependencies {
    fn default() -> Self {
        Self::Started(Vec::new())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    condition: String,
}

fn compose() -> Compose {
    serde_saphyr::from_str(&text("deploy/compose.yaml")).unwrap()
}

#[test]
fn one_file_starts_everything() {
    let compose = compose();
    assert_eq!(compose.name, "double11");
    let there: BTreeSet<_> = compose.services.keys().map(String::as_str).collect();
    for service in [
        "baseline",
        "optimized",
        "mysql",
        "redis",
        "mysql-exporter",
        "redis-exporter",
        "prometheus",
        "alertmanager",
        "grafana",
        "gateway",
    ] {
        assert!(there.contains(service), "{service}");
    }
}

/// Nobody waits for somebody who is not there, or for a health that is never told.
#[test]
fn who_is_waited_for_is_there() {
    let compose = compose();
    for (name, service) in &compose.services {
        let waits = match &service.depends_on {
            Dependencies::Started(names) => names
                .iter()
                .map(|it| (it.as_str(), "service_started"))
                .collect(),
            Dependencies::Until(conditions) => conditions
                .iter()
                .map(|(it, until)| (it.as_str(), until.condition.as_str()))
                .collect::<Vec<_>>(),
        };
        for (other, until) in waits {
            let other = compose
                .services
                .get(other)
                .unwrap_or_else(|| panic!("{name} waits for {other}"));
            match until {
                "service_started" => {}
                "service_healthy" => {
                    let tells = other
                        .healthcheck
                        .as_ref()
                        .is_some_and(|it| !it.disable && !it.test.is_empty());
                    assert!(tells, "{name}");
                }
                "service_completed_successfully" => assert_eq!(other.restart, "no", "{name}"),
                other => panic!("{other}"),
            }
        }
    }
}

/// Folders and files that are mounted are in the checkout, volumes are declared, and nothing is published beyond
/// the machine.
#[test]
fn what_is_mounted_is_there_and_nothing_is_published_beyond_this_machine() {
    let compose = compose();
    let mut mounted = 0;
    let mut used = BTreeSet::new();
    for (name, service) in &compose.services {
        for volume in &service.volumes {
            let source = volume.split(':').next().unwrap();
            if source.starts_with('.') {
                let path = root().join("deploy").join(source);
                assert!(path.exists(), "{name}: {source}");
                assert!(volume.ends_with(":ro"), "{name}: {volume}");
                mounted += 1;
            } else {
                assert!(compose.volumes.contains_key(source), "{name}: {source}");
                used.insert(source.to_owned());
            }
        }
        for port in &service.ports {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
        if let Some(build) = &service.build {
            let context = root().join("deploy").join(&build.context);
            assert!(context.join(&build.dockerfile).exists(), "{name}");
        }
        assert!(
            !service.image.ends_with(":latest") && service.image.contains(':'),
            "{name}"
        );
    }
    assert!(mounted >= 6, "{mounted}");
    assert_eq!(used.len(), compose.volumes.len());
}

/// Prometheus finds both shops and both exporters by the names that its configuration has.
#[test]
fn prometheus_finds_who_it_asks() {
    let compose = compose();
    let file: Value = serde_saphyr::from_str(&text("deploy/prometheus/compose.yml")).unwrap();
    let mut asked = 0;
    for job in file["scrape_configs"].as_array().unwrap() {
        for group in job["static_configs"].as_array().unwrap() {
            for target in group["targets"].as_array().unwrap() {
                let (host, port) = target.as_str().unwrap().split_once(':').unwrap();
                let listens = compose.services.iter().any(|(name, service)| {
                    let named = name == host
                        || service
                            .networks
                            .values()
                            .any(|it| it.aliases.iter().any(|alias| alias == host));
                    let own = service
                        .command
                        .iter()
                        .any(|it| it.ends_with(&format!(":{port}")));
                    named && (own || shares_network(&compose, name, port))
                });
                assert!(listens, "{host}:{port}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 4);
    for alertmanager in file["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
        .as_array()
        .unwrap()
    {
        let (host, _) = alertmanager.as_str().unwrap().split_once(':').unwrap();
        assert!(compose.services.contains_key(host), "{host}");
    }
}

/// Whether another container listens at this port in the network of `name`.
fn shares_network(compose: &Compose, name: &str, port: &str) -> bool {
    let mode = format!("service:{name}");
    compose.services.values().any(|service| {
        service.network_mode.as_deref() == Some(&mode)
            && service
                .command
                .iter()
                .any(|it| it.ends_with(&format!(":{port}")))
    })
}

/// Both shops are the same but for variant, port, database and prefix.
#[test]
fn both_shops_get_the_same() {
    let compose = compose();
    let (before, after) = (
        &compose.services["baseline"],
        &compose.services["optimized"],
    );
    assert_eq!(before.deploy, after.deploy);
    assert!(before.deploy.is_some());
    assert_eq!(before.environment, after.environment);
    let as_after: Vec<_> = before
        .command
        .iter()
        .map(|it| it.replace("baseline", "optimized").replace("8080", "8081"))
        .collect();
    assert_eq!(as_after, after.command);
}
