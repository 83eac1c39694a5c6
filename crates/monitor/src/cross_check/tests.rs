use std::collections::BTreeMap;

use double11_measure::sample::{Failure, Outcome};

use super::*;

mod scenario;

use scenario::Scenario;

/// Verdicts by name and phase.
fn verdicts(result: &CrossCheck) -> BTreeMap<(&str, &str), &Verdict> {
    result
        .checks
        .iter()
        .map(|check| {
            (
                (check.name.as_str(), check.phase.as_deref().unwrap_or("run")),
                &check.verdict,
            )
        })
        .collect()
}

fn find<'a>(result: &'a CrossCheck, name: &str, phase: Option<&str>) -> &'a CheckResult {
    result
        .checks
        .iter()
        .find(|check| check.name == name && check.phase.as_deref() == phase)
        .unwrap_or_else(|| panic!("no {name} in {result:#?}"))
}

const BROWSE: &str = "requests GET /api/products/random";
const P95: &str = "P95 of service time";

#[test]
fn an_honest_run_agrees_in_every_check() {
    let result = Scenario::honest().check();
    assert_eq!(result.overall, Overall::Agrees, "{result:#?}");
    let names: Vec<(&str, &str)> = verdicts(&result).into_keys().collect();
    let expected = [
        (P95, "normal"),
        (P95, "peak"),
        ("orders placed", "run"),
        ("payments captured", "run"),
        (BROWSE, "run"),
        ("requests POST /api/orders", "run"),
        ("requests POST /api/payments", "run"),
        ("throughput", "normal"),
        ("throughput", "peak"),
    ];
    assert_eq!(names, expected);
    let browse = find(&result, BROWSE, None);
    let figures = [browse.client, browse.shop, browse.difference, browse.limit];
    assert_eq!(figures, [2_400.0, 2_400.0, 0.0, 0.0].map(Some));
    let p95 = find(&result, P95, Some("normal"));
    let detail = p95.service_time.unwrap();
    assert_eq!(
        detail.bucket_error_ms,
        Some(15.0),
        "20 ms lies in the bucket 10..25 ms"
    );
    assert!((detail.client_mean_ms - 6.6).abs() < 0.1, "{detail:?}");
    assert!((detail.shop_mean_ms - 5.6).abs() < 0.1, "{detail:?}");
    assert!(
        (p95.limit.unwrap() - 18.0).abs() < 0.1,
        "bucket 15, overhead 2, outside handler 1"
    );
}

#[test]
fn a_planted_miscount_of_ten_per_cent_is_caught() {
    let mut scenario = Scenario::honest();
    for request in scenario.requests.iter_mut().skip(7).step_by(10) {
        request.handler = None;
    }
    let result = scenario.check();
    assert_eq!(result.overall, Overall::Differs);
    let browse = find(&result, BROWSE, None);
    assert_eq!(browse.verdict, Verdict::Differs);
    assert_eq!((browse.client, browse.shop), (Some(2_400.0), Some(2_000.0)));
    for phase in ["normal", "peak"] {
        let throughput = find(&result, "throughput", Some(phase));
        assert_eq!(throughput.verdict, Verdict::Differs, "{throughput:?}");
        let share = throughput.shop.unwrap() / throughput.client.unwrap();
        assert!((share - 0.9).abs() < 0.01, "{share}");
    }
}

#[test]
fn four_per_cent_are_within_the_throughput_but_not_within_the_counts() {
    let mut scenario = Scenario::honest();
    for request in scenario.requests.iter_mut().step_by(25) {
        request.handler = None;
    }
    let result = scenario.check();
    assert_eq!(
        find(&result, "throughput", Some("peak")).verdict,
        Verdict::Agrees
    );
    assert_eq!(find(&result, BROWSE, None).verdict, Verdict::Differs);
}

#[test]
fn a_count_too_many_differs() {
    let mut scenario = Scenario::honest();
    // The client says that it never sent a request that the shop counted.
    scenario.requests[0].outcome = Outcome::Failed(Failure::Dropped);
    let browse = scenario.check();
    assert_eq!(find(&browse, BROWSE, None).difference, Some(1.0));
    assert_eq!(find(&browse, BROWSE, None).verdict, Verdict::Differs);
}

#[test]
fn requests_that_were_never_sent_are_not_expected() {
    let mut scenario = Scenario::honest();
    for (index, failure) in [(0, Failure::Dropped), (5, Failure::Connect)] {
        scenario.requests[index].outcome = Outcome::Failed(failure);
        scenario.requests[index].handler = None;
    }
    let result = scenario.check();
    assert_eq!(find(&result, BROWSE, None).client, Some(2_398.0));
    assert_eq!(result.overall, Overall::Agrees, "{result:#?}");
}

#[test]
fn answers_of_any_status_are_counted_and_known() {
    let mut scenario = Scenario::honest();
    scenario.requests[0].outcome = Outcome::Failed(Failure::Status);
    scenario.requests[5].outcome = Outcome::Failed(Failure::Extraction);
    scenario.requests[10].outcome = Outcome::ExpectedRefusal;
    let result = scenario.check();
    assert_eq!(find(&result, BROWSE, None).limit, Some(0.0));
    assert_eq!(result.overall, Overall::Agrees);
}

#[test]
fn unknown_outcomes_widen_the_limit_and_no_further() {
    let mut scenario = Scenario::honest();
    for index in [0, 5, 10, 15] {
        scenario.requests[index].outcome = Outcome::Failed(Failure::TimeOut);
    }
    let seen_by_the_shop = scenario.check();
    assert_eq!(find(&seen_by_the_shop, BROWSE, None).limit, Some(4.0));
    assert_eq!(
        find(&seen_by_the_shop, BROWSE, None).verdict,
        Verdict::Agrees
    );
    for index in [0, 5, 10, 15] {
        scenario.requests[index].handler = None;
    }
    let not_seen = scenario.check();
    assert_eq!(find(&not_seen, BROWSE, None).difference, Some(-4.0));
    assert_eq!(find(&not_seen, BROWSE, None).verdict, Verdict::Agrees);
    scenario.requests[20].handler = None;
    let one_more = scenario.check();
    assert_eq!(find(&one_more, BROWSE, None).verdict, Verdict::Differs);
}

#[test]
fn orders_and_payments_by_hand() {
    let check = |change: fn(&mut Scenario), orders: Verdict, payments: Verdict| {
        let mut scenario = Scenario::honest();
        change(&mut scenario);
        let result = scenario.check();
        assert_eq!(find(&result, "orders placed", None).verdict, orders);
        assert_eq!(find(&result, "payments captured", None).verdict, payments);
    };
    let (agrees, differs) = (Verdict::Agrees, Verdict::Differs);
    check(|_| (), agrees.clone(), agrees.clone());
    check(
        |run| run.orders_counted = 799,
        differs.clone(),
        agrees.clone(),
    );
    check(
        |run| run.orders_counted = 801,
        differs.clone(),
        agrees.clone(),
    );
    check(
        |run| run.payments_counted = 799,
        agrees.clone(),
        differs.clone(),
    );
    // A replayed answer is an acknowledgement as well.
    check(
        |run| {
            run.orders_counted = 790;
            run.replays_counted = Some(10);
        },
        agrees.clone(),
        agrees.clone(),
    );
    check(
        |run| run.replays_counted = None,
        agrees.clone(),
        agrees.clone(),
    );
    // An order of unknown outcome may have been placed or not; an acknowledged one was placed.
    let unknown = |run: &mut Scenario| run.writes.orders_unknown = 2;
    check(unknown, agrees.clone(), agrees.clone());
    check(
        |run| {
            run.writes.orders_unknown = 2;
            run.orders_counted = 802;
        },
        agrees.clone(),
        agrees.clone(),
    );
    check(
        |run| {
            run.writes.orders_unknown = 2;
            run.orders_counted = 803;
        },
        differs.clone(),
        agrees.clone(),
    );
    check(
        |run| {
            run.writes.orders_unknown = 2;
            run.orders_counted = 799;
        },
        differs,
        agrees,
    );
}

#[test]
fn a_gap_in_the_scrapes_leaves_its_phase_unjudged() {
    let mut scenario = Scenario::honest();
    scenario
        .scrapes_ms
        .retain(|at| !(6_000..20_500).contains(at));
    let result = scenario.check();
    let too_few = Verdict::CannotCompare(Reason::ScrapesTooFew {
        spanned_s: 0.0,
        needed_s: 5.0,
    });
    for name in ["throughput", P95] {
        assert_eq!(find(&result, name, Some("normal")).verdict, too_few);
        assert_eq!(find(&result, name, Some("peak")).verdict, Verdict::Agrees);
    }
    assert_eq!(find(&result, BROWSE, None).verdict, Verdict::Agrees);
    assert_eq!(result.overall, Overall::CannotJudge);
    // A gap that leaves enough of the phase does no harm.
    let mut scenario = Scenario::honest();
    scenario.scrapes_ms.retain(|at| *at != 10_001);
    assert_eq!(scenario.check().overall, Overall::Agrees);
}

#[test]
fn counts_need_a_scrape_before_and_after() {
    let check = |kept: fn(&i64) -> bool, reason: Reason| {
        let mut scenario = Scenario::honest();
        scenario.scrapes_ms.retain(kept);
        let result = scenario.check();
        let expected = Verdict::CannotCompare(reason);
        for name in [BROWSE, "orders placed", "payments captured"] {
            assert_eq!(find(&result, name, None).verdict, expected);
        }
        assert_eq!(
            find(&result, BROWSE, None).client,
            Some(2_400.0),
            "the client's side is told"
        );
        assert_eq!(
            find(&result, "throughput", Some("normal")).verdict,
            Verdict::Agrees
        );
    };
    check(|at| *at > 0, Reason::NoScrapeBefore);
    check(|at| *at < 39_000, Reason::NoScrapeAfter);
}

#[test]
fn a_run_without_a_start_time_cannot_be_compared() {
    let mut scenario = Scenario::honest();
    scenario.start_unix_ms = None;
    let result = scenario.check();
    let expected = Verdict::CannotCompare(Reason::NoStartTime);
    assert!(
        verdicts(&result)
            .values()
            .all(|verdict| **verdict == expected),
        "{result:#?}"
    );
    assert_eq!(result.overall, Overall::CannotJudge);
}

#[test]
fn a_restarted_target_is_not_judged() {
    let mut scenario = Scenario::honest();
    scenario.restart_ms = Some(12_000);
    let result = scenario.check();
    let restarted = Verdict::CannotCompare(Reason::TargetRestarted);
    for (key, verdict) in verdicts(&result) {
        let expected = if key.1 == "peak" {
            &Verdict::Agrees
        } else {
            &restarted
        };
        assert_eq!(verdict, expected, "{key:?}");
    }
    // Where the target does not tell its start, the counters do.
    scenario.tells_process_start = false;
    let result = scenario.check();
    let reset = Verdict::CannotCompare(Reason::CounterReset {
        series: format!("{REQUEST_DURATION}_count"),
    });
    assert_eq!(*verdicts(&result)[&(BROWSE, "run")], reset);
    assert_eq!(*verdicts(&result)[&("throughput", "normal")], reset);
    assert_eq!(result.overall, Overall::CannotJudge);
}

#[test]
fn a_target_that_tells_half_the_time_is_caught() {
    let mut scenario = Scenario::honest();
    for request in &mut scenario.requests {
        request.service = Duration::from_millis(101);
        request.handler = Some(Duration::from_millis(24));
    }
    let result = scenario.check();
    let p95 = find(&result, P95, Some("normal"));
    // Bucket 10..25 ms, stated overhead 2 ms, 77 ms outside the handler on the average: 94 ms.
    assert_eq!(p95.verdict, Verdict::Agrees, "{p95:?}");
    // The tail tells more than the mean: every tenth request waits 300 ms that the shop conceals.
    for request in scenario.requests.iter_mut().step_by(10) {
        request.service = Duration::from_millis(300);
    }
    let result = scenario.check();
    let p95 = find(&result, P95, Some("normal"));
    assert_eq!(p95.verdict, Verdict::Differs, "{p95:?}");
    assert_eq!(p95.limit, Some(100.0));
}

#[test]
fn a_wait_before_the_handler_is_not_a_difference() {
    let mut scenario = Scenario::honest();
    for request in scenario
        .requests
        .iter_mut()
        .filter(|request| request.planned_ms >= 20_000)
    {
        request.service = Duration::from_millis(304);
        request.handler = Some(Duration::from_millis(4));
    }
    let result = scenario.check();
    let peak = find(&result, P95, Some("peak"));
    let Verdict::CannotCompare(Reason::WaitedBeforeHandler {
        waited_before_handler_ms,
    }) = peak.verdict
    else {
        panic!("{peak:#?}")
    };
    assert!(
        (waited_before_handler_ms - 300.0).abs() < 1.0,
        "{waited_before_handler_ms}"
    );
    assert!(peak.client.is_some() && peak.shop.is_some());
    assert_eq!(
        peak.verdict.to_string(),
        "cannot compare, waited before the handler: 300 ms"
    );
    assert_eq!(find(&result, P95, Some("normal")).verdict, Verdict::Agrees);
    assert_eq!(result.overall, Overall::CannotJudge);
}

#[test]
fn a_shorter_wait_is_excused_only_in_an_overloaded_phase() {
    let mut scenario = Scenario::honest();
    let peak = scenario
        .requests
        .iter_mut()
        .filter(|request| request.planned_ms >= 20_000);
    for (index, request) in peak.enumerate() {
        request.handler = Some(Duration::from_millis(4));
        request.service = Duration::from_millis(if index % 10 == 0 { 400 } else { 5 });
    }
    let result = scenario.check();
    assert_eq!(find(&result, P95, Some("peak")).verdict, Verdict::Differs);
    for request in scenario.requests.iter_mut().skip(2_000).step_by(50) {
        request.outcome = Outcome::Failed(Failure::Status);
    }
    let result = scenario.check();
    let peak = find(&result, P95, Some("peak"));
    let waited = |verdict: &Verdict| {
        matches!(
            verdict,
            Verdict::CannotCompare(Reason::WaitedBeforeHandler { .. })
        )
    };
    assert!(waited(&peak.verdict), "{peak:?}");
}

#[test]
fn a_p95_beyond_the_buckets_cannot_be_compared() {
    let mut scenario = Scenario::honest();
    for request in &mut scenario.requests {
        request.service = Duration::from_millis(6_001);
        request.handler = Some(Duration::from_secs(6));
    }
    scenario.scrapes_ms.push(50_000);
    let result = scenario.check();
    let beyond = Verdict::CannotCompare(Reason::BeyondBuckets {
        highest_bound_ms: 5_000.0,
    });
    assert_eq!(find(&result, P95, Some("peak")).verdict, beyond);
}

/// Regression: between 3 s and 5 s the target's buckets are 2 s wide, and a difference of 187 ms was
/// called a miscount.
#[test]
fn a_difference_within_a_bucket_wider_than_the_tolerance_is_not_judged() {
    let mut scenario = Scenario::honest();
    for request in &mut scenario.requests {
        request.service = Duration::from_millis(3_084);
        request.handler = Some(Duration::from_millis(3_083));
    }
    scenario.scrapes_ms.push(50_000);
    let result = scenario.check();
    let check = find(&result, P95, Some("peak"));
    let too_wide = Verdict::CannotCompare(Reason::BucketTooWide {
        bucket_error_ms: 2_000.0,
    });
    assert_eq!(check.verdict, too_wide, "{check:?}");
    assert!(
        check
            .difference
            .is_some_and(|difference| difference > 100.0),
        "{check:?}"
    );
}

#[test]
fn a_step_without_an_endpoint_is_told() {
    let mut scenario = Scenario::honest();
    scenario
        .endpoints
        .retain(|endpoint| endpoint.step != "payment");
    let result = scenario.check();
    let check = find(&result, "requests of step payment", None);
    let reason = Reason::StepWithoutEndpoint {
        step: "payment".to_owned(),
    };
    assert_eq!(check.verdict, Verdict::CannotCompare(reason));
    assert_eq!(check.client, Some(800.0));
    assert_eq!(
        find(&result, "throughput", Some("peak")).verdict,
        Verdict::Agrees
    );
}

#[test]
fn steps_that_share_an_endpoint_are_counted_together() {
    let mut scenario = Scenario::honest();
    for request in &mut scenario.requests {
        if request.step == 2 {
            request.step = 1;
        }
    }
    // The plan calls it a step of its own, and it asks the same endpoint.
    scenario.endpoints[2] = StepEndpoint {
        step: "payment".to_owned(),
        ..scenario.endpoints[1].clone()
    };
    let result = scenario.check();
    assert_eq!(
        find(&result, "requests POST /api/orders", None).client,
        Some(1_600.0)
    );
    assert_eq!(result.overall, Overall::Agrees, "{result:#?}");
}

#[test]
fn too_few_requests_are_not_judged() {
    let mut scenario = Scenario::honest();
    scenario
        .requests
        .retain(|request| request.planned_ms < 20_000 || request.planned_ms % 400 == 0);
    let result = scenario.check();
    for name in ["throughput", P95] {
        let check = find(&result, name, Some("peak"));
        let few = matches!(
            check.verdict,
            Verdict::CannotCompare(Reason::RequestsTooFew { .. })
        );
        assert!(few, "{check:?}");
    }
    assert_eq!(find(&result, BROWSE, None).verdict, Verdict::Agrees);
}

#[test]
fn nothing_to_check_is_not_agreement() {
    assert_eq!(CrossCheck::new(Vec::new()).overall, Overall::CannotJudge);
}

#[test]
fn the_result_survives_its_file() {
    let mut scenario = Scenario::honest();
    scenario.restart_ms = Some(12_000);
    scenario.orders_counted = 1;
    let result = scenario.check();
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["overall"], "cannot_judge");
    let browse = &json["checks"][0];
    assert_eq!(browse["kind"], "requests");
    assert_eq!(browse["verdict"]["cannot_compare"], "target_restarted");
    assert_eq!(serde_json::from_value::<CrossCheck>(json).unwrap(), result);
}
