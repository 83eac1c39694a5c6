//! The shop's own page of metrics, as the tools and the rules see it.

use std::collections::BTreeSet;

use crate::harness::{Server, both};
use crate::servers::present;
use crate::shipped::rules;
use crate::tools::{PROMTOOL, run_with_input};

const VARIANTS: [&str; 2] = ["baseline", "optimized"];

#[test]
fn promtool_finds_nothing_to_blame_on_the_page() {
    if !present(&[PROMTOOL]) {
        return;
    }
    for variant in VARIANTS {
        let page = page(variant);
        let output = run_with_input(PROMTOOL, &["check", "metrics"], page.as_bytes());
        assert!(output.status.success(), "{variant}: {}", both(&output));
        assert_eq!(both(&output).trim(), "stdout:\n\nstderr:");
    }
    let planted = b"# TYPE ecommerce_lost counter\necommerce_lost 1\n";
    let output = run_with_input(PROMTOOL, &["check", "metrics"], planted);
    assert!(!output.status.success(), "{}", both(&output));
}

/// A rule that asks for a series under a wrong name or label is silent for ever. Every selector of a
/// series of the shop finds one on its page right after the start.
#[test]
fn every_series_that_a_rule_asks_for_is_on_the_page() {
    let recorded: BTreeSet<String> = rules("deploy/prometheus/ecommerce_rules.yml")
        .iter()
        .map(|rule| rule["record"].as_str().unwrap().to_owned())
        .collect();
    for variant in VARIANTS {
        let page = page(variant);
        let mut found = 0;
        for file in ["ecommerce_rules.yml", "ecommerce_alerts.yml"] {
            for rule in rules(&format!("deploy/prometheus/{file}")) {
                let expression = rule["expr"].as_str().unwrap();
                for selector in selectors(expression) {
                    if recorded.contains(&selector.name) {
                        continue;
                    }
                    assert!(selector.is_on(&page), "{variant}: {selector:?}");
                    found += 1;
                }
            }
        }
        assert!(found >= 20, "{found}");
    }
    let planted = selectors(r#"rate(ecommerce_orders_total{status="lost"}[1m])"#).remove(0);
    assert!(!planted.is_on(&page("optimized")));
}

fn page(variant: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--variant", variant, "--products", "100"];
    let shop = Server::start(folder.path(), &arguments);
    let address = format!("{}/actuator/prometheus", shop.target);
    let mut answer = ureq::get(&address).call().unwrap();
    answer.body_mut().read_to_string().unwrap()
}

/// A series of the shop as an expression asks for it.
#[derive(Debug)]
struct Selector {
    name: String,
    /// `label="value"`, the plain ones.
    equal: Vec<String>,
}

impl Selector {
    fn is_on(&self, page: &str) -> bool {
        page.lines().any(|line| {
            let rest = line.strip_prefix(&self.name);
            rest.is_some_and(|rest| {
                rest.starts_with(['{', ' ']) && self.equal.iter().all(|label| rest.contains(label))
            })
        })
    }
}

/// The selectors of `ecommerce_…` series in an expression. Labels of the target are not the shop's.
fn selectors(expression: &str) -> Vec<Selector> {
    let mut found = Vec::new();
    let part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    for (at, _) in expression.match_indices("ecommerce_") {
        let (before, from) = expression.split_at(at);
        if before.ends_with(part) {
            continue;
        }
        let end = from.find(|letter| !part(letter)).unwrap_or(from.len());
        let (name, rest) = from.split_at(end);
        let labels = rest
            .strip_prefix('{')
            .and_then(|rest| rest.split('}').next());
        let equal = labels
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|label| label.contains("=\"") && !label.contains("!="))
            .filter(|label| !label.starts_with("variant") && !label.starts_with("job"))
            .map(str::to_owned)
            .collect();
        found.push(Selector {
            name: name.to_owned(),
            equal,
        });
    }
    found
}
