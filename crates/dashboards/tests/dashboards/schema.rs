//! The dashboards against the types that Grafana itself is written with.
//!
//! The package `@grafana/schema` has Grafana's types in TypeScript; of them JSON Schemas are made that
//! know every field and refuse every other. They take any word for the type of a panel, which our
//! own linter does not.

use std::path::Path;
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::files;
use crate::lint::all_panels;
use crate::tools::skip;

/// Where `scripts/install-test-tools.sh` puts the packages.
const PACKAGES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/test-tools/grafana"
);

struct Schemas(Value);

impl Schemas {
    /// Makes the schemas, or none where the packages are missing.
    fn make() -> Option<Self> {
        if !Path::new(PACKAGES)
            .join("node_modules/@grafana/schema")
            .is_dir()
        {
            skip("Grafana's types are not installed, run scripts/install-test-tools.sh");
            return None;
        }
        let program = include_str!("../grafana/schema.mjs");
        let output = Command::new("node")
            .args(["--input-type=module", "--eval", program])
            .current_dir(PACKAGES)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        Some(Self(serde_json::from_slice(&output.stdout).unwrap()))
    }

    fn of(&self, name: &str) -> Option<Validator> {
        let schema = self.0.get(name)?;
        Some(jsonschema::validator_for(schema).unwrap())
    }

    /// What Grafana's types say against a dashboard.
    fn problems(&self, dashboard: &Value) -> Vec<String> {
        let mut bare = dashboard.clone();
        for annotation in bare["annotations"]["list"].as_array_mut().unwrap() {
            // The type describes the target of Grafana's own annotations. That of Prometheus is a
            // query, which our linter checks.
            annotation.as_object_mut().unwrap().remove("target");
        }
        let mut problems = against(&self.of("dashboard").unwrap(), &bare, "dashboard");
        for panel in all_panels(dashboard) {
            let kind = panel["type"].as_str().unwrap_or_default();
            let title = panel["title"].as_str().unwrap_or_default();
            match self.of(&format!("{kind}.options")) {
                Some(schema) => problems.extend(against(&schema, &panel["options"], title)),
                None => problems.push(format!("{title}: no options are known of `{kind}`")),
            }
            let custom = &panel["fieldConfig"]["defaults"]["custom"];
            match self.of(&format!("{kind}.field")) {
                Some(schema) => problems.extend(against(&schema, custom, title)),
                None if custom.is_null() => {}
                None => problems.push(format!("{title}: `{kind}` has no fields of its own")),
            }
        }
        problems
    }
}

fn against(schema: &Validator, value: &Value, place: &str) -> Vec<String> {
    schema
        .iter_errors(value)
        .map(|error| format!("{place} {}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_dashboards_are_of_grafanas_types() {
    let Some(schemas) = Schemas::make() else {
        return;
    };
    for (path, dashboard) in files::parsed() {
        assert_eq!(schemas.problems(&dashboard), Vec::<String>::new(), "{path}");
    }
    let sound = files::parsed().remove("en/comparison.json").unwrap();
    let check = |pointer: &str, key: &str, value: Option<Value>| {
        let mut dashboard = sound.clone();
        let object = dashboard.pointer_mut(pointer).unwrap();
        let object = object.as_object_mut().unwrap();
        match value {
            Some(value) => drop(object.insert(key.to_owned(), value)),
            None => assert!(object.remove(key).is_some(), "{pointer} has no {key}"),
        }
        assert_ne!(
            schemas.problems(&dashboard),
            Vec::<String>::new(),
            "{pointer} {key}"
        );
    };
    // What the requirements have, of a Grafana of long ago.
    check("", "rows", Some(json!([])));
    check(
        "/panels/1",
        "yAxes",
        Some(json!([{"label": "Transactions/sec", "min": 0}])),
    );
    check("/panels/1", "alert", Some(json!({"name": "TPS 性能告警"})));
    check("/panels/1", "thresholds", Some(json!("1,5")));
    check("/panels/1/gridPos", "w", Some(json!("12")));
    check(
        "/panels/1/options/tooltip",
        "mode",
        Some(json!("everything")),
    );
    check(
        "/panels/1/fieldConfig/defaults/custom",
        "drawStyle",
        Some(json!("pie")),
    );
    check("/templating/list/0/current", "value", None);
    let heatmap = sound["panels"].as_array().unwrap().iter();
    let index = heatmap
        .clone()
        .position(|panel| panel["type"] == "heatmap")
        .unwrap();
    check(&format!("/panels/{index}/options"), "showValue", None);
}
