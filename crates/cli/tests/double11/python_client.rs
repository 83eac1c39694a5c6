//! The Python client of the requirements, section 2.1, against the shop, unchanged.
//!
//! The code is taken from the requirements page as it stands there. Around it the driver fixes the
//! seed, injects base URL and hour, and looks at every answer through the client's own session.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Server, skip};

/// The requirements page beside the checkout.
fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/spec/original-requirements.zh-TW.md")
}

/// The first Python block of the page: the traffic simulator.
fn client_source(page: &str) -> String {
    let begin = page.find("```python\n").unwrap() + "```python\n".len();
    let rest = page.get(begin..).unwrap();
    rest.get(..rest.find("\n```").unwrap()).unwrap().to_owned()
}

/// An interpreter that has the client's one dependency.
fn python() -> Option<&'static str> {
    ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        Command::new(python)
            .args(["-c", "import requests"])
            .output()
            .is_ok_and(|output| output.status.success())
    })
}

const DRIVER: &str = r#"
import collections, datetime as real_datetime, json, random, sys, threading
import requests
import traffic_simulator as client

base_url, hour = sys.argv[1], int(sys.argv[2])
random.seed(11)

class FixedHour(real_datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 11, 11, hour, 0, 0)
client.datetime = FixedHour

original = client.ECommerceTrafficSimulator.__init__
def with_base_url(self, _base_url=None):
    original(self, base_url)
client.ECommerceTrafficSimulator.__init__ = with_base_url

seen = collections.Counter()
wrong = []
totals, paid = {}, collections.Counter()
lock = threading.Lock()
send = requests.sessions.Session.request
def watched(self, method, url, **options):
    response = send(self, method, url, **options)
    path = url[len(base_url):].split("?")[0]
    body = options.get("json") or {}
    with lock:
        seen[(path, response.status_code)] += 1
        if response.status_code >= 500:
            wrong.append(("5xx", path, response.status_code, response.text[:300]))
        if path == "/api/orders":
            answer = response.json()
            if response.status_code == 201:
                totals[answer["order_id"]] = round(answer["total"] * 100)
            elif response.status_code != 409 or answer.get("code") != "sold_out":
                wrong.append(("order", response.status_code, response.text[:300]))
        if path == "/api/payments":
            order = body["order_id"]
            amount = int(body["amount"] * 100 + 0.5)
            fits = amount <= totals[order] - paid[order]
            expected = 201 if fits else 422
            if response.status_code != expected:
                wrong.append(("payment", expected, response.status_code, body, response.text[:300]))
            elif fits:
                paid[order] += amount
    return response
requests.sessions.Session.request = watched

errors = 0
results = client.ECommerceTrafficSimulator.simulate_user_session
def counted(self, user_id, peak_multiplier=1):
    global errors
    result = results(self, user_id, peak_multiplier)
    with lock:
        errors += sum(1 for action in result["actions"] if action[0] == "error")
    return result
client.ECommerceTrafficSimulator.simulate_user_session = counted

rounds = 0
while sum(n for (path, _), n in seen.items() if path == "/api/payments") < 100 and rounds < 2000:
    client.run_peak_traffic_simulation()
    rounds += 1
print("RESULT " + json.dumps({
    "rounds": rounds, "errors": errors, "wrong": wrong[:20],
    "seen": {f"{path} {status}": n for (path, status), n in sorted(seen.items())},
}))
"#;

fn check(hour: u32) {
    let Ok(page) = std::fs::read_to_string(page()) else {
        // The page is not part of the project; without it there is no client to run.
        eprintln!("skipped: the requirements page is not beside this checkout");
        return;
    };
    let Some(python) = python() else {
        skip("no Python with `requests`");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("traffic_simulator.py"),
        client_source(&page),
    )
    .unwrap();
    std::fs::write(folder.path().join("driver.py"), DRIVER).unwrap();
    let server = Server::start(folder.path(), &["--products", "1000"]);
    let output = Command::new(python)
        .current_dir(folder.path())
        .env("PYTHONIOENCODING", "utf-8")
        .args(["driver.py", &server.target, &hour.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let result = text.lines().find_map(|line| line.strip_prefix("RESULT "));
    let Some(result) = result else {
        panic!(
            "no result: {text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let result: serde_json::Value = serde_json::from_str(result).unwrap();
    assert_eq!(result["errors"], 0, "{result:#}");
    assert_eq!(result["wrong"].as_array().unwrap().len(), 0, "{result:#}");
    let count = |key: &str| result["seen"][key].as_u64().unwrap_or(0);
    let captured = count("/api/payments 201");
    let refused = count("/api/payments 422");
    assert!(captured + refused >= 100, "{result:#}");
    assert!(
        captured > 0 && refused > 0,
        "both answers must be seen: {result:#}"
    );
    assert!(count("/api/orders 201") >= captured, "{result:#}");
    assert!(server.terminate().success());
}

#[test]
fn the_requirements_client_at_the_peak_hour() {
    check(0);
}

#[test]
fn the_requirements_client_at_noon() {
    check(12);
}
