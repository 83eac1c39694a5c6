//! Every rule finds the mistake that it is for.

use serde_json::{Value, json};

use super::lint;
use crate::files;

/// The comparison in English, which has every kind of query but those for other exporters.
fn sound() -> Value {
    files::parsed().remove("en/comparison.json").unwrap()
}

/// The rules that a dashboard breaks.
fn rules(dashboard: &Value) -> Vec<&'static str> {
    lint(dashboard)
        .into_iter()
        .map(|finding| finding.rule)
        .collect()
}

/// Plants a value into the sound dashboard and expects the rule, which it kept before.
fn check(pointer: &str, value: Value, rule: &str) {
    let mut dashboard = sound();
    assert!(
        !rules(&dashboard).contains(&rule),
        "{rule} is broken already"
    );
    *dashboard
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer}")) = value;
    let found = rules(&dashboard);
    assert!(found.contains(&rule), "{pointer}: {rule} not in {found:?}");
}

/// The panel after the first heading: TPS.
const PANEL: &str = "/panels/1";

#[test]
fn a_mistake_in_the_dashboard_or_its_variables_is_found() {
    check("/editable", json!(true), "uneditable-dashboard");
    check("/uid", json!("short"), "own-uid");
    check("/id", json!(7), "own-uid");
    check("/schemaVersion", json!(16), "own-schema-version");
    let variable = |index: usize, key: &str| format!("/templating/list/{index}/{key}");
    check(
        &variable(0, "label"),
        json!("Source"),
        "template-datasource-rule",
    );
    check(
        &variable(0, "type"),
        json!("custom"),
        "template-datasource-rule",
    );
    check(&variable(1, "multi"), json!(false), "template-job-rule");
    check(&variable(1, "name"), json!("jobs"), "template-job-rule");
    check(
        &variable(2, "allValue"),
        json!(".*"),
        "template-instance-rule",
    );
    check(
        &variable(2, "refresh"),
        json!(1),
        "template-on-time-change-reload-rule",
    );
    let query = variable(2, "query/query");
    check(
        &query,
        json!("label_values(up{job=, instance)"),
        "template-label-promql-rule",
    );
    check(&query, json!("up"), "template-label-promql-rule");
    check(
        "/annotations/list/0/target/refId",
        json!("A"),
        "own-annotation",
    );
    check(
        "/annotations/list/0/target/expr",
        json!("ALERTS{"),
        "own-annotation",
    );
}

#[test]
fn a_mistake_in_a_panel_is_found() {
    let at = |key: &str| format!("{PANEL}/{key}");
    check(&at("type"), json!("graph"), "own-panel-type");
    check(&at("type"), json!("singlestat"), "own-panel-type");
    check(&at("title"), json!(""), "panel-title-description-rule");
    check(
        &at("description"),
        json!(""),
        "panel-title-description-rule",
    );
    check(&at("title"), json!("Response time (P95, P99)"), "own-title");
    check(&at("targets"), json!([]), "panel-no-targets-rule");
    check(
        &at("fieldConfig/defaults/unit"),
        json!(""),
        "panel-units-rule",
    );
    check(
        &at("datasource/uid"),
        json!("prometheus"),
        "panel-datasource-rule",
    );
    check(
        &at("targets/1/datasource/uid"),
        json!("${DS_PROM}"),
        "panel-datasource-rule",
    );
    check(&at("targets/1/refId"), json!("A"), "own-target");
    check(&at("targets/0/legendFormat"), json!(""), "own-target");
    check(&at("targets/0/range"), json!(false), "own-target");
    check(&at("gridPos/w"), json!(30), "own-grid");
    check(&at("gridPos/x"), json!(2), "own-grid");
    check(&at("id"), json!(1), "own-grid");
}

#[test]
fn a_mistake_in_a_query_is_found() {
    let query = |expr: &str, rule: &str| {
        check(&format!("{PANEL}/targets/1/expr"), json!(expr), rule);
    };
    let shop = r#"job=~"$job",instance=~"$instance",variant="optimized""#;
    query("sum(rate(", "target-promql-rule");
    query("rate(ecommerce_orders_total)", "target-promql-rule");
    query(
        &format!("rate(ecommerce_orders_total{{{shop}}}[1m])"),
        "target-rate-interval-rule",
    );
    // The whole span as a line over time would show another span at each of its points.
    query(
        &format!("increase(ecommerce_orders_total{{{shop}}}[$__range])"),
        "target-rate-interval-rule",
    );
    query(
        &format!("sum(ecommerce_orders_total{{{shop}}})"),
        "target-counter-agg-rule",
    );
    query(
        r#"up{instance=~"$instance",variant="optimized"}"#,
        "target-job-rule",
    );
    query(
        r#"up{job="$job",instance=~"$instance",variant="optimized"}"#,
        "target-job-rule",
    );
    query(
        r#"up{job=~"$job",variant="optimized"}"#,
        "target-instance-rule",
    );
    query(r#"up{job=~"$job",instance=~"$instance"}"#, "own-variant");
    query(
        r#"up{job=~"$job",instance=~"$instance",variant=~".+"}"#,
        "own-variant",
    );
    query(
        r#"up{job=~"$job",instance=~"$instance",variant="baseline"}"#,
        "own-variant",
    );
    query(
        &format!("up{{{shop}}} offset $baseline_shift"),
        "own-variant",
    );
    let buckets = format!("ecommerce_request_duration_seconds_bucket{{{shop}}}");
    let sum = format!("ecommerce_request_duration_seconds_sum{{{shop}}}");
    for wrong in [
        format!("histogram_quantile(0.95, {buckets})"),
        format!("histogram_quantile(0.95, sum by (le) ({buckets}))"),
        format!("histogram_quantile(0.95, sum(rate({buckets}[$__rate_interval])))"),
        format!("histogram_quantile(0.95, sum without (le) (rate({buckets}[$__rate_interval])))"),
        format!("histogram_quantile(0.95, rate({sum}[$__rate_interval]))"),
    ] {
        query(&wrong, "own-histogram-quantile");
    }
}

/// The very queries of the requirements break a rule each.
#[test]
fn the_queries_of_the_requirements_are_found() {
    let query = |expr: &str, rule: &str| {
        check(&format!("{PANEL}/targets/1/expr"), json!(expr), rule);
    };
    query("rate(ecommerce_orders_total[1m])", "own-variant");
    query(
        "histogram_quantile(0.95, ecommerce_request_duration_seconds)",
        "own-histogram-quantile",
    );
    query(
        "rate(ecommerce_orders_total{status=\"failed\"}[5m]) / rate(ecommerce_orders_total[5m]) * 100",
        "target-rate-interval-rule",
    );
    query(
        "rate(container_cpu_usage_seconds_total{pod=~\"ecommerce.*\"}[5m]) * 100",
        "target-rate-interval-rule",
    );
}
