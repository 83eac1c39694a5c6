use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// The nearest-rank percentile computed from the values themselves.
fn exact_percentile(values: &[u64], permille: u64) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (permille * sorted.len() as u64).div_ceil(1000).max(1);
    sorted[usize::try_from(rank).unwrap() - 1]
}

fn histogram_of(values: &[u64]) -> LatencyHistogram {
    let mut histogram = LatencyHistogram::new();
    for &value in values {
        histogram.record(Duration::from_micros(value));
    }
    histogram
}

fn bucket_list(histogram: &LatencyHistogram) -> Vec<(Duration, u64)> {
    histogram.buckets().collect()
}

fn values() -> impl Strategy<Value = Vec<u64>> {
    let value = prop_oneof![
        3 => 1_u64..3_000,
        3 => 1_000_u64..2_000_000,
        1 => 1_u64..=HIGHEST_MICROS,
    ];
    proptest::collection::vec(value, 1..400)
}

proptest! {
    #[test]
    fn percentile_is_the_exact_nearest_rank_within_the_stated_error(
        values in values(),
        permille in 0_u64..=1000,
    ) {
        let exact = exact_percentile(&values, permille);
        let reported = histogram_of(&values).percentile(permille as f64 / 10.0).unwrap();
        let reported = u64::try_from(reported.as_micros()).unwrap();
        prop_assert!(reported >= exact, "{reported} < {exact}");
        prop_assert!((reported - exact) * 1000 <= exact, "{reported} against {exact}");
    }

    #[test]
    fn percentile_is_monotone(values in values(), a in 0.0_f64..100.0, b in 0.0_f64..100.0) {
        let histogram = histogram_of(&values);
        prop_assert!(histogram.percentile(a.min(b)) <= histogram.percentile(a.max(b)));
    }

    #[test]
    fn merging_equals_recording_everything(left in values(), right in values()) {
        let mut merged = histogram_of(&left);
        merged.merge(&histogram_of(&right));
        let all = histogram_of(&[left, right].concat());
        prop_assert_eq!(bucket_list(&merged), bucket_list(&all));
        prop_assert_eq!(merged.len(), all.len());
        prop_assert_eq!((merged.min(), merged.max()), (all.min(), all.max()));
        prop_assert_eq!(merged.percentile(95.0), all.percentile(95.0));
    }

    #[test]
    fn base64_round_trip_is_identity(values in values()) {
        let histogram = histogram_of(&values);
        let read = LatencyHistogram::from_base64(&histogram.to_base64()).unwrap();
        prop_assert_eq!(bucket_list(&read), bucket_list(&histogram));
        prop_assert_eq!((read.min(), read.max()), (histogram.min(), histogram.max()));
        prop_assert_eq!(read.mean(), histogram.mean());
    }

    #[test]
    fn count_at_or_below_counts_whole_buckets(values in values(), limit in 0_u64..3_000_000) {
        let histogram = histogram_of(&values);
        let counted = histogram.count_at_or_below(Duration::from_micros(limit));
        let exact = values.iter().filter(|&&value| value <= limit).count() as u64;
        let bucket_end = limit + limit / 1000;
        let at_most = values.iter().filter(|&&value| value <= bucket_end).count() as u64;
        prop_assert!((exact..=at_most).contains(&counted), "{exact} <= {counted} <= {at_most}");
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[A-Za-z0-9+/]{0,120}") {
        if let Ok(histogram) = LatencyHistogram::from_base64(&text) {
            prop_assert_eq!(histogram.len(), bucket_list(&histogram).iter().map(|b| b.1).sum::<u64>());
        }
    }
}

#[test]
fn ranks_by_hand() {
    let check = |percentile: f64, count, expected| {
        assert_eq!(
            nearest_rank(percentile, count),
            expected,
            "P{percentile} of {count}"
        );
    };
    check(95.0, 0, None);
    check(f64::NAN, 5, None);
    check(0.0, 5, Some(1));
    check(50.0, 5, Some(3));
    check(50.0, 4, Some(2));
    check(95.0, 100, Some(95));
    check(95.0, 101, Some(96));
    check(7.0, 100, Some(7));
    check(99.9, 1000, Some(999));
    check(99.9, 1001, Some(1000));
    check(100.0, 3, Some(3));
    check(200.0, 3, Some(3));
}

#[test]
fn nothing_recorded_is_none_and_never_zero() {
    let empty = LatencyHistogram::new();
    assert!(empty.is_empty());
    assert_eq!(empty.percentile(50.0), None);
    assert_eq!((empty.min(), empty.mean(), empty.max()), (None, None, None));
    assert_eq!(empty.count_at_or_below(Duration::MAX), 0);
    assert_eq!(empty.buckets().count(), 0);
    let read = LatencyHistogram::from_base64(&empty.to_base64()).unwrap();
    assert_eq!(read.percentile(50.0), None);
}

#[test]
fn durations_beyond_the_range_are_clamped_and_counted() {
    let mut histogram = LatencyHistogram::new();
    histogram.record(Duration::ZERO);
    assert_eq!(histogram.percentile(100.0), Some(Duration::from_micros(1)));
    histogram.record(LONGEST);
    assert_eq!(histogram.saturated(), 0);
    histogram.record(LONGEST + Duration::from_nanos(1));
    histogram.record(Duration::MAX);
    assert_eq!((histogram.saturated(), histogram.len()), (2, 4));
    let longest = histogram.max().unwrap();
    assert!(longest >= LONGEST && longest <= LONGEST + LONGEST / 1000);

    let mut merged = LatencyHistogram::new();
    merged.merge(&histogram);
    assert_eq!(merged.saturated(), 2);
    merged.clear();
    assert_eq!(
        (merged.saturated(), merged.len(), merged.max()),
        (0, 0, None)
    );
    let read = LatencyHistogram::from_base64(&histogram.to_base64()).unwrap();
    assert_eq!(read.len(), 4);
}

#[test]
fn durations_are_rounded_to_the_nearest_microsecond() {
    let mut histogram = LatencyHistogram::new();
    histogram.record(Duration::from_nanos(7_499));
    histogram.record(Duration::from_nanos(8_500));
    assert_eq!(histogram.min(), Some(Duration::from_micros(7)));
    assert_eq!(histogram.max(), Some(Duration::from_micros(9)));
    assert_eq!(histogram.mean(), Some(Duration::from_micros(8)));
}

#[test]
fn foreign_and_broken_texts_are_refused_with_their_reason() {
    let valid = histogram_of(&[5, 500, 50_000]).to_base64();
    let bytes = BASE64.decode(&valid).unwrap();
    let changed = |index: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[index] = value;
        LatencyHistogram::from_base64(&BASE64.encode(bytes)).unwrap_err()
    };
    assert!(matches!(
        LatencyHistogram::from_base64("§").unwrap_err(),
        HistogramError::Base64(_)
    ));
    assert!(matches!(
        LatencyHistogram::from_base64("").unwrap_err(),
        HistogramError::Length {
            expected: 40,
            actual: 0
        }
    ));
    assert!(
        matches!(changed(4, 0x7f), HistogramError::Length { .. }),
        "a payload of 2 GiB"
    );
    assert!(
        matches!(changed(0, 0), HistogramError::Encoding(_)),
        "another cookie"
    );
    assert!(matches!(
        changed(15, 5),
        HistogramError::Configuration { digits: 5, .. }
    ));
    assert!(matches!(
        changed(23, 2),
        HistogramError::Configuration { lowest: 2, .. }
    ));
    assert!(matches!(
        changed(24, 0x7f),
        HistogramError::Configuration { .. }
    ));
    let torn = BASE64.encode(&bytes[..bytes.len() - 1]);
    assert!(matches!(
        LatencyHistogram::from_base64(&torn).unwrap_err(),
        HistogramError::Length { .. }
    ));
}

#[test]
fn a_read_histogram_grows_like_a_new_one() {
    let mut read = LatencyHistogram::from_base64(&histogram_of(&[3]).to_base64()).unwrap();
    read.record(Duration::from_secs(30));
    assert_eq!(read.len(), 2);
    assert!(read.max().unwrap() >= Duration::from_secs(30));
}
