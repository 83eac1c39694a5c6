use super::*;
use crate::sample;
use crate::texts::Language;

fn data(report: &ImprovementReport) -> serde_json::Value {
    serde_json::to_value(chart_data(report, Language::English.texts())).unwrap()
}

fn chart<'a>(data: &'a serde_json::Value, id: &str) -> &'a serde_json::Value {
    data["charts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|chart| chart["id"] == id)
        .unwrap()
}

#[test]
fn every_chart_of_the_sample_is_there() {
    let report = sample::report();
    let expected = [
        "chart-throughput",
        "chart-response-0",
        "chart-response-1",
        "chart-heatmap-0",
        "chart-heatmap-1",
        "chart-errors",
        "chart-cpu",
        "chart-memory",
        "chart-funnel",
    ];
    assert_eq!(
        chart_data(&report, Language::English.texts()).ids(),
        expected
    );
}

#[test]
fn missing_seconds_are_gaps_and_not_zeros() {
    let mut report = sample::report();
    report.variants[0].seconds.retain(|point| point.second != 3);
    let data = data(&report);
    let throughput = chart(&data, THROUGHPUT);
    assert_eq!(throughput["series"][0]["label"], "Offered");
    assert!(throughput["series"][1]["values"][3].is_null());
    assert!(throughput["series"][2]["values"][3].is_number());
    assert_eq!(throughput["x"].as_array().unwrap().len(), 70);
}

#[test]
fn both_variants_share_the_response_axis() {
    let report = sample::report();
    let data = data(&report);
    let axis = &chart(&data, "chart-response-0")["y"];
    assert_eq!(axis, &chart(&data, "chart-response-1")["y"]);
    assert_eq!(axis["logarithmic"], true);
    assert!(axis["min"].as_f64().unwrap() <= 1.0 && axis["max"].as_f64().unwrap() >= 5000.0);
}

#[test]
fn a_narrow_spread_has_a_linear_axis() {
    let mut report = sample::report();
    report.variants.remove(0);
    let data = data(&report);
    assert_eq!(chart(&data, "chart-response-0")["y"]["logarithmic"], false);
}

#[test]
fn what_was_not_measured_has_no_chart() {
    let mut report = sample::report();
    for variant in &mut report.variants {
        variant.heatmap = None;
        variant.funnel.clear();
        for point in &mut variant.seconds {
            point.cpu_share = None;
            point.memory_bytes = None;
        }
    }
    let expected = [
        "chart-throughput",
        "chart-response-0",
        "chart-response-1",
        "chart-errors",
    ];
    assert_eq!(
        chart_data(&report, Language::English.texts()).ids(),
        expected
    );
}
