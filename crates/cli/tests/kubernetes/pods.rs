//! Rules for every pod, whatever runs in it.

use serde_json::{Value, json};

use crate::rendered::{Object, all_objects, is_part, mebibytes, millicores};

/// Only who watches the cluster may ask it something.
const MAY_ASK_THE_CLUSTER: [&str; 2] = ["prometheus", "kube-state-metrics"];

fn workloads() -> Option<Vec<Object>> {
    let all = all_objects()?;
    let workloads: Vec<_> = all
        .into_iter()
        .filter(|it| it.template().is_some())
        .collect();
    assert!(workloads.len() >= 12, "{}", workloads.len());
    Some(workloads)
}

#[test]
fn every_container_says_what_it_needs_and_what_it_may_have() {
    let Some(workloads) = workloads() else {
        return;
    };
    for workload in &workloads {
        for container in workload.containers() {
            let resources = &container["resources"];
            let (least, most) = (&resources["requests"], &resources["limits"]);
            let label = format!("{} {}", workload.label(), container["name"]);
            assert!(
                millicores(&least["cpu"]) <= millicores(&most["cpu"]),
                "{label}"
            );
            assert!(
                mebibytes(&least["memory"]) <= mebibytes(&most["memory"]),
                "{label}"
            );
            assert!(
                millicores(&least["cpu"]) > 0 && mebibytes(&least["memory"]) > 0,
                "{label}"
            );
        }
    }
}

/// Pod Security Standards, level "restricted", and a root that cannot be written.
#[test]
fn pods_are_restricted() {
    let Some(workloads) = workloads() else {
        return;
    };
    for workload in &workloads {
        let label = workload.label();
        let pod = &workload.template().unwrap()["spec"];
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"], true, "{label}");
        assert!(security["runAsUser"].as_u64().unwrap() > 0, "{label}");
        assert_eq!(
            security["seccompProfile"]["type"], "RuntimeDefault",
            "{label}"
        );
        for forbidden in ["hostNetwork", "hostPID", "hostIPC"] {
            assert_eq!(pod[forbidden], Value::Null, "{label}");
        }
        let volumes = pod["volumes"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(volumes.iter().all(|it| it["hostPath"].is_null()), "{label}");
        // A secret's file belongs to root and to this group, and nobody else may read it.
        if volumes.iter().any(|it| !it["secret"].is_null()) {
            assert!(security["fsGroup"].as_u64().is_some(), "{label}");
        }
        for container in workload.containers() {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{label}");
            assert_eq!(security["readOnlyRootFilesystem"], true, "{label}");
            assert_eq!(
                security["capabilities"],
                json!({"drop": ["ALL"]}),
                "{label}"
            );
            assert_ne!(security["runAsUser"], 0, "{label}");
        }
        let asks = pod["automountServiceAccountToken"] == true;
        assert_eq!(
            asks,
            MAY_ASK_THE_CLUSTER.contains(&workload.name()),
            "{label}"
        );
    }
}

#[test]
fn namespaces_hold_pods_to_it() {
    let Some(all) = all_objects() else {
        return;
    };
    let mut names = Vec::new();
    for namespace in all.iter().filter(|it| it.kind() == "Namespace") {
        let labels = &namespace.0["metadata"]["labels"];
        assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
        names.push(namespace.name());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names,
        [
            "ecommerce",
            "ecommerce-data",
            "ecommerce-load",
            "ecommerce-monitoring"
        ]
    );
    // Whatever is in a namespace is in one of these.
    for object in &all {
        let namespace = object.namespace();
        let of_cluster = object.kind().starts_with("ClusterRole");
        assert!(
            of_cluster || names.contains(&namespace),
            "{}",
            object.label()
        );
    }
}

/// What the scripts remove is found by this label alone.
#[test]
fn everything_carries_our_label() {
    let Some(all) = all_objects() else {
        return;
    };
    for object in &all {
        let labels = &object.0["metadata"]["labels"];
        assert_eq!(
            labels["app.kubernetes.io/part-of"],
            "double11",
            "{}",
            object.label()
        );
    }
}

#[test]
fn a_workload_selects_its_own_pods() {
    let Some(workloads) = workloads() else {
        return;
    };
    for workload in workloads.iter().filter(|it| it.kind() != "Job") {
        let labels = &workload.template().unwrap()["metadata"]["labels"];
        let selector = &workload.0["spec"]["selector"]["matchLabels"];
        assert!(is_part(selector, labels), "{}", workload.label());
        // A label that changes from one deployment to the next must not be in a selector, which cannot change.
        assert_eq!(selector["variant"], Value::Null, "{}", workload.label());
    }
}

#[test]
fn images_have_a_version() {
    let Some(workloads) = workloads() else {
        return;
    };
    for workload in &workloads {
        for container in workload.containers() {
            let image = container["image"].as_str().unwrap();
            let (_, version) = image.split_once(':').unwrap_or_else(|| panic!("{image}"));
            assert_ne!(version, "latest", "{image}");
        }
    }
}

/// Long-running containers say when they are ready and when they are lost, at a port that they have.
#[test]
fn probes_ask_ports_that_are_there() {
    let Some(workloads) = workloads() else {
        return;
    };
    for workload in workloads.iter().filter(|it| it.kind() != "Job") {
        for container in workload.containers() {
            let label = format!("{} {}", workload.label(), container["name"]);
            for probe in ["readinessProbe", "livenessProbe"] {
                let probe = &container[probe];
                let how: Vec<_> = ["httpGet", "tcpSocket", "exec"]
                    .into_iter()
                    .filter(|how| !probe[how].is_null())
                    .collect();
                assert_eq!(how.len(), 1, "{label}");
                if how[0] != "exec" {
                    assert!(has_port(container, &probe[how[0]]["port"]), "{label}");
                }
            }
        }
    }
}

/// Whether a container has a port of this name.
pub(crate) fn has_port(container: &Value, name: &Value) -> bool {
    assert!(name.is_string(), "a port is named: {name}");
    let ports = container["ports"].as_array().unwrap();
    ports.iter().any(|port| &port["name"] == name)
}

/// Nobody may do everything, and nobody but the scripts reads secrets.
#[test]
fn rights_are_few() {
    let Some(all) = all_objects() else {
        return;
    };
    let roles: Vec<_> = all
        .iter()
        .filter(|it| it.kind().ends_with("Role"))
        .collect();
    assert_eq!(roles.len(), 2);
    for role in roles {
        for rule in role.0["rules"].as_array().unwrap() {
            for verb in rule["verbs"].as_array().unwrap() {
                assert!(
                    ["get", "list", "watch"].contains(&verb.as_str().unwrap()),
                    "{}",
                    role.label()
                );
            }
            for resource in rule["resources"].as_array().unwrap() {
                assert!(
                    !["*", "secrets"].contains(&resource.as_str().unwrap()),
                    "{}",
                    role.label()
                );
            }
        }
    }
    // Whom they are given to is there.
    for binding in all.iter().filter(|it| it.kind().ends_with("RoleBinding")) {
        let subject = &binding.0["subjects"][0];
        let account = all.iter().any(|it| {
            it.kind() == "ServiceAccount"
                && subject["name"] == it.name()
                && subject["namespace"] == it.namespace()
        });
        let role = &binding.0["roleRef"];
        let given = all.iter().any(|it| {
            role["kind"] == it.kind()
                && role["name"] == it.name()
                && it.namespace() == binding.namespace()
        });
        assert!(account && given, "{}", binding.label());
    }
}
