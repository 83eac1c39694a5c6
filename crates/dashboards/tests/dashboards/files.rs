//! The files below `deploy/grafana` and the typed dashboards say the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use double11_dashboards::{Language, named};
use serde_json::Value;

/// `deploy/grafana` of this checkout.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/grafana")
}

/// Every dashboard as JSON text, by its path below `deploy/grafana/dashboards`.
fn generated() -> BTreeMap<String, String> {
    let of_language = |language: Language| {
        named(language).into_iter().map(move |named| {
            let mut text = serde_json::to_string_pretty(&named.dashboard).unwrap();
            text.push('\n');
            (format!("{}/{}.json", language.folder(), named.name), text)
        })
    };
    Language::ALL.into_iter().flat_map(of_language).collect()
}

/// Every dashboard as Grafana reads it, by its path below `deploy/grafana/dashboards`.
pub(crate) fn parsed() -> BTreeMap<String, Value> {
    let texts = generated().into_iter();
    texts
        .map(|(path, text)| (path, serde_json::from_str(&text).unwrap()))
        .collect()
}

/// What stands in the files.
fn written() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for language in Language::ALL {
        let folder = folder().join("dashboards").join(language.folder());
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            // `.lint` lies beside the dashboards, where Grafana's linter looks for it.
            if name == ".lint" {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            files.insert(format!("{}/{name}", language.folder()), text);
        }
    }
    files
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own switches come from the environment"
)]
fn writing() -> bool {
    std::env::var("DOUBLE11_WRITE_DASHBOARDS").is_ok()
}

#[test]
fn the_files_are_those_of_the_types() {
    let generated = generated();
    assert_eq!(generated.len(), 2 * named(Language::En).len());
    if writing() {
        for (path, text) in &generated {
            let path = folder().join("dashboards").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    let written = written();
    let differing: Vec<&String> = generated
        .keys()
        .chain(written.keys())
        .filter(|path| generated.get(*path) != written.get(*path))
        .collect();
    assert!(
        differing.is_empty(),
        "deploy/grafana/dashboards does not say what crates/dashboards says: {differing:?}\n\
         hint: make dashboards"
    );
}
