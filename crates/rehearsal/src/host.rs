//! What machine this is, and how fast its disk makes data durable.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use double11_limits::{CpuLimit, Held, MemoryLimit, Version, Way};
use double11_load::host::Host;
use double11_report::model::{HeldBy, HostFacts, ShopLimits};

use crate::clock;

/// Probes of `fdatasync`; their median is kept.
const SYNC_PROBES: usize = 51;
/// Bytes that each probe writes: a page of SQLite's log with its header.
const SYNC_PROBE_BYTES: usize = 4_120;

/// The facts about this machine. `folder` is where the stores are.
pub(crate) fn facts(
    folder: &Path,
    shop_cpus: &[usize],
    generator_cpus: &[usize],
    limits: Option<Held>,
) -> HostFacts {
    let host = Host::look();
    HostFacts {
        cpu_model: host.processor,
        logical_cpus: logical_cpus(),
        memory_bytes: host.memory_bytes,
        operating_system: operating_system(),
        kernel: Some(host.kernel),
        file_system: file_system(folder),
        fdatasync_ms: fdatasync_median_ms(folder).ok(),
        shop_cpus: named(shop_cpus),
        generator_cpus: named(generator_cpus),
        shop_limits: limits.map(shop_limits),
    }
}

fn shop_limits(held: Held) -> ShopLimits {
    ShopLimits {
        cpus: held.limits.cpu.map(CpuLimit::processors),
        memory_bytes: held.limits.memory.map(MemoryLimit::bytes),
        held_by: match held.way {
            Way::Groups(Version::V1) => HeldBy::CgroupV1,
            Way::Groups(Version::V2) => HeldBy::CgroupV2,
            Way::Pinned(cores) => HeldBy::Pinned {
                cores: u32::try_from(cores).unwrap_or(u32::MAX),
            },
        },
    }
}

fn named(cpus: &[usize]) -> Option<String> {
    let list: Vec<String> = cpus.iter().map(usize::to_string).collect();
    (!cpus.is_empty()).then(|| format!("CPU {}", list.join(", ")))
}

/// Processors of the machine; this process itself may be kept on fewer.
fn logical_cpus() -> Option<u32> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let count = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    u32::try_from(count).ok().filter(|count| *count > 0)
}

fn operating_system() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

/// The type of the file system that holds a folder: the longest mount point that leads to it.
fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(mount_point, _)| folder.starts_with(mount_point))
        .max_by_key(|(mount_point, _)| mount_point.len())
        .map(|(_, kind)| kind.to_owned())
}

/// Appends and syncs again and again, as the store's log does, and takes the median.
fn fdatasync_median_ms(folder: &Path) -> std::io::Result<f64> {
    let path = folder.join(".fdatasync-probe");
    let mut file = File::create(&path)?;
    let page = [0x11_u8; SYNC_PROBE_BYTES];
    let mut spans = Vec::with_capacity(SYNC_PROBES);
    for _ in 0..SYNC_PROBES {
        file.write_all(&page)?;
        let started = clock::steady();
        file.sync_data()?;
        spans.push(started.elapsed());
    }
    drop(file);
    std::fs::remove_file(&path)?;
    spans.sort_unstable();
    let median = spans.get(SYNC_PROBES / 2).copied().unwrap_or_default();
    Ok(median.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use double11_limits::{Held, Limits, Version, Way};
    use double11_report::model::HeldBy;

    #[test]
    fn this_machine_has_facts() {
        let folder = tempfile::tempdir().unwrap();
        let held = Held {
            limits: Limits {
                cpu: Some("0.5".parse().unwrap()),
                memory: None,
            },
            way: Way::Groups(Version::V1),
        };
        let facts = super::facts(folder.path(), &[0], &[], Some(held));
        let limits = facts.shop_limits.unwrap();
        assert_eq!((limits.cpus, limits.memory_bytes), (Some(0.5), None));
        assert_eq!(limits.held_by, HeldBy::CgroupV1);
        assert!(facts.logical_cpus.unwrap() >= 1);
        assert!(facts.memory_bytes.unwrap() > 1 << 20);
        assert!(facts.fdatasync_ms.unwrap() > 0.0);
        assert!(facts.file_system.is_some() && facts.kernel.is_some());
        assert_eq!(facts.shop_cpus.as_deref(), Some("CPU 0"));
        assert_eq!(facts.generator_cpus, None);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
