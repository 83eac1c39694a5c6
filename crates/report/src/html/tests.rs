use super::*;
use crate::model::{
    AuditMissing, AuditStatus, CrossCheckStatus, FindingKind, GroupMemory, HeldBy, Incomparable,
    Severity, ShopLimits, Source, Throttling, TimeBasis,
};
use crate::{conclude, sample};

fn page_of(report: &ImprovementReport) -> String {
    let mut bytes = Vec::new();
    write(report, Language::English, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_page_shows_what_the_report_says() {
    let report = sample::report();
    let page = page_of(&report);
    for expected in [
        "✓ All judged targets met",
        "≥ 5,000 ms",
        "−99.9% or more",
        "100% (30 of 30)",
        "P95響應時間",
        "數據庫寫入是瓶頸",
        "? cannot compare",
        "double11 rehearse --quick --seed 11",
        "Levers: pool, indexes, random-id",
        "no-oversell",
    ] {
        assert!(page.contains(expected), "`{expected}` is not in the page");
    }
}

#[test]
fn limits_and_throttling_are_told_in_both_languages() {
    let mut report = sample::report();
    report.host.shop_limits = Some(ShopLimits {
        cpus: Some(0.5),
        memory_bytes: Some(512 << 20),
        held_by: HeldBy::CgroupV1,
    });
    for variant in &mut report.variants {
        variant.group_memory = Some(GroupMemory {
            peak_bytes: Some(300 << 20),
            oom_kills: 0,
        });
        for phase in &mut variant.phases {
            phase.throttling = Some(Throttling {
                periods: 300,
                throttled: 41,
                waited_s: 1.25,
            });
        }
    }
    conclude(&mut report);
    for (language, expected) in [
        (
            Language::English,
            [
                "0.5 CPU, 512 MiB of memory (cgroup v1)",
                "Not judged, because the shop was throttled in 41 of 300 periods.",
                "41/300",
                "1,250 ms",
                "at most 300 MiB of memory",
            ],
        ),
        (
            Language::TraditionalChinese,
            [
                "0.5 個 CPU、記憶體 512 MiB（cgroup v1）",
                "不判定，因為商店在 300 個週期中有 41 個受到 CPU 節流。",
                "41/300",
                "1,250 ms",
                "控制群組最多使用 300 MiB 記憶體",
            ],
        ),
    ] {
        let mut bytes = Vec::new();
        write(&report, language, &mut bytes).unwrap();
        let page = String::from_utf8(bytes).unwrap();
        for words in expected {
            assert!(page.contains(words), "`{words}` is not in the page");
        }
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["host"]["shop_limits"]["held_by"], "cgroup_v1");
    let read: ImprovementReport = serde_json::from_value(json).unwrap();
    assert_eq!(read, report);
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    let page = page_of(&sample::report());
    for forbidden in [
        " src=",
        "@import",
        "url(",
        "fetch(",
        "XMLHttpRequest",
        "<iframe",
        "<img",
    ] {
        assert!(!page.contains(forbidden), "the page has `{forbidden}`");
    }
    // The link of the empty icon is the only element that names a resource.
    assert_eq!(page.matches("<link").count(), 1);
}

#[test]
fn foreign_texts_cannot_leave_their_place() {
    let mut report = sample::report();
    let evil = "</script><script>alert(1)</script><b onclick=\"x\">&amp;";
    report.variants[0].name = evil.to_owned();
    report.variants[0].phases[1].name = evil.to_owned();
    report.variants[0].audit.as_mut().unwrap().checks[0].what = evil.to_owned();
    report.run.command = evil.to_owned();
    report.findings[0].what = FindingKind::Other {
        text: evil.to_owned(),
    };
    conclude(&mut report);
    let page = page_of(&report);
    assert!(!page.contains("<script>alert"));
    assert!(!page.contains("<b onclick"));
    assert_eq!(
        page.matches("</script").count(),
        3,
        "data, library and script, nothing else"
    );
}

#[test]
fn the_embedded_data_is_what_the_script_reads() {
    let page = page_of(&sample::report());
    let (_, rest) = page.split_once("id=\"report-data\">").unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    let data: serde_json::Value = serde_json::from_str(json).unwrap();
    for chart in data["charts"].as_array().unwrap() {
        let place = format!("id={}", chart["id"]);
        assert!(page.contains(&place), "no place for {place}");
    }
}

#[test]
fn bare_samples_promise_nothing_that_they_cannot_know() {
    let mut report = sample::report();
    report.method.source = Source::SampleFiles;
    report.method.time_basis = TimeBasis::ServiceTimeOnly;
    for variant in &mut report.variants {
        variant.audit = None;
        variant.audit_missing = Some(AuditMissing::NotFromSamples);
    }
    report.incomparable.push(Incomparable::DifferentSteps {
        baseline: vec!["search".to_owned()],
        optimised: Vec::new(),
    });
    conclude(&mut report);
    let page = page_of(&report);
    for expected in [
        "P95 service time",
        "Service time only: planned starts are unknown",
        "Not available: samples alone",
        "The two sides must not be compared",
        "only on one side: search; only on the other: –",
        "Cannot be judged",
        "P95 counts a failed row as slower than every other",
        "with failed requests counted, P95 is 4.61 ms",
    ] {
        assert!(page.contains(expected), "`{expected}` is not in the page");
    }
    for absent in [
        "P95響應時間",
        "Open model",
        "<th scope=\"row\">Seed</th>",
        "<li>Seed ",
        "<th scope=\"row\">Request time-out</th>",
        "<th scope=\"row\">Plan</th>",
        "an honest shop without sleeps",
        "only after its commit is durable",
        "its P95 response time was",
        "From the planned start to the last byte",
    ] {
        assert!(!page.contains(absent), "`{absent}` is in the page");
    }
}

#[test]
fn a_run_claims_no_check_that_was_not_made() {
    let cells = |report: &ImprovementReport| {
        let page = page_of(report);
        let (_, runs) = page.split_once("Every run, one by one</summary>").unwrap();
        let (runs, _) = runs.split_once("</details>").unwrap();
        (
            runs.matches("✓ agrees").count(),
            runs.matches("✓ fine").count(),
        )
    };
    let mut report = sample::full();
    assert_eq!(cells(&report), (12, 12));
    for run in &mut report.runs {
        run.cross_check_failed = None;
        run.generator_limited = None;
    }
    assert_eq!(cells(&report), (0, 0));
}

#[test]
fn too_few_pairs_explain_no_interval() {
    let explained = [
        "The unit of evidence is the run",
        "“Better” means",
        "class=\"forest\"",
    ];
    let mut report = sample::full();
    let page = page_of(&report);
    for words in explained {
        assert!(page.contains(words), "`{words}` is not in the page");
    }
    assert!(page.contains("optimized, median"));
    report.comparison.as_mut().unwrap().pairs = 1;
    let page = page_of(&report);
    for words in explained {
        assert!(!page.contains(words), "`{words}` is in the page");
    }
    assert!(!page.contains("optimized, median"));
}

#[test]
fn a_chinese_page_speaks_chinese() {
    let mut bytes = Vec::new();
    write(&sample::full(), Language::TraditionalChinese, &mut bytes).unwrap();
    let page = String::from_utf8(bytes).unwrap();
    for expected in [
        "<html lang=\"zh-Hant-TW\">",
        "✓ 已判定的目標全部達成",
        "✓ 勝出",
        "優化階梯",
        "未結案與已付款的訂單合計",
        "在模擬雙11峰值流量",
        "請求在進入處理程式之前平均等了 4,870 ms",
    ] {
        assert!(page.contains(expected), "`{expected}` is not in the page");
    }
    for english in [
        "Under the same load",
        "Chance alone",
        ">Verdict<",
        ">Audit<",
    ] {
        assert!(!page.contains(english), "`{english}` is in the page");
    }
}

#[test]
fn every_word_of_a_template_is_filled_in() {
    let page = page_of(&sample::report());
    let (body, _) = page.split_once("id=\"report-data\"").unwrap();
    let (_, body) = body.split_once("<body>").unwrap();
    assert!(
        !body.contains('{') && !body.contains('}'),
        "a placeholder is left"
    );
}

#[test]
fn failures_are_said_in_words() {
    let mut report = sample::report();
    report.findings[0].severity = Severity::Failure;
    let audit = report.variants[1].audit.as_mut().unwrap();
    audit.passed = false;
    audit.checks[0].status = AuditStatus::Failed;
    audit.checks[0]
        .findings
        .push("product 17 sold 101 of 100".to_owned());
    report.variants[1].cross_check.as_mut().unwrap().results[0].status = CrossCheckStatus::Differs;
    report.variants[1].generator.as_mut().unwrap().limited = true;
    conclude(&mut report);
    let page = page_of(&report);
    for expected in [
        "✗ Targets missed or checks failed",
        "✗ Failure",
        "optimized: 3 of 4 checks passed",
        "✗ failed",
        "product 17 sold 101 of 100",
        "✗ differs",
        "✗ yes",
        "The audit failed, so none of this counts.",
    ] {
        assert!(page.contains(expected), "`{expected}` is not in the page");
    }
}

#[test]
fn what_was_not_measured_is_left_out_or_said() {
    let mut report = sample::report();
    report.findings.clear();
    report.warnings.clear();
    report.method.files.clear();
    for variant in &mut report.variants {
        variant.seconds.clear();
        variant.heatmap = None;
        variant.funnel.clear();
        variant.steps.clear();
        variant.audit = None;
        variant.cross_check = None;
        variant.generator = None;
        for phase in &mut variant.phases {
            phase.cpu_share = None;
            phase.orders_per_second = None;
        }
    }
    conclude(&mut report);
    let page = page_of(&report);
    for expected in [
        "No audit was made for baseline.",
        "No cross-check was made for optimized.",
        "health was not recorded",
        "Nothing beside the table",
        "Not measured in this rehearsal.",
    ] {
        assert!(page.contains(expected), "`{expected}` is not in the page");
    }
    for absent in [
        "id=\"throughput\"",
        "id=\"heatmap\"",
        "id=\"funnel\"",
        "class=\"chart\"",
    ] {
        assert!(!page.contains(absent), "`{absent}` is in the page");
    }
}
