//! Limits on a process without a cluster: a share of the processors and an amount of memory, held by
//! the kernel's control groups (cgroups) of version 1 or 2, whichever the machine has.
//!
//! [`CpuLimit`] and [`MemoryLimit`] are the quantities, in the words of Kubernetes. [`Sites`] are the
//! places where a group can be made; a [`Group`] holds a process to its [`Limits`] and tells how it
//! fared. Everything is found below a root folder that the caller names, so that each kind of machine
//! can be tested in a folder of files.
//!
//! This crate must not know what a shop or a rehearsal is. It reads no clock, starts no process and
//! pins nothing to processors.
//!
//! Source: cgroups(7); the kernel's `Documentation/admin-guide/cgroup-v2.rst`,
//! `cgroup-v1/memory.rst` and `Documentation/scheduler/sched-bwc.rst`.

use std::fmt;

mod group;
mod hierarchy;
mod quantity;
mod sites;

pub use group::{Group, MemoryUse, Throttling};
pub use hierarchy::Version;
pub use quantity::{CpuLimit, MemoryLimit, QuantityError};
pub use sites::{LimitError, Sites};

/// What a process is held to; at least one of them, or there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Processor time.
    pub cpu: Option<CpuLimit>,
    /// Memory, the page cache of its files included.
    pub memory: Option<MemoryLimit>,
}

impl Limits {
    /// Whether nothing is limited.
    pub const fn is_empty(self) -> bool {
        self.cpu.is_none() && self.memory.is_none()
    }

    /// What the kernel must control for these limits.
    fn controllers(self) -> Vec<hierarchy::Controller> {
        let cpu = self.cpu.map(|_| hierarchy::Controller::Cpu);
        let memory = self.memory.map(|_| hierarchy::Controller::Memory);
        cpu.into_iter().chain(memory).collect()
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpu = self.cpu.map(|cpu| format!("{cpu} CPU"));
        let memory = self.memory.map(|memory| format!("{memory} of memory"));
        let both: Vec<String> = cpu.into_iter().chain(memory).collect();
        formatter.write_str(&both.join(", "))
    }
}

/// What holds a process to its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Control groups of this version.
    Groups(Version),
    /// It is kept on this many whole processors.
    Pinned(usize),
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Groups(version) => version.fmt(formatter),
            Self::Pinned(1) => formatter.write_str("pinned to 1 core"),
            Self::Pinned(cores) => write!(formatter, "pinned to {cores} cores"),
        }
    }
}

/// Limits, and what holds a process to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The limits.
    pub limits: Limits,
    /// What holds it.
    pub way: Way,
}

impl fmt::Display for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.limits, self.way)
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Limits, Version, Way};

    #[test]
    fn limits_are_told_with_what_holds_them() {
        let check = |cpu: Option<&str>, memory: Option<&str>, way, expected: &str| {
            let limits = Limits {
                cpu: cpu.map(|text| text.parse().unwrap()),
                memory: memory.map(|text| text.parse().unwrap()),
            };
            assert_eq!(Held { limits, way }.to_string(), expected);
        };
        let (v1, v2) = (Way::Groups(Version::V1), Way::Groups(Version::V2));
        check(Some("500m"), None, v1, "0.5 CPU (cgroup v1)");
        check(None, Some("512Mi"), v2, "512Mi of memory (cgroup v2)");
        check(
            Some("2"),
            Some("4Gi"),
            v2,
            "2 CPU, 4Gi of memory (cgroup v2)",
        );
        check(Some("2"), None, Way::Pinned(2), "2 CPU (pinned to 2 cores)");
        check(Some("1"), None, Way::Pinned(1), "1 CPU (pinned to 1 core)");
    }
}
