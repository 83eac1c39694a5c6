//! Availability as the share of good windows of time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The response time within which a request must have succeeded to count for its window.
pub const AVAILABLE_WITHIN: Duration = Duration::from_secs(1);

/// Per cent of a window's requests that must have succeeded in time for the window to be good.
pub const GOOD_SHARE_PERCENT: u64 = 99;

/// Requests that a window must have at least; one-second windows are merged until they do.
pub const WINDOW_REQUESTS_MIN: u64 = 200;

/// How many windows of a phase were good.
///
/// Windows are the seconds of the planned starts, merged in order of time until each has
/// [`WINDOW_REQUESTS_MIN`] requests; what is left at the end joins the last window. A window is good
/// when at least [`GOOD_SHARE_PERCENT`] per cent of its requests succeeded within
/// [`AVAILABLE_WITHIN`] of their planned start; dropped requests count as requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// Good windows.
    pub good: u64,
    /// All windows.
    pub total: u64,
    /// The smallest share that can be told apart, 1 / `total`; `None` without a window.
    pub resolution: Option<f64>,
    /// Whether a window is longer than one second, because seconds had too few requests.
    pub windows_merged: bool,
}

impl Availability {
    /// The share of good windows, 0–1; `None` without a window.
    pub fn share(&self) -> Option<f64> {
        (self.total > 0).then(|| self.good as f64 / self.total as f64)
    }
}

/// Requests of one second of planned starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WindowCount {
    /// Those that were planned.
    pub requests: u64,
    /// Those that succeeded within [`AVAILABLE_WITHIN`].
    pub in_time: u64,
}

impl WindowCount {
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.in_time += other.in_time;
    }

    fn is_good(self) -> bool {
        self.in_time * 100 >= self.requests * GOOD_SHARE_PERCENT
    }
}

/// Merges the seconds of a phase into windows and counts the good ones. `seconds` are in order of
/// time; a second without a request may be absent.
pub(crate) fn availability(seconds: &BTreeMap<u64, WindowCount>) -> Availability {
    let mut windows: Vec<WindowCount> = Vec::new();
    let mut windows_merged = false;
    let mut open: Option<(u64, WindowCount)> = None;
    for (&second, &count) in seconds {
        if count.requests == 0 {
            continue;
        }
        let (first, mut window) = open.take().unwrap_or((second, WindowCount::default()));
        window.add(count);
        windows_merged |= first != second;
        if window.requests >= WINDOW_REQUESTS_MIN {
            windows.push(window);
        } else {
            open = Some((first, window));
        }
    }
    if let Some((_, rest)) = open {
        match windows.last_mut() {
            Some(last) => {
                last.add(rest);
                windows_merged = true;
            }
            None => windows.push(rest),
        }
    }
    let total = windows.len() as u64;
    Availability {
        good: windows.iter().filter(|window| window.is_good()).count() as u64,
        total,
        resolution: (total > 0).then(|| 1.0 / total as f64),
        windows_merged,
    }
}

#[cfg(test)]
mod tests;
