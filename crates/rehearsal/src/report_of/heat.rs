//! The latency heatmap.

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::TimeSeries;
use double11_report::model::{Heatmap, HeatmapColumn};

/// The lowest edge, in milliseconds.
const LOWEST_MS: f64 = 0.1;
/// Rows between an edge and ten times it.
const ROWS_PER_DECADE: u32 = 8;
/// From 0.1 ms to 10 s.
const DECADES: u32 = 5;

/// Counts of response times by second and by a logarithmic scale of eight rows a decade.
pub(crate) fn heatmap(series: &TimeSeries, column_seconds: u32) -> Heatmap {
    let edges_ms: Vec<f64> = (0..=ROWS_PER_DECADE * DECADES)
        .map(|row| LOWEST_MS * 10_f64.powf(f64::from(row) / f64::from(ROWS_PER_DECADE)))
        .collect();
    let columns = series
        .seconds
        .iter()
        .map(|second| {
            let mut counts = vec![0; edges_ms.len() - 1];
            for step in &second.steps {
                let encoded = step
                    .response_time
                    .as_deref()
                    .or(step.service_time.as_deref());
                if let Some(Ok(histogram)) = encoded.map(LatencyHistogram::from_base64) {
                    add(&mut counts, &edges_ms, &histogram);
                }
            }
            HeatmapColumn {
                start_s: f64::from(second.second),
                counts,
            }
        })
        .collect();
    Heatmap {
        column_s: f64::from(column_seconds.max(1)),
        edges_ms,
        columns,
    }
}

fn add(counts: &mut [u64], edges_ms: &[f64], histogram: &LatencyHistogram) {
    for (value, count) in histogram.buckets() {
        let milliseconds = value.as_secs_f64() * 1_000.0;
        let above = edges_ms.partition_point(|edge| *edge <= milliseconds);
        let row = above.saturating_sub(1).min(counts.len() - 1);
        if let Some(cell) = counts.get_mut(row) {
            *cell += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::heatmap;
    use double11_measure::histogram::LatencyHistogram;
    use double11_measure::run::{Second, SecondStep, TimeSeries};
    use std::time::Duration;

    #[test]
    fn every_request_is_in_one_cell() {
        let mut histogram = LatencyHistogram::new();
        for micros in [10, 150, 1_500, 1_500, 30_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let step = SecondStep {
            step: 0,
            attempted: 5,
            succeeded: 5,
            expected_refusals: 0,
            failed: 0,
            dropped: 0,
            never_sent: 0,
            completed: 5,
            response_time: Some(histogram.to_base64()),
            service_time: None,
        };
        let series = TimeSeries {
            schema_version: 1,
            start_unix_ms: None,
            steps: vec!["browse".to_owned()],
            seconds: vec![Second {
                second: 3,
                steps: vec![step],
            }],
        };
        let map = heatmap(&series, 1);
        let column = &map.columns[0];
        assert_eq!(column.counts.iter().sum::<u64>(), 5);
        assert_eq!((column.counts[0], column.counts[1]), (1, 1));
        assert_eq!(column.counts.last(), Some(&1));
        assert_eq!(column.counts.iter().filter(|count| **count == 2).count(), 1);
        assert_eq!(column.counts.len() + 1, map.edges_ms.len());
    }
}
