use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::exposition::Exposition;

const ORDERS: &str = "ecommerce_orders_total";

fn at(second: i64) -> UnixMicros {
    UnixMicros::new((1_700_000_000 + second) * 1_000_000 + 250_000)
}

fn scrape(second: i64, text: &str) -> Scrape {
    let exposition = Exposition::parse(text).unwrap();
    Scrape {
        at: at(second),
        took: Duration::ZERO,
        exposition,
    }
}

fn matrix(scrapes: &[(i64, &str)]) -> Matrix {
    let mut matrix = Matrix::new();
    for (second, text) in scrapes {
        matrix.push(&scrape(*second, text));
    }
    matrix
}

#[test]
fn the_form_is_that_of_query_range() {
    let mut matrix = matrix(&[
        (
            0,
            "ecommerce_orders_total{status=\"success\"} 5\nprocess_open_fds 12\nrust_info 1\n",
        ),
        (
            5,
            "ecommerce_orders_total{status=\"success\"} 7.5\nprocess_open_fds NaN\n",
        ),
    ]);
    matrix.warn("scrape at 1700000010 failed: refused".to_owned());
    let expected = serde_json::json!({
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [
                {
                    "metric": {"__name__": "ecommerce_orders_total", "status": "success"},
                    "values": [[1_700_000_000.25, "5"], [1_700_000_005.25, "7.5"]],
                },
                {
                    "metric": {"__name__": "process_open_fds"},
                    "values": [[1_700_000_000.25, "12"], [1_700_000_005.25, "NaN"]],
                },
            ],
        },
        "warnings": ["scrape at 1700000010 failed: refused"],
    });
    assert_eq!(serde_json::to_value(&matrix).unwrap(), expected);
    let read: Matrix = serde_json::from_value(expected.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), expected);
    assert_eq!(read.scrapes(), [at(0), at(5)]);
}

#[test]
fn answers_of_a_prometheus_server_are_read() {
    let answer = r#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"__name__":"ecommerce_orders_total","job":"shop"},
         "values":[[1435781430.781,"1"],[1435781445,"+Inf"]]}]}}"#;
    let read: Matrix = serde_json::from_str(answer).unwrap();
    let (labels, points) = read
        .select(Selector::new(ORDERS, &[("job", "shop")]))
        .next()
        .unwrap();
    assert_eq!(labels.len(), 2);
    assert_eq!(points[0].at, UnixMicros::new(1_435_781_430_781_000));
    assert_eq!(
        points[1],
        Point {
            at: UnixMicros::new(1_435_781_445_000_000),
            value: f64::INFINITY
        }
    );
}

#[test]
fn other_documents_are_refused_with_their_reason() {
    let check = |text: &str, expected: &str| {
        let error = serde_json::from_str::<Matrix>(text)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    let result = |kind: &str, result: &str| {
        format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{result}]}}}}"#)
    };
    check(
        r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
        "the answer has status `error`: parse error",
    );
    check(
        &result("vector", ""),
        "the answer is of type `vector`, expected `matrix`",
    );
    check(
        &result("matrix", r#"{"metric":{},"values":[]}"#),
        "a series has no `__name__`",
    );
    let series = |values: &str| format!(r#"{{"metric":{{"__name__":"a"}},"values":[{values}]}}"#);
    check(
        &result("matrix", &series(r#"[1,"x"]"#)),
        "`x` is not a value of series `a`",
    );
    check(
        &result("matrix", &series(r#"[2,"1"],[2,"1"]"#)),
        "the times of series `a`",
    );
    let twice = format!("{},{}", series(""), series(""));
    check(&result("matrix", &twice), "series `a` is there twice");
    check("[]", "invalid");
}

#[test]
fn counter_deltas_by_hand() {
    let text = |success: u32, failed: u32| {
        format!(
            "ecommerce_orders_total{{status=\"success\",payment_method=\"alipay\"}} {success}\n\
             ecommerce_orders_total{{status=\"failed\",payment_method=\"alipay\"}} {failed}\n"
        )
    };
    let late = "ecommerce_orders_total{status=\"success\",payment_method=\"card\"} 4\n";
    let matrix = matrix(&[
        (0, &text(10, 1)),
        (5, &text(15, 1)),
        (10, &format!("{}{late}", text(30, 3))),
    ]);
    let check = |labels: &[(&str, &str)], from, to, expected: Result<f64, CounterError>| {
        let delta = matrix.counter_delta(Selector::new(ORDERS, labels), at(from), at(to));
        assert_eq!(delta, expected, "{labels:?} {from} {to}");
    };
    check(&[("status", "success")], 0, 5, Ok(5.0));
    // A series that came later counts from 0.
    check(&[("status", "success")], 0, 10, Ok(24.0));
    check(&[], 0, 10, Ok(26.0));
    check(
        &[("status", "success"), ("payment_method", "alipay")],
        5,
        10,
        Ok(15.0),
    );
    check(&[("status", "failed")], 5, 5, Ok(0.0));
    let missing = CounterError::Missing {
        name: ORDERS.to_owned(),
    };
    check(&[("status", "shed")], 0, 10, Err(missing.clone()));
    check(&[("payment_method", "card")], 0, 5, Err(missing));
    assert_eq!(
        matrix.sum_at(Selector::new(ORDERS, &[]), at(10)),
        Some(37.0)
    );
    assert_eq!(matrix.sum_at(Selector::new(ORDERS, &[]), at(9)), None);
}

#[test]
fn a_reset_is_never_a_negative_growth() {
    let reset = Err(CounterError::Reset {
        name: ORDERS.to_owned(),
    });
    let check = |values: &[Option<u32>], expected: &Result<f64, CounterError>| {
        let mut matrix = Matrix::new();
        for (second, value) in (0..).zip(values) {
            let text = value.map_or(String::new(), |value| format!("{ORDERS} {value}\n"));
            matrix.push(&scrape(second, &format!("{text}process_open_fds 1\n")));
        }
        let last = i64::try_from(values.len()).unwrap() - 1;
        let delta = matrix.counter_delta(Selector::new(ORDERS, &[]), at(0), at(last));
        assert_eq!(delta, *expected, "{values:?}");
    };
    check(&[Some(5), Some(9)], &Ok(4.0));
    check(&[Some(9), Some(5)], &reset);
    // Even where it has overtaken its old value in the meantime.
    check(&[Some(9), Some(2), Some(20)], &reset);
    check(&[Some(9), None], &reset);
    check(&[None, Some(3), None], &reset);
    check(&[Some(1), None, Some(3)], &Ok(2.0));
}

#[test]
fn a_restart_is_told_by_the_process_start() {
    let matrix = matrix(&[
        (0, "process_start_time_seconds 1000\n"),
        (5, "process_start_time_seconds 1000\n"),
        (10, "process_start_time_seconds 1009.5\n"),
    ]);
    assert!(!matrix.restarted_between(at(0), at(5)));
    assert!(matrix.restarted_between(at(0), at(10)));
    assert!(!matrix.restarted_between(at(10), at(99)));
    assert!(!Matrix::new().restarted_between(at(0), at(10)));
}

#[test]
fn a_scrape_in_the_past_is_not_kept() {
    let matrix = matrix(&[
        (5, "ecommerce_a 1\n"),
        (5, "ecommerce_a 2\n"),
        (4, "ecommerce_a 3\n"),
    ]);
    assert_eq!(matrix.scrapes(), [at(5)]);
    assert_eq!(matrix.warnings().len(), 2);
    assert!(matrix.warnings()[1].starts_with("scrape at 1700000004.25 not kept"));
}

/// Buckets up to `bound` with the counts between the bounds.
fn delta_of(buckets: &[(f64, f64)]) -> HistogramDelta {
    let mut count = 0.0;
    let cumulative = buckets
        .iter()
        .map(|&(upper_bound, inside)| {
            count += inside;
            Bucket { upper_bound, count }
        })
        .collect();
    HistogramDelta::new(cumulative, 0.0, count)
}

#[test]
fn quantiles_are_interpolated_as_prometheus_does() {
    let check = |buckets: &[(f64, f64)], quantile, expected: Option<(u64, u64, Option<u64>)>| {
        let found = delta_of(buckets)
            .prometheus_quantile(quantile)
            .map(|found| {
                let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap();
                (
                    micros(found.value),
                    micros(found.bucket_lower),
                    found.bucket_upper.map(micros),
                )
            });
        assert_eq!(found, expected, "{buckets:?} {quantile}");
    };
    let inf = f64::INFINITY;
    // 100 observations in the first bucket: rank 95 lies 95 % into 0..10 ms, whatever the truth.
    check(
        &[(0.01, 100.0), (0.05, 0.0), (inf, 0.0)],
        0.95,
        Some((9_500, 0, Some(10_000))),
    );
    // 90 below 10 ms, 10 in 10..50 ms: rank 95 is half way into the second.
    check(
        &[(0.01, 90.0), (0.05, 10.0), (inf, 0.0)],
        0.95,
        Some((30_000, 10_000, Some(50_000))),
    );
    // The rank falls on a bucket's last observation exactly.
    check(
        &[(0.01, 95.0), (0.05, 5.0), (inf, 0.0)],
        0.95,
        Some((10_000, 0, Some(10_000))),
    );
    // Empty buckets below are passed over.
    check(
        &[(0.01, 0.0), (0.05, 4.0), (inf, 0.0)],
        0.5,
        Some((30_000, 10_000, Some(50_000))),
    );
    check(&[(0.01, 4.0), (inf, 0.0)], 0.0, Some((0, 0, Some(10_000))));
    check(
        &[(0.01, 4.0), (inf, 0.0)],
        1.0,
        Some((10_000, 0, Some(10_000))),
    );
    // Beyond the highest bound, that bound is all that is known.
    check(
        &[(0.01, 90.0), (5.0, 0.0), (inf, 10.0)],
        0.95,
        Some((5_000_000, 5_000_000, None)),
    );
    check(&[(0.01, 0.0), (inf, 0.0)], 0.95, None);
    check(&[(0.01, 5.0)], 0.95, None);
    check(&[(inf, 5.0)], 0.95, None);
    check(&[], 0.95, None);
}

#[test]
fn the_bucket_error_is_the_width_of_the_bucket() {
    let error = |buckets: &[(f64, f64)]| {
        delta_of(buckets)
            .prometheus_quantile(0.95)
            .unwrap()
            .bucket_error()
    };
    assert_eq!(
        error(&[(0.01, 0.0), (0.05, 9.0), (f64::INFINITY, 0.0)]),
        Some(Duration::from_millis(40))
    );
    assert_eq!(error(&[(0.01, 0.0), (f64::INFINITY, 9.0)]), None);
}

#[test]
fn histogram_deltas_add_up_over_series_by_the_value_of_their_bounds() {
    let text = |fast: u32, all: u32, sum: f64| {
        let series = |status: &str, one: &str| {
            format!(
                "ecommerce_t_bucket{{status=\"{status}\",le=\"0.5\"}} {fast}\n\
                 ecommerce_t_bucket{{status=\"{status}\",le=\"{one}\"}} {all}\n\
                 ecommerce_t_bucket{{status=\"{status}\",le=\"+Inf\"}} {all}\n\
                 ecommerce_t_sum{{status=\"{status}\"}} {sum}\n\
                 ecommerce_t_count{{status=\"{status}\"}} {all}\n"
            )
        };
        format!("{}{}", series("200", "1"), series("409", "1.0"))
    };
    let matrix = matrix(&[(0, &text(1, 2, 0.5)), (5, &text(4, 7, 3.0))]);
    let delta = matrix
        .histogram_delta(Selector::new("ecommerce_t", &[]), at(0), at(5))
        .unwrap();
    let buckets: Vec<(f64, f64)> = delta
        .buckets()
        .iter()
        .map(|bucket| (bucket.upper_bound, bucket.count))
        .collect();
    assert_eq!(buckets, [(0.5, 6.0), (1.0, 10.0), (f64::INFINITY, 10.0)]);
    assert_eq!(
        (Some(delta.count), Some(delta.sum_seconds)),
        (Some(10.0), Some(5.0))
    );
    assert_eq!(delta.mean(), Some(Duration::from_millis(500)));
    let one = matrix
        .histogram_delta(
            Selector::new("ecommerce_t", &[("status", "409")]),
            at(0),
            at(5),
        )
        .unwrap();
    assert_eq!(Some(one.count), Some(5.0));
    assert_eq!(one.clone().merged(one), delta);
    assert!(
        matrix
            .histogram_delta(Selector::new("ecommerce_u", &[]), at(0), at(5))
            .is_err()
    );
}

proptest! {
    #[test]
    fn reading_what_was_written_is_identity(
        values in proptest::collection::vec((1_i64..5_000_000, -1e18_f64..1e18), 1..20),
    ) {
        let mut matrix = Matrix::new();
        let mut now = 1_700_000_000_000_000_i64;
        for (gap, value) in values {
            now += gap;
            let text = format!("ecommerce_a{{b=\"手\\n\"}} {value}\n");
            let mut scrape = scrape(0, &text);
            scrape.at = UnixMicros::new(now);
            matrix.push(&scrape);
        }
        let text = serde_json::to_string(&matrix).unwrap();
        prop_assert_eq!(serde_json::from_str::<Matrix>(&text).unwrap(), matrix);
    }

    #[test]
    fn the_interpolated_quantile_stays_in_its_bucket(
        counts in proptest::collection::vec(0_u32..50, 3..10),
        quantile in 0.01_f64..1.0,
    ) {
        let last = counts.len() - 1;
        let buckets: Vec<(f64, f64)> = (1_u32..)
            .zip(&counts)
            .map(|(index, &count)| {
                let endless = index as usize == last + 1;
                (if endless { f64::INFINITY } else { f64::from(index) }, f64::from(count))
            })
            .collect();
        if let Some(found) = delta_of(&buckets).prometheus_quantile(quantile) {
            prop_assert!(found.bucket_lower <= found.value);
            prop_assert!(found.value <= found.bucket_upper.unwrap_or(found.value));
        } else {
            prop_assert_eq!(counts.iter().sum::<u32>(), 0);
        }
    }
}
