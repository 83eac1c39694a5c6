//! The table "From the requirements to here" in the README: every name of the requirements is in it,
//! and every file that it names exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

const HEADING: &str = "## From the requirements to here";

/// How names stand in the requirements. The first group of each pattern is the name.
const PATTERNS: [&str; 13] = [
    // Routes.
    r"(/(?:api|actuator)/[a-z]+(?:/[a-z]+)*)\b",
    // Metrics, rules and Kubernetes objects.
    r"\b(ecommerce[_-][a-z]+(?:[_-][a-z]+)*)",
    // Files.
    r"\b([A-Za-z0-9_]+(?:-[a-z]+)*\.(?:py|jmx|jtl|yml|yaml|html|sh))\b",
    r"\b([a-z_]+_metrics\.json)\b",
    // The JMeter plan.
    r#"testname="([^"]+)""#,
    r#"<stringProp name="([^"]+)""#,
    // Dashboards and alerts.
    r#""(?:title|name|message|legendFormat|label)": "([^"]+)""#,
    // Programs.
    r"(?:def|class) ([A-Za-z]\w+)",
    // Steps of the funnel and of a session.
    r#"(?m)^\s+"(\w+)":\s+[01]\.\d+,"#,
    // Scrape jobs, exporters and kinds of Kubernetes objects.
    r"job_name: '([^']+)'",
    r"\b([a-z]+-exporter:\d+|alertmanager:\d+)",
    r"kind: (\w+)",
    // Figures, pictures and highlights in bold.
    r"(?m)^(?:\| |\d\. |- )\*\*([^*:]+)\*\*",
];

/// What the patterns find and no name is.
const NO_NAMES: [&str; 2] = ["/api/v", "ecommerce_request_duration_seconds_bucket"];

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.ancestors().nth(2);
    root.expect("the crate lies two folders below the root")
        .to_owned()
}

fn table() -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README");
    let (_, after) = readme
        .split_once(HEADING)
        .expect("the table has its heading");
    after.split("\n## ").next().unwrap_or_default().to_owned()
}

fn names(requirements: &str) -> BTreeSet<String> {
    let patterns = PATTERNS.map(|pattern| Regex::new(pattern).expect("the patterns are valid"));
    patterns
        .iter()
        .flat_map(|pattern| pattern.captures_iter(requirements))
        .filter_map(|found| Some(found.get(1)?.as_str().trim().to_owned()))
        .filter(|name| !NO_NAMES.contains(&name.as_str()))
        .collect()
}

/// Whether a name stands in the text as a whole, not as a part of a longer one.
fn has(text: &str, name: &str) -> bool {
    let part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + name.len()..)
            .and_then(|text| text.chars().next());
        let ends = |edge: Option<char>, own: Option<char>| {
            !(edge.is_some_and(part) && own.is_some_and(part))
        };
        ends(before, name.chars().next()) && ends(after, name.chars().next_back())
    })
}

#[test]
fn every_name_of_the_requirements_has_its_place() {
    let path = root().join("../shared/spec/original-requirements.zh-TW.md");
    let Ok(requirements) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: the requirements are not beside this checkout");
        return;
    };
    let names = names(&requirements);
    assert!(names.len() > 70, "only {} names found", names.len());
    let table = table();
    let missing: Vec<_> = names.iter().filter(|name| !has(&table, name)).collect();
    assert!(missing.is_empty(), "not in the README's table: {missing:?}");
}

#[test]
fn every_file_that_the_table_names_exists() {
    let table = table();
    let file = Regex::new(r"`((?:crates|docs|scripts|tests|deploy|k8s)/[^` ]+)`").expect("valid");
    let files: BTreeSet<_> = file
        .captures_iter(&table)
        .filter_map(|found| Some(found.get(1)?.as_str()))
        .collect();
    assert!(files.len() > 12, "only {files:?}");
    for file in files {
        assert!(root().join(file).exists(), "`{file}` does not exist");
    }
    let roadmap = std::fs::read_to_string(root().join("ROADMAP.md")).expect("there is a roadmap");
    let part = Regex::new("(?:roadmap|and), \"([^\"]+)\"").expect("valid");
    for found in part.captures_iter(&table) {
        let title = found.get(1).map_or("", |title| title.as_str());
        assert!(
            roadmap
                .lines()
                .any(|line| line.starts_with("## ") && line.ends_with(title)),
            "the roadmap has no part \"{title}\""
        );
    }
}

#[test]
fn a_part_of_a_longer_name_is_not_that_name() {
    assert!(has("`ecommerce_orders_total`, x", "ecommerce_orders_total"));
    assert!(!has(
        "`ecommerce_orders_total_optimized`",
        "ecommerce_orders_total"
    ));
    assert!(has("響應時間分布 (P95, P99)", "響應時間分布 (P95, P99)"));
    assert!(names("job_name: 'mysql'\n| **TPS** | 50 |").contains("TPS"));
}
