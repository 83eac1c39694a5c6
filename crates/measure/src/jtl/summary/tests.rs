use std::collections::BTreeMap;
use std::io::{BufReader, Read as _};
use std::time::Duration;

use super::*;
use crate::histogram::LatencyHistogram;
use crate::jtl::{HEADER, Row, write_row};
use crate::run::{Quantiles, SecondStep};

mod properties;

const BASE_MS: i64 = 1_700_000_000_000;
const SHORT: &str = "timeStamp,elapsed,label,success\n";

fn summarized(file: &[u8]) -> JtlSummary {
    // A tiny buffer, so that records are cut anywhere.
    summarize(BufReader::with_capacity(7, file), Limits::default()).unwrap()
}

fn refused(file: &[u8]) -> String {
    summarize(file, Limits::default()).unwrap_err().to_string()
}

fn row<'a>(start_ms: i64, elapsed_ms: u64, label: &'a str, code: &'a str) -> Row<'a> {
    Row {
        time_stamp_ms: BASE_MS + start_ms,
        elapsed_ms,
        label,
        response_code: code,
        response_message: "OK",
        thread_name: "Thread Group 1-1",
        data_type: "text",
        success: code == "200",
        bytes: 100,
        sent_bytes: 50,
        group_threads: 1,
        all_threads: 1,
        url: "http://127.0.0.1/x",
        latency_ms: elapsed_ms / 2,
        ..Row::default()
    }
}

fn file_of(rows: &[Row<'_>]) -> Vec<u8> {
    let mut file = format!("{HEADER}\n").into_bytes();
    for row in rows {
        write_row(&mut file, row);
    }
    file
}

#[test]
fn a_file_becomes_the_figures_of_a_run() {
    let no_connection = "Non HTTP response code: java.net.ConnectException";
    let file = file_of(&[
        row(2500, 40, "browse", "200"),
        // Rows are sorted by their end, so starts go back and forth.
        row(0, 3000, "browse", "200"),
        row(100, 20, "order", "503"),
        row(3000, 10, "order", no_connection),
        row(3000, 1000, "order", "200"),
    ]);
    let JtlSummary {
        summary,
        time_series,
        window_seconds,
        first_start_unix_ms,
        last_end_unix_ms,
        time_stamps,
        rows,
        controllers,
        warnings,
    } = summarized(&file);
    assert_eq!((window_seconds, rows), (1, 5));
    assert_eq!(first_start_unix_ms, Some(BASE_MS));
    assert_eq!(last_end_unix_ms, Some(BASE_MS + 4000));
    assert_eq!(time_stamps, TimeStamps::Unix);
    assert_eq!((controllers, warnings), (vec![], vec![]));

    let total = &summary.whole.total;
    assert_eq!((total.attempted, total.succeeded, total.failed), (5, 3, 2));
    assert_eq!(total.throughput_per_second, Some(0.75));
    assert_eq!(total.error_rate, Some(0.4));
    assert_eq!(total.response_time, Quantiles::default());
    assert_eq!(total.service_time.count, 5);
    // Four were answered; a connection that was never made has no first byte.
    assert_eq!(total.time_to_first_byte.count, 4);
    let failures = BTreeMap::from([("503".to_owned(), 1), (no_connection.to_owned(), 1)]);
    assert_eq!(total.failures, failures);
    let [browse, order] = summary.whole.steps.as_slice() else {
        panic!("two labels")
    };
    assert_eq!((browse.step.as_str(), browse.attempted), ("browse", 2));
    assert_eq!(browse.service_time.p50_ms, Some(40.031));
    assert!(!browse.verdict_p95_is_lower_bound);
    assert_eq!(browse.verdict_p95_ms, browse.service_time.max_ms);
    // Two of three failed: the P95 lies among them, and is at least the longest time seen.
    assert_eq!((order.step.as_str(), order.failed), ("order", 2));
    assert!(order.verdict_p95_is_lower_bound);
    assert_eq!(order.verdict_p95_ms, order.service_time.max_ms);

    assert_eq!(time_series.start_unix_ms, Some(BASE_MS));
    assert_eq!(time_series.steps, ["browse", "order"]);
    let completed: Vec<(u32, u64, u64)> = time_series
        .seconds
        .iter()
        .map(|second| {
            let sum = |of: fn(&SecondStep) -> u64| second.steps.iter().map(of).sum();
            (
                second.second,
                sum(|step| step.attempted),
                sum(|step| step.completed),
            )
        })
        .collect();
    assert_eq!(completed, [(0, 2, 1), (2, 1, 1), (3, 2, 1), (4, 0, 1)]);
}

#[test]
fn the_verdict_leaves_failures_out_however_long_they_took() {
    let check = |succeeded: u64, failed: u64, expected: Option<u64>| {
        // The failed are faster than the fastest and slower than the slowest success.
        let mut rows: Vec<Row<'_>> = (1..=succeeded)
            .map(|elapsed| row(0, 10 + elapsed, "a", "200"))
            .collect();
        rows.extend((0..failed).map(|index| row(0, (index % 2) * 5000 + 1, "a", "500")));
        let total = summarized(&file_of(&rows)).summary.whole.total;
        let mut histogram = LatencyHistogram::new();
        if let Some(expected) = expected {
            histogram.record(Duration::from_millis(expected));
            assert_eq!(total.verdict_p95_ms, Quantiles::from(&histogram).p50_ms);
        } else {
            assert_eq!(total.verdict_p95_ms, total.service_time.max_ms);
        }
        assert_eq!(total.verdict_p95_is_lower_bound, expected.is_none());
    };
    check(100, 0, Some(105));
    // The 95th of 100 by nearest rank is the last success.
    check(95, 5, Some(105));
    check(94, 6, None);
    check(0, 2, None);
}

#[test]
fn rows_of_controllers_are_counted_apart() {
    let message = "Number of samples in transaction : 2, number of failing samples : 0";
    let controller = Row {
        response_message: message,
        url: "null",
        ..row(0, 70, "browse", "200")
    };
    let longer = Row {
        time_stamp_ms: BASE_MS - 5_000,
        elapsed_ms: 9_000,
        ..controller
    };
    let file = file_of(&[
        row(0, 30, "browse", "200"),
        row(30, 40, "browse", "200"),
        longer,
    ]);
    let summary = summarized(&file);
    assert_eq!(summary.rows, 3);
    assert_eq!(summary.first_start_unix_ms, Some(BASE_MS));
    assert_eq!(summary.last_end_unix_ms, Some(BASE_MS + 70));
    assert_eq!(summary.time_series.start_unix_ms, Some(BASE_MS));
    assert_eq!(summary.time_series.seconds[0].second, 0);
    assert_eq!(summary.summary.whole.total.attempted, 2);
    assert_eq!(summary.summary.whole.availability.total, 1);
    assert_eq!(summary.controllers.len(), 1);
    assert_eq!(summary.controllers[0].attempted, 1);
    assert_eq!(summary.controllers[0].service_time.count, 1);
    assert_eq!(summary.time_series.steps, ["browse"]);
    assert_eq!(summary.warnings, []);

    // A page that says so has an address, and is none.
    let page = Row {
        response_message: message,
        ..row(0, 70, "browse", "200")
    };
    assert_eq!(summarized(&file_of(&[page])).controllers, []);

    let only = summarized(&file_of(&[controller, controller]));
    assert_eq!(only.warnings, [Warning::ControllersOnly]);
    assert_eq!(only.summary.whole.total.attempted, 2);
    assert_eq!(only.summary.whole.availability.total, 1);
    assert_eq!(only.controllers, []);
    assert_eq!(only.time_series.seconds[0].steps[0].attempted, 2);
}

#[test]
fn a_header_alone_is_a_file_without_rows() {
    for file in [SHORT, HEADER, "timeStamp,elapsed,label,success\r\n\r\n"] {
        let summary = summarized(file.as_bytes());
        assert_eq!((summary.rows, summary.first_start_unix_ms), (0, None));
        assert_eq!(summary.summary.whole.total.attempted, 0);
        assert_eq!(summary.summary.whole.total.throughput_per_second, None);
        assert_eq!(summary.summary.whole.total.verdict_p95_ms, None);
        assert_eq!(summary.time_series.seconds, []);
        assert_eq!(summary.warnings, []);
    }
}

#[test]
fn a_file_without_a_header_is_read_in_the_default_columns() {
    let file = file_of(&[row(0, 42, "a", "200"), row(5, 42, "a", "200")]);
    let without = &file[HEADER.len() + 1..];
    assert_eq!(summarized(without), summarized(&file));
}

#[test]
fn a_last_row_that_is_cut_off_is_left_out_and_said_so() {
    let mut row = row(0, 42, "a", "200");
    row.response_message = "two\nlines, quoted";
    let whole = file_of(&[row, row]);
    let first_row_end = HEADER.len() + 1 + (whole.len() - HEADER.len() - 1) / 2;
    for end in first_row_end + 1..whole.len() {
        if whole[..end].ends_with(b"\n") {
            // The line break inside the quotes: it might as well be a stray quote, which would hide
            // the rows after it, so this one place is refused.
            assert_eq!(
                refused(&whole[..end]),
                "line 4, column `responseMessage`: the file ends inside a quoted field"
            );
            continue;
        }
        let summary = summarized(&whole[..end]);
        // Cut off in its last number, or just before its line break, a row looks whole.
        if summary.rows == 1 {
            assert_eq!(summary.warnings, [Warning::CutOff { line: 4 }], "{end}");
        } else {
            assert_eq!(summary.rows, 2, "{end}");
            assert!(end >= whole.len() - 2, "{end}");
        }
    }
    let text = Warning::CutOff { line: 4 }.to_string();
    assert_eq!(text, "line 4: the last row is cut off and left out");
}

#[test]
fn rows_that_are_wrong_in_any_other_place_are_located() {
    let check = |rows: &str, expected: &str| {
        assert_eq!(
            refused(format!("{SHORT}{rows}").as_bytes()),
            expected,
            "{rows}"
        );
    };
    check("1,20,a\n", "line 2: 3 fields, expected 4");
    check("1,20,a\n1,20,a,true", "line 2: 3 fields, expected 4");
    check(
        "1,20,a,true\n1,-20,a,true\n",
        "line 3, column `elapsed`: `-20` is not a whole number in range",
    );
    check(
        "1,20,a,yes\n",
        "line 2, column `success`: `yes` is neither `true` nor `false`",
    );
    check(
        "11.11.24 00:00,20,a,true\n",
        "line 2, column `timeStamp`: `11.11.24 00:00` is neither a number of milliseconds since 1970 \
         nor a date such as `2024/11/11 00:00:00.000` (`jmeter.save.saveservice.timestamp_format=ms`)",
    );
    // Microseconds since 1970 are no milliseconds.
    check(
        "1700000000123000,20,a,true\n",
        "line 2, column `timeStamp`: `1700000000123000` is neither a number of milliseconds since \
         1970 nor a date such as `2024/11/11 00:00:00.000` \
         (`jmeter.save.saveservice.timestamp_format=ms`)",
    );
    // A stray quote swallows the rows after it: not a row that was cut off.
    check(
        "1,20,\"a,true\n1,20,a,true\n",
        "line 2, column `label`: the file ends inside a quoted field",
    );
    check(
        "1,20,\"a\"b,true\n",
        "line 2, column `label`: characters between a closing quote and the next delimiter",
    );
    check(
        "1,20,a,true\ntimeStamp,elapsed,label,success,bytes\n1,20,a,true,4\n",
        "line 3: a second header, with other columns than the first",
    );
    check(
        "1,20,a,true\nelapsed,timeStamp,label,success\n",
        "line 3: a second header, with other columns than the first",
    );
    assert_eq!(
        refused(b"timeStamp,elapsed,label,success,URL\n1,20,a,true,\xff\n"),
        "line 2, column `URL`: not valid UTF-8"
    );
    assert_eq!(
        refused(b"timeStamp,elapsed,label,success\n1,20,\"\xff,\",true\n"),
        "line 2, column `label`: not valid UTF-8"
    );
    assert_eq!(
        refused(b"timeStamp,elapsed,label,success,SampleCount\n1,20,a,true,1\n1,20,a,true,30\n"),
        "line 3, column `SampleCount`: the row stands for 30 samples, expected one row for each"
    );
}

#[test]
fn what_is_no_jtl_is_refused() {
    for (file, expected) in [
        (
            "",
            "line 1: the file is empty, expected the header of a JTL file",
        ),
        (
            "name,age\nx,3\n",
            "line 1: expected the header of a JTL file (columns such as `timeStamp` and `elapsed`)",
        ),
        (
            "1,2,3\n4,5,6\n",
            "line 1: expected the header of a JTL file (columns such as `timeStamp` and `elapsed`)",
        ),
        (
            "<?xml version=\"1.0\"?>\n<html>\n",
            "line 2: this is XML, but not that of a JTL file, whose root is `testResults`",
        ),
        (
            "elapsed,label,success\n",
            "line 1, column `timeStamp`: the column is missing",
        ),
    ] {
        assert_eq!(refused(file.as_bytes()), expected);
    }
}

#[test]
fn a_field_beyond_the_limit_is_refused_without_being_held() {
    let start = format!("{SHORT}1,20,a,true\n1,20,\"").into_bytes();
    let endless = BufReader::new(start.as_slice().chain(std::io::repeat(b'x')));
    let problem = summarize(endless, Limits { record_bytes: 1000 }).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "line 3, column `label`: longer than the limit of 1000 bytes"
    );
}

#[test]
fn joined_files_are_one_file() {
    let one = file_of(&[row(0, 42, "a", "200")]);
    let joined = summarized(&[one.as_slice(), &one, &one].concat());
    assert_eq!(joined.rows, 3);
    assert_eq!(
        joined.warnings,
        [Warning::RepeatedHeader {
            first_line: 3,
            count: 2
        }]
    );
}

#[test]
fn dates_are_read_as_if_they_were_utc() {
    let file = format!("{SHORT}2023/11/14 22:13:20.123,20,a,true\n");
    let summary = summarized(file.as_bytes());
    assert_eq!(summary.first_start_unix_ms, Some(1_700_000_000_123));
    assert_eq!(summary.time_stamps, TimeStamps::LocalDates);
    assert_eq!(summary.warnings, [Warning::LocalDates]);
}

#[test]
fn times_beyond_an_hour_are_said_to_be_cut() {
    let file = format!("{SHORT}1,3600000,a,true\n1,3600001,a,true\n1,9999999999999999999,a,true\n");
    let summary = summarized(file.as_bytes());
    assert_eq!(summary.warnings, [Warning::Saturated { rows: 2 }]);
    assert_eq!(summary.summary.whole.total.service_time.count, 3);
}

#[test]
fn a_long_file_has_wider_windows_and_the_same_sums() {
    const SECONDS: i64 = 50_000;
    let mut file = SHORT.as_bytes().to_vec();
    for second in 0..SECONDS {
        let line = format!("{},20,a,{}\n", second * 1000, second % 10 != 0);
        file.extend_from_slice(line.as_bytes());
    }
    let summary = summarized(&file);
    assert_eq!(summary.window_seconds, 5);
    assert_eq!(summary.warnings, [Warning::WideWindows { seconds: 5 }]);
    assert_eq!(summary.summary.whole.total.attempted, 50_000);
    assert_eq!(summary.time_series.seconds.len(), 10_000);
    for (index, second) in summary.time_series.seconds.iter().enumerate() {
        assert_eq!(second.second as usize, index * 5);
        let step = &second.steps[0];
        assert_eq!(step.attempted, 5);
        let histogram = LatencyHistogram::from_base64(step.service_time.as_ref().unwrap()).unwrap();
        assert_eq!(histogram.len(), 5);
    }
    let failed: u64 = summary
        .time_series
        .seconds
        .iter()
        .map(|second| second.steps[0].failed)
        .sum();
    assert_eq!(failed, 5_000);
    // Availability still goes by the second.
    assert_eq!(summary.summary.whole.availability.total, 250);
}

#[test]
fn labels_beyond_the_limit_are_counted_together() {
    let mut file = SHORT.as_bytes().to_vec();
    for index in 0..2 * labels::LABELS_MAX {
        file.extend_from_slice(format!("{index},20,page {index},true\n").as_bytes());
    }
    let summary = summarized(&file);
    let steps = &summary.summary.whole.steps;
    assert_eq!(steps.len(), labels::LABELS_MAX + 1);
    let rows = labels::LABELS_MAX as u64;
    assert_eq!(
        (
            steps[labels::LABELS_MAX].step.as_str(),
            steps[labels::LABELS_MAX].attempted
        ),
        ("(other)", rows)
    );
    assert_eq!(summary.warnings, [Warning::LabelsMerged { rows }]);
    assert_eq!(summary.summary.whole.total.attempted, 2 * rows);
}
