//! Rules for the dashboard and its variables.

use serde_json::Value;

use super::{Findings, list, text};

pub(super) fn check(dashboard: &Value, findings: &mut Findings) {
    if dashboard["editable"] != false {
        findings.add("uneditable-dashboard", "it can be edited".to_owned());
    }
    identity(dashboard, findings);
    data_source(dashboard, findings);
    required(dashboard, "job", "template-job-rule", findings);
    required(dashboard, "instance", "template-instance-rule", findings);
    for variable in variables(dashboard).filter(|variable| text(variable, "type") == "query") {
        let name = text(variable, "name");
        if variable["refresh"] != 2 {
            let problem = format!("`${name}` is not read again when the time changes");
            findings.add("template-on-time-change-reload-rule", problem);
        }
        label_query(variable, findings);
    }
    annotations(dashboard, findings);
}

fn variables(dashboard: &Value) -> impl Iterator<Item = &Value> {
    list(&dashboard["templating"], "list").iter()
}

fn identity(dashboard: &Value, findings: &mut Findings) {
    let uid = text(dashboard, "uid");
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if !(8..=40).contains(&uid.len()) || !uid.chars().all(allowed) {
        findings.add("own-uid", format!("`{uid}` is no stable uid"));
    }
    if !dashboard["id"].is_null() {
        findings.add("own-uid", "the id belongs to a database".to_owned());
    }
    if dashboard["schemaVersion"] != 42 {
        findings.add("own-schema-version", "not the current model".to_owned());
    }
}

fn data_source(dashboard: &Value, findings: &mut Findings) {
    let rule = "template-datasource-rule";
    let Some(variable) =
        variables(dashboard).find(|variable| text(variable, "type") == "datasource")
    else {
        findings.add(rule, "there is no variable for the data source".to_owned());
        return;
    };
    let expected = [
        ("name", "datasource"),
        ("label", "Data source"),
        ("query", "prometheus"),
    ];
    for (key, value) in expected {
        if text(variable, key) != value {
            findings.add(rule, format!("its {key} is `{}`", text(variable, key)));
        }
    }
}

/// A variable that every dashboard needs, as the linter wants it.
fn required(dashboard: &Value, name: &str, rule: &'static str, findings: &mut Findings) {
    let Some(variable) = variables(dashboard).find(|variable| text(variable, "name") == name)
    else {
        findings.add(rule, format!("there is no variable `{name}`"));
        return;
    };
    let label = text(variable, "label");
    if !label.eq_ignore_ascii_case(name) {
        findings.add(rule, format!("the label of `{name}` is `{label}`"));
    }
    let shape = text(&variable["datasource"], "uid") == "${datasource}"
        && text(variable, "type") == "query"
        && variable["multi"] == true
        && text(variable, "allValue") == ".+";
    if !shape {
        findings.add(
            rule,
            format!("`{name}` is not a query with several values, all being .+"),
        );
    }
}

/// `label_values(selector, label)`, whose selector must be PromQL.
fn label_query(variable: &Value, findings: &mut Findings) {
    let rule = "template-label-promql-rule";
    let query = text(&variable["query"], "query");
    let selector = query
        .strip_prefix("label_values(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|inside| inside.rsplit_once(','))
        .map(|(selector, _)| selector);
    match selector.map(promql_parser::parser::parse) {
        Some(Ok(_)) => {}
        Some(Err(error)) => findings.add(rule, format!("`{query}`: {error}")),
        None => findings.add(rule, format!("`{query}` asks for no label")),
    }
}

/// Grafana 13 moves an annotation's query into `target`; the older form is not written.
fn annotations(dashboard: &Value, findings: &mut Findings) {
    for annotation in list(&dashboard["annotations"], "list") {
        let rule = "own-annotation";
        let name = text(annotation, "name");
        if annotation.get("expr").is_some() || text(&annotation["target"], "refId") != "Anno" {
            findings.add(rule, format!("the query of `{name}` is not in `target`"));
        }
        if text(&annotation["datasource"], "uid") != "${datasource}" {
            findings.add(
                rule,
                format!("`{name}` does not ask the chosen data source"),
            );
        }
        let expr = super::queries::substituted(text(&annotation["target"], "expr"));
        if let Err(error) = promql_parser::parser::parse(&expr) {
            findings.add(rule, format!("`{name}`: {error}"));
        }
    }
}
