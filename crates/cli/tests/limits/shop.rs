//! A limited shop as a process, and what the kernel says of it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{self, PROGRAM, both, eventually, store_url};

/// A shop that was started with limits; killed when dropped.
pub(crate) struct LimitedShop {
    child: Child,
    pub(crate) target: String,
    /// What it says of its limits, such as `0.5 CPU (cgroup v1)`.
    pub(crate) limited_to: String,
}

impl LimitedShop {
    /// Starts a shop with these options, or tells how it refused.
    pub(crate) fn start(folder: &Path, options: &[&str]) -> Result<Self, Output> {
        let mut command = Command::new(PROGRAM);
        command
            .args(["serve", "--addr", "127.0.0.1:0", "--store"])
            .arg(store_url(folder))
            .args(options);
        Self::spawn(&mut command)
    }

    /// The same by a command of the caller's.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self, Output> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let mut limited_to = String::new();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(target) = line.strip_prefix("listening on ") {
                let target = target.to_owned();
                return Ok(Self {
                    child,
                    target,
                    limited_to,
                });
            }
            if let Some(held) = line.strip_prefix("limited to ") {
                held.clone_into(&mut limited_to);
            }
        }
        Err(child.wait_with_output().unwrap())
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// The processors that it may use.
    pub(crate) fn cores(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process_id()));
        let status = status.unwrap();
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed:"))
            .unwrap();
        let bits = mask.chars().filter_map(|digit| digit.to_digit(16));
        bits.map(u32::count_ones).sum::<u32>() as usize
    }

    /// Processor time since its start, all threads together.
    ///
    /// Source: proc(5): fields 14 and 15 of `/proc/PID/stat`, in clock ticks.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process_id())).unwrap();
        let after_name = stat.rsplit_once(") ").unwrap().1;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) -> u32 {
        let id = self.process_id();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        id
    }

    /// Asks it to end and waits; tells its id.
    pub(crate) fn terminate(mut self) -> u32 {
        let id = self.process_id();
        let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        eventually("the end of the shop", Duration::from_secs(30), || {
            self.child.try_wait().unwrap().is_some()
        });
        assert!(self.child.wait().unwrap().success());
        id
    }
}

impl Drop for LimitedShop {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Starts a shop that needs a control group. Where the machine has none that can be written the test
/// is skipped, and with `CI=true` it fails.
pub(crate) fn in_a_group(folder: &Path, options: &[&str]) -> Option<LimitedShop> {
    match LimitedShop::start(folder, options) {
        Ok(shop) => Some(shop),
        Err(output) => {
            let said = both(&output);
            assert_eq!(output.status.code(), Some(3), "{said}");
            assert!(said.contains("control group"), "{said}");
            harness::skip(&format!("no control group can be written here: {said}"));
            None
        }
    }
}

/// The folders of control groups that were made for a process.
pub(crate) fn groups_of(process_id: u32) -> Vec<PathBuf> {
    let prefix = format!("double11-{process_id}-");
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().starts_with(&prefix) {
                    found.push(entry.path());
                } else {
                    folders.push(entry.path());
                }
            }
        }
    }
    found
}
