//! Commands as typed: exit codes, one clear line and a hint.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use crate::harness::{PROGRAM, Server, both, free_port, now, run, store_url};

/// The exit code, and that standard error says one error with a hint and no backtrace.
fn check_refusal(output: &Output, code: i32, words: &[&str]) {
    let said = both(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let errors = stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    assert_eq!(errors, 1, "{said}");
    assert!(
        !stderr.contains("panicked") && !stderr.contains("backtrace"),
        "{said}"
    );
    for word in words {
        assert!(stderr.contains(word), "`{word}` is missing: {said}");
    }
}

/// A failure of the program's own making also says what to do.
fn check_failure(output: &Output, code: i32, words: &[&str]) {
    check_refusal(output, code, words);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("hint: "),
        "{}",
        both(output)
    );
}

fn serve(folder: &Path, arguments: &[&str]) -> Output {
    let mut all = vec!["serve".to_owned(), "--store".to_owned(), store_url(folder)];
    all.extend(arguments.iter().map(ToString::to_string));
    run(all)
}

#[test]
fn scale_prints_the_requirements_figures() {
    let output = run(["scale", "1:10000"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for figure in ["58.3", "25.6", "8,700", "47,200", "500-1,000"] {
        assert!(text.contains(figure), "{figure}: {text}");
    }
    check_refusal(&run(["scale", "10000"]), 2, &["1:N"]);
}

#[test]
fn unknown_words_are_refused() {
    check_refusal(&run(["serve", "--no-such-flag"]), 2, &["--no-such-flag"]);
    check_refusal(&run(["serve", "--variant", "fast"]), 2, &["baseline"]);
    check_refusal(&run(["serve", "--enable", "turbo"]), 2, &["group-commit"]);
    check_refusal(&run(["serve", "--payment-window", "soon"]), 2, &["20s"]);
    check_refusal(&run(["no-such-command"]), 2, &["no-such-command"]);
    check_failure(
        &run(["serve", "--store", "mongo://x"]),
        2,
        &["mongo://x", "sqlite:"],
    );
    check_failure(&run(["serve", "--addr", "0.0.0.0:0"]), 2, &["--auth none"]);
    check_refusal(&run(["rehearse", "--quick", "--full"]), 2, &["--full"]);
    check_refusal(
        &run(["rehearse", "--baseline", "http://127.0.0.1:1"]),
        2,
        &["--optimized"],
    );
    check_failure(
        &run(["rehearse", "--full", "--plan", "day"]),
        2,
        &["`--full`", "hint"],
    );
}

#[test]
fn help_goes_to_standard_output() {
    for arguments in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["load", "--help"],
    ] {
        let output = run(arguments);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Usage: "), "{text}");
        assert!(
            !text.contains("read-then-write"),
            "hidden options stay hidden: {text}"
        );
    }
}

#[test]
fn a_store_in_use_and_foreign_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "10"]);
    let second = serve(
        folder.path(),
        &["--addr", "127.0.0.1:0", "--products", "10"],
    );
    check_failure(&second, 3, &["in use", "shop.db"]);
    assert!(server.terminate().success());

    let foreign = tempfile::tempdir().unwrap();
    std::fs::write(
        foreign.path().join("shop.db"),
        "these are my notes ".repeat(99),
    )
    .unwrap();
    check_failure(&serve(foreign.path(), &[]), 3, &["not a store of Double11"]);
    let output = run(["audit", "--store", &store_url(foreign.path())]);
    check_failure(&output, 3, &["shop.db"]);

    let versioned = tempfile::tempdir().unwrap();
    let server = Server::start(versioned.path(), &["--products", "10"]);
    assert!(server.terminate().success());
    rusqlite::Connection::open(versioned.path().join("shop.db"))
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    check_failure(&serve(versioned.path(), &[]), 3, &["version 99"]);
    check_failure(
        &run(["audit", "--store", &store_url(versioned.path())]),
        3,
        &["99"],
    );
}

#[test]
fn a_port_in_use_is_named() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(one.path(), &["--products", "10"]);
    let output = serve(
        other.path(),
        &["--products", "10", "--addr", server.authority()],
    );
    check_failure(
        &output,
        3,
        &["cannot listen on", server.authority(), "--addr"],
    );
}

#[test]
fn folders_that_cannot_hold_a_run_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--products", "10"]);
    let out = folder.path().join("taken");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("thesis.txt"), "mine").unwrap();
    let load = |out: &Path, more: &[&str]| {
        let out = out.display().to_string();
        let mut all = vec![
            "load",
            "funnel",
            "--target",
            &server.target,
            "--products",
            "10",
        ];
        all.extend(["--rate", "20", "--duration", "1s", "--out", &out]);
        all.extend(more);
        run(all)
    };
    check_failure(&load(&out, &[]), 2, &["not empty", "--force"]);
    let forced = load(&out, &["--force"]);
    assert!(
        matches!(forced.status.code(), Some(0 | 4)),
        "{}",
        both(&forced)
    );
    assert_eq!(
        std::fs::read_to_string(out.join("thesis.txt")).unwrap(),
        "mine"
    );
    check_failure(
        &load(Path::new("/proc/no-such"), &[]),
        3,
        &["/proc/no-such", "--out"],
    );
}

#[test]
fn a_target_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run").display().to_string();
    let target = format!("http://127.0.0.1:{}", free_port());
    let load = |target: &str, plan: &str, rate: &[&str]| {
        let mut all = vec![
            "load",
            plan,
            "--target",
            target,
            "--duration",
            "1s",
            "--out",
            &out,
        ];
        all.extend(rate);
        run(all)
    };
    check_failure(
        &load(&target, "funnel", &["--rate", "5"]),
        3,
        &["cannot be reached", &target],
    );
    let other = format!("{out}-2");
    let nonsense = run([
        "load", "funnel", "--target", "ftp://x", "--rate", "5", "--out", &other,
    ]);
    check_failure(&nonsense, 2, &["ftp://x"]);
    let unknown = run([
        "load", "browse", "--target", &target, "--rate", "5", "--out", &other,
    ]);
    check_failure(&unknown, 2, &["browse", "funnel"]);
    let unsaid = run(["load", "funnel", "--target", &target, "--out", &other]);
    check_failure(&unsaid, 2, &["--rate"]);
}

/// With an address of its own `/actuator` is off the public one, and nothing else is on it.
#[test]
fn management_has_a_door_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let management = format!("127.0.0.1:{}", free_port());
    let server = Server::start(
        folder.path(),
        &["--products", "10", "--management-addr", &management],
    );
    let status = |authority: &str, path: &str| {
        let answer = ureq::get(format!("http://{authority}{path}"))
            .config()
            .http_status_as_error(false)
            .build()
            .call();
        answer.unwrap().status().as_u16()
    };
    assert_eq!(status(server.authority(), "/api/products/1"), 200);
    assert_eq!(status(server.authority(), "/actuator/prometheus"), 404);
    assert_eq!(status(&management, "/actuator/prometheus"), 200);
    assert_eq!(status(&management, "/actuator/health/readiness"), 200);
    assert_eq!(status(&management, "/api/products/1"), 404);
    assert!(server.terminate().success());
}

/// A shop that is asked to end finishes what it has begun, and says so with exit code 0.
#[test]
fn a_shop_drains_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(
        folder.path(),
        &[
            "--products",
            "10",
            "--gateway-latency",
            "700ms",
            "--drain-deadline",
            "5s",
        ],
    );
    let authority = server.authority().to_owned();
    let post = |path: &str, body: &str| {
        let mut stream = TcpStream::connect(&authority).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream
    };
    let read = |mut stream: TcpStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let order = read(post(
        "/api/orders",
        r#"{"user_id":1,"items":[{"product_id":1,"quantity":1}]}"#,
    ));
    let body = order.split_once("\r\n\r\n").unwrap().1;
    let order: serde_json::Value = serde_json::from_str(body).unwrap();
    let payment = post(
        "/api/payments",
        &serde_json::json!({"order_id": order["order_id"], "amount": order["total"]}).to_string(),
    );
    crate::harness::pause(Duration::from_millis(150));
    let ending = std::thread::spawn(move || server.terminate());
    assert!(
        read(payment).starts_with("HTTP/1.1 201 "),
        "the payment in process was cut off"
    );
    assert!(ending.join().unwrap().success());
}

/// A folder in which no report can be written is told before anything runs.
#[test]
fn rehearse_refuses_a_folder_that_cannot_be_written() {
    let begun = now();
    let output = run([
        "rehearse",
        "--quick",
        "--ports",
        "0,0",
        "--out",
        "/proc/results",
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(both(&output).contains("hint: "), "{}", both(&output));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// A second rehearsal on the same ports fails at once and says which.
#[test]
fn rehearse_names_a_port_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(PROGRAM)
        .args([
            "rehearse",
            "--quick",
            "--products",
            "100",
            "--ports",
            &format!("{port},0"),
        ])
        .arg("--out")
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(
        both(&output).contains("cannot listen on"),
        "{}",
        both(&output)
    );
}
