//! Child processes: a shop that listens, a program that ends, and what they use.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use double11_monitor::exposition::Exposition;
use double11_monitor::scrape::Scraper;
use double11_store::Stopwatch;
use rustix::process::{Pid, Signal, kill_process};

/// What a listening program says first; the address follows.
const READY_LINE: &str = "listening on ";
/// How long a program may take to end. A large log is moved into its store on the way.
const STOP_LIMIT: Duration = Duration::from_mins(2);
/// The longest that a scrape may take.
const SCRAPE_LIMIT: Duration = Duration::from_secs(5);
/// How often a child is looked at, of whose end no event tells.
const LOOK_EVERY: Duration = Duration::from_millis(10);

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
    /// Resident memory now, in bytes.
    pub(crate) resident: u64,
    /// The most that it ever was.
    pub(crate) resident_max: u64,
}

impl Usage {
    /// What was used since an earlier look.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            processor: self.processor.saturating_sub(before.processor),
            written: self.written.saturating_sub(before.written),
            ..self
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
            let words = std::fs::read_to_string(log).unwrap_or_default();
            anyhow::bail!("{command:?} did not listen: {}", words.trim());
        };
        listening.target = target;
        Ok(listening)
    }

    pub(crate) fn usage(&self) -> Usage {
        usage(self.child.id())
    }

    /// Its metrics now.
    pub(crate) fn metrics(&self) -> anyhow::Result<Exposition> {
        let url = format!("{}/actuator/prometheus", self.target);
        Ok(Scraper::new(url, SCRAPE_LIMIT).scrape()?.exposition)
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        ask_to_end(&self.child);
        let asked = Stopwatch::start();
        while asked.elapsed() < STOP_LIMIT {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "the shop ended with {status}");
                return Ok(());
            }
            pause(LOOK_EVERY);
        }
        anyhow::bail!("the shop did not end within {STOP_LIMIT:?}")
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A program that goes on while others are looked at.
#[derive(Debug)]
pub(crate) struct Background(Option<Child>);

impl Background {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{command:?} could not be started"))?;
        Ok(Self(Some(child)))
    }

    pub(crate) fn usage(&self) -> Usage {
        self.0
            .as_ref()
            .map(|child| usage(child.id()))
            .unwrap_or_default()
    }

    /// Lets it go on for a while. An error when it ends before.
    pub(crate) fn go_on(&mut self, span: Duration) -> anyhow::Result<()> {
        let since = Stopwatch::start();
        while since.elapsed() < span {
            let child = self.0.as_mut().context("it has ended")?;
            if child.try_wait()?.is_some() {
                let output = self.wait()?;
                let words = String::from_utf8_lossy(&output.stderr).into_owned();
                anyhow::bail!("it ended too early, {}: {}", output.status, words.trim());
            }
            pause(LOOK_EVERY);
        }
        Ok(())
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> anyhow::Result<Output> {
        let child = self.0.take().context("it has ended")?;
        Ok(child.wait_with_output()?)
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) -> anyhow::Result<Output> {
        if let Some(child) = &self.0 {
            ask_to_end(child);
        }
        self.wait()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

fn ask_to_end(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself; its status tells.
        kill_process(pid, Signal::TERM).ok();
    }
}

fn end(child: &mut Child) {
    if matches!(child.try_wait(), Ok(None)) {
        // It may end by itself meanwhile; either way nothing is left behind.
        child.kill().ok();
        child.wait().ok();
    }
}

/// Waits between two looks at a child.
#[expect(clippy::disallowed_methods, reason = "a child process is polled")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Runs a program to its end; its output and the processor time that it took.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<(Output, Duration)> {
    let before = Children::processor_time();
    let output = command
        .output()
        .with_context(|| format!("{command:?} could not be started"))?;
    Ok((output, Children::processor_time().saturating_sub(before)))
}

/// Runs a program to its end; its exit code, how long it took, and the most memory that it held.
pub(crate) fn run_for_memory(
    command: &mut Command,
) -> anyhow::Result<(Option<i32>, Duration, u64)> {
    let since = Stopwatch::start();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{command:?} could not be started"))?;
    let mut most = 0;
    loop {
        // What it gains between the last look and its end is missed.
        most = most.max(usage(child.id()).resident_max);
        if let Some(status) = child.try_wait()? {
            return Ok((status.code(), since.elapsed(), most));
        }
        pause(LOOK_EVERY);
    }
}

/// What a process has used since it began.
pub(crate) fn usage(process: u32) -> Usage {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}"));
    let written = read("io").unwrap_or_default();
    let written = written
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    let status = read("status").unwrap_or_default();
    let bytes = |field: &str| {
        let text = status.lines().find_map(|line| line.strip_prefix(field))?;
        let kibibytes: u64 = text.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes * 1_024)
    };
    Usage {
        processor: ticks(&read("stat").unwrap_or_default(), 11),
        written: written
            .and_then(|text| text.parse().ok())
            .unwrap_or_default(),
        resident: bytes("VmRSS:").unwrap_or_default(),
        resident_max: bytes("VmHWM:").unwrap_or_default(),
    }
}

/// The children of this process that have ended and were waited for.
#[derive(Debug)]
pub(crate) struct Children;

impl Children {
    pub(crate) fn processor_time() -> Duration {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        ticks(&stat, 13)
    }
}

/// Two neighbouring fields of `/proc/PID/stat` behind the name, in clock ticks.
pub(crate) fn ticks(stat: &str, first: usize) -> Duration {
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
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 150 50 25 75 20 0 1 0";
        let per_second = rustix::param::clock_ticks_per_second();
        let seconds = |ticks: f64| Duration::from_secs_f64(ticks / per_second as f64);
        assert_eq!(ticks(stat, 11), seconds(200.0));
        assert_eq!(ticks(stat, 13), seconds(100.0));
    }

    #[test]
    fn a_program_that_ends_too_early_says_so() {
        let mut early =
            Background::start(Command::new("sh").args(["-c", "echo no >&2; exit 3"])).unwrap();
        let error = early
            .go_on(Duration::from_secs(20))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("exit status: 3") && error.ends_with("no"),
            "{error}"
        );
    }

    #[test]
    fn memory_is_the_most_that_was_held() {
        let mut command = Command::new("sh");
        let (code, took, most) = run_for_memory(command.args([
            "-c",
            "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exit 4",
        ]))
        .unwrap();
        assert!(
            code == Some(4) && took > Duration::ZERO && most > 100_000,
            "{most}"
        );
    }
}
