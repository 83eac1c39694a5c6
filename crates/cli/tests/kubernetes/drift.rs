//! Files that are written from others: the flat deployments of both variants and the configuration of Prometheus for
//! containers. `DOUBLE11_WRITE_K8S=1` writes them (`make k8s`).

use crate::rendered::{VARIANTS, manifests, root, text};

#[test]
fn the_flat_deployments_are_the_overlays() {
    for variant in VARIANTS {
        let Some(manifests) = manifests(&format!("overlays/{variant}")) else {
            return;
        };
        let head = format!(
            "# The overlay k8s/overlays/{variant} in one file, written by `make k8s`. Needs the namespaces and secrets that\n\
             # scripts/{variant}_test.sh makes (docs/KUBERNETES.md).\n"
        );
        holds(
            &format!("k8s/{variant}-deployment.yaml"),
            &(head + &manifests),
        );
    }
}

#[test]
fn containers_are_watched_like_a_laptop() {
    let shipped = text("deploy/prometheus/prometheus.yml");
    let (_, body) = shipped.split_once("\nglobal:").unwrap();
    for target in ["\"localhost:8080\"", "\"localhost:8081\""] {
        assert!(body.contains(target), "{target}");
    }
    let body = body
        .replace("\"localhost:8080\"", "\"baseline:8080\"")
        .replace("\"localhost:8081\"", "\"optimized:8081\"");
    let head = "# Prometheus for deploy/compose.yaml: prometheus.yml, but each shop is a host of its own. Written from it by\n\
                # `make k8s`, and a test holds the two together.\n";
    holds(
        "deploy/prometheus/compose.yml",
        &format!("{head}\nglobal:{body}"),
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "`make k8s` says so by the environment"
)]
fn holds(path: &str, expected: &str) {
    if std::env::var("DOUBLE11_WRITE_K8S").is_ok_and(|value| value == "1") {
        std::fs::write(root().join(path), expected).unwrap();
    }
    assert!(
        text(path) == expected,
        "{path} is not what `make k8s` writes"
    );
}
