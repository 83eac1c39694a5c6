//! The plans of the requirements, by both, against a shop; and `JMeter`'s own dashboard of what the
//! program wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{self, PROGRAM, Server};
use crate::runner::{java, real_is_here, scratch};

/// Samples by label, and how many of them failed.
type Counts = BTreeMap<String, (u64, u64)>;

const LABELS: [&str; 6] = [
    "Add_To_Cart",
    "Browse_Product",
    "Pay_Order",
    "Place_Order",
    "Search_Products",
    "View_Product",
];

#[test]
fn the_plans_of_the_requirements_run_in_both() {
    if !real_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shop = Server::start(folder.path(), &["--products", "200", "--stock", "1000000"]);
    for plan in ["peak_traffic", "normal_traffic"] {
        for (who, command) in [("jmeter", java()), ("ours", ours())] {
            let counts = run(command, plan, who, &shop);
            assert!(
                LABELS.iter().eq(counts.keys()),
                "{plan} by {who}: {counts:?}"
            );
            let failed: u64 = counts.values().map(|(_, failed)| failed).sum();
            assert_eq!(failed, 0, "{plan} by {who}: {counts:?}");
            holds_the_shares(plan, who, &counts);
        }
    }
}

/// The shares of the sessions are the plan's, give or take the sessions that had not ended.
fn holds_the_shares(plan: &str, who: &str, counts: &Counts) {
    let count = |label: &str| counts[label].0 as f64;
    let sessions = count("Browse_Product") / 0.85;
    let (cart, order, pay) = if plan == "peak_traffic" {
        (0.45, 0.24, 0.18)
    } else {
        (0.18, 0.12, 0.10)
    };
    let shares = [
        ("Search_Products", 0.60),
        ("View_Product", 0.45),
        ("Add_To_Cart", cart),
        ("Place_Order", order),
        ("Pay_Order", pay),
    ];
    for (label, share) in shares {
        let expected = sessions * share;
        assert!(
            (count(label) - expected).abs() <= 12.0,
            "{plan} by {who}: {label} {} of about {sessions:.0} sessions, not {expected:.0}",
            count(label)
        );
    }
}

fn run(mut command: Command, plan: &str, who: &str, shop: &Server) -> Counts {
    let folder = fresh(&scratch().join(plan).join(who));
    let file = folder.join("results.jtl");
    let port = shop.authority().rsplit(':').next().unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = command
        .current_dir(&folder)
        .args(["-n", "-t"])
        .arg(repository.join("tests").join(plan).with_extension("jmx"))
        .arg("-l")
        .arg(&file)
        .arg("-j")
        .arg(folder.join("jmeter.log"))
        .arg(format!("-Jport={port}"))
        .args(["-Jproducts=200", "-Jusers=8", "-Jramp=1", "-Jloops=40"])
        .args([
            "-Jduration=60",
            "-Jthink_delay=2",
            "-Jthink_range=4",
            "-Jtps=200",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{plan} by {who}: {}",
        harness::both(&output)
    );
    counts(&file)
}

/// `JMeter`'s dashboard of our result file has the same counts as the file.
#[test]
fn the_dashboard_of_jmeter_takes_our_results() {
    if !real_is_here() {
        return;
    }
    let folder = fresh(&scratch().join("dashboard"));
    let server = crate::server::Server::start();
    let file = folder.join("results.jtl");
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jmeter/plans/dashboard.jmx");
    let output = ours()
        .current_dir(&folder)
        .args(["-n", "-t"])
        .arg(plan)
        .arg("-l")
        .arg(&file)
        .arg(format!("-Jport={}", server.address.port()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", harness::both(&output));
    let of_jmeter = statistics(java(), &folder, "jmeter");
    let of_ours = statistics(ours(), &folder, "ours");
    assert_eq!(of_jmeter, of_ours, "the dashboards differ in their counts");
    let mut rows = counts(&file);
    // Transactions have lines of their own and do not count in the total.
    let samples = || rows.iter().filter(|(label, _)| *label != "transaction");
    let total = samples().fold((0, 0), |sum, (_, own)| (sum.0 + own.0, sum.1 + own.1));
    rows.insert("Total".to_owned(), total);
    assert_eq!(of_jmeter, rows);
}

/// Counts by label in the `statistics.json` of a dashboard.
fn statistics(mut command: Command, folder: &Path, who: &str) -> Counts {
    let page = folder.join(format!("dashboard-{who}"));
    let output = command
        .current_dir(folder)
        .arg("-g")
        .arg(folder.join("results.jtl"))
        .arg("-o")
        .arg(&page)
        .arg("-j")
        .arg(folder.join(format!("dashboard-{who}.log")))
        .output()
        .unwrap();
    assert!(output.status.success(), "{who}: {}", harness::both(&output));
    assert!(page.join("index.html").is_file(), "{who} wrote no page");
    let text = std::fs::read(page.join("statistics.json")).unwrap();
    let said: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&text).unwrap();
    let count = |value: &serde_json::Value, name: &str| value[name].as_u64().unwrap();
    said.iter()
        .map(|(label, value)| {
            (
                label.clone(),
                (count(value, "sampleCount"), count(value, "errorCount")),
            )
        })
        .collect()
}

fn ours() -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("jmeter");
    command
}

fn fresh(folder: &Path) -> PathBuf {
    let _none = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    folder.to_owned()
}

fn counts(file: &Path) -> Counts {
    let mut counts = Counts::new();
    let mut rows = csv::Reader::from_path(file).unwrap();
    for row in rows.records().map(Result::unwrap) {
        let count = counts.entry(row[2].to_owned()).or_default();
        count.0 += 1;
        count.1 += u64::from(&row[7] != "true");
    }
    counts
}
