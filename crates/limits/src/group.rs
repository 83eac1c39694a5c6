//! A group of control groups by one name, which holds a process to its limits and tells how it fared.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Limits;
use crate::hierarchy::{Controller, Version};
use crate::sites::LimitError;
use crate::{CpuLimit, MemoryLimit};

/// The file of a group that lists its processes, and takes in those that are written to it.
pub(crate) const PROCESSES: &str = "cgroup.procs";

/// How often the kernel let a group wait because its quota was used up, since the group was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttling {
    /// Periods of [`CpuLimit::PERIOD_US`] in which the group had something to do.
    pub periods: u64,
    /// Those of them in which it had to wait.
    pub throttled: u64,
    /// How long its threads waited, added up over the processors.
    pub waited: Duration,
}

/// What became of the memory of a group since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// The most that it had at a time, the page cache of its files included; `None` where the kernel
    /// does not tell.
    pub peak_bytes: Option<u64>,
    /// Processes that the kernel killed because they wanted more than the limit.
    pub oom_kills: u64,
}

/// A group in one tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) controllers: Vec<Controller>,
    /// The group that its processes came from.
    pub(crate) home: PathBuf,
    pub(crate) path: PathBuf,
}

/// A group of this program: a folder in each tree that has a controller which is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub(crate) version: Version,
    pub(crate) parts: Vec<Part>,
}

impl Group {
    /// The version of control groups that holds the limits.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Moves a process with all its threads into the group. What it used before counts elsewhere.
    ///
    /// # Errors
    /// [`LimitError::Write`].
    pub fn join(&self, process_id: u32) -> Result<(), LimitError> {
        let mut paths = self.parts.iter().map(|part| &part.path);
        paths.try_for_each(|path| write(&path.join(PROCESSES), &process_id.to_string()))
    }

    /// Moves the process back to where it came from, and removes the group.
    ///
    /// # Errors
    /// [`LimitError::Write`]; what cannot be removed now is removed by [`crate::Sites::sweep`] when
    /// the process is gone.
    pub fn leave(&self, process_id: u32) -> Result<(), LimitError> {
        for part in &self.parts {
            write(&part.home.join(PROCESSES), &process_id.to_string())?;
        }
        self.remove()
    }

    /// Removes the group, whose processes must have ended. It may be gone already.
    ///
    /// # Errors
    /// [`LimitError::Write`], for a moment also after the last process was seen to end.
    pub fn remove(&self) -> Result<(), LimitError> {
        let mut result = Ok(());
        for part in &self.parts {
            match fs::remove_dir(&part.path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    let path = part.path.clone();
                    result = Err(LimitError::Write { path, source });
                }
                _ => {}
            }
        }
        result
    }

    /// How often the group had to wait; `None` where its processor time is not limited or the group is
    /// gone.
    pub fn throttling(&self) -> Option<Throttling> {
        let text = fs::read_to_string(self.path(Controller::Cpu)?.join("cpu.stat")).ok()?;
        parse_throttling(&text)
    }

    /// What became of its memory; `None` where it is not limited or the group is gone.
    pub fn memory(&self) -> Option<MemoryUse> {
        let folder = self.path(Controller::Memory)?;
        let (peak, events) = match self.version {
            Version::V1 => ("memory.max_usage_in_bytes", "memory.oom_control"),
            Version::V2 => ("memory.peak", "memory.events"),
        };
        let events = fs::read_to_string(folder.join(events)).ok()?;
        let peak = fs::read_to_string(folder.join(peak));
        Some(MemoryUse {
            peak_bytes: peak.ok().and_then(|text| text.trim().parse().ok()),
            oom_kills: number(&events, "oom_kill")?,
        })
    }

    fn path(&self, controller: Controller) -> Option<&Path> {
        let mut parts = self.parts.iter();
        let part = parts.find(|part| part.controllers.contains(&controller))?;
        Some(&part.path)
    }

    /// Writes the limits into the files of a group that was just made.
    pub(crate) fn set(&self, limits: Limits) -> Result<(), LimitError> {
        if let (Some(path), Some(cpu)) = (self.path(Controller::Cpu), limits.cpu) {
            set_cpu(path, self.version, cpu)?;
        }
        if let (Some(path), Some(memory)) = (self.path(Controller::Memory), limits.memory) {
            set_memory(path, self.version, memory)?;
        }
        Ok(())
    }
}

fn set_cpu(group: &Path, version: Version, limit: CpuLimit) -> Result<(), LimitError> {
    let (quota, period) = (limit.quota_us(), CpuLimit::PERIOD_US);
    match version {
        Version::V2 => write(&group.join("cpu.max"), &format!("{quota} {period}")),
        Version::V1 => {
            write(&group.join("cpu.cfs_period_us"), &period.to_string())?;
            write(&group.join("cpu.cfs_quota_us"), &quota.to_string())
        }
    }
}

/// Memory is limited with swap and all: a process that swaps is slower, and that is not what a limit
/// of memory is to show. A kernel that does not account for swap has no file for it.
fn set_memory(group: &Path, version: Version, limit: MemoryLimit) -> Result<(), LimitError> {
    let bytes = limit.bytes().to_string();
    let (memory, swap, swap_limit) = match version {
        Version::V2 => ("memory.max", "memory.swap.max", "0"),
        Version::V1 => (
            "memory.limit_in_bytes",
            "memory.memsw.limit_in_bytes",
            bytes.as_str(),
        ),
    };
    write(&group.join(memory), &bytes)?;
    let swap = group.join(swap);
    if swap.exists() {
        write(&swap, swap_limit)?;
    }
    Ok(())
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), LimitError> {
    fs::write(path, text).map_err(|source| LimitError::Write {
        path: path.to_owned(),
        source,
    })
}

/// `cpu.stat`: nanoseconds in version 1, microseconds in version 2.
fn parse_throttling(text: &str) -> Option<Throttling> {
    let microseconds = number(text, "throttled_usec").map(Duration::from_micros);
    let nanoseconds = || number(text, "throttled_time").map(Duration::from_nanos);
    Some(Throttling {
        periods: number(text, "nr_periods")?,
        throttled: number(text, "nr_throttled")?,
        waited: microseconds.or_else(nanoseconds)?,
    })
}

/// The number of a line `name number`.
fn number(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::{Throttling, number, parse_throttling};
    use std::time::Duration;

    #[test]
    fn both_versions_tell_of_throttling() {
        let expected = Some(Throttling {
            periods: 240,
            throttled: 31,
            waited: Duration::from_micros(1_250_400),
        });
        let v1 = "nr_periods 240\nnr_throttled 31\nthrottled_time 1250400000\nnr_bursts 0\n";
        let v2 = "usage_usec 9\nuser_usec 5\nnr_periods 240\nnr_throttled 31\n\
                  throttled_usec 1250400\nnr_bursts 0\n";
        assert_eq!(parse_throttling(v1), expected);
        assert_eq!(parse_throttling(v2), expected);
        assert_eq!(parse_throttling("usage_usec 9\n"), None);
    }

    #[test]
    fn a_name_that_begins_another_is_not_taken_for_it() {
        let events = "low 0\noom 2\noom_kill 3\noom_group_kill 4\n";
        assert_eq!(number(events, "oom_kill"), Some(3));
        assert_eq!(number(events, "oom"), Some(2));
        assert_eq!(
            number("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", "oom_kill"),
            Some(1)
        );
        assert_eq!(number(events, "max"), None);
    }
}
