//! The rules of Grafana's dashboard-linter, and some of our own, on the JSON as Grafana reads it.
//!
//! Source of the rules whose names end in `-rule` and of the file of exclusions: grafana/dashboard-linter,
//! `docs/index.md`. The rules that are ours begin with `own-`.

mod panels;
mod planted;
mod queries;
mod templates;

use serde_json::Value;

use crate::files;

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    rule: &'static str,
    dashboard: String,
    /// The panel's title, if it is about a panel.
    panel: Option<String>,
    problem: String,
}

/// What one dashboard breaks.
pub(crate) fn lint(dashboard: &Value) -> Vec<Finding> {
    let mut findings = Findings {
        dashboard: text(dashboard, "title").to_owned(),
        found: Vec::new(),
    };
    templates::check(dashboard, &mut findings);
    panels::check(dashboard, &mut findings);
    queries::check(dashboard, &mut findings);
    findings.found
}

/// Collects findings of one dashboard.
pub(crate) struct Findings {
    dashboard: String,
    found: Vec<Finding>,
}

impl Findings {
    /// About the dashboard as a whole.
    fn add(&mut self, rule: &'static str, problem: String) {
        self.found.push(Finding {
            rule,
            dashboard: self.dashboard.clone(),
            panel: None,
            problem,
        });
    }

    /// About a panel.
    fn of_panel(&mut self, rule: &'static str, panel: &Value, problem: String) {
        self.found.push(Finding {
            rule,
            dashboard: self.dashboard.clone(),
            panel: Some(text(panel, "title").to_owned()),
            problem,
        });
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Every panel that is no row, also inside rows.
pub(crate) fn all_panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    list(dashboard, "panels").iter().flat_map(|panel| {
        if text(panel, "type") == "row" {
            list(panel, "panels").iter()
        } else {
            std::slice::from_ref(panel).iter()
        }
    })
}

/// One exception of the file `.lint`: a rule at a panel, or everywhere in a dashboard.
#[derive(Debug)]
struct Exclusion {
    rule: String,
    dashboard: String,
    panel: Option<String>,
}

impl Exclusion {
    fn covers(&self, finding: &Finding) -> bool {
        self.rule == finding.rule
            && self.dashboard == finding.dashboard
            && (self.panel.is_none() || self.panel == finding.panel)
    }
}

/// Reads `.lint` in the folder of a language.
fn exclusions(language: &str) -> Vec<Exclusion> {
    let path = files::folder()
        .join("dashboards")
        .join(language)
        .join(".lint");
    let file = std::fs::read_to_string(path).unwrap();
    let file: Value = serde_yaml_ng::from_str(&file).unwrap();
    let mut exclusions = Vec::new();
    for (rule, exclusion) in file["exclusions"].as_object().unwrap() {
        let reason = text(exclusion, "reason");
        assert!(reason.len() > 20, "`{rule}` in .lint needs a reason");
        for entry in list(exclusion, "entries") {
            exclusions.push(Exclusion {
                rule: rule.clone(),
                dashboard: text(entry, "dashboard").to_owned(),
                panel: entry["panel"].as_str().map(str::to_owned),
            });
        }
    }
    exclusions
}

#[test]
fn the_dashboards_keep_to_the_rules() {
    for language in ["en", "zh-TW"] {
        let exclusions = exclusions(language);
        let found: Vec<Finding> = files::parsed()
            .iter()
            .filter(|(path, _)| path.starts_with(language))
            .flat_map(|(_, dashboard)| lint(dashboard))
            .collect();
        let broken: Vec<&Finding> = found
            .iter()
            .filter(|finding| !exclusions.iter().any(|exclusion| exclusion.covers(finding)))
            .collect();
        assert!(broken.is_empty(), "{broken:#?}");
        let idle: Vec<&Exclusion> = exclusions
            .iter()
            .filter(|exclusion| !found.iter().any(|finding| exclusion.covers(finding)))
            .collect();
        assert!(
            idle.is_empty(),
            "{language}/.lint excludes what breaks no rule: {idle:#?}"
        );
    }
}
