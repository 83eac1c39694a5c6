//! The jobs that send shoppers.

use crate::rendered::{argument, objects, only, text};

/// As many shards as pods, each with the index that Kubernetes gives it.
#[test]
fn there_are_as_many_shards_as_pods() {
    let Some(all) = objects("load/shards") else {
        return;
    };
    let job = only(&all, "Job", "ecommerce-load");
    let spec = &job.0["spec"];
    assert_eq!(spec["completionMode"], "Indexed");
    assert_eq!(spec["completions"], spec["parallelism"]);
    let shard = argument(job.containers()[0], "--shard").unwrap();
    assert_eq!(
        shard,
        format!("$(JOB_COMPLETION_INDEX)/{}", spec["completions"])
    );
    // A shard that ran twice would be other traffic than was asked for.
    assert_eq!(spec["backoffLimit"], 0);
}

/// What a container is told by the environment is in the job's own settings, and the other way round.
#[test]
fn settings_and_variables_are_the_same() {
    for (folder, settings) in [
        ("shards", "ecommerce-shards"),
        ("jmeter", "ecommerce-jmeter"),
    ] {
        let Some(all) = objects(&format!("load/{folder}")) else {
            return;
        };
        let map = only(&all, "ConfigMap", settings);
        let mut known: Vec<_> = map.0["data"].as_object().unwrap().keys().cloned().collect();
        let job = all.iter().find(|it| it.kind() == "Job").unwrap();
        let mut used = Vec::new();
        for container in job.containers() {
            for variable in container["env"].as_array().map_or(&[][..], Vec::as_slice) {
                let key = &variable["valueFrom"]["configMapKeyRef"];
                assert_eq!(key["name"], settings);
                assert_eq!(key["key"], variable["name"]);
                let name = variable["name"].as_str().unwrap();
                let arguments = container["args"].to_string();
                assert!(arguments.contains(&format!("$({name})")), "{name}");
                used.push(name.to_owned());
            }
        }
        known.sort();
        used.sort();
        assert_eq!(known, used);
    }
}

/// The plans that the job runs are in the image, and take the properties that they are given.
#[test]
fn the_image_has_the_plans() {
    let Some(all) = objects("load/jmeter") else {
        return;
    };
    let recipe = text("deploy/Dockerfile");
    let job = only(&all, "Job", "ecommerce-jmeter");
    let mut plans = 0;
    for container in job.containers() {
        let Some(arguments) = container["args"].as_array() else {
            continue;
        };
        let arguments: Vec<_> = arguments.iter().map(|it| it.as_str().unwrap()).collect();
        let plan = arguments
            .iter()
            .find_map(|it| it.strip_prefix("/plans/"))
            .unwrap();
        assert!(recipe.contains(&format!("tests/{plan}")), "{plan}");
        let text = text(&format!("tests/{plan}"));
        for property in arguments.iter().filter_map(|it| it.strip_prefix("-J")) {
            let name = property.split('=').next().unwrap();
            assert!(text.contains(&format!("${{__P({name},")), "{plan} {name}");
        }
        plans += 1;
    }
    assert_eq!(plans, 2);
}
