//! Child processes: a shop that listens, a storm that ends, and what they use.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use double11_store::Stopwatch;
use rustix::process::{Pid, Signal, kill_process};

/// What a listening program says first; the address follows.
const READY_LINE: &str = "listening on ";
/// How long a program may take to end. A large log is moved into its store on the way.
const STOP_LIMIT: Duration = Duration::from_mins(2);

/// A program that listens.
#[derive(Debug)]
pub(crate) struct Listening {
    child: Child,
    /// Where, such as `http://127.0.0.1:8080`.
    pub(crate) target: String,
    /// How long it took to listen.
    pub(crate) ready_after: Duration,
}

/// What a process has used since it began.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// User and system time.
    pub(crate) processor: Duration,
    /// Bytes that it caused to be sent to the disk.
    pub(crate) written: u64,
    /// Resident memory now.
    pub(crate) resident: u64,
}

impl Usage {
    /// What was used since an earlier look.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            processor: self.processor.saturating_sub(before.processor),
            written: self.written.saturating_sub(before.written),
            resident: self.resident,
        }
    }
}

impl Listening {
    /// Starts a program and waits until it listens.
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let begun = Stopwatch::start();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("{command:?} could not be started"))?;
        let output = child.stdout.take().context("no standard output")?;
        let target = BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(READY_LINE).map(str::to_owned));
        let ready_after = begun.elapsed();
        let mut listening = Self {
            child,
            target: String::new(),
            ready_after,
        };
        let Some(target) = target else {
            listening.child.kill().ok();
            let words = std::fs::read_to_string(log).unwrap_or_default();
            anyhow::bail!("{command:?} did not listen: {}", words.trim());
        };
        listening.target = target;
        Ok(listening)
    }

    pub(crate) fn usage(&self) -> Usage {
        usage(self.child.id())
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM).ok();
        }
        let asked = Stopwatch::start();
        while asked.elapsed() < STOP_LIMIT {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "the shop ended with {status}");
                return Ok(());
            }
            pause(Duration::from_millis(10));
        }
        anyhow::bail!("the shop did not end within {STOP_LIMIT:?}")
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // It may end by itself meanwhile; either way nothing is left behind.
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

/// Waits between two looks at a child, of whose end no event tells.
#[expect(clippy::disallowed_methods, reason = "a child process is polled")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Runs a program to its end; its output and the processor time that it took.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<(std::process::Output, Duration)> {
    let before = children_processor_time();
    let output = command
        .output()
        .with_context(|| format!("{command:?} could not be started"))?;
    Ok((output, children_processor_time().saturating_sub(before)))
}

fn usage(process: u32) -> Usage {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}"));
    let written = read("io").unwrap_or_default();
    let written = written
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    let status = read("status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.and_then(|text| text.trim().strip_suffix(" kB"));
    Usage {
        processor: ticks(&read("stat").unwrap_or_default(), 11),
        written: written
            .and_then(|text| text.parse().ok())
            .unwrap_or_default(),
        resident: resident
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or_default()
            * 1_024,
    }
}

/// Processor time of children that have ended and were waited for.
fn children_processor_time() -> Duration {
    ticks(
        &std::fs::read_to_string("/proc/self/stat").unwrap_or_default(),
        13,
    )
}

/// Two neighbouring fields of `/proc/PID/stat` behind the name, in clock ticks.
fn ticks(stat: &str, first: usize) -> Duration {
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: u64 = fields
        .skip(first)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    let per_second = rustix::param::clock_ticks_per_second();
    Duration::from_secs_f64(ticks as f64 / per_second as f64)
}

#[cfg(test)]
mod tests {
    use super::ticks;
    use std::time::Duration;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 150 50 25 75 20 0 1 0";
        let per_second = rustix::param::clock_ticks_per_second();
        let seconds = |ticks: f64| Duration::from_secs_f64(ticks / per_second as f64);
        assert_eq!(ticks(stat, 11), seconds(200.0));
        assert_eq!(ticks(stat, 13), seconds(100.0));
    }
}
