//! The figures of the last minutes, one point a snapshot.

use std::collections::VecDeque;
use std::time::Duration;

use super::snapshot::Snapshot;

/// Points that are kept: two minutes, wider than any sparkline.
const POINTS_MAX: usize = 120;

/// The last minutes of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    points: VecDeque<Point>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    elapsed: Duration,
    throughput: f64,
    p95: Option<Duration>,
}

impl History {
    /// Notes a snapshot. An earlier one than the last belongs to another run, with which the history
    /// begins anew.
    pub(super) fn take(&mut self, snapshot: &Snapshot) {
        if self
            .points
            .back()
            .is_some_and(|last| snapshot.elapsed < last.elapsed)
        {
            self.points.clear();
        }
        if self.points.len() == POINTS_MAX {
            self.points.pop_front();
        }
        self.points.push_back(Point {
            elapsed: snapshot.elapsed,
            throughput: snapshot.progress.throughput_last_second,
            p95: snapshot.progress.p95_last_seconds,
        });
    }

    /// The latest throughputs, at most this many.
    pub(super) fn throughputs(&self, count: usize) -> Vec<Option<f64>> {
        self.latest(count, |point| Some(point.throughput))
    }

    /// The latest P95s in seconds, at most this many; `None` where there was no answer.
    pub(super) fn p95s(&self, count: usize) -> Vec<Option<f64>> {
        self.latest(count, |point| point.p95.map(|p95| p95.as_secs_f64()))
    }

    fn latest(&self, count: usize, value: fn(&Point) -> Option<f64>) -> Vec<Option<f64>> {
        let skipped = self.points.len().saturating_sub(count);
        self.points.iter().skip(skipped).map(value).collect()
    }
}
