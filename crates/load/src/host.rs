//! The machine that the generator runs on, and what it lets the generator use.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// Facts about the machine, for `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Name of the operating system and its version.
    pub kernel: String,
    /// Processor architecture.
    pub architecture: String,
    /// Model of the first processor, when the system tells.
    pub processor: Option<String>,
    /// Processors that this process may use.
    pub processors: usize,
    /// Main memory, when the system tells.
    pub memory_bytes: Option<u64>,
    /// Descriptors that this process may use.
    pub descriptors_limit: Option<u64>,
}

impl Host {
    /// Looks at the machine.
    pub fn look() -> Self {
        let uname = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        Self {
            kernel: format!("{} {}", text(uname.sysname()), text(uname.release())),
            architecture: text(uname.machine()),
            processor: field("/proc/cpuinfo", "model name"),
            processors: processors_allowed(),
            memory_bytes: field("/proc/meminfo", "MemTotal").and_then(|text| kibibytes(&text)),
            descriptors_limit: getrlimit(Resource::Nofile).current,
        }
    }
}

/// The first value of a field in a file of `name : value` lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()?
        .checked_mul(1_024)
}

/// Processors that the calling thread may run on.
pub(crate) fn processors_allowed() -> usize {
    let allowed = sched_getaffinity(None).map_or(1, |set| set.count());
    usize::try_from(allowed).unwrap_or(1).max(1)
}

/// Keeps the calling thread on these processors.
pub(crate) fn pin(processors: &[usize]) -> std::io::Result<()> {
    let mut set = CpuSet::new();
    for &processor in processors {
        if processor >= CpuSet::MAX_CPU {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        set.set(processor);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// Does something with the calling thread, and those that it starts meanwhile, kept on these
/// processors; on all when none are named.
///
/// # Errors
/// When the system has no such processor.
pub fn pinned<T>(processors: &[usize], work: impl FnOnce() -> T) -> std::io::Result<T> {
    if processors.is_empty() {
        return Ok(work());
    }
    let before = allowed();
    pin(processors)?;
    let done = work();
    restore(before);
    Ok(done)
}

/// The processors that the calling thread may run on, to be restored later.
pub(crate) fn allowed() -> Option<CpuSet> {
    sched_getaffinity(None).ok()
}

/// Gives the calling thread the processors back that it had.
pub(crate) fn restore(before: Option<CpuSet>) {
    if let Some(before) = before {
        // What was allowed a moment ago is allowed still, unless someone else took it away.
        drop(sched_setaffinity(None, &before).map_err(std::io::Error::from));
    }
}

/// Descriptors in use now.
pub(crate) fn descriptors_in_use() -> u64 {
    let count = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Raises the soft limit of descriptors to the hard one; the limit that holds then, `None` when there
/// is none.
pub(crate) fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return limit.maximum;
        }
    }
    limit.current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_processors_memory_and_descriptors() {
        let host = Host::look();
        assert!(host.processors >= 1 && host.kernel.contains(' ') && !host.architecture.is_empty());
        assert!(descriptors_in_use() > 2);
        assert!(raise_descriptor_limit().is_none_or(|limit| limit >= 64));
        assert_eq!(kibibytes("16 kB"), Some(16_384));
    }

    #[test]
    fn a_thread_is_pinned_and_impossible_processors_are_refused() {
        std::thread::spawn(|| {
            let first = (0..CpuSet::MAX_CPU)
                .find(|processor| sched_getaffinity(None).unwrap().is_set(*processor))
                .unwrap();
            let before = processors_allowed();
            assert_eq!(pinned(&[first], processors_allowed).unwrap(), 1);
            assert_eq!(pinned(&[], processors_allowed).unwrap(), before);
            assert_eq!(processors_allowed(), before);
            pin(&[first]).unwrap();
            assert_eq!(processors_allowed(), 1);
            assert!(pin(&[CpuSet::MAX_CPU]).is_err());
            assert!(pin(&[]).is_err());
        })
        .join()
        .unwrap();
    }
}
