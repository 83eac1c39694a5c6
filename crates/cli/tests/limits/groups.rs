//! Groups of the kernel that runs this test: made, joined, removed, or refused by name.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::harness::{PROGRAM, both, run, store_url};
use crate::shop::{LimitedShop, groups_of, in_a_group};
use crate::{alone, can_mount};

/// Makes every control group unwritable, then becomes the program.
const READ_ONLY: &str = r#"
set -e
for mount in $(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts); do
  mount -o remount,bind,ro "$mount"
done
exec "$@"
"#;

fn without_groups() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", READ_ONLY, "sh", PROGRAM]);
    command
}

fn refusal(output: &Output, words: &[&str]) {
    let said = both(output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in {said}");
    }
}

#[test]
fn a_group_is_made_before_the_shop_and_ends_with_it() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let options = [
        "--products",
        "200",
        "--cpu-limit",
        "500m",
        "--memory-limit",
        "0.5Gi",
    ];
    let Some(shop) = in_a_group(folder.path(), &options) else {
        return;
    };
    assert!(
        shop.limited_to
            .starts_with("0.5 CPU, 512Mi of memory (cgroup v"),
        "{}",
        shop.limited_to
    );
    let id = shop.process_id();
    let groups = groups_of(id);
    assert!(!groups.is_empty());
    for group in &groups {
        let processes = std::fs::read_to_string(group.join("cgroup.procs")).unwrap();
        assert_eq!(processes.trim(), id.to_string(), "{}", group.display());
    }
    let limit = |file: &str| {
        let found = groups.iter().find_map(|group| {
            let text = std::fs::read_to_string(group.join(file)).ok()?;
            Some(text.trim().to_owned())
        });
        found.unwrap_or_default()
    };
    let quota = [limit("cpu.cfs_quota_us"), limit("cpu.max")].concat();
    assert!(
        ["50000", "50000 100000"].contains(&quota.as_str()),
        "{quota}"
    );
    let memory = [limit("memory.limit_in_bytes"), limit("memory.max")].concat();
    assert_eq!(memory, "536870912");
    shop.terminate();
    assert_eq!(groups_of(id), Vec::<PathBuf>::new());
}

#[test]
fn what_a_killed_shop_leaves_the_next_one_removes() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let options = ["--products", "200", "--cpu-limit", "0.5"];
    let Some(shop) = in_a_group(folder.path(), &options) else {
        return;
    };
    let killed = shop.kill();
    assert!(!groups_of(killed).is_empty(), "nobody removes it yet");
    let next = LimitedShop::start(folder.path(), &options).unwrap_or_else(|output| {
        panic!("{}", both(&output));
    });
    assert_eq!(groups_of(killed), Vec::<PathBuf>::new());
    next.terminate();
}

#[test]
fn without_groups_a_part_of_a_processor_and_memory_are_refused() {
    let _alone = alone();
    if !can_mount() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let serve = |limits: &[&str]| {
        let mut command = without_groups();
        command
            .args([
                "serve",
                "--addr",
                "127.0.0.1:0",
                "--products",
                "200",
                "--store",
            ])
            .arg(store_url(folder.path()))
            .args(limits);
        LimitedShop::spawn(&mut command)
    };
    let refused = |limits: &[&str], words: &[&str]| match serve(limits) {
        Ok(shop) => panic!("it was started, limited to `{}`", shop.limited_to),
        Err(output) => refusal(&output, words),
    };
    refused(
        &["--cpu-limit", "0.5"],
        &[
            "`--cpu-limit 0.5` is no whole number and needs a control group",
            "cannot be written",
            "hint: run it as root",
            "or `--cpu-limit 1`",
        ],
    );
    refused(
        &["--cpu-limit", "1", "--memory-limit", "512Mi"],
        &[
            "`--memory-limit 512Mi` needs a control group",
            "docker run --cpus",
        ],
    );
    assert!(
        !folder.path().join("shop.db").exists(),
        "refused before anything is made"
    );
    let pinned = serve(&["--cpu-limit", "1"]).unwrap_or_else(|output| panic!("{}", both(&output)));
    assert_eq!(pinned.limited_to, "1 CPU (pinned to 1 core)");
    assert_eq!(pinned.cores(), 1);
    pinned.terminate();
}

#[test]
fn a_rehearsal_refuses_before_it_starts_anything() {
    let _alone = alone();
    if !can_mount() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let output = without_groups()
        .args([
            "rehearse",
            "--quick",
            "--ports",
            "0,0",
            "--cpu-limit",
            "0.5",
            "--out",
        ])
        .arg(&out)
        .output()
        .unwrap();
    refusal(&output, &["`--cpu-limit 0.5`", "control group"]);
    assert!(!out.exists());
}

#[test]
fn wrong_limits_are_wrong_usage() {
    for (words, said) in [
        (&["serve", "--cpu-limit", "0"][..], "between 0.01 and 1024"),
        (
            &["serve", "--cpu-limit", "half"],
            "write `2`, `0.5` or `500m`",
        ),
        (&["serve", "--cpu-limit", "1000"], "more than there is"),
        (&["serve", "--memory-limit", "512m"], "write `4Gi`, `512Mi`"),
        (&["serve", "--memory-limit", "1Mi"], "between 16Mi and 8Ei"),
        (&["rehearse", "--cpu-limit", "1000"], "more than there is"),
    ] {
        let output = run(words);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{words:?}: {}",
            both(&output)
        );
        assert!(both(&output).contains(said), "{words:?}: {}", both(&output));
    }
}
