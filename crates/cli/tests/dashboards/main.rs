//! Every query of every dashboard, asked of a real Prometheus that scrapes real shops under load.
//!
//! The two shops are loaded one after the other, as in a rehearsal, so that the comparison also shows
//! that a run of the baseline is moved onto the time axis of the other.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and tells why it was skipped"
)]

#[expect(dead_code, reason = "the other test binaries use the rest")]
#[path = "../double11/harness.rs"]
mod harness;
mod prometheus;
#[expect(dead_code, reason = "the other test targets use the rest")]
#[path = "../monitoring/servers.rs"]
mod servers;

use std::path::Path;

use double11_dashboards::model::{Element, Panel, Target};
use double11_dashboards::{Dashboard, Language, all};

use harness::{Server, both, run, skip};
use prometheus::{Answer, Prometheus, Span, unix_seconds};
use servers::prometheus_present;

/// Seconds between scrapes; Grafana's window is four of them.
const SCRAPE_SECONDS: u32 = 1;

/// Rows whose series come from exporters that no test machine runs. Their queries must be answered
/// all the same, with nothing.
const EXEMPT: [(&str, &str); 4] = [
    ("Redis", "needs Redis and its exporter"),
    ("MySQL", "needs MySQL and its exporter"),
    ("Containers (Kubernetes)", "needs the kubelet's cAdvisor"),
    ("容器 (Kubernetes)", "needs the kubelet's cAdvisor"),
];

/// Loads a shop, so that every kind of request is among those sent, and gives the time it took.
fn load(shop: &Server, out: &Path) -> Span {
    let from = unix_seconds();
    let output = run([
        "load",
        "funnel",
        "--target",
        &shop.target,
        "--rate",
        "60",
        "--duration",
        "14s",
        "--peak",
        "--param",
        "products=2000",
        "--out",
        out.to_str().unwrap(),
    ]);
    // On a busy machine the generator may be the bottleneck, which is of no account here.
    assert!(
        matches!(output.status.code(), Some(0 | 4)),
        "{}",
        both(&output)
    );
    Span {
        from,
        to: unix_seconds(),
    }
}

/// The replacements that Grafana makes before it asks.
struct Variables<'a> {
    variant: &'a str,
    baseline_shift: String,
    range_seconds: u64,
}

impl Variables<'_> {
    fn replace(&self, expr: &str) -> String {
        let expr = expr
            .replace("$__rate_interval", &format!("{}s", 4 * SCRAPE_SECONDS))
            .replace("$__range", &format!("{}s", self.range_seconds))
            .replace("$baseline_shift", &self.baseline_shift)
            .replace("$variant", self.variant)
            .replace("$job", ".+")
            .replace("$instance", ".+");
        assert!(!expr.contains('$'), "a variable is left in {expr}");
        expr
    }
}

/// The panels of a dashboard with the reason for which they may be empty.
fn panels(dashboard: &Dashboard) -> Vec<(&Panel, Option<&'static str>)> {
    let mut panels = Vec::new();
    for element in &dashboard.panels {
        match element {
            Element::Panel(panel) => panels.push((&**panel, None)),
            Element::Row(row) => {
                let exempt = EXEMPT.iter().find(|(title, _)| *title == row.title);
                let reason = exempt.map(|(_, reason)| *reason);
                panels.extend(row.panels.iter().map(|panel| (panel, reason)));
            }
        }
    }
    panels
}

/// Asks as Grafana would, over the span or at its end.
fn ask(prometheus: &Prometheus, target: &Target, expr: &str, span: Span) -> Answer {
    if target.instant {
        prometheus.instant(expr, span.to)
    } else {
        prometheus.range(expr, span)
    }
}

/// What is wrong with the answers to a dashboard's queries.
fn silent(
    prometheus: &Prometheus,
    dashboard: &Dashboard,
    variables: &Variables<'_>,
    span: Span,
) -> Vec<String> {
    let mut silent = Vec::new();
    let mut finite = 0;
    for (panel, exempt) in panels(dashboard) {
        for target in &panel.targets {
            let expr = variables.replace(&target.expr);
            let answer = ask(prometheus, target, &expr, span);
            match exempt {
                None if answer.finite() == 0 => {
                    silent.push(format!("{} {}: {expr}", panel.title, target.ref_id));
                }
                Some(reason) if answer.finite() > 0 => silent.push(format!(
                    "{} is said to be empty because it {reason}, and is not",
                    panel.title
                )),
                _ => finite += answer.finite(),
            }
        }
    }
    assert!(finite > 0, "{}: no figure at all", dashboard.title);
    silent
}

/// The highest value of the panel's query of this name.
fn highest(
    prometheus: &Prometheus,
    dashboard: &Dashboard,
    (title, legend): (&str, &str),
    variables: &Variables<'_>,
    span: Span,
) -> f64 {
    let panel = dashboard
        .panels()
        .find(|panel| panel.title == title)
        .unwrap();
    let targets = panel.targets.iter();
    let target = targets
        .clone()
        .find(|target| target.legend_format == legend);
    let target = target.unwrap_or_else(|| panic!("{legend} in {:?}", targets.collect::<Vec<_>>()));
    let answer = ask(prometheus, target, &variables.replace(&target.expr), span);
    answer.highest().unwrap()
}

#[test]
fn every_query_is_answered_by_a_prometheus_that_scrapes_shops_under_load() {
    if !prometheus_present() {
        return skip("there is no `prometheus`; `make tools` installs it");
    }
    let folder = tempfile::tempdir().unwrap();
    let shop = |variant: &str| {
        let folder = folder.path().join(variant);
        std::fs::create_dir(&folder).unwrap();
        Server::start(
            &folder,
            &["--variant", variant, "--products", "2000", "--sale"],
        )
    };
    let (baseline, optimized) = (shop("baseline"), shop("optimized"));
    let prometheus = Prometheus::start(
        folder.path(),
        SCRAPE_SECONDS,
        &[
            ("baseline", baseline.authority()),
            ("optimized", optimized.authority()),
        ],
    );
    prometheus.await_first_scrapes(2);
    let before = load(&baseline, &folder.path().join("load-baseline"));
    let after = load(&optimized, &folder.path().join("load-optimized"));
    prometheus.await_scrape_after(after.to);
    let shift = after.from - before.from;
    let variables = |variant| Variables {
        variant,
        baseline_shift: format!("{}ms", (shift * 1000.0).round()),
        range_seconds: 12,
    };
    for language in Language::ALL {
        for dashboard in all(language) {
            let silent_after = silent(&prometheus, &dashboard, &variables("optimized"), after);
            assert!(
                silent_after.is_empty(),
                "{}: {silent_after:#?}",
                dashboard.title
            );
            // A run shows its figures also in the minutes in which it took place.
            if dashboard
                .templating
                .list
                .iter()
                .any(|variable| variable.name == "variant")
            {
                let silent_before = silent(&prometheus, &dashboard, &variables("baseline"), before);
                assert!(
                    silent_before.is_empty(),
                    "{}: {silent_before:#?}",
                    dashboard.title
                );
            }
        }
    }
    a_query_without_an_answer_is_noticed(&prometheus, &variables("optimized"), after);
    comparison_shows_both_runs(&prometheus, &variables, after);
    variables_and_marks_are_found(&prometheus, &variables, before, after);
}

/// The check itself: a query of the requirements, which no series answers, in place of one of ours.
fn a_query_without_an_answer_is_noticed(
    prometheus: &Prometheus,
    variables: &Variables<'_>,
    span: Span,
) {
    let mut dashboard = all(Language::En).remove(1);
    let planted = "rate(ecommerce_orders_total{status=\"success\"}[5m]) \
                   / rate(ecommerce_cart_additions_total[5m]) * 100";
    let panels = dashboard.panels.iter_mut();
    let gauge = panels.filter_map(|element| match element {
        Element::Panel(panel) if panel.title == "Cart conversion" => Some(panel),
        _ => None,
    });
    planted.clone_into(&mut gauge.last().unwrap().targets[0].expr);
    let silent = silent(prometheus, &dashboard, variables, span);
    assert_eq!(silent, [format!("Cart conversion A: {planted}")]);
}

/// While the optimised shop was loaded the other had nothing to do: only the shift brings its run
/// onto the same axis.
fn comparison_shows_both_runs<'a>(
    prometheus: &Prometheus,
    variables: &impl Fn(&'a str) -> Variables<'a>,
    after: Span,
) {
    let comparison = all(Language::ZhTw).remove(0);
    let shifted = variables("optimized");
    let title = "TPS 對比 (優化前後)";
    let tps = |legend, variables: &Variables<'_>| {
        highest(prometheus, &comparison, (title, legend), variables, after)
    };
    let planned = 60.0;
    for legend in ["優化前 TPS", "優化後 TPS"] {
        let peak = tps(legend, &shifted);
        assert!(
            (0.5 * planned..2.0 * planned).contains(&peak),
            "{legend}: {peak} of {planned} planned"
        );
    }
    let unmoved = Variables {
        baseline_shift: "1ms".to_owned(),
        ..variables("optimized")
    };
    // The window of the first samples may still reach into the end of the first run.
    let late = Span {
        from: after.from + 6.0,
        ..after
    };
    let idle = highest(
        prometheus,
        &comparison,
        (title, "優化前 TPS"),
        &unmoved,
        late,
    );
    assert!(idle < 1.0, "an idle shop shows {idle} TPS");
}

/// Every variable has values, and the start of a run is marked.
fn variables_and_marks_are_found<'a>(
    prometheus: &Prometheus,
    variables: &impl Fn(&'a str) -> Variables<'a>,
    before: Span,
    after: Span,
) {
    for (label, values) in [("job", 1), ("instance", 2), ("variant", 2)] {
        let found = prometheus.label_values("ecommerce_build_info", label);
        assert_eq!(found.len(), values, "{label}: {found:?}");
    }
    let whole = Span {
        from: before.from - 30.0,
        to: after.to,
    };
    let business = all(Language::En).remove(1);
    let marks = &business.annotations.list;
    for variant in ["baseline", "optimized"] {
        let start = marks
            .iter()
            .find(|mark| mark.name == "Start of a run")
            .unwrap();
        let expr = variables(variant).replace(&start.target.expr);
        let marked = prometheus.range(&expr, whole).finite();
        assert!(marked > 0, "no mark for {variant}: {expr}");
    }
    // Without rules nothing fires; the query must be understood.
    let alerts = marks
        .iter()
        .find(|mark| mark.name == "Alerts firing")
        .unwrap();
    assert_eq!(prometheus.range(&alerts.target.expr, whole).finite(), 0);
}
