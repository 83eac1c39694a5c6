//! Titles, legends and limits are those of the requirements, sections 4.1, 4.2 and 7.2.

use serde_json::{Value, json};

use crate::files;
use crate::lint::all_panels;

fn dashboard(name: &str) -> Value {
    files::parsed()
        .remove(&format!("zh-TW/{name}.json"))
        .unwrap()
}

fn panel<'a>(dashboard: &'a Value, title: &str) -> &'a Value {
    let found = all_panels(dashboard).find(|panel| panel["title"] == title);
    found.unwrap_or_else(|| panic!("no panel 「{title}」"))
}

fn legends(panel: &Value) -> Vec<&str> {
    let targets = panel["targets"].as_array().unwrap().iter();
    targets
        .map(|target| target["legendFormat"].as_str().unwrap())
        .collect()
}

fn steps(panel: &Value) -> Vec<(&str, Option<u64>)> {
    let steps = &panel["fieldConfig"]["defaults"]["thresholds"]["steps"];
    let steps = steps.as_array().unwrap().iter();
    steps
        .map(|step| (step["color"].as_str().unwrap(), step["value"].as_u64()))
        .collect()
}

#[test]
fn the_comparison_is_that_of_section_4_1() {
    let comparison = dashboard("comparison");
    assert_eq!(comparison["title"], "電商系統性能監控 - 優化前後對比");
    let tps = panel(&comparison, "TPS 對比 (優化前後)");
    assert_eq!(tps["type"], "timeseries");
    assert_eq!(legends(tps), ["優化前 TPS", "優化後 TPS"]);
    let defaults = &tps["fieldConfig"]["defaults"];
    assert_eq!(defaults["custom"]["axisLabel"], "Transactions/sec");
    assert_eq!(defaults["min"], 0);
    let quantiles = panel(&comparison, "響應時間分布 (P95, P99)");
    for legend in ["P95 優化前", "P99 優化前", "P95 優化後"] {
        assert!(legends(quantiles).contains(&legend), "{legend}");
    }
    let errors = panel(&comparison, "錯誤率監控");
    assert_eq!(errors["type"], "stat");
    assert_eq!(errors["fieldConfig"]["defaults"]["unit"], "percent");
    let limits = [("green", None), ("yellow", Some(1)), ("red", Some(5))];
    assert_eq!(steps(errors), limits);
    let resources = legends(panel(&comparison, "系統資源使用率"));
    for word in ["CPU使用率 - ", "記憶體使用率 - "] {
        assert!(
            resources.iter().any(|legend| legend.starts_with(word)),
            "{word}"
        );
    }
    // The legends with pods, for which the requirements ask in the same panel.
    let dependencies = dashboard("dependencies");
    let of_pods: Vec<&str> = all_panels(&dependencies).flat_map(legends).collect();
    for legend in ["CPU使用率 - {{pod}}", "記憶體使用率 - {{pod}}"] {
        assert!(of_pods.contains(&legend), "{legend}");
    }
}

#[test]
fn the_business_is_that_of_section_4_2() {
    let business = dashboard("business");
    assert_eq!(business["title"], "電商業務指標監控");
    let now = panel(&business, "實時交易狀況");
    assert_eq!(now["type"], "stat");
    assert_eq!(legends(now), ["成功支付/分鐘"]);
    let limits = [("red", Some(0)), ("yellow", Some(10)), ("green", Some(50))];
    assert_eq!(steps(now), limits);
    assert_eq!(
        now["fieldConfig"]["defaults"]["color"]["mode"],
        "thresholds"
    );
    let conversion = panel(&business, "購物車轉換率");
    assert_eq!(conversion["type"], "gauge");
    let defaults = &conversion["fieldConfig"]["defaults"];
    let shape = json!([defaults["min"], defaults["max"], defaults["unit"]]);
    assert_eq!(shape, json!([0, 100, "percent"]));
}

#[test]
fn the_four_pictures_are_those_of_section_7_2() {
    let comparison = dashboard("comparison");
    let pictures = [
        ("TPS 峰值對比圖", "stat"),
        ("響應時間熱力圖 (優化前)", "heatmap"),
        ("響應時間熱力圖 (優化後)", "heatmap"),
        ("錯誤率趨勢圖", "timeseries"),
        ("資源使用率圖", "timeseries"),
    ];
    for (title, kind) in pictures {
        assert_eq!(panel(&comparison, title)["type"], kind, "{title}");
    }
}
