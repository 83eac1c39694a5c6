//! The view as it is drawn, character by character.

use super::*;

fn check(actual: &[Line], expected: &str) {
    assert_eq!(text(actual), expected.trim_matches('\n'));
}

#[test]
fn a_wide_terminal_shows_everything() {
    let expected = "
 double11 load funnel                                                                127.0.0.1:8080
 steady      ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╸────────────────────────────── 0:31 / 1:00  0:29 left
 TPS               998  of 1,000 offered           ▂▃▄▄▅▆▇████████████████████████    max 998
 P95           4.21 ms  P50 1.30 ms  P99 9.80 ms    ▃▃▃▃▃▃▃█▃▃▃▃▃▃▃▃▃█▃▃▃▃▃▃▃▃▃█▃▃    max 12.4 ms
 errors            0 %  0 failed · 0 dropped · 2 late · 17 refused · of 29,964
 in flight          12  34 connections · generator 31 % busy

 visits         10,832  █████████████████████████████████████████████████████
 browse          9,207  █████████████████████████████████████████████          85 %
 search          6,499  ███████████████████████████████▊                       60 %
 view_detail     4,874  ███████████████████████▉                               45 %
 add_cart        4,874  ███████████████████████▉                               45 %
 checkout        2,599  ████████████▊                                          24 %
 payment         1,949  █████████▌                                             18 %
";
    check(&drawn(&snapshot(), (100, 30), true), expected);
}

#[test]
fn a_terminal_without_unicode_gets_ascii() {
    let expected = "
 double11 load funnel                                            127.0.0.1:8080
 steady      =====================>--------------------- 0:31 / 1:00  0:29 left
 TPS               998  of 1,000 offered           -=+*########################
 P95           4.21 ms  P50 1.30 ms  P99 9.80 ms   :::::#:::::::::#:::::::::#::
 errors            0 %  0 failed - 0 dropped - 2 late - 17 refused - of 29,964
 in flight          12  34 connections - generator 31 % busy

 visits         10,832  #################################
 browse          9,207  ############################       85 %
 search          6,499  ####################               60 %
 view_detail     4,874  ###############                    45 %
 add_cart        4,874  ###############                    45 %
 checkout        2,599  ########                           24 %
 payment         1,949  ######                             18 %
";
    check(&drawn(&snapshot(), (80, 24), false), expected);
}

#[test]
fn a_narrow_terminal_gets_the_short_form() {
    let expected = "
 double11 load funnel        127.0.0.1:8080
 steady      ━━━━━━━━╸───────── 0:31 / 1:00
 TPS               998  ███████████████████
 offered         1,000
 P95           4.21 ms  ▃▃▃▃▃▃█▃▃▃▃▃▃▃▃▃█▃▃
 P50           1.30 ms
 P99           9.80 ms
 errors            0 %  0 failed
 in flight          12  34 connections

 visits         10,832  █████████████
 browse          9,207  ███████████    85 %
 search          6,499  ███████▊       60 %
 view_detail     4,874  █████▉         45 %
 add_cart        4,874  █████▉         45 %
 checkout        2,599  ███▏           24 %
 payment         1,949  ██▍            18 %
";
    check(&drawn(&snapshot(), (44, 24), true), expected);
}

#[test]
fn a_low_terminal_keeps_what_matters_most() {
    let expected = "
 double11 load funnel                        127.0.0.1:8080
 steady      ━━━━━━━━━━━╸─────────── 0:31 / 1:00  0:29 left
 TPS               998  of 1,000      █████████████████████
 P95           4.21 ms  P99 9.80 ms   ▃▃▃▃▃▃▃▃█▃▃▃▃▃▃▃▃▃█▃▃
 errors            0 %  0 failed · 0 dropped · 2 late
 in flight          12  34 connections
 payment         1,949  █████▎                         18 %
";
    check(&drawn(&snapshot(), (60, 8), true), expected);
    let expected = "steady 0:31/1:00  998 of 1,000 TPS  P";
    check(&drawn(&snapshot(), (38, 24), true), expected);
    check(&drawn(&snapshot(), (38, 3), true), expected);
}

#[test]
fn failures_and_a_generator_at_its_limit_are_marked() {
    let mut bad = snapshot();
    bad.progress.failed_last_seconds = 1_250;
    (bad.progress.failed, bad.progress.dropped) = (3_810, 12);
    bad.visits.steps[3].failed = 3_810;
    let latest = bad.generator.latest.as_mut().unwrap();
    (latest.worker_share, latest.lag_p99_ms) = (0.93, Some(14.2));
    bad.generator.seconds_over_limit = 3;
    let expected = "
 double11 load funnel                                            127.0.0.1:8080
 steady      ━━━━━━━━━━━━━━━━━━━━━╸───────────────────── 0:31 / 1:00  0:29 left
 TPS               998  of 1,000 offered           ▄▅▆▇████████████████████████
 P95           4.21 ms  P50 1.30 ms  P99 9.80 ms   ▃▃▃▃▃█▃▃▃▃▃▃▃▃▃█▃▃▃▃▃▃▃▃▃█▃▃
 errors         25.0 %  3,810 failed · 12 dropped · 2 late · 17 refused
 in flight          12  34 connections · generator 31 % busy
 ! generator at its limit, 3 s so far: 93 % busy, 14 ms behind

 visits         10,832  █████████████████████████████████
 browse          9,207  ████████████████████████████       85 %
 search          6,499  ███████████████████▊               60 %
 view_detail     4,874  ██████████████▉                    45 %
 add_cart        4,874  ██████████████▉                    45 %  3,810 failed
 checkout        2,599  ███████▉                           24 %
 payment         1,949  ██████                             18 %
";
    check(&drawn(&bad, (80, 24), true), expected);
    bad.generator.latest.as_mut().unwrap().worker_share = 0.3;
    bad.generator.latest.as_mut().unwrap().lag_p99_ms = None;
    let after = text(&drawn(&bad, (80, 24), true));
    assert!(
        after.contains("\n ! generator was at its limit for 3 s\n"),
        "{after}"
    );
}

#[test]
fn what_is_done_without_traffic_is_said() {
    let history = history();
    let snapshot = snapshot();
    let mut picture = Picture {
        title: "double11 rehearse --quick",
        stage: "run 2 of 2: optimized",
        whole: Some((Duration::from_secs(70), Duration::from_secs(140))),
        busy: Some(("starting with a fresh store", Duration::from_secs(3))),
        snapshot: None,
        history: &history,
    };
    let size = Size {
        columns: 80,
        rows: 24,
    };
    let expected = "
 double11 rehearse --quick       run 2 of 2: optimized · about 1:10 left in all
 starting with a fresh store  0:03
";
    check(&picture.lines(size, Symbols::of(true)), expected);
    picture.snapshot = Some((&snapshot, Duration::ZERO));
    picture.busy = Some(("settling", Duration::from_secs(1)));
    let lines = picture.lines(size, Symbols::of(true));
    assert_eq!(lines[1].text(false), " settling  0:01");
    assert_eq!(lines.len(), 14);
    picture.busy = None;
    picture.snapshot = Some((&snapshot, Duration::from_secs(90)));
    let lines = picture.lines(size, Symbols::of(true));
    assert!(lines[1].text(false).ends_with(" 1:00 / 1:00  0:00 left"));
}

#[test]
fn a_long_funnel_says_what_it_leaves_out() {
    let mut long = snapshot();
    let step = long.visits.steps[0].clone();
    long.visits.steps = vec![step; 20];
    let lines = drawn(&long, (80, 40), true);
    assert!(
        text(&lines).ends_with("\n and 12 more steps"),
        "{}",
        text(&lines)
    );
    assert_eq!(lines.len(), 17);
}
