//! The description of the API against the shop: Schemathesis sends what the description allows and
//! what it forbids, thousands of times, and every answer must be as described. Afterwards the books
//! must be in order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::{Server, both, eventually, run, settle, skip, store_url};

/// Requests that each variant must have answered, `/actuator` and the reference not counted.
const REQUESTS_MIN: u64 = 5_000;
/// The longest that a run may take on a slow machine.
const RUN_MAX: Duration = Duration::from_mins(15);

/// A program of the tools' virtual environment, or of the path.
fn tool(name: &str) -> Option<PathBuf> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/test-tools/python/bin")
        .join(name);
    let works = |program: &Path| {
        Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    [installed, PathBuf::from(name)]
        .into_iter()
        .find(|program| works(program))
}

fn configuration(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/double11/openapi")
        .join(name)
}

fn get(url: &str) -> String {
    let mut answer = ureq::get(url).call().unwrap();
    answer.body_mut().read_to_string().unwrap()
}

/// Answers by method, endpoint and status, as the shop itself counted them.
fn counted(server: &Server) -> BTreeMap<(String, String, u16), u64> {
    let text = get(&format!("{}/actuator/prometheus", server.target));
    let label = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    text.lines()
        .filter(|line| line.starts_with("ecommerce_request_duration_seconds_count{"))
        .map(|line| {
            let status = label(line, "status").parse().unwrap();
            let (_, count) = line.rsplit_once(' ').unwrap();
            let key = (label(line, "method"), label(line, "endpoint"), status);
            (key, count.parse().unwrap())
        })
        .collect()
}

#[test]
fn the_description_is_valid() {
    let Some(python) = tool("python3") else {
        skip("no Python");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "1000"]);
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, get(&format!("{}/openapi.json", server.target))).unwrap();
    assert!(server.terminate().success());
    let validate = |file: &Path| {
        Command::new(&python)
            .args(["-m", "openapi_spec_validator"])
            .arg(file)
            .output()
            .unwrap()
    };
    let output = validate(&file);
    if both(&output).contains("No module named") {
        skip("no `openapi-spec-validator`");
        return;
    }
    assert!(output.status.success(), "{}", both(&output));
    // The validator must see a fault, lest it look at nothing.
    let text = std::fs::read_to_string(&file).unwrap();
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, text.replace("\"operationId\"", "\"operation\"")).unwrap();
    assert!(!validate(&broken).status.success());
}

fn check(variant: &str) {
    let Some(schemathesis) = tool("schemathesis") else {
        skip("no Schemathesis");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // Payments are declined now and then, so that this answer can be seen too.
    let arguments = [
        ["--variant", variant],
        ["--products", "1000"],
        ["--gateway-decline", "0.2"],
    ];
    let server = Server::start(folder.path(), arguments.as_flattened());
    for file in ["schemathesis.toml", "hooks.py"] {
        std::fs::copy(configuration(file), folder.path().join(file)).unwrap();
    }
    let said = folder.path().join("schemathesis.log");
    let log = std::fs::File::create(&said).unwrap();
    let mut child = Command::new(schemathesis)
        .current_dir(folder.path())
        .env("PYTHONIOENCODING", "utf-8")
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(format!("{}/openapi.json", server.target))
        .stdin(Stdio::null())
        .stderr(log.try_clone().unwrap())
        .stdout(log)
        .spawn()
        .unwrap();
    let mut status = None;
    eventually("the end of Schemathesis", RUN_MAX, || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    let text = std::fs::read_to_string(&said).unwrap();
    let seen = counted(&server);
    assert!(status.unwrap().success(), "{variant}: {text}\n{seen:#?}");
    check_answers(variant, &seen);
    settle(folder.path());
    assert!(server.terminate().success());
    let output = run(["audit", "--store", &store_url(folder.path())]);
    assert!(output.status.success(), "{variant}: {}", both(&output));
}

/// Enough requests, no server error, and the deep answers among them.
fn check_answers(variant: &str, seen: &BTreeMap<(String, String, u16), u64>) {
    let requests: u64 = seen.values().sum();
    let errors: u64 = seen
        .iter()
        .filter(|((.., status), _)| *status >= 500)
        .map(|(_, count)| count)
        .sum();
    println!("{variant}: {requests} requests, {errors} server errors");
    assert!(requests >= REQUESTS_MIN, "{variant}: {requests}: {seen:#?}");
    assert_eq!(errors, 0, "{variant}: {seen:#?}");
    for (method, endpoint, status) in [
        ("GET", "/api/products/{product_id}", 200),
        ("GET", "/api/search", 200),
        ("POST", "/api/cart", 201),
        ("GET", "/api/cart/{cart_id}", 200),
        ("DELETE", "/api/cart/{cart_id}/items/{product_id}", 200),
        ("POST", "/api/orders", 201),
        ("GET", "/api/orders/{order_id}", 200),
        ("POST", "/api/orders/{order_id}/cancel", 200),
        ("POST", "/api/payments", 201),
        ("POST", "/api/payments", 409),
        ("POST", "/api/payments", 422),
        ("other", "other", 405),
    ] {
        let key = (method.to_owned(), endpoint.to_owned(), status);
        let count = seen.get(&key).copied().unwrap_or(0);
        assert!(count > 0, "{variant} never gave {key:?}: {seen:#?}");
    }
}

#[test]
fn baseline_answers_as_described() {
    check("baseline");
}

#[test]
fn optimized_answers_as_described() {
    check("optimized");
}
