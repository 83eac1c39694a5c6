//! The files as they are shipped, and the documented ways in which a test may change them.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap().to_owned()
}

pub(crate) fn prometheus_folder() -> PathBuf {
    root().join("deploy/prometheus")
}

pub(crate) fn alertmanager_file() -> PathBuf {
    root().join("deploy/alertmanager/alertmanager.yml")
}

/// The text of a file below the root.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// A YAML file below the root.
pub(crate) fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Puts each left side's right side in its place. A left side that is not there is a fault: the
/// shipped file has changed, and the test would no longer test what it says.
pub(crate) fn replaced(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` is not in the shipped file");
        text.replace(from, to)
    })
}

/// One alert of the shipped rules.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) expression: String,
    pub(crate) labels: serde_json::Map<String, Value>,
    pub(crate) annotations: serde_json::Map<String, Value>,
}

impl Alert {
    /// The text of an annotation.
    pub(crate) fn annotation(&self, name: &str) -> &str {
        let found = self.annotations.get(name).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }

    pub(crate) fn severity(&self) -> &str {
        let found = self.labels.get("severity").and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("{} has no severity", self.name))
    }
}

/// Every rule of a file, in its order.
pub(crate) fn rules(path: &str) -> Vec<Value> {
    let file = yaml(path);
    let groups = file["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| {
        let rules = group["rules"].as_array().unwrap();
        rules.iter().cloned()
    });
    rules.collect()
}

/// Every shipped alert.
pub(crate) fn alerts() -> Vec<Alert> {
    let read = |rule: Value| Alert {
        name: rule["alert"].as_str().unwrap().to_owned(),
        expression: rule["expr"].as_str().unwrap().to_owned(),
        labels: rule["labels"].as_object().unwrap().clone(),
        annotations: rule["annotations"].as_object().unwrap().clone(),
    };
    rules("deploy/prometheus/ecommerce_alerts.yml")
        .into_iter()
        .map(read)
        .collect()
}

/// The tests that are shipped with the rules, by name and content.
pub(crate) fn rule_tests() -> Vec<(String, Value)> {
    let folder = prometheus_folder().join("tests");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let file = yaml(&format!("deploy/prometheus/tests/{name}"));
            (name, file)
        })
        .collect()
}
