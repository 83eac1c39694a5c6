//! Where the kernel's control groups are mounted, and in which groups this process is.
//!
//! Version 1 has a tree of its own for each controller, or for a few together; version 2 has one tree
//! for all. A machine may have both, with some controllers here and some there.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The version of control groups that holds a process to its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A tree for each controller.
    V1,
    /// One tree for all.
    V2,
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::V1 => "cgroup v1",
            Self::V2 => "cgroup v2",
        })
    }
}

/// What the kernel controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Cpu,
    Memory,
}

impl Controller {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }
}

/// A tree of groups, and the group of this process in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    pub(crate) version: Version,
    /// The controllers of a tree of version 1; those of version 2 are listed in its groups.
    pub(crate) controllers: Vec<String>,
    /// Where the tree begins, as far as this process sees it.
    pub(crate) mount: PathBuf,
    /// The group of this process, at or below it.
    pub(crate) home: PathBuf,
}

impl Hierarchy {
    pub(crate) fn has(&self, controller: Controller) -> bool {
        self.controllers
            .iter()
            .any(|name| name == controller.name())
    }
}

/// Every tree that this process can reach, as `/proc` below `root` tells.
///
/// # Errors
/// Those of reading `/proc/self/cgroup` and `/proc/self/mountinfo`.
pub(crate) fn read(root: &Path) -> io::Result<Vec<Hierarchy>> {
    let memberships = fs::read_to_string(root.join("proc/self/cgroup"))?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo"))?;
    let memberships: Vec<Membership<'_>> = memberships.lines().filter_map(membership).collect();
    let hierarchies = mounts.lines().filter_map(mount).filter_map(|mount| {
        let membership = memberships
            .iter()
            .find(|membership| mount.is_of(membership))?;
        // In a container the mount begins at a group of its own; what is beyond it is out of reach.
        let below = Path::new(membership.path).strip_prefix(&mount.root).ok()?;
        if below.components().any(|part| part == Component::ParentDir) {
            return None;
        }
        let place = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
        let mount_point = place(&mount.point);
        Some(Hierarchy {
            version: mount.version,
            controllers: membership
                .controllers
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            home: mount_point.join(below),
            mount: mount_point,
        })
    });
    Ok(hierarchies.collect())
}

/// A line of `/proc/PID/cgroup`: number, controllers, path.
struct Membership<'line> {
    controllers: Vec<&'line str>,
    path: &'line str,
}

fn membership(line: &str) -> Option<Membership<'_>> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let named = controllers.split(',').filter(|name| !name.is_empty());
    Some(Membership {
        controllers: named.collect(),
        path,
    })
}

/// A mount of control groups.
struct Mount {
    version: Version,
    /// Options of the file system; a tree of version 1 has its controllers among them.
    options: Vec<String>,
    /// The group at which the mount begins.
    root: PathBuf,
    point: PathBuf,
}

impl Mount {
    fn is_of(&self, membership: &Membership<'_>) -> bool {
        match self.version {
            Version::V2 => membership.controllers.is_empty(),
            Version::V1 => {
                let has = |name: &&str| self.options.iter().any(|option| option == *name);
                !membership.controllers.is_empty() && membership.controllers.iter().all(has)
            }
        }
    }
}

/// A line of `/proc/PID/mountinfo`, where it is a mount of control groups.
///
/// Source: proc(5): numbers, root within the file system, mount point, options, optional fields up to
/// a hyphen, type, source, options of the file system; blanks are `\040`.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let (root, point) = (unescaped(fields.next()?), unescaped(fields.next()?));
    let mut fields = after.split(' ');
    let version = match fields.next()? {
        "cgroup" => Version::V1,
        "cgroup2" => Version::V2,
        _ => return None,
    };
    let options = fields.nth(1).unwrap_or_default();
    Some(Mount {
        version,
        options: options.split(',').map(str::to_owned).collect(),
        root: root.into(),
        point: point.into(),
    })
}

fn unescaped(field: &str) -> String {
    let text = field.replace(r"\040", " ").replace(r"\011", "\t");
    text.replace(r"\012", "\n").replace(r"\134", r"\")
}

#[cfg(test)]
mod tests {
    use super::{Controller, Hierarchy, Version, read};
    use std::path::Path;

    fn found(cgroup: &str, mountinfo: &str) -> Vec<(Version, bool, bool, String, String)> {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("proc/self");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("cgroup"), cgroup).unwrap();
        std::fs::write(folder.join("mountinfo"), mountinfo).unwrap();
        let shown = |path: &Path| {
            let path = path.strip_prefix(root.path()).unwrap();
            format!("/{}", path.display())
        };
        let facts = |one: Hierarchy| {
            (
                one.version,
                one.has(Controller::Cpu),
                one.has(Controller::Memory),
                shown(&one.mount),
                shown(&one.home),
            )
        };
        read(root.path()).unwrap().into_iter().map(facts).collect()
    }

    #[test]
    fn a_machine_with_version_2_alone() {
        let found = found(
            "0::/user.slice/user-1000.slice/session-2.scope\n",
            "24 1 0:22 / / rw - ext4 /dev/sda rw\n\
             31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
        );
        let (mount, home) = (
            "/sys/fs/cgroup".to_owned(),
            "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope".to_owned(),
        );
        assert_eq!(found, [(Version::V2, false, false, mount, home)]);
    }

    #[test]
    fn a_machine_with_both_and_the_controllers_on_version_1() {
        let found = found(
            "9:name=systemd:/\n4:memory:/jobs/7\n1:cpu,cpuacct:/\n0::/\n",
            "40 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
             41 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             42 30 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n\
             43 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        );
        let text = str::to_owned;
        let cpu = text("/sys/fs/cgroup/cpu,cpuacct");
        let memory = text("/sys/fs/cgroup/memory");
        let job = text("/sys/fs/cgroup/memory/jobs/7");
        let systemd = text("/sys/fs/cgroup/systemd");
        let unified = text("/sys/fs/cgroup/unified");
        assert_eq!(
            found,
            [
                (Version::V1, true, false, cpu.clone(), cpu),
                (Version::V1, false, true, memory, job),
                (Version::V1, false, false, systemd.clone(), systemd),
                (Version::V2, false, false, unified.clone(), unified),
            ]
        );
    }

    #[test]
    fn a_mount_that_begins_at_the_groups_of_a_container() {
        let memory = |cgroup| {
            let mountinfo = "41 30 0:31 /docker/abc /a\\040b/memory rw - cgroup cgroup rw,memory\n";
            found(cgroup, mountinfo)
        };
        let expected = |home: &str| {
            (
                Version::V1,
                false,
                true,
                "/a b/memory".to_owned(),
                home.to_owned(),
            )
        };
        assert_eq!(memory("4:memory:/docker/abc\n"), [expected("/a b/memory")]);
        assert_eq!(
            memory("4:memory:/docker/abc/x\n"),
            [expected("/a b/memory/x")]
        );
        assert_eq!(memory("4:memory:/docker/other\n"), []);
        assert_eq!(memory("4:memory:/docker/abc/../x\n"), []);
    }

    #[test]
    fn a_machine_without_control_groups() {
        assert_eq!(found("", "24 1 0:22 / / rw - ext4 /dev/sda rw\n"), []);
    }
}
