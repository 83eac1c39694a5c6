//! What this machine offers: cores to pin to, descriptors to open.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// This instant.
#[expect(
    clippy::disallowed_methods,
    reason = "what is shown moves with the clock on the wall"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The cores that this process may use, ascending.
pub(crate) fn cores() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(None) else {
        return vec![0];
    };
    (0..CpuSet::MAX_CPU)
        .filter(|core| set.is_set(*core))
        .collect()
}

/// Keeps this process, and the threads it starts from now on, on these cores.
pub(crate) fn pin(wanted: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    for core in wanted {
        anyhow::ensure!(*core < CpuSet::MAX_CPU, "there is no core {core}");
        set.set(*core);
    }
    sched_setaffinity(None, &set).with_context(|| format!("pinning to cores {wanted:?}"))
}

/// Asks for the signal TERM when the parent ends, so that a killed rehearsal leaves no shop behind.
pub(crate) fn end_with_parent() -> anyhow::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))
        .context("asking for a signal when the parent ends")
}

/// Raises the soft limit of open files to the hard one; tells how many files may be open.
pub(crate) fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if setrlimit(Resource::Nofile, raised).is_err() {
        return limit.current;
    }
    limit.maximum
}

/// Reads a length of time such as `250ms`, `20s`, `15m` or `2h`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a length of time; write a number with ms, s, m or h: `20s`");
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "ms" => number / 1_000.0,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3_600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::parse_duration;
    use std::time::Duration;

    #[test]
    fn reads_lengths_of_time() {
        let check = |text, millis| {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        };
        check("250ms", 250);
        check("20s", 20_000);
        check("1.5m", 90_000);
        check("2h", 7_200_000);
        for text in ["", "20", "s", "-1s", "1d", "1e9s", "1.2.3s", "NaNs"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
