//! A line that tells how it goes: redrawn in place on a terminal, a plain line now and then elsewhere.

use std::sync::Mutex;
use std::time::Duration;

use double11_measure::run::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::console;

/// Seconds between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Shows how a run goes.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    bar: Option<ProgressBar>,
    /// Elapsed time at the last plain line.
    last_plain: Mutex<Option<Duration>>,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        let bar = console::talks_to_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:24} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(1);
            bar.set_style(style);
            bar
        });
        Self {
            bar,
            last_plain: Mutex::new(None),
        }
    }

    /// Shows where the run is.
    pub(crate) fn show(&self, what: &str, at: (Duration, Duration), progress: &Progress) {
        let (elapsed, planned) = at;
        let text = describe(what, at, progress);
        if let Some(bar) = &self.bar {
            bar.set_length(millis(planned));
            bar.set_position(millis(elapsed.min(planned)));
            bar.set_message(text);
            return;
        }
        let Ok(mut last) = self.last_plain.lock() else {
            return;
        };
        if last.is_none_or(|last| elapsed < last || elapsed >= last + PLAIN_EVERY) {
            *last = Some(elapsed);
            console::say(&text);
        }
    }

    /// Says a line of its own, above the bar where there is one.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| console::say(line)),
            None => console::say(line),
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn describe(what: &str, (elapsed, planned): (Duration, Duration), progress: &Progress) -> String {
    let p95 = progress.p95_last_seconds.map_or_else(
        || "-".to_owned(),
        |p95| format!("{:.1} ms", p95.as_secs_f64() * 1_000.0),
    );
    format!(
        "{what} {:>3.0}/{:.0} s  {:>6.0} TPS  P95 {p95}  {} failed, {} dropped, {} late of {}",
        elapsed.as_secs_f64(),
        planned.as_secs_f64(),
        progress.throughput_last_second,
        progress.failed,
        progress.dropped,
        progress.late,
        progress.attempted
    )
}

#[cfg(test)]
mod tests {
    use super::describe;
    use double11_measure::run::Progress;
    use std::time::Duration;

    #[test]
    fn tells_time_rate_percentile_and_failures() {
        let progress = Progress {
            elapsed: Duration::from_secs(7),
            throughput_last_second: 998.0,
            p95_last_seconds: Some(Duration::from_micros(4_250)),
            attempted: 6_900,
            failed: 3,
            dropped: 1,
            late: 2,
        };
        let line = describe(
            "peak",
            (Duration::from_secs(7), Duration::from_secs(30)),
            &progress,
        );
        assert_eq!(
            line,
            "peak   7/30 s     998 TPS  P95 4.2 ms  3 failed, 1 dropped, 2 late of 6900"
        );
    }
}
