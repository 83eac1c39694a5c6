//! The requirements' queries beside those of the dashboards, on series whose truth is known.
//!
//! `promtool test rules` evaluates both on written series, so that it is shown and not claimed that
//! the one is wrong and the other right.

use std::path::Path;
use std::process::Command;

use double11_dashboards::{Language, all};
use serde_json::{Value, json};

use crate::tools::skip;

/// The query of a dashboard, by the title of its panel and the legend, as Prometheus gets it.
fn ours(title: &str, legend: &str) -> String {
    let dashboards = all(Language::ZhTw);
    let target = dashboards
        .iter()
        .flat_map(double11_dashboards::Dashboard::panels)
        .filter(|panel| panel.title == title)
        .flat_map(|panel| &panel.targets)
        .find(|target| target.legend_format == legend);
    let target = target.unwrap_or_else(|| panic!("no {title} with {legend}"));
    target
        .expr
        .replace("$__rate_interval", "1m")
        .replace("$__range", "5m")
        .replace("$baseline_shift", "1ms")
        .replace("$variant", "optimized")
        .replace("$job", ".+")
        .replace("$instance", ".+")
}

/// A value of a query: labels as Prometheus writes them, and the figure.
type Sample<'a> = (&'a str, f64);

/// What a query gives five minutes after the series began, to three digits after the point.
fn gives(expr: &str, samples: &[Sample<'_>]) -> Value {
    let samples: Vec<Value> = samples
        .iter()
        .map(|(labels, value)| json!({"labels": labels, "value": value}))
        .collect();
    // Rates are extrapolated in floating point: their last digits are nobody's claim.
    json!({"expr": format!("round({expr}, 0.001)"), "eval_time": "5m", "exp_samples": samples})
}

fn series(selector: &str, values: &str) -> Value {
    json!({"series": selector, "values": values})
}

/// A series of the shop, with the labels that scraping adds.
fn shop(metric: &str, labels: &str, variant: &str, values: &str) -> Value {
    let own = r#"job="ecommerce-app",instance="shop:1""#;
    let comma = if labels.is_empty() { "" } else { "," };
    series(
        &format!(r#"{metric}{{{own},variant="{variant}"{comma}{labels}}}"#),
        values,
    )
}

/// Evaluates queries on series of one sample each five seconds.
fn check(input: &[Value], queries: &[Value]) {
    let found = Command::new("promtool").arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        return skip("there is no `promtool`; `make tools` installs it");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.yml");
    let test = json!({
        "evaluation_interval": "5s",
        "tests": [{
            "interval": "5s",
            "input_series": input,
            "promql_expr_test": queries,
        }],
    });
    // JSON is YAML.
    std::fs::write(&file, test.to_string()).unwrap();
    let (passed, said) = promtool(&file);
    assert!(passed, "{said}");
    // The same with a wrong figure must fail, or nothing was compared.
    let mut wrong = test.clone();
    let query = &mut wrong["tests"][0]["promql_expr_test"][0];
    query["exp_samples"] = json!([{"labels": "{planted=\"yes\"}", "value": 1}]);
    std::fs::write(&file, wrong.to_string()).unwrap();
    assert!(!promtool(&file).0, "promtool accepts anything");
}

fn promtool(file: &Path) -> (bool, String) {
    let output = Command::new("promtool")
        .args(["test", "rules"])
        .arg(file)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

const ORDERS: &str = "ecommerce_orders_total";

/// 18 of 20 orders a second succeed, one fails and one is shed: 10 % are lost.
#[test]
fn the_error_rate_divides_sums_and_counts_what_was_shed() {
    let labels = |status: &str| format!(r#"status="{status}",payment_method="alipay""#);
    let order = |status: &str, values: &str| shop(ORDERS, &labels(status), "optimized", values);
    let input = [
        order("success", "0+90x100"),
        order("failed", "0+5x100"),
        order("shed", "0+5x100"),
    ];
    let theirs = r#"rate(ecommerce_orders_total{status="failed"}[5m]) / rate(ecommerce_orders_total[5m]) * 100"#;
    let itself = r#"{job="ecommerce-app",instance="shop:1",variant="optimized",status="failed",payment_method="alipay"}"#;
    check(
        &input,
        &[
            // Each series is divided by the series with the same labels: by itself.
            gives(theirs, &[(itself, 100.0)]),
            gives(&ours("錯誤率監控", "優化後"), &[("{}", 10.0)]),
        ],
    );
}

/// Five carts a second are made and one of them is ordered, with three additions to each.
#[test]
fn the_conversion_compares_carts_with_carts() {
    let input = [
        shop(
            ORDERS,
            r#"status="success",payment_method="alipay""#,
            "optimized",
            "0+5x100",
        ),
        shop(
            "ecommerce_cart_additions_total",
            "",
            "optimized",
            "0+75x100",
        ),
        shop("ecommerce_carts_created_total", "", "optimized", "0+25x100"),
        shop(
            "ecommerce_carts_converted_total",
            "",
            "optimized",
            "0+5x100",
        ),
    ];
    let theirs = r#"rate(ecommerce_orders_total{status="success"}[5m]) / rate(ecommerce_cart_additions_total[5m]) * 100"#;
    check(
        &input,
        &[
            // No label set stands on both sides, so that nothing is left.
            gives(theirs, &[]),
            gives(&ours("購物車轉換率", "轉為訂單"), &[("{}", 20.0)]),
        ],
    );
}

/// All requests took at most 10 ms for four minutes, and 100 to 200 ms in the last one.
#[test]
fn a_quantile_is_that_of_the_last_minute_and_needs_buckets() {
    let bucket = |le: &str, values: &str| {
        let labels = format!(r#"endpoint="/api/orders",method="POST",status="201",le="{le}""#);
        shop(
            "ecommerce_request_duration_seconds_bucket",
            &labels,
            "optimized",
            values,
        )
    };
    let input = [
        bucket("0.01", "0+1000x48 48000x12"),
        bucket("0.1", "0+1000x48 48000x12"),
        bucket("0.2", "0+1000x61"),
        bucket("+Inf", "0+1000x61"),
    ];
    check(
        &input,
        &[
            // There is no series of that name: a histogram consists of _bucket, _sum and _count.
            gives(
                "histogram_quantile(0.95, ecommerce_request_duration_seconds)",
                &[],
            ),
            // Of all requests since the start, not of the last minute.
            gives(
                "histogram_quantile(0.5, sum by (le) (ecommerce_request_duration_seconds_bucket))",
                &[("{}", 0.006)],
            ),
            gives(
                &ours("響應時間分布 (P95, P99)", "P95 優化後"),
                &[("{}", 0.195)],
            ),
        ],
    );
}

/// One payment a second is sixty a minute.
#[test]
fn payments_per_minute_are_per_minute() {
    let labels = r#"gateway="sandbox",currency="CNY",status="success""#;
    let input = [shop(
        "ecommerce_payments_total",
        labels,
        "optimized",
        "0+5x100",
    )];
    check(
        &input,
        &[
            gives(
                r#"sum(rate(ecommerce_payments_total{status="success"}[1m]))"#,
                &[("{}", 1.0)],
            ),
            gives(&ours("實時交易狀況", "成功支付/分鐘"), &[("{}", 60.0)]),
        ],
    );
}

/// The baseline does 4 requests a second; the other 40, of which 8 fail, and 2 sold-out orders.
#[test]
fn tps_is_that_of_one_variant_and_without_failures() {
    let request = |variant: &str, status: &str, values: &str| {
        let labels = format!(r#"endpoint="/api/orders",method="POST",status="{status}""#);
        shop(
            "ecommerce_request_duration_seconds_count",
            &labels,
            variant,
            values,
        )
    };
    let order = |variant: &str, status: &str, values: &str| {
        shop(
            ORDERS,
            &format!(r#"status="{status}",payment_method="card""#),
            variant,
            values,
        )
    };
    let input = [
        request("baseline", "201", "0+20x100"),
        order("baseline", "success", "0+20x100"),
        order("baseline", "sold_out", "0+0x100"),
        request("optimized", "201", "0+150x100"),
        request("optimized", "409", "0+10x100"),
        request("optimized", "500", "0+40x100"),
        order("optimized", "success", "0+150x100"),
        order("optimized", "sold_out", "0+10x100"),
        order("optimized", "failed", "0+40x100"),
    ];
    check(
        &input,
        &[
            // "Before" has both variants in it, and what failed.
            gives("sum(rate(ecommerce_orders_total[1m]))", &[("{}", 44.0)]),
            gives(&ours("TPS 對比 (優化前後)", "優化前 TPS"), &[("{}", 4.0)]),
            gives(&ours("TPS 對比 (優化前後)", "優化後 TPS"), &[("{}", 32.0)]),
        ],
    );
}

fn container(metric: &str, (pod, name): (&str, &str), values: &str) -> Value {
    let image = if name.is_empty() { "" } else { "shop:1" };
    series(
        &format!(
            r#"{metric}{{namespace="ecommerce",pod="{pod}",container="{name}",image="{image}"}}"#
        ),
        values,
    )
}

/// Two containers with a limit of two cores each, of which one is used, and one without any limit.
fn pod_of_several(pod: &str) -> Vec<Value> {
    let usage = "container_cpu_usage_seconds_total";
    let mut input = vec![container(usage, (pod, "without-a-limit"), "0+5x100")];
    for (name, used) in [("shop", "0+5x100"), ("proxy", "0+0x100")] {
        input.push(container(usage, (pod, name), used));
        for (metric, limit) in [("quota", "200000x100"), ("period", "100000x100")] {
            let metric = format!("container_spec_cpu_{metric}");
            input.push(container(&metric, (pod, name), limit));
        }
    }
    input
}

/// A pod with a limit of two cores and 2 GB uses one core and 1 GB; another has no limit.
#[test]
fn usage_is_a_share_of_a_limit_that_exists() {
    let limited = ("ecommerce-app-1", "shop");
    // The kubelet also reports the sum over the pod, with neither a container nor an image.
    let of_the_pod = ("ecommerce-app-1", "");
    let unlimited = ("ecommerce-job-1", "shop");
    let mut input = Vec::new();
    for which in [limited, of_the_pod] {
        input.push(container(
            "container_cpu_usage_seconds_total",
            which,
            "0+5x100",
        ));
    }
    input.push(container("container_spec_cpu_quota", limited, "200000x100"));
    input.push(container(
        "container_spec_cpu_period",
        limited,
        "100000x100",
    ));
    for (which, limit) in [(limited, "2000x100"), (unlimited, "0x100")] {
        input.push(container(
            "container_memory_working_set_bytes",
            which,
            "1000x100",
        ));
        input.push(container("container_memory_usage_bytes", which, "1500x100"));
        input.push(container("container_spec_memory_limit_bytes", which, limit));
    }
    input.extend(pod_of_several("ecommerce-app-2"));
    let pod = r#"{pod="ecommerce-app-1"}"#;
    let pod_of_two = r#"{pod="ecommerce-app-2"}"#;
    let theirs = r#"rate(container_cpu_usage_seconds_total{pod=~"ecommerce.*"}[5m]) * 100"#;
    check(
        &input,
        &[
            // Full, though the pod has two cores; and twice, if summed up by pod.
            gives(
                &format!("sum by (pod) ({theirs})"),
                &[(pod, 200.0), (pod_of_two, 200.0)],
            ),
            gives(
                &ours("容器 CPU 使用率", "CPU使用率 - {{pod}}"),
                &[(pod, 50.0), (pod_of_two, 25.0)],
            ),
            // Without a limit the limit is 0, and the share is infinite.
            gives(
                r#"count(container_memory_usage_bytes{pod=~"ecommerce.*"} / container_spec_memory_limit_bytes * 100 == Inf)"#,
                &[("{}", 1.0)],
            ),
            gives(
                &ours("容器記憶體使用率", "記憶體使用率 - {{pod}}"),
                &[(pod, 50.0)],
            ),
        ],
    );
}

/// A shop that was removed a minute ago is not up; one that missed a scrape is.
#[test]
fn a_target_that_was_removed_is_not_shown_as_now() {
    let up = |instance: &str, values: &str| {
        let labels = r#"job="ecommerce-app",variant="optimized""#;
        series(&format!(r#"up{{instance="{instance}",{labels}}}"#), values)
    };
    // Five minutes are the sixty-first value.
    let input = [up("gone:1", "1x48"), up("here:1", "1x57")];
    let theirs = r#"min by (instance) (up{job="ecommerce-app"})"#;
    let here = r#"{instance="here:1"}"#;
    check(
        &input,
        &[
            gives(theirs, &[(r#"{instance="gone:1"}"#, 1.0), (here, 1.0)]),
            gives(
                &ours("商店運作狀態", "{{instance}}").replace("[1m]", "[20s]"),
                &[(here, 1.0)],
            ),
        ],
    );
    // Without a curve that says when it was, a query over the span would show what was last there, however
    // long ago.
    let dashboards = all(Language::En);
    let panels = dashboards
        .iter()
        .flat_map(double11_dashboards::Dashboard::panels)
        .map(|panel| serde_json::to_value(panel).unwrap());
    for panel in panels.filter(|panel| panel["options"]["graphMode"] == "none") {
        let targets = panel["targets"].as_array().unwrap();
        let instant = targets.iter().all(|target| target["instant"] == true);
        assert!(instant, "{}", panel["title"]);
    }
}

/// Where an exporter is not there `TargetDown` fires for ever; that marks no panel.
#[test]
fn an_exporter_that_is_not_there_marks_no_panel() {
    for dashboard in Language::ALL.into_iter().flat_map(all) {
        let alerts: Vec<&str> = dashboard
            .annotations
            .list
            .iter()
            .map(|annotation| annotation.target.expr.as_str())
            .filter(|expr| expr.starts_with("ALERTS"))
            .collect();
        let wanted = r#"ALERTS{alertstate="firing",alertname!~"TargetDown|Watchdog"}"#;
        assert_eq!(alerts, [wanted], "{}", dashboard.uid);
    }
}
