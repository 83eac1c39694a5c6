//! Rules for panels.

use std::collections::HashSet;

use serde_json::Value;

use super::{Findings, all_panels, list, text};

/// Types that Grafana 11 to 13 have. The schema of `@grafana/schema` takes any word here.
const TYPES: [&str; 9] = [
    "timeseries",
    "stat",
    "gauge",
    "bargauge",
    "table",
    "heatmap",
    "row",
    "text",
    "state-timeline",
];

pub(super) fn check(dashboard: &Value, findings: &mut Findings) {
    types(dashboard, findings);
    let mut titles = HashSet::new();
    for panel in all_panels(dashboard) {
        let title = text(panel, "title");
        if title.is_empty() || text(panel, "description").is_empty() {
            let problem = "has no title or no description".to_owned();
            findings.of_panel("panel-title-description-rule", panel, problem);
        }
        if !titles.insert(title) {
            findings.of_panel(
                "own-title",
                panel,
                "another panel has this title".to_owned(),
            );
        }
        if list(panel, "targets").is_empty() {
            findings.of_panel("panel-no-targets-rule", panel, "asks nothing".to_owned());
        }
        let unit = &panel["fieldConfig"]["defaults"]["unit"];
        if unit.as_str().is_none_or(str::is_empty) {
            findings.of_panel("panel-units-rule", panel, "has no unit".to_owned());
        }
        data_source(panel, findings);
    }
    places(dashboard, findings);
}

fn types(dashboard: &Value, findings: &mut Findings) {
    for panel in list(dashboard, "panels")
        .iter()
        .chain(all_panels(dashboard))
    {
        let kind = text(panel, "type");
        if !TYPES.contains(&kind) {
            findings.of_panel(
                "own-panel-type",
                panel,
                format!("`{kind}` is no current type"),
            );
        }
    }
}

fn data_source(panel: &Value, findings: &mut Findings) {
    let targets = list(panel, "targets");
    let mut names = HashSet::new();
    for part in std::iter::once(panel).chain(targets) {
        let source = &part["datasource"];
        if text(source, "uid") != "${datasource}" || text(source, "type") != "prometheus" {
            let problem = "does not ask the chosen data source".to_owned();
            findings.of_panel("panel-datasource-rule", panel, problem);
        }
    }
    for target in targets {
        if !names.insert(text(target, "refId")) {
            findings.of_panel("own-target", panel, "two queries have one name".to_owned());
        }
        if text(target, "legendFormat").is_empty() {
            findings.of_panel("own-target", panel, "a series has no name".to_owned());
        }
        if target["instant"] == target["range"] {
            findings.of_panel("own-target", panel, "neither instant nor range".to_owned());
        }
    }
}

/// Panels stay on the grid of 24 columns, do not lie on each other, and have ids of their own.
fn places(dashboard: &Value, findings: &mut Findings) {
    let rows = list(dashboard, "panels");
    let mut ids = HashSet::new();
    for panel in rows
        .iter()
        .chain(rows.iter().flat_map(|row| list(row, "panels")))
    {
        if !ids.insert(panel["id"].as_u64()) {
            findings.of_panel("own-grid", panel, "another panel has its id".to_owned());
        }
    }
    let closed = rows.iter().map(|row| list(row, "panels"));
    for together in std::iter::once(rows).chain(closed) {
        for (index, panel) in together.iter().enumerate() {
            if !on_the_grid(panel) {
                findings.of_panel("own-grid", panel, "leaves the grid".to_owned());
            }
            if together
                .iter()
                .skip(index + 1)
                .any(|other| overlap(panel, other))
            {
                findings.of_panel("own-grid", panel, "lies on another panel".to_owned());
            }
        }
    }
}

/// Left, right, top and bottom.
fn edges(panel: &Value) -> Option<[u64; 4]> {
    let of = |key: &str| panel["gridPos"][key].as_u64();
    let (x, y) = (of("x")?, of("y")?);
    Some([x, x + of("w")?, y, y + of("h")?])
}

fn on_the_grid(panel: &Value) -> bool {
    edges(panel)
        .is_some_and(|[left, right, top, bottom]| right <= 24 && left < right && top < bottom)
}

fn overlap(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (edges(one), edges(other)) else {
        return false;
    };
    one[0] < other[1] && other[0] < one[1] && one[2] < other[3] && other[2] < one[3]
}
