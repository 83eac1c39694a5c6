//! The server from outside: what it gives, what it refuses, and how it ends.

use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Server, both, free_port, run};
use crate::prometheus;
use crate::servers::Running;
use crate::site::Site;

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .new_agent()
}

fn refused(arguments: &[&str], code: i32, words: &[&str]) {
    let output: Output = run([&["dashboards"], arguments].concat());
    let said = both(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let errors = stderr.lines().filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 1, "{said}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is missing: {said}");
    }
}

#[test]
fn what_cannot_work_is_said_at_once() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    refused(
        &["--prometheus", &nobody],
        3,
        &[&nobody, "refused", "hint: ", "deploy/prometheus"],
    );
    refused(
        &["--prometheus", "https://p:9090"],
        2,
        &["TLS", "hint: ", "ssh"],
    );
    refused(
        &["--prometheus", "http://me:secret@p"],
        2,
        &["password", "hint: "],
    );
    refused(
        &["--prometheus", "localhost:9090"],
        2,
        &["localhost:9090", "http://HOST:PORT"],
    );
    refused(
        &["--addr", "0.0.0.0:0"],
        2,
        &["other machines", "--auth none"],
    );
    refused(&["--from", "soon"], 2, &["`soon` is no time"]);
    refused(&["--to", "now"], 2, &["--from"]);
    refused(&["--file", "no-such-file.json"], 2, &["no-such-file.json"]);
    refused(&["--lang", "fr"], 2, &["zh-TW"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.json");
    std::fs::write(&file, r#"{"uid": "a", "title": "no panels"}"#).unwrap();
    let file = file.display().to_string();
    refused(
        &["--file", &file],
        2,
        &[&file, "classic JSON", "hint: ", "`panels`"],
    );
}

#[test]
fn a_server_that_is_no_prometheus_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Server::start(folder.path(), &["--products", "10"]);
    refused(
        &["--prometheus", &shop.target],
        3,
        &["404", "not in the words of a Prometheus"],
    );
    assert!(shop.terminate().success());
}

#[test]
fn the_help_has_examples_and_says_what_it_is_not() {
    let output = run(["dashboards", "--help"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.is_ascii(), "{text}");
    let (_, after) = text.split_once("Examples:").unwrap();
    assert!(after.contains("not Grafana"), "{text}");
    assert!(after.lines().all(|line| line.len() <= 80), "{text}");
}

/// A Prometheus that scrapes nobody, and the page over it.
fn idle() -> Option<(tempfile::TempDir, Running, Site)> {
    let folder = tempfile::tempdir().unwrap();
    let prometheus = prometheus::start(folder.path(), free_port(), free_port())?;
    let site = Site::start(&prometheus.url, &[]);
    Some((folder, prometheus, site))
}

#[test]
fn the_page_comes_with_its_policy_and_nothing_else() {
    let Some((_folder, _prometheus, site)) = idle() else {
        return;
    };
    let agent = agent();
    let get = |path: &str| agent.get(format!("{}{path}", site.url)).call().unwrap();
    let mut page = get("/");
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let text = page.body_mut().read_to_string().unwrap();
    let assets: Vec<&str> = text
        .split('"')
        .filter(|part| part.starts_with("page/"))
        .collect();
    assert!(assets.len() > 20, "{text}");
    for asset in assets {
        assert_eq!(get(&format!("/{asset}")).status(), 200, "{asset}");
    }
    let settings: Value = get("/settings.json").body_mut().read_json().unwrap();
    assert_eq!(settings["language"], "en");
    for language in ["en", "zh-TW"] {
        let dashboards = settings["dashboards"][language].as_array().unwrap();
        assert!(dashboards.len() >= 2, "{language}: {settings}");
        assert_eq!(dashboards[0]["schemaVersion"], 42);
    }
    for path in [
        "/other",
        "/page/",
        "/page/../settings.json",
        "/settings.json/",
        "/metrics",
    ] {
        assert_eq!(get(path).status(), 404, "{path}");
    }
    let sent = agent.post(format!("{}/", site.url)).send("x").unwrap();
    assert_eq!(sent.status(), 405);
    assert!(site.interrupt().success(), "Ctrl-C is the ordinary end");
}

#[test]
fn only_questions_are_passed_on() {
    let Some((_folder, _prometheus, site)) = idle() else {
        return;
    };
    let agent = agent();
    let post = |path: &str, form: &[(&str, &str)]| {
        let form = form.iter().copied();
        let mut answer = agent
            .post(format!("{}/api/v1/{path}", site.url))
            .send_form(form)
            .unwrap();
        let body: Value = answer.body_mut().read_json().unwrap();
        (answer.status().as_u16(), body)
    };
    let (status, body) = post("query", &[("query", "1 + 1")]);
    assert_eq!(
        (status, &body["data"]["result"][1]),
        (200, &Value::from("2")),
        "{body}"
    );
    let range = [
        ("query", "vector(3)"),
        ("start", "0"),
        ("end", "10"),
        ("step", "5"),
    ];
    let (status, body) = post("query_range", &range);
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body["data"]["result"][0]["values"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let (status, body) = post("query", &[("query", "rate(")]);
    assert_eq!(
        (status, &body["errorType"]),
        (400, &Value::from("bad_data")),
        "{body}"
    );
    assert!(
        body["error"].as_str().unwrap().contains("parse error"),
        "{body}"
    );
    let (status, body) = post("query", &[("query", "1"), ("timeout", "9999s")]);
    assert_eq!(status, 400, "{body}");
    assert!(
        body["error"].as_str().unwrap().contains("`timeout`"),
        "{body}"
    );
}

#[test]
fn nothing_else_is_passed_on() {
    let Some((_folder, _prometheus, site)) = idle() else {
        return;
    };
    let agent = agent();
    let post = |path: &str, form: &[(&str, &str)]| {
        let address = format!("{}/api/v1/{path}", site.url);
        let answer = agent.post(address).send_form(form.iter().copied());
        answer.unwrap().status().as_u16()
    };
    for path in [
        "admin/tsdb/delete_series",
        "status/config",
        "targets",
        "write",
        "series",
        "label/a/b",
    ] {
        assert_eq!(post(path, &[]), 404, "{path}");
    }
    let long = "1".repeat(70_000);
    assert_eq!(post("query", &[("query", &long)]), 413);

    let api = format!("{}/api/v1/query?query=1", site.url);
    let status = |request: ureq::RequestBuilder<ureq::typestate::WithoutBody>| {
        request.call().unwrap().status().as_u16()
    };
    assert_eq!(status(agent.get(&api)), 200);
    assert_eq!(status(agent.delete(&api)), 405);
    assert_eq!(status(agent.get(&api).header("host", "evil.example")), 421);
    assert_eq!(
        status(agent.get(&api).header("sec-fetch-site", "cross-site")),
        403
    );
    assert_eq!(
        status(agent.get(&api).header("sec-fetch-site", "same-origin")),
        200
    );
}

#[test]
fn label_values_are_asked_for_by_name() {
    let Some((_folder, _prometheus, site)) = idle() else {
        return;
    };
    let agent = agent();
    let mut answer = agent
        .get(format!("{}/api/v1/label/job/values", site.url))
        .query("match[]", "up{job=\"ecommerce-app\"}")
        .call()
        .unwrap();
    let body: Value = answer.body_mut().read_json().unwrap();
    assert_eq!(
        (answer.status().as_u16(), &body["status"]),
        (200, &"success".into()),
        "{body}"
    );
}

#[test]
fn a_prometheus_that_ends_is_said_and_the_page_stays() {
    let Some((_folder, mut prometheus, site)) = idle() else {
        return;
    };
    prometheus.stop();
    let agent = agent();
    let mut answer = agent
        .get(format!("{}/api/v1/query?query=1", site.url))
        .call()
        .unwrap();
    assert_eq!(answer.status(), 502);
    let body: Value = answer.body_mut().read_json().unwrap();
    assert_eq!(body["errorType"], "unreachable", "{body}");
    assert!(
        body["error"].as_str().unwrap().contains("refused"),
        "{body}"
    );
    let page = agent.get(format!("{}/", site.url)).call().unwrap();
    assert_eq!(page.status(), 200);
}
