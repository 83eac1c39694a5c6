//! One run, scraped by one Prometheus in several ways at once: as it is, and spoilt on the way.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Server, both, pause, run};
use crate::proxy::Proxy;
use crate::server::Prometheus;
use crate::servers::prometheus_present;

/// Scrapes that fail while the run lasts, by job.
const FAILURES: [(&str, u32); 2] = [("dropping", 1), ("gappy", 4)];

/// How often a run is made, at most, until the scrapes that nobody spoils are whole.
const ATTEMPTS: u32 = 3;

/// A run that was scraped, with everything that was up meanwhile.
struct Scraped {
    folder: tempfile::TempDir,
    prometheus: Prometheus,
    run: PathBuf,
}

fn scrape_a_run() -> Scraped {
    let folder = tempfile::tempdir().unwrap();
    let shop = Server::start(folder.path(), &["--products", "500"]);
    let plain = |_: &str, text: String| text;
    let miscounting = Proxy::start(&shop.target, |_, text| miscounted(&text));
    let dropping = Proxy::start(&shop.target, plain);
    let gappy = Proxy::start(&shop.target, plain);
    let own_times = Proxy::start(&shop.target, |_, text| with_times(&text, 2));
    let old_times = Proxy::start(&shop.target, |_, text| with_times(&text, 60));
    let prometheus = Prometheus::start(
        folder.path(),
        &[
            ("ecommerce-app", &shop.target),
            ("miscounting", &miscounting.url),
            ("dropping", &dropping.url),
            ("gappy", &gappy.url),
            ("own-times", &own_times.url),
            ("old-times", &old_times.url),
        ],
    );
    prometheus.scrapes_each(8);
    let run_folder = folder.path().join("run");
    std::thread::scope(|scope| {
        let load = scope.spawn(|| load(&shop.target, &run_folder, "14s"));
        pause(Duration::from_secs(6));
        for ((_, count), proxy) in FAILURES.iter().zip([&dropping, &gappy]) {
            proxy.failures_left.store(*count, Ordering::SeqCst);
        }
        load.join().unwrap();
    });
    prometheus.scrapes_each(8);
    assert!(shop.terminate().success());
    Scraped {
        folder,
        prometheus,
        run: run_folder,
    }
}

pub(crate) fn load(target: &str, out: &Path, duration: &str) {
    let output = run([
        "load",
        "funnel",
        "--target",
        target,
        "--rate",
        "150",
        "--duration",
        duration,
        "--products",
        "500",
        "--connections",
        "64",
        "--out",
        &out.display().to_string(),
    ]);
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 4)), "{}", both(&output));
}

/// A text of lines.
fn lines<S: AsRef<str>>(lines: impl Iterator<Item = S>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.as_ref());
        text.push('\n');
    }
    text
}

/// A tenth of the orders is not counted.
fn miscounted(page: &str) -> String {
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((series, value)) if series.starts_with("ecommerce_orders_total{") => {
            let value: f64 = value.parse().unwrap();
            format!("{series} {}", (value * 0.9).floor())
        }
        _ => line.to_owned(),
    };
    lines(page.lines().map(line))
}

/// Every sample says of itself that it is so many seconds old.
fn with_times(page: &str, seconds: u128) -> String {
    let millis = unix_millis() - seconds * 1_000;
    let line = |line: &str| {
        if line.starts_with('#') {
            line.to_owned()
        } else {
            format!("{line} {millis}")
        }
    };
    lines(page.lines().map(line))
}

#[expect(
    clippy::disallowed_methods,
    reason = "an exposition with times needs the time of day"
)]
fn unix_millis() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis()
}

impl Scraped {
    fn validate(run_folder: &Path, prometheus: &str, more: &[&str]) -> Output {
        let folder = run_folder.display().to_string();
        let own = ["validate", "--run", &folder, "--prometheus", prometheus];
        run(own.iter().chain(more))
    }

    fn of_job(&self, job: &str) -> (Option<i32>, Value) {
        let selector = format!("job=\"{job}\"");
        let more = ["--selector", selector.as_str(), "--json"];
        let output = Self::validate(&self.run, &self.prometheus.url, &more);
        let report = serde_json::from_slice(&output.stdout);
        (
            output.status.code(),
            report.unwrap_or_else(|_| panic!("{}", both(&output))),
        )
    }

    /// A copy of the run whose clock was off by so much.
    fn shifted(&self, name: &str, millis: i64) -> PathBuf {
        let copy = self.folder.path().join(name);
        std::fs::create_dir(&copy).unwrap();
        for entry in self.run.read_dir().unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
        let path = copy.join("timeseries.json");
        let mut series: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let start = series["start_unix_ms"].as_i64().unwrap();
        series["start_unix_ms"] = Value::from(start + millis);
        std::fs::write(&path, series.to_string()).unwrap();
        copy
    }

    /// Nothing is claimed, the exit code says so, and the reason is given.
    fn cannot_say(output: &Output, why: &str) {
        let said = both(output);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("cannot say, because "), "{said}");
        assert!(said.contains(why), "`{why}` in {said}");
        assert!(!said.contains("agrees"), "{said}");
    }
}

fn verdict<'a>(report: &'a Value, kind: &str) -> Vec<&'a Value> {
    let checks = report["checks"].as_array().unwrap();
    let of_kind = checks.iter().filter(|check| check["kind"] == kind);
    of_kind.map(|check| &check["verdict"]).collect()
}

#[test]
fn every_verdict_is_right_on_one_run_scraped_in_six_ways() {
    if !prometheus_present() {
        return;
    }
    // A machine that is busy elsewhere can lose a scrape of its own.
    let sound = |scraped: &Scraped| {
        let (_, report) = scraped.of_job("ecommerce-app");
        verdict(&report, "scrapes") == ["agrees"]
    };
    let mut scraped = scrape_a_run();
    for _ in 1..ATTEMPTS {
        if !sound(&scraped) {
            scraped = scrape_a_run();
        }
    }
    agrees_with_what_was_scraped(&scraped);
    differs_where_orders_are_miscounted(&scraped);
    says_which_scrapes_are_missing(&scraped);
    says_that_samples_have_times_of_their_own(&scraped);
    says_that_clocks_differ(&scraped);
    says_that_there_is_nothing(&scraped);
    compares_sample_files(&scraped);
}

fn agrees_with_what_was_scraped(scraped: &Scraped) {
    let (code, report) = scraped.of_job("ecommerce-app");
    assert_eq!(code, Some(0), "{report:#}");
    for kind in [
        "requests",
        "orders",
        "payments",
        "throughput",
        "service_time_p95",
        "scrapes",
    ] {
        let verdicts = verdict(&report, kind);
        assert!(!verdicts.is_empty(), "{kind}: {report:#}");
        assert!(
            verdicts.iter().all(|verdict| *verdict == "agrees"),
            "{report:#}"
        );
    }
    let output = Scraped::validate(&scraped.run, &scraped.prometheus.url, &[]);
    let said = both(&output);
    for words in ["Prometheus", "throughput", "the figures agree"] {
        assert!(said.contains(words), "`{words}` in {said}");
    }
    // Counts are equal to the last one; a rate from scrape to scrape is the client's own.
    let checks = report["checks"].as_array().unwrap();
    for check in checks.iter().filter(|check| check["kind"] == "requests") {
        assert_eq!(check["difference"], 0.0, "{check:#}");
    }
}

fn differs_where_orders_are_miscounted(scraped: &Scraped) {
    let (code, report) = scraped.of_job("miscounting");
    assert_eq!(code, Some(1), "{report:#}");
    assert_eq!(verdict(&report, "orders"), ["differs"], "{report:#}");
    assert!(
        verdict(&report, "requests")
            .iter()
            .all(|verdict| *verdict == "agrees")
    );
}

fn says_which_scrapes_are_missing(scraped: &Scraped) {
    for (job, missing) in FAILURES {
        let (code, report) = scraped.of_job(job);
        assert_eq!(code, Some(4), "{report:#}");
        // Nothing was lost by it: what was counted is still there at the next scrape.
        for kind in ["requests", "orders", "payments"] {
            let verdicts = verdict(&report, kind);
            assert!(
                verdicts.iter().all(|verdict| *verdict == "agrees"),
                "{report:#}"
            );
        }
        for kind in ["scrapes", "throughput", "service_time_p95"] {
            for verdict in verdict(&report, kind) {
                let gap = &verdict["cannot_compare"]["scrape_gap"];
                assert_eq!(gap["missing"], missing, "{job} {kind}: {report:#}");
            }
        }
    }
}

fn says_that_samples_have_times_of_their_own(scraped: &Scraped) {
    for job in ["own-times", "old-times"] {
        let selector = format!("job=\"{job}\"");
        let more = ["--selector", selector.as_str()];
        let output = Scraped::validate(&scraped.run, &scraped.prometheus.url, &more);
        Scraped::cannot_say(&output, "times of its own");
    }
}

fn says_that_clocks_differ(scraped: &Scraped) {
    let url = &scraped.prometheus.url;
    for (name, seconds, why) in [
        (
            "a-day-ago",
            -86_400,
            "nothing of the target from the time of the run",
        ),
        ("earlier", -4, "or the clocks differ"),
        ("later", 4, "or the clocks differ"),
        (
            "to-come",
            3_600,
            "nothing of the target from the time of the run",
        ),
    ] {
        let shifted = scraped.shifted(name, seconds * 1_000);
        Scraped::cannot_say(&Scraped::validate(&shifted, url, &[]), why);
    }
    // A Prometheus whose own clock is a minute behind.
    let behind = Proxy::start(url, |question, answer| match question {
        "query=time%28%29" | "query=time()" => {
            let mut answer: Value = serde_json::from_str(&answer).unwrap();
            let result = &mut answer["data"]["result"];
            let told: f64 = result[1].as_str().unwrap().parse().unwrap();
            *result = serde_json::json!([told - 60.0, (told - 60.0).to_string()]);
            answer.to_string()
        }
        _ => answer,
    });
    let output = Scraped::validate(&scraped.run, &behind.url, &[]);
    Scraped::cannot_say(
        &output,
        "the clock of Prometheus is 60.0 s behind this machine's",
    );
}

fn says_that_there_is_nothing(scraped: &Scraped) {
    let url = &scraped.prometheus.url;
    let output = Scraped::validate(&scraped.run, url, &["--selector", "job=\"nobody\""]);
    Scraped::cannot_say(&output, "has scraped no target with {job=\"nobody\"}");
    let output = Scraped::validate(
        &scraped.run,
        url,
        &["--selector", "job=~\"gappy|dropping\""],
    );
    Scraped::cannot_say(&output, "several targets could be meant: 127.0.0.1:");
    let other = scraped.folder.path().join("other");
    let empty = Prometheus::start(&other, &[]);
    Scraped::cannot_say(
        &Scraped::validate(&scraped.run, &empty.url, &[]),
        "Prometheus has scraped no target with {job=\"ecommerce-app\"}",
    );
    let gone = empty.url.clone();
    drop(empty);
    for (url, code, words) in [
        (gone.as_str(), 3, "cannot be reached"),
        ("nonsense", 2, "is not the address of a Prometheus"),
        ("http://ann:word@127.0.0.1:9", 2, "no user and no password"),
    ] {
        let output = Scraped::validate(&scraped.run, url, &[]);
        let said = both(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words) && said.contains("hint: "), "{said}");
    }
    let output = Scraped::validate(&scraped.run, url, &["--selector", "job="]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(both(&output).contains("parse error"), "{}", both(&output));
}

fn compares_sample_files(scraped: &Scraped) {
    let validate = |file: &Path, more: &[&str]| {
        let file = file.display().to_string();
        let own = [
            "validate",
            "--jtl",
            &file,
            "--prometheus",
            &scraped.prometheus.url,
        ];
        run(own.iter().chain(more))
    };
    let whole = scraped.run.join("samples.jtl");
    let output = validate(&whole, &[]);
    let said = both(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    // Some hundred orders in 14 seconds are few, but orders are compared with orders.
    assert!(said.contains("orders per second"), "{said}");
    let text = std::fs::read_to_string(&whole).unwrap();
    let without = |dropped: &dyn Fn(usize, &str) -> bool| {
        let kept = text.lines().enumerate();
        let kept = kept.filter(|(index, line)| *index == 0 || !dropped(*index, line));
        lines(kept.map(|(_, line)| line))
    };
    let write = |name: &str, text: String| {
        let path = scraped.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let tenth = write("tenth.jtl", without(&|index, _| index % 10 == 0));
    let output = validate(&tenth, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    assert!(both(&output).contains("DIFFER"), "{}", both(&output));
    let no_orders = write("other-names.jtl", text.replace(",checkout,", ",place it,"));
    let output = validate(&no_orders, &[]);
    assert_eq!(output.status.code(), Some(4), "{}", both(&output));
    assert!(both(&output).contains("no sample is called checkout, order, purchase"));
    let output = validate(&no_orders, &["--order-label", "Place It"]);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    let short = write("short.jtl", lines(text.lines().take(150)));
    let output = validate(&short, &[]);
    Scraped::cannot_say(&output, "scrapes lie inside the phase, needed 4");
    let nothing = scraped.folder.path().join("nothing.jtl");
    let output = validate(&nothing, &[]);
    assert_eq!(output.status.code(), Some(2), "{}", both(&output));
}
