//! Thresholds against runs whose figures are known.

use std::time::Duration;

use double11_load::threshold::Threshold;

use crate::support::*;

#[test]
fn thresholds_are_judged_by_what_was_measured() {
    // One order in ten fails, at once; the others take at least 20 ms.
    let server = Server::start(|request| match request.number % 10 {
        0 => Reply::Status(500, String::new()),
        1 => Reply::Status(409, r#"{"code":"sold_out"}"#.to_owned()),
        _ => Reply::After(
            Duration::from_millis(20),
            201,
            r#"{"order_id":1,"total":9.90}"#.to_owned(),
        ),
    });
    let plan = plan(POST);
    let mut warm_up = phase("warm_up", 0.5, 20.0);
    warm_up.measured = false;
    // What the warm-up began is over before anything counts.
    let mut pause = phase("pause", 0.5, 0.0);
    pause.measured = false;
    let phases = vec![
        warm_up,
        pause,
        phase("measured", 2.0, 100.0),
        phase("rest", 1.0, 0.0),
    ];
    let options = options(plan.clone(), server.target(), phases);
    let outcome = run(&options);
    let whole = &outcome.summary.whole;
    assert_eq!((whole.total.attempted, whole.total.failed), (200, 20));
    for (text, violated, figure) in [
        // The median is that of a slow order; the slowest tenth counts as the time-out of 5 s.
        ("p50>15ms", true, None),
        ("p50(order)>1s", false, None),
        ("p95>1s", true, None),
        ("p95<4900ms", false, None),
        ("max<5s", false, None),
        ("mean>400ms", true, None),
        ("error_rate>1%", true, Some("10.000 %")),
        ("error_rate(order)>10%", false, Some("10.000 %")),
        ("error_rate>=10%", true, Some("10.000 %")),
        ("availability<99.9%", true, Some("0.000 %")),
        ("tps<50", false, Some("60.0/s")),
        ("orders<58/s", true, Some("53.3/s")),
        ("attempted>200", false, Some("200")),
        ("failed>19", true, Some("20")),
        ("dropped>0", false, Some("0")),
        ("late(order)>1000", false, None),
    ] {
        let threshold: Threshold = text.parse().unwrap();
        threshold.check(&plan).unwrap();
        let judgement = threshold.judge(&outcome);
        assert_eq!(judgement.violated, Some(violated), "{text}: {judgement:?}");
        if let Some(figure) = figure {
            assert_eq!(judgement.figure.as_deref(), Some(figure), "{text}");
        }
    }
}

#[test]
fn a_run_without_samples_has_no_figure_to_judge() {
    let server = Server::start(|_| Reply::Status(200, String::new()));
    let plan = plan(GET);
    let options = options(plan.clone(), server.target(), vec![phase("only", 0.2, 0.0)]);
    let outcome = run(&options);
    for text in ["p95>50ms", "error_rate>1%", "availability<99%"] {
        let judgement = text.parse::<Threshold>().unwrap().judge(&outcome);
        assert_eq!(
            (judgement.figure, judgement.violated),
            (None, None),
            "{text}"
        );
    }
    let nothing = "attempted<1".parse::<Threshold>().unwrap();
    assert_eq!(nothing.judge(&outcome).violated, Some(true));
}
