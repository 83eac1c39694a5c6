//! The page over a real Prometheus that has scraped a run of both shops.

use std::path::{Path, PathBuf};
use std::time::Duration;

use double11_dashboards::Language;
use serde_json::{Value, json};

use crate::browser_check::{Browser, View, axe};
use crate::harness::{Server, both, free_port, pause, run};
use crate::prometheus::{self, SCRAPE};
use crate::servers::Running;
use crate::site::Site;

/// What no machine of a test has; a panel of nothing else may be empty, and has to say so.
const ELSEWHERE: [(&str, &str); 5] = [
    (
        "container_",
        "cAdvisor watches containers, of which a test has none",
    ),
    ("kube_", "kube-state-metrics needs a cluster"),
    ("mysql_", "the exporter of MySQL runs with MySQL"),
    ("redis_", "the exporter of Redis runs with Redis"),
    ("ALERTS", "an alert fires only where something is wrong"),
];
const LOAD: [&str; 6] = ["--rate", "60", "--duration", "14s", "--products", PRODUCTS];
const PRODUCTS: &str = "2000";

/// Both shops one after the other under the same traffic, and the Prometheus that saw them.
fn record(folder: &Path) -> Option<Running> {
    let ports = [free_port(), free_port()];
    let prometheus = prometheus::start(folder, ports[0], ports[1])?;
    for (variant, port) in ["baseline", "optimized"].into_iter().zip(ports) {
        let home = folder.join(variant);
        std::fs::create_dir(&home).unwrap();
        let sale = ["--variant", variant, "--sale", "--products", PRODUCTS];
        let shop = Server::start_on(&home, port, &sale);
        // A rate needs a sample from before the traffic.
        pause(Duration::from_secs(3));
        let out = home.join("run").display().to_string();
        let seen = run([
            &[
                "load",
                "funnel",
                "--peak",
                "--target",
                &shop.target,
                "--out",
                &out,
            ][..],
            &LOAD,
        ]
        .concat());
        // 4: the machine was busy. What was sent was sent all the same, and nothing is measured here.
        assert!(matches!(seen.status.code(), Some(0 | 4)), "{}", both(&seen));
        pause(Duration::from_secs(2));
        assert!(shop.terminate().success());
    }
    Some(prometheus)
}

/// Opens an address and waits until every panel has its answer.
fn show(browser: &mut Browser, address: &str, view: View) {
    browser.session.look(view);
    browser.session.open("about:blank");
    browser.session.console_errors();
    browser.session.open(address);
    wait(browser);
}

fn wait(browser: &mut Browser) {
    let states = browser.session.run(include_str!("wait.js"), &json!([]));
    assert_eq!(states, ["ready"], "the page does not come to rest");
}

/// The states of all panels, as `id|state|title|what is said instead of data`.
fn panels(browser: &mut Browser) -> Vec<Vec<String>> {
    let script = "arguments[0]([...document.querySelectorAll('.panel')].map((panel) => \
                  [panel.id.slice(6), panel.dataset.state, panel.querySelector('.title').textContent, \
                  panel.querySelector('.message')?.textContent ?? ''].join('|')));";
    let lines = browser.session.run(script, &json!([]));
    lines
        .iter()
        .map(|line| line.split('|').map(str::to_owned).collect())
        .collect()
}

/// Whether all that a panel asks for is what a test cannot have.
fn is_elsewhere(panel: &Value) -> bool {
    let targets = panel["targets"].as_array().unwrap();
    let asks = |target: &Value| target["expr"].as_str().unwrap().to_owned();
    targets.iter().map(asks).all(|expression| {
        let names = ELSEWHERE.iter().map(|(name, _)| *name);
        names.into_iter().any(|name| expression.contains(name))
    })
}

fn panels_of(dashboard: &Value) -> Vec<Value> {
    let all = dashboard["panels"].as_array().unwrap();
    let nested = all
        .iter()
        .flat_map(|panel| panel["panels"].as_array().cloned().unwrap_or_default());
    let own = all.iter().filter(|panel| panel["type"] != "row").cloned();
    own.chain(nested).collect()
}

/// Every panel of the dashboard is there with data, or has a reason to be without.
fn check_panels(browser: &mut Browser, dashboard: &Value, problems: &mut Vec<String>) {
    let seen = panels(browser);
    let wanted = panels_of(dashboard);
    if seen.len() != wanted.len() {
        problems.push(format!("{} panels of {}", seen.len(), wanted.len()));
    }
    for panel in wanted {
        let id = panel["id"].to_string();
        let Some(found) = seen.iter().find(|found| found[0] == id) else {
            problems.push(format!("no panel {}", panel["title"]));
            continue;
        };
        let is_excused = found[1] == "empty" && is_elsewhere(&panel);
        if found[1] != "data" && !is_excused {
            problems.push(format!("{}: {} {}", panel["title"], found[1], found[3]));
        }
    }
}

/// What a reader would find wrong with the page, but for its own server's files.
fn faults(browser: &mut Browser, width: u32, own: &str) -> Vec<String> {
    let checks = include_str!("../../../report/tests/browser_check/page_checks.js");
    let mut found = browser.session.run(checks, &json!([width]));
    found.retain(|problem| !problem.starts_with(&format!("request: {own}")));
    let said = browser.session.console_errors();
    found.extend(said.into_iter().map(|line| format!("console: {line}")));
    if let Some(axe) = axe() {
        found.extend(browser.barriers(&axe));
    }
    found
}

/// Lays the two runs over each other as a reader does, and returns the address that this leads to.
fn align(browser: &mut Browser) -> String {
    let chosen = browser.session.run(include_str!("align.js"), &json!([]));
    assert_eq!(chosen.len(), 2, "a run of each: {chosen:?}");
    wait(browser);
    let address = browser
        .session
        .run("arguments[0]([location.search]);", &json!([]));
    assert!(address[0].contains("var-baseline_shift="), "{address:?}");
    let open = browser.session.run(
        "arguments[0]([...document.querySelectorAll('.align[open]')].map(String));",
        &json!([]),
    );
    assert_eq!(open, Vec::<String>::new(), "it closes once it is done");
    address[0].clone()
}

/// Whether the laying of runs is open, and whether it is what was opened.
const IS_OPEN: &str = "const align = document.querySelector('.align');\
                       arguments[0]([String(align.open), String(align === window.opened)]);";

#[test]
fn laying_runs_over_each_other_stays_open_at_a_refresh() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let Some(prometheus) = prometheus::start(folder.path(), free_port(), free_port()) else {
        return;
    };
    let site = Site::start(&prometheus.url, &["--scrape-interval", SCRAPE]);
    show(&mut browser, &format!("{}/?refresh=", site.url), views()[2]);
    let press = |script: &str, browser: &mut Browser| {
        let script = format!("{script} arguments[0]([]);");
        browser.session.run(&script, &json!([]));
        wait(browser);
    };
    let open = "window.opened = document.querySelector('.align'); window.opened.open = true;";
    press(open, &mut browser);
    press("document.querySelector('.refresh').click();", &mut browser);
    let is_open = |browser: &mut Browser| browser.session.run(IS_OPEN, &json!([]));
    assert_eq!(is_open(&mut browser), ["true", "true"]);
    let another = "const language = document.querySelector('[data-control=language]');\
                   language.value = 'zh-TW';\
                   language.dispatchEvent(new Event('change', { bubbles: true }));";
    press(another, &mut browser);
    assert_eq!(is_open(&mut browser), ["false", "false"]);
}

fn views() -> [View; 4] {
    [(390, false), (390, true), (1280, true), (1920, false)]
        .map(|(width, dark)| View { width, dark })
}

#[test]
fn every_panel_is_drawn_from_a_real_prometheus() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let Some(mut prometheus) = record(folder.path()) else {
        return;
    };
    let site = Site::start(
        &prometheus.url,
        &["--scrape-interval", SCRAPE, "--from", "now-5m"],
    );
    show(&mut browser, &format!("{}/?refresh=", site.url), views()[3]);
    let aligned = align(&mut browser);
    let mut problems = Vec::new();
    for language in Language::ALL {
        for dashboard in double11_dashboards::all(language) {
            let key = dashboard
                .uid
                .trim_end_matches(language.suffix())
                .trim_end_matches('-')
                .to_owned();
            let dashboard = serde_json::to_value(&dashboard).unwrap();
            for view in views() {
                let address = replaced(&aligned, language.folder(), &key);
                show(&mut browser, &format!("{}/{address}", site.url), view);
                let mut found = Vec::new();
                check_panels(&mut browser, &dashboard, &mut found);
                found.extend(faults(&mut browser, view.width, &site.url));
                keep(
                    &mut browser,
                    &format!("{key}-{}-{}-{}", language.folder(), view.width, view.dark),
                );
                let place = format!("{key} {} {view:?}", language.folder());
                problems.extend(
                    found
                        .into_iter()
                        .map(|problem| format!("{place}: {problem}")),
                );
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));

    use_and_save(
        &mut browser,
        &format!("{}/{aligned}", site.url),
        folder.path(),
    );
    tell_troubles(&mut browser, &site, &mut prometheus);
}

/// What a reader does with the page.
fn use_and_save(browser: &mut Browser, address: &str, folder: &Path) {
    show(browser, address, views()[2]);
    let used = browser.session.run(include_str!("use_page.js"), &json!([]));
    assert_eq!(used, Vec::<String>::new());
    show(browser, address, views()[2]);
    saved_page_needs_no_server(browser, folder);
}

/// A span without data, and a Prometheus that has ended.
fn tell_troubles(browser: &mut Browser, site: &Site, prometheus: &mut Running) {
    let before = format!("{}/?from=1000000000000&to=1000000900000", site.url);
    show(browser, &before, views()[2]);
    let empty = panels(browser);
    assert!(
        empty
            .iter()
            .all(|panel| panel[1] == "empty" && panel[3].starts_with("No data")),
        "{empty:?}"
    );
    prometheus.stop();
    show(browser, &format!("{}/?from=now-5m", site.url), views()[2]);
    let alarm = browser.session.run(
        "arguments[0]([document.querySelector('.alarm').textContent]);",
        &json!([]),
    );
    assert!(
        alarm[0].contains("Prometheus cannot be reached: Connection refused"),
        "{alarm:?}"
    );
}

/// The same place with another language and dashboard.
fn replaced(search: &str, language: &str, key: &str) -> String {
    let others: Vec<&str> = search
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.starts_with("lang=") && !pair.starts_with("d="))
        .collect();
    format!("?{}&lang={language}&d={key}", others.join("&"))
}

/// The page as one file, opened without any server: the same panels, all drawn.
fn saved_page_needs_no_server(browser: &mut Browser, folder: &Path) {
    let before = panels(browser);
    let saved = browser.session.run(include_str!("save.js"), &json!([]));
    let file = folder.join("saved.html");
    std::fs::write(&file, &saved[0]).unwrap();
    let view = View {
        width: 390,
        dark: false,
    };
    show(browser, &format!("file://{}", file.display()), view);
    assert_eq!(panels(browser), before);
    assert_eq!(faults(browser, view.width, "file://"), Vec::<String>::new());
}

/// Keeps a picture where `DOUBLE11_PICTURES` says.
fn keep(browser: &mut Browser, name: &str) {
    if let Some(folder) = from_environment("DOUBLE11_PICTURES") {
        browser.picture(&Path::new(&folder).join(format!("dashboards-{name}.png")));
    }
}

/// A dashboard with every type of panel and every fault that a panel can show.
#[test]
fn every_type_of_panel_is_drawn_and_every_trouble_said() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let Some(prometheus) = prometheus::start(folder.path(), free_port(), free_port()) else {
        return;
    };
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/viewer/sample.json");
    let site = Site::start(
        &prometheus.url,
        &["--scrape-interval", SCRAPE, "--file", sample],
    );
    // Its figures come from numbers, so that a Prometheus without data has them; `up` needs two scrapes.
    pause(Duration::from_secs(3));
    for view in views() {
        show(
            &mut browser,
            &format!("{}/?from=now-5m&refresh=", site.url),
            view,
        );
        keep(
            &mut browser,
            &format!("sample-{}-{}", view.width, view.dark),
        );
        let states: Vec<(String, String)> = panels(&mut browser)
            .into_iter()
            .map(|panel| (panel[2].clone(), panel[1].clone()))
            .collect();
        for (title, state) in &states {
            let wanted = match title.as_str() {
                "Nothing" => "empty",
                "Refused" | "Half refused" | "Unknown type" => "error",
                _ => "data",
            };
            assert_eq!(state, wanted, "{title} at {view:?}");
        }
        assert!(states.len() >= 16, "{states:?}");
        let found: Vec<String> = faults(&mut browser, view.width, &site.url)
            .into_iter()
            // Chromium writes every refused question to its console.
            .filter(|problem| {
                !(problem.starts_with("console: ") && problem.contains("status of 400"))
            })
            .collect();
        assert_eq!(found, Vec::<String>::new(), "{view:?}");
    }
    let said = browser.session.run(include_str!("said.js"), &json!([]));
    assert_eq!(said, Vec::<String>::new());
}

/// Takes the pictures of the documents from a page that runs over a finished rehearsal:
///
/// ```text
/// DOUBLE11_PAGE='http://127.0.0.1:3000/?from=…&to=…&var-baseline_shift=…' \
///     DOUBLE11_PICTURES=$PWD/docs/pictures \
///     cargo test --release -p double11 --test viewer -- --ignored take_pictures
/// ```
#[test]
#[ignore = "takes pictures of a given page"]
fn take_pictures() {
    let page = from_environment("DOUBLE11_PAGE").expect("DOUBLE11_PAGE names an address");
    let folder = PathBuf::from(from_environment("DOUBLE11_PICTURES").expect("a folder"));
    let mut browser = Browser::start().expect("a browser is installed");
    let view = View {
        width: 1280,
        dark: false,
    };
    for (name, panels) in PICTURES {
        show(&mut browser, &format!("{page}&refresh="), view);
        let place = browser
            .session
            .run(include_str!("frame.js"), &json!([panels]));
        let edges: Vec<f64> = place.iter().map(|edge| edge.parse().unwrap()).collect();
        let clip = json!({"x": edges[0], "y": edges[1], "width": edges[2], "height": edges[3], "scale": 1});
        let how = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let answer = browser.session.devtools("Page.captureScreenshot", &how);
        let picture =
            crate::browser_check::webdriver::decode_base64(answer["data"].as_str().unwrap());
        std::fs::write(folder.join(format!("dashboards-{name}.png")), picture).unwrap();
    }
}

/// Pictures of the documents, each with the panels of the comparison that it shows.
const PICTURES: [(&str, &[u32]); 4] = [
    ("peak-tps", &[2, 7]),
    ("response-time-heatmap", &[10, 11]),
    ("error-rate", &[4, 8]),
    ("resources", &[5, 9]),
];

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own switches come from the environment"
)]
fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
