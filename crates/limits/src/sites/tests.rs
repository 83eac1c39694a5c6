//! Machines as folders of files: what the kernel would make by itself in a new group is not there, so
//! that a file that appears was written by us.

use std::fs;
use std::path::{Path, PathBuf};

use super::{LimitError, Sites};
use crate::{Limits, Version};

const VERSION_2: &str = "31 24 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
const VERSION_1: &str = "\
40 30 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
41 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
43 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
";
const BOTH_CONTROLLERS: &str = "cpuset cpu io memory pids";

struct Machine(tempfile::TempDir);

impl Machine {
    /// A machine with these mounts, whose process is in these groups.
    fn new(cgroup: &str, mounts: &str) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.write("proc/self/cgroup", cgroup);
        machine.write("proc/self/mountinfo", mounts);
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn group(&self, path: &str) -> PathBuf {
        self.path("sys/fs/cgroup").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Files of a group of version 2 with this content.
    fn files(&self, group: &str, files: &[(&str, &str)]) {
        for (file, text) in files {
            self.write(&format!("sys/fs/cgroup/{group}/{file}"), text);
        }
    }

    fn sites(&self, limits: Limits) -> Result<Sites, LimitError> {
        Sites::find(self.0.path(), limits)
    }
}

fn limits(cpu: &str, memory: &str) -> Limits {
    Limits {
        cpu: (!cpu.is_empty()).then(|| cpu.parse().unwrap()),
        memory: (!memory.is_empty()).then(|| memory.parse().unwrap()),
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn version_2_is_limited_by_two_files_of_one_group() {
    let machine = Machine::new("0::/\n", VERSION_2);
    machine.files("", &[("cgroup.controllers", BOTH_CONTROLLERS)]);
    let sites = machine.sites(limits("0.5", "512Mi")).unwrap();
    let group = sites.make(70, "baseline").unwrap();
    assert_eq!(group.version(), Version::V2);
    let folder = machine.group("double11-70-baseline");
    assert_eq!(read(&folder.join("cpu.max")), "50000 100000");
    assert_eq!(read(&folder.join("memory.max")), "536870912");
    assert_eq!(
        read(&machine.group("cgroup.subtree_control")),
        "+cpu +memory"
    );
    assert_eq!(sites.group_of(70), Some(group.clone()));
    assert_eq!(sites.group_of(7), None);
    group.join(70).unwrap();
    assert_eq!(read(&folder.join("cgroup.procs")), "70");
    machine.files(
        "double11-70-baseline",
        &[
            (
                "cpu.stat",
                "nr_periods 9\nnr_throttled 4\nthrottled_usec 5\n",
            ),
            ("memory.peak", "1048576\n"),
            ("memory.events", "oom 1\noom_kill 1\n"),
        ],
    );
    assert_eq!(group.throttling().unwrap().throttled, 4);
    let memory = group.memory().unwrap();
    assert_eq!((memory.peak_bytes, memory.oom_kills), (Some(1 << 20), 1));
}

#[test]
fn what_is_handed_on_already_is_not_written_again() {
    let machine = Machine::new("0::/\n", VERSION_2);
    machine.files(
        "",
        &[
            ("cgroup.controllers", BOTH_CONTROLLERS),
            ("cgroup.subtree_control", "memory pids"),
        ],
    );
    let made = |limits| machine.sites(limits).unwrap().make(1, "a").unwrap();
    let control = machine.group("cgroup.subtree_control");
    let group = made(limits("", "1Gi"));
    assert_eq!(read(&control), "memory pids");
    assert_eq!(group.throttling(), None, "processor time is not limited");
    fs::remove_dir_all(machine.group("double11-1-a")).unwrap();
    made(limits("1", "1Gi"));
    assert_eq!(read(&control), "+cpu");
}

#[test]
fn version_2_goes_up_to_a_group_that_can_hand_on() {
    let machine = Machine::new("0::/user.slice/session.scope\n", VERSION_2);
    machine.files("", &[("cgroup.controllers", BOTH_CONTROLLERS)]);
    machine.files(
        "user.slice",
        &[
            ("cgroup.controllers", "cpu memory"),
            ("cgroup.subtree_control", "cpu memory"),
            ("memory.max", "max\n"),
        ],
    );
    machine.files(
        "user.slice/session.scope",
        &[
            ("cgroup.controllers", "memory"),
            ("memory.max", "max\n"),
            ("cpu.max", "max 100000\n"),
        ],
    );
    let sites = machine.sites(limits("1", "")).unwrap();
    let group = sites.make(5, "tuned").unwrap();
    assert!(
        machine
            .group("user.slice/double11-5-tuned/cpu.max")
            .exists()
    );
    // It returns to where it came from, not to where the group was made.
    group.leave(5).unwrap_err();
    let home = machine.group("user.slice/session.scope/cgroup.procs");
    assert_eq!(read(&home), "5");
}

#[test]
fn a_group_that_is_limited_itself_is_not_left() {
    for (file, text) in [
        ("cpu.max", "150000 100000\n"),
        ("memory.max", "1073741824\n"),
        ("memory.high", "1073741824\n"),
    ] {
        let machine = Machine::new("0::/job\n", VERSION_2);
        machine.files("", &[("cgroup.controllers", BOTH_CONTROLLERS)]);
        machine.files("job", &[("cgroup.controllers", "io"), (file, text)]);
        let error = machine.sites(limits("1", "")).unwrap_err();
        let expected = "no control groups (cgroups) for cpu are mounted here";
        assert_eq!(error.to_string(), expected, "{file}");
    }
}

#[test]
fn version_1_is_limited_by_a_group_in_each_tree() {
    let machine = Machine::new("4:memory:/jobs/7\n1:cpu:/\n0::/\n", VERSION_1);
    machine.files("memory/jobs/7", &[("cgroup.procs", "")]);
    machine.files("cpu", &[("cgroup.procs", "")]);
    machine.files("unified", &[("cgroup.controllers", "\n")]);
    let sites = machine.sites(limits("2", "4Gi")).unwrap();
    let group = sites.make(8, "optimized").unwrap();
    assert_eq!(group.version(), Version::V1);
    let cpu = machine.group("cpu/double11-8-optimized");
    let memory = machine.group("memory/jobs/7/double11-8-optimized");
    assert_eq!(read(&cpu.join("cpu.cfs_period_us")), "100000");
    assert_eq!(read(&cpu.join("cpu.cfs_quota_us")), "200000");
    assert_eq!(read(&memory.join("memory.limit_in_bytes")), "4294967296");
    assert!(!memory.join("memory.memsw.limit_in_bytes").exists());
    group.join(8).unwrap();
    for folder in [cpu, memory] {
        assert_eq!(read(&folder.join("cgroup.procs")), "8");
    }
    machine.files(
        "memory/jobs/7/double11-8-optimized",
        &[
            ("memory.max_usage_in_bytes", "4096\n"),
            ("memory.oom_control", "oom_kill_disable 0\noom_kill 2\n"),
        ],
    );
    let memory = sites.group_of(8).unwrap().memory().unwrap();
    assert_eq!((memory.peak_bytes, memory.oom_kills), (Some(4_096), 2));
}

#[test]
fn one_tree_of_two_controllers_has_one_group() {
    let machine = Machine::new(
        "3:memory,cpu:/\n",
        "40 30 0:30 / /sys/fs/cgroup/both rw - cgroup cgroup rw,cpu,memory\n",
    );
    machine.files("both", &[("cgroup.procs", "")]);
    let sites = machine.sites(limits("1", "1Gi")).unwrap();
    sites.make(3, "a").unwrap();
    let folder = machine.group("both/double11-3-a");
    assert_eq!(read(&folder.join("cpu.cfs_quota_us")), "100000");
    assert_eq!(read(&folder.join("memory.limit_in_bytes")), "1073741824");
}

#[test]
fn a_missing_controller_is_named() {
    let machine = Machine::new("4:memory:/\n0::/\n", VERSION_1);
    let check = |limits, expected: &str| {
        assert_eq!(machine.sites(limits).unwrap_err().to_string(), expected);
    };
    check(
        limits("1", ""),
        "no control groups (cgroups) for cpu are mounted here",
    );
    check(
        limits("1", "1Gi"),
        "no control groups (cgroups) for cpu and memory are mounted here",
    );
    let none = Sites::find(Path::new("/nowhere"), limits("1", "")).unwrap_err();
    assert!(matches!(none, LimitError::Unreadable(_)), "{none}");
}

#[test]
fn what_cannot_be_written_is_named_and_leaves_nothing() {
    let machine = Machine::new("4:memory:/gone\n1:cpu:/\n", VERSION_1);
    machine.files("cpu", &[("cgroup.procs", "")]);
    let sites = machine.sites(limits("0.5", "64Mi")).unwrap();
    let error = sites.make(9, "a").unwrap_err().to_string();
    let folder = machine.group("memory/gone/double11-9-a");
    assert_eq!(
        error,
        format!("the control group `{}` cannot be written", folder.display())
    );
    assert!(!machine.group("cpu/double11-9-a").exists());
    assert_eq!(sites.group_of(9), None);
}

#[test]
fn groups_of_processes_that_are_gone_are_swept() {
    let machine = Machine::new("4:memory:/\n1:cpu:/\n", VERSION_1);
    machine.write("proc/20/stat", "20 (double11)");
    let folders = [
        "cpu/double11-10-baseline",
        "memory/double11-10-baseline",
        "memory/double11-11-optimized",
        "cpu/double11-20-baseline",
        "cpu/double11-x-baseline",
        "cpu/double11-30",
        "cpu/other-10-baseline",
    ];
    for folder in folders {
        fs::create_dir_all(machine.group(folder)).unwrap();
    }
    let sites = machine.sites(limits("0.5", "64Mi")).unwrap();
    assert_eq!(sites.sweep(), 3);
    let left: Vec<bool> = folders
        .iter()
        .map(|folder| machine.group(folder).exists())
        .collect();
    assert_eq!(left, [false, false, false, true, true, true, true]);
    assert_eq!(sites.sweep(), 0);
}
