//! A shop under `--cpu-limit 0.5` gets half a processor: at no time more, and under a storm no less.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::alone;
use crate::harness::{PROGRAM, now, pause};
use crate::shop::{LimitedShop, groups_of, in_a_group};

const LIMIT: f64 = 0.5;
/// What a window may have: the limit and 5 % of it.
const SHARE_MAX: f64 = 0.525;
/// What the whole must have, or the storm was none and the limit was not tried.
const SHARE_MEAN_MIN: f64 = 0.4;
const WINDOW: Duration = Duration::from_secs(10);
const WATCHED: Duration = Duration::from_secs(21);
const LOOK: Duration = Duration::from_millis(100);

/// Reads that need the processor and nothing else.
const PLAN: &str = r#"
format = 1
name = "searches"
description = "Searches and nothing else"

[data.query]
kind = "list"
built_in = "search-queries"
exponent = 1.0

[[step]]
name = "search"
weight = 1.0
[step.request]
method = "GET"
path = "/api/search?q=${query}"
success = [200]
"#;

/// A look at a process: when, and its processor time since its start.
type Look = (Duration, Duration);

/// The share of a processor over every window that begins at a look.
fn shares(looks: &[Look], window: Duration) -> Vec<f64> {
    let share = |&(begin, before): &Look| {
        let &(end, after) = looks.iter().find(|(at, _)| *at >= begin + window)?;
        Some(
            (after.as_secs_f64() - before.as_secs_f64())
                / (end.as_secs_f64() - begin.as_secs_f64()),
        )
    };
    looks.iter().filter_map(share).collect()
}

/// The traffic; killed when dropped.
struct Storm(Child);

impl Storm {
    fn start(folder: &Path, target: &str) -> Self {
        let plan = folder.join("searches.toml");
        std::fs::write(&plan, PLAN).unwrap();
        let child = Command::new(PROGRAM)
            .arg("load")
            .arg(&plan)
            .args(["--target", target, "--users", "200", "--duration", "60s"])
            .arg("--out")
            .arg(folder.join("run"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn watch(shop: &LimitedShop, start: Instant) -> Vec<Look> {
    let mut looks = Vec::new();
    while start.elapsed() < WATCHED {
        let used = shop.processor_time();
        looks.push((start.elapsed(), used));
        pause(LOOK);
    }
    looks
}

#[test]
fn a_limited_shop_has_its_share_in_any_ten_seconds() {
    let _alone = alone();
    for variant in ["baseline", "optimized"] {
        let folder = tempfile::tempdir().unwrap();
        let options = [
            "--variant",
            variant,
            "--products",
            "5000",
            "--cpu-limit",
            "0.5",
        ];
        let Some(shop) = in_a_group(folder.path(), &options) else {
            return;
        };
        assert!(
            shop.limited_to.starts_with("0.5 CPU (cgroup v"),
            "{}",
            shop.limited_to
        );
        let storm = Storm::start(folder.path(), &shop.target);
        pause(Duration::from_secs(2));
        let looks = watch(&shop, now());
        drop(storm);
        let windows = shares(&looks, WINDOW);
        assert!(windows.len() > 50, "{variant}: {} windows", windows.len());
        let most = windows.iter().copied().fold(0.0, f64::max);
        let mean = windows.iter().sum::<f64>() / windows.len() as f64;
        eprintln!("{variant}: of a limit of {LIMIT} at most {most:.4}, on average {mean:.4}");
        assert!(
            most <= SHARE_MAX,
            "{variant}: {most} of a processor in 10 s"
        );
        assert!(mean >= SHARE_MEAN_MIN, "{variant}: only {mean} on average");
        let id = shop.terminate();
        assert_eq!(groups_of(id), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn a_window_above_the_limit_is_seen() {
    // Half a processor but for the seconds 8 to 12, in which it is a whole one.
    let used = |at: u64| 500 * at + 500 * at.clamp(8, 12).saturating_sub(8);
    let looks: Vec<Look> = (0..=21)
        .map(|at| (Duration::from_secs(at), Duration::from_millis(used(at))))
        .collect();
    let windows = shares(&looks, WINDOW);
    assert_eq!(windows.len(), 12);
    let most = windows.iter().copied().fold(0.0, f64::max);
    assert!((most - 0.7).abs() < 1e-9, "{most}");
    let first = shares(&looks[..9], Duration::from_secs(8));
    assert!(first.iter().all(|share| (share - 0.5).abs() < 1e-9));
}
