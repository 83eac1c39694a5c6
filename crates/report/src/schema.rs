//! The published JSON Schema of `improvement_report.json`, made from the types of the model.
//!
//! It exists in tests alone: the program writes reports and needs no schema. The published file is
//! compared with the types, so that neither can change without the other.

use std::path::PathBuf;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::model::ImprovementReport;
use crate::sample;

const PUBLISHED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/improvement_report.schema.json"
);

/// The schema as the types say it.
fn generated() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let schema = generator.into_root_schema_for::<ImprovementReport>();
    let mut schema = serde_json::to_value(schema).unwrap();
    let text = "What `double11 rehearse` and `double11 compare` write beside their page. Units are \
                part of the names: `_ms` milliseconds, `_us` microseconds, `_s` seconds, \
                `_per_second` events per second, `_bytes` bytes; a share and a rate of errors lie \
                between 0 and 1. A figure that was not measured is null. The version is in \
                `schema_version`.";
    let root = schema.as_object_mut().unwrap();
    root.insert("title".to_owned(), json!("Double11 improvement report"));
    root.insert("description".to_owned(), json!(text));
    root.insert(
        "$id".to_owned(),
        json!("https://double11.example/improvement_report.schema.json"),
    );
    let version = root["properties"]["schema_version"]
        .as_object_mut()
        .unwrap();
    version.insert("const".to_owned(), json!(crate::model::SCHEMA_VERSION));
    schema
}

fn validator() -> Validator {
    jsonschema::validator_for(&generated()).unwrap()
}

fn problems(validator: &Validator, report: &Value) -> Vec<String> {
    validator
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own switches come from the environment"
)]
fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var(name).ok().map(PathBuf::from)
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let mut text = serde_json::to_string_pretty(&generated()).unwrap();
    text.push('\n');
    if from_environment("DOUBLE11_WRITE_SCHEMA").is_some() {
        std::fs::write(PUBLISHED, &text).unwrap();
    }
    let published = std::fs::read_to_string(PUBLISHED).unwrap_or_default();
    assert!(
        published == text,
        "docs/improvement_report.schema.json does not say what the types say\n\
         hint: DOUBLE11_WRITE_SCHEMA=1 cargo test --release -p double11-report schema"
    );
}

#[test]
fn reports_keep_to_the_schema() {
    let validator = validator();
    for report in [sample::report(), sample::full()] {
        let report = serde_json::to_value(report).unwrap();
        assert_eq!(problems(&validator, &report), Vec::<String>::new());
    }
    // A report of a real rehearsal, where one is given.
    if let Some(file) = from_environment("DOUBLE11_REPORT_JSON") {
        let text = std::fs::read(file).unwrap();
        let report: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(problems(&validator, &report), Vec::<String>::new());
    }
}

#[test]
fn what_is_no_report_does_not() {
    let validator = validator();
    let sound = serde_json::to_value(sample::full()).unwrap();
    let check = |pointer: &str, value: Value| {
        let mut report = sound.clone();
        *report.pointer_mut(pointer).unwrap() = value;
        assert!(!validator.is_valid(&report), "{pointer}");
    };
    check("/schema_version", json!(1));
    check("/outcome", json!("maybe"));
    check("/improvement/0/metric", json!("speed"));
    check("/improvement/0/reason", json!({"code": "because"}));
    check("/variants/0/phases", json!("none"));
    check("/runs/0/judged/attempted", json!(-1));
    check("/comparison/metrics/0/verdict", json!("best"));
    check("/findings/1/reason/waited_before_handler_ms", json!("long"));
    let mut report = sound.clone();
    report.as_object_mut().unwrap().remove("host");
    assert!(!validator.is_valid(&report), "a part is missing");
}
