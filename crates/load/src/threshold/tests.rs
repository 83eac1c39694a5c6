use super::Comparison::{Above, AtLeast, AtMost, Below};
use super::*;

fn parse(text: &str) -> Result<Threshold, String> {
    text.parse::<Threshold>().map_err(|error| error.to_string())
}

#[test]
fn expressions_are_read_with_their_units() {
    let check = |text: &str, metric, step: Option<&str>, comparison, bound: f64| {
        let threshold = parse(text).unwrap();
        assert_eq!(threshold.metric, metric, "{text}");
        assert_eq!(threshold.step.as_deref(), step, "{text}");
        assert_eq!(threshold.comparison, comparison, "{text}");
        assert!(
            (threshold.bound - bound).abs() < 1e-9,
            "{text}: {}",
            threshold.bound
        );
        assert_eq!(threshold.to_string(), text.trim());
    };
    check("p95>50ms", Metric::Percentile(95.0), None, Above, 50.0);
    check(
        "p99.9 >= 0.5 s",
        Metric::Percentile(99.9),
        None,
        AtLeast,
        500.0,
    );
    check(
        "p99(checkout)>100ms",
        Metric::Percentile(99.0),
        Some("checkout"),
        Above,
        100.0,
    );
    check(
        " max ( a-b ) > 800us ",
        Metric::Max,
        Some("a-b"),
        Above,
        0.8,
    );
    check("mean>2ms", Metric::Mean, None, Above, 2.0);
    check("error_rate>1%", Metric::ErrorRate, None, Above, 1.0);
    check(
        "availability<99.9%",
        Metric::Availability,
        None,
        Below,
        99.9,
    );
    check("tps<500", Metric::Throughput, None, Below, 500.0);
    check(
        "orders<58/s",
        Metric::Writes(Write::Order),
        None,
        Below,
        58.0,
    );
    check(
        "payments<=25.6",
        Metric::Writes(Write::Payment),
        None,
        AtMost,
        25.6,
    );
    check("dropped>0", Metric::Dropped, None, Above, 0.0);
    check(
        "late(search)>=10",
        Metric::Late,
        Some("search"),
        AtLeast,
        10.0,
    );
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".{0,40}") {
        if let Ok(threshold) = text.parse::<Threshold>() {
            assert_eq!(threshold.to_string(), text.trim());
        }
    }

    #[test]
    fn a_bound_is_kept_in_its_unit(hundredths in 0_u32..1_000_000, space in " {0,2}") {
        let number = f64::from(hundredths) / 100.0;
        for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1_000.0)] {
            let text = format!("p95{space}>{space}{number}{space}{unit}");
            let threshold: Threshold = text.parse().unwrap();
            assert!((threshold.bound - number * factor).abs() <= 1e-9 * threshold.bound);
        }
    }
}

#[test]
fn the_offending_part_is_named() {
    for (text, part, reason) in [
        ("p95", "p95", "compares nothing"),
        ("", "", "compares nothing"),
        ("p95=50ms", "p95=50ms", "compares nothing"),
        ("p95>", "", "is no number"),
        ("p95>50", "50", "needs a unit of time"),
        ("p95>50%", "50%", "needs a unit of time"),
        ("p95>-1ms", "-1ms", "is no number"),
        ("p95>1.2.3ms", "1.2.3ms", "is no number"),
        ("p95>50ms>40ms", "50ms>40ms", "needs a unit of time"),
        ("p0>1ms", "p0", "is no metric"),
        ("p101>1ms", "p101", "is no metric"),
        ("pinf>1ms", "pinf", "is no metric"),
        ("speed>1", "speed", "is no metric"),
        ("p95(checkout>1ms", "p95(checkout", "closing"),
        ("error_rate>0.01", "0.01", "needs the unit %"),
        ("tps<5%", "5%", "per second"),
        ("dropped>1/s", "1/s", "plain number"),
        ("orders(checkout)<1", "orders(checkout)", "takes no step"),
        (
            "availability(checkout)<1%",
            "availability(checkout)",
            "takes no step",
        ),
    ] {
        let error = text.parse::<Threshold>().unwrap_err();
        assert_eq!(error.part, part, "{text}");
        assert!(error.reason.contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_threshold_is_about_something_that_the_plan_has() {
    let check = |plan: &str, text: &str| {
        let plan = Plan::built_in(plan, &[]).unwrap();
        let result = parse(text).unwrap().check(&plan);
        result.map_err(|error| error.to_string())
    };
    check("funnel", "p95(checkout)>1ms").unwrap();
    check("orders", "orders<1").unwrap();
    let error = check("funnel", "p95(chekout)>1ms").unwrap_err();
    assert!(
        error.contains("`chekout`") && error.contains("checkout, payment"),
        "{error}"
    );
    let error = check("funnel", "p95(visit)>1ms").unwrap_err();
    assert!(
        error.contains("no step"),
        "a step that sends nothing has no figures: {error}"
    );
    let error = check("orders", "payments<1").unwrap_err();
    assert!(
        error.contains("no step of the plan writes a payment"),
        "{error}"
    );
}
