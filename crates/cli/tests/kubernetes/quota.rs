//! The arithmetic of quota, limits and autoscaler, which Kubernetes does only when a pod no longer fits.

use serde_json::Value;

use crate::rendered::{Object, VARIANTS, argument, mebibytes, millicores, objects, only, text};

/// The shop's namespace with one variant in it.
fn shop(variant: &str) -> Option<Vec<Object>> {
    objects(&format!("overlays/{variant}"))
}

/// As many shops as there may be at one moment: the autoscaler's most, and what a new version starts first.
fn most(all: &[Object]) -> u64 {
    let scaler = only(all, "HorizontalPodAutoscaler", "ecommerce-hpa");
    let deployment = only(all, "Deployment", "ecommerce-app");
    let surge = &deployment.0["spec"]["strategy"]["rollingUpdate"]["maxSurge"];
    scaler.0["spec"]["maxReplicas"].as_u64().unwrap() + surge.as_u64().unwrap()
}

#[test]
fn the_quota_is_that_of_the_requirements() {
    let Some(all) = shop("baseline") else {
        return;
    };
    let quota = only(&all, "ResourceQuota", "ecommerce-quota");
    let hard = &quota.0["spec"]["hard"];
    assert_eq!(hard["limits.cpu"], "2");
    assert_eq!(hard["limits.memory"], "4Gi");
    assert_eq!(hard["persistentvolumeclaims"], "10");
    assert_eq!(quota.namespace(), "ecommerce");
}

#[test]
fn the_autoscaler_is_that_of_the_requirements_and_finds_its_target() {
    for variant in VARIANTS {
        let Some(all) = shop(variant) else {
            return;
        };
        let scaler = &only(&all, "HorizontalPodAutoscaler", "ecommerce-hpa").0;
        assert_eq!(scaler["apiVersion"], "autoscaling/v2");
        assert_eq!(scaler["spec"]["minReplicas"], 2);
        assert_eq!(scaler["spec"]["maxReplicas"], 10);
        let resource = &scaler["spec"]["metrics"][0]["resource"];
        assert_eq!(resource["name"], "cpu");
        assert_eq!(resource["target"]["averageUtilization"], 70);
        let target = &scaler["spec"]["scaleTargetRef"];
        let deployment = only(
            &all,
            target["kind"].as_str().unwrap(),
            target["name"].as_str().unwrap(),
        );
        assert_eq!(deployment.0["apiVersion"], target["apiVersion"]);
        // Every apply would put a number of replicas back.
        assert_eq!(deployment.0["spec"]["replicas"], Value::Null);
        for direction in ["scaleUp", "scaleDown"] {
            assert!(scaler["spec"]["behavior"][direction]["policies"].is_array());
        }
    }
}

/// A pod too many is not made, and nobody is told: the autoscaler just stops short.
#[test]
fn as_many_shops_as_there_may_be_fit_into_the_quota() {
    for variant in VARIANTS {
        let Some(all) = shop(variant) else {
            return;
        };
        let hard = &only(&all, "ResourceQuota", "ecommerce-quota").0["spec"]["hard"];
        let deployment = only(&all, "Deployment", "ecommerce-app");
        let containers = deployment.containers();
        let limits = |name| {
            containers
                .iter()
                .map(move |it| &it["resources"]["limits"][name])
        };
        let processors: u64 = limits("cpu").map(millicores).sum();
        let memory: u64 = limits("memory").map(mebibytes).sum();
        let (all_processors, all_memory) = (most(&all) * processors, most(&all) * memory);
        assert!(
            all_processors <= millicores(&hard["limits.cpu"]),
            "{all_processors}m"
        );
        assert!(
            all_memory <= mebibytes(&hard["limits.memory"]),
            "{all_memory}Mi"
        );
        // The quota is for shops: nothing else would be left unused without need.
        assert!(
            all_processors * 100 >= millicores(&hard["limits.cpu"]) * 95,
            "{all_processors}m"
        );
        // The scripts check a cluster's quota for the same.
        let script = text("scripts/lib/cluster.sh");
        assert!(
            script.contains(&format!("\nneeded_cpu={all_processors}\n")),
            "{all_processors}"
        );
        assert!(script.contains(&format!(
            "needed_memory=$(({} * {memory} * 1024 * 1024))",
            most(&all)
        )));
        // A claim of the shop's would count as well.
        assert!(all.iter().all(|it| it.kind() != "PersistentVolumeClaim"));
    }
}

/// Without limits of its own a container gets those of the range; it may have no more than them.
#[test]
fn the_limit_range_is_the_shops_own_size() {
    let Some(all) = shop("optimized") else {
        return;
    };
    let range = &only(&all, "LimitRange", "ecommerce-limits").0["spec"]["limits"][0];
    let deployment = only(&all, "Deployment", "ecommerce-app");
    for container in deployment.containers() {
        for limit in ["default", "defaultRequest", "max"] {
            assert_eq!(range[limit], container["resources"]["limits"], "{limit}");
        }
    }
}

/// Where the software is compared, everything else is the same.
#[test]
fn variants_differ_by_label_store_and_prefix_only() {
    let [Some(before), Some(after)] =
        VARIANTS.map(|variant| crate::rendered::manifests(&format!("overlays/{variant}")))
    else {
        return;
    };
    let differing: Vec<_> = before
        .lines()
        .zip(after.lines())
        .filter(|(one, other)| one != other)
        .collect();
    assert_eq!(before.lines().count(), after.lines().count());
    assert!(!differing.is_empty());
    for (one, other) in differing {
        assert_eq!(one.replace("baseline", "optimized"), other);
        let known = ["variant: ", "value: ", "prefix="];
        assert!(known.iter().any(|it| one.contains(it)), "{one}");
    }
}

/// A budget that allows nothing to be moved would block every drain of a node.
#[test]
fn one_pod_may_always_be_moved() {
    let Some(all) = shop("optimized") else {
        return;
    };
    let budget = &only(&all, "PodDisruptionBudget", "ecommerce-app").0["spec"];
    let scaler = &only(&all, "HorizontalPodAutoscaler", "ecommerce-hpa").0["spec"];
    assert!(budget["minAvailable"].as_u64().unwrap() < scaler["minReplicas"].as_u64().unwrap());
}

/// The baseline opens a connection for each request.
#[test]
fn the_database_has_a_connection_for_every_thread_of_every_shop() {
    let (Some(all), Some(data)) = (shop("baseline"), objects("data")) else {
        return;
    };
    let deployment = only(&all, "Deployment", "ecommerce-app");
    let threads: u64 = argument(deployment.containers()[0], "--store-threads")
        .unwrap()
        .parse()
        .unwrap();
    let settings = data
        .iter()
        .find(|it| it.kind() == "ConfigMap" && it.name().starts_with("mysql-config"));
    let settings = settings.unwrap().0["data"]["double11.cnf"]
        .as_str()
        .unwrap();
    let connections = settings
        .lines()
        .find_map(|line| line.strip_prefix("max_connections = "));
    let connections: u64 = connections.unwrap().parse().unwrap();
    assert!(connections >= most(&all) * threads + 50, "{connections}");
}
