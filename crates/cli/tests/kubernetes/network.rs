//! Who reaches whom: addresses lead to services that are there, and policies let through what is meant and no more.

use serde_json::{Value, json};

use crate::pods::has_port;
use crate::rendered::{Object, VARIANTS, all_objects, argument, is_part, objects, only, variable};

#[test]
fn a_service_leads_to_pods_and_to_a_port_that_they_have() {
    let Some(all) = all_objects() else {
        return;
    };
    let services: Vec<_> = all.iter().filter(|it| it.kind() == "Service").collect();
    assert!(services.len() >= 8);
    for service in services {
        let selector = &service.0["spec"]["selector"];
        let behind: Vec<_> = all
            .iter()
            .filter(|it| it.namespace() == service.namespace() && it.kind() != "Job")
            .filter(|it| {
                it.template()
                    .is_some_and(|pod| is_part(selector, &pod["metadata"]["labels"]))
            })
            .collect();
        assert!(!behind.is_empty(), "{}", service.label());
        for port in service.0["spec"]["ports"].as_array().unwrap() {
            let has = |it: &&Object| {
                it.containers()
                    .into_iter()
                    .any(|container| has_port(container, &port["targetPort"]))
            };
            assert!(behind.iter().all(has), "{} {port}", service.label());
        }
    }
}

/// Host and port of what the shop is told to use.
fn addresses(container: &Value) -> Vec<(String, u64)> {
    let named = [
        variable(container, "DOUBLE11_STORE"),
        variable(container, "DOUBLE11_CACHE"),
        argument(container, "--gateway"),
        argument(container, "--target"),
    ];
    named.into_iter().flatten().map(host_and_port).collect()
}

fn host_and_port(url: &str) -> (String, u64) {
    let rest = url.split_once("://").unwrap().1;
    let authority = rest.split(['/', '?']).next().unwrap();
    let (host, port) = authority
        .rsplit('@')
        .next()
        .unwrap()
        .split_once(':')
        .unwrap();
    (host.to_owned(), port.parse().unwrap())
}

#[test]
fn what_is_named_is_there() {
    let Some(all) = all_objects() else {
        return;
    };
    let mut seen = 0;
    for workload in &all {
        for container in workload.containers() {
            for (host, port) in addresses(container) {
                let mut parts = host.splitn(3, '.');
                let (name, namespace) = (parts.next().unwrap(), parts.next().unwrap());
                assert_eq!(parts.next(), Some("svc.cluster.local"), "{host}");
                let service = all
                    .iter()
                    .find(|it| {
                        it.kind() == "Service" && it.name() == name && it.namespace() == namespace
                    })
                    .unwrap_or_else(|| panic!("{host}"));
                let ports = service.0["spec"]["ports"].as_array().unwrap();
                assert!(ports.iter().any(|it| it["port"] == port), "{host}:{port}");
                seen += 1;
            }
        }
    }
    // Store, cache and gateway of both shops; store and cache of both jobs' two containers; the shards' target.
    assert_eq!(seen, 6 + 8 + 1);
}

/// Everything that the shop uses is let out, in its namespace and into that of the other side.
#[test]
fn policies_let_through_what_the_shop_uses() {
    let Some(data) = objects("data") else {
        return;
    };
    for variant in VARIANTS {
        let Some(all) = objects(&format!("overlays/{variant}")) else {
            return;
        };
        let deployment = only(&all, "Deployment", "ecommerce-app");
        let out = only(&all, "NetworkPolicy", "ecommerce-app-egress");
        for (host, port) in addresses(deployment.containers()[0]) {
            let name = host.split('.').next().unwrap();
            let let_out = out.0["spec"]["egress"]
                .as_array()
                .unwrap()
                .iter()
                .any(|rule| {
                    rule["ports"][0]["port"] == port
                        && rule["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
                            == name
                });
            assert!(let_out, "{host}:{port}");
            let policy = only(&data, "NetworkPolicy", name);
            let server = only(&data, "StatefulSet", name);
            let let_in = policy.0["spec"]["ingress"].as_array().unwrap().iter().any(|rule| {
                let from = &rule["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"];
                from == "ecommerce" && has_port(server.containers()[0], &rule["ports"][0]["port"])
            });
            assert!(let_in, "{name}");
        }
    }
}

#[test]
fn nothing_is_open_that_is_not_named() {
    for folder in ["overlays/baseline", "overlays/optimized", "data"] {
        let Some(all) = objects(folder) else {
            return;
        };
        let deny = &only(&all, "NetworkPolicy", "default-deny").0["spec"];
        assert_eq!(deny["podSelector"], json!({}));
        assert_eq!(deny["policyTypes"], json!(["Ingress", "Egress"]));
        for policy in all.iter().filter(|it| it.kind() == "NetworkPolicy") {
            for rules in ["ingress", "egress"] {
                for rule in policy.0["spec"][rules]
                    .as_array()
                    .map_or(&[][..], Vec::as_slice)
                {
                    let peers = &rule[if rules == "ingress" { "from" } else { "to" }];
                    assert!(
                        peers.as_array().is_some_and(|it| !it.is_empty()),
                        "{}",
                        policy.label()
                    );
                    assert!(
                        rule["ports"].as_array().is_some_and(|it| !it.is_empty()),
                        "{}",
                        policy.label()
                    );
                }
            }
        }
    }
}

/// The shop's business figures are not on the address that shoppers use.
#[test]
fn metrics_are_for_monitoring_only() {
    let Some(all) = objects("overlays/optimized") else {
        return;
    };
    let policy = only(&all, "NetworkPolicy", "ecommerce-app-ingress");
    for rule in policy.0["spec"]["ingress"].as_array().unwrap() {
        let from =
            rule["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                .as_str();
        let expected = match from.unwrap() {
            "ecommerce-load" => "http",
            "ecommerce-monitoring" => "management",
            other => panic!("{other}"),
        };
        assert_eq!(
            rule["ports"],
            json!([{"port": expected, "protocol": "TCP"}])
        );
    }
    let service = only(&all, "Service", "ecommerce-app");
    assert_eq!(service.0["spec"]["ports"].as_array().unwrap().len(), 1);
}

/// What is scraped is annotated as deploy/prometheus/kubernetes.yml reads it, at a port that the pod has.
#[test]
fn annotated_pods_have_the_port_that_is_scraped() {
    let Some(all) = all_objects() else {
        return;
    };
    let mut scraped = Vec::new();
    for workload in &all {
        let Some(pod) = workload.template() else {
            continue;
        };
        let annotations = &pod["metadata"]["annotations"];
        if annotations["prometheus.io/scrape"] != "true" {
            continue;
        }
        let port: u64 = annotations["prometheus.io/port"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let has = workload.containers().into_iter().any(|container| {
            let ports = container["ports"].as_array().map_or(&[][..], Vec::as_slice);
            ports.iter().any(|it| it["containerPort"] == port)
        });
        assert!(has, "{} {port}", workload.label());
        scraped.push(workload.name());
    }
    scraped.sort_unstable();
    assert_eq!(
        scraped,
        ["ecommerce-app", "ecommerce-app", "mysql", "redis"]
    );
}
