//! Servers that break the protocol, and connections that break.

use std::time::Duration;

use crate::support::*;

/// What a plan makes of one kind of reply.
fn against(
    text: &str,
    reply: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> (Server, Vec<(String, u64)>, u64) {
    let server = Server::start(reply);
    let mut options = options(plan(text), server.target(), vec![phase("only", 0.5, 40.0)]);
    options.request_timeout = Duration::from_secs(2);
    options.connections = 1;
    let outcome = run(&options);
    let seen = failures(&outcome);
    (server, seen, outcome.summary.whole.total.succeeded)
}

fn all_transport_failures(bytes: &[u8]) {
    let bytes = bytes.to_vec();
    let shown = String::from_utf8_lossy(&bytes)
        .chars()
        .take(60)
        .collect::<String>();
    let (_, seen, _) = against(GET, move |_| Reply::RawThenClose(bytes.clone()));
    assert_eq!(seen, [("transport".to_owned(), 20)], "{shown}");
}

#[test]
fn broken_responses_are_transport_failures() {
    all_transport_failures(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
    all_transport_failures(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    all_transport_failures(b"HTTP/1.1 200 OK\r\nContent-Le");
    all_transport_failures(b"SSH-2.0-OpenSSH_9.9\r\n");
    all_transport_failures(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n");
    let huge = format!("HTTP/1.1 200 OK\r\nX-Huge: {}\r\n\r\n", "x".repeat(20_000));
    all_transport_failures(huge.as_bytes());
    all_transport_failures(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n");
}

#[test]
fn sound_responses_of_every_form_are_read() {
    for (bytes, connections) in [
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            1,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
            1,
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
            20,
        ),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 20),
    ] {
        let (server, seen, succeeded) =
            against(GET, move |_| Reply::Raw(bytes.as_bytes().to_vec()));
        assert_eq!((seen, succeeded), (Vec::new(), 20), "{bytes}");
        assert_eq!(server.connections(), connections, "{bytes}");
    }
    let until_close = b"HTTP/1.1 200 OK\r\n\r\nto the end";
    let (_, seen, succeeded) = against(GET, |_| Reply::RawThenClose(until_close.to_vec()));
    assert_eq!((seen, succeeded), (Vec::new(), 20));
}

#[test]
fn a_large_response_arrives_in_many_pieces() {
    let (_, seen, succeeded) = against(GET, |_| Reply::Status(200, "x".repeat(900_000)));
    assert_eq!((seen, succeeded), (Vec::new(), 20));
}

#[test]
fn a_connection_is_kept_and_reused() {
    let (server, seen, succeeded) = against(GET, |_| Reply::Status(200, "ok".to_owned()));
    assert_eq!((seen, succeeded, server.connections()), (Vec::new(), 20, 1));
    let log = server.log();
    assert!(
        log.requests
            .iter()
            .all(|request| request.connection == 0 && request.method == "GET")
    );
}

#[test]
fn a_connection_that_the_server_closes_between_requests_is_replaced() {
    let ok = || answer(200, "ok");
    let (server, seen, succeeded) = against(GET, move |_| Reply::RawThenClose(ok()));
    assert_eq!((seen, succeeded), (Vec::new(), 20));
    assert_eq!(server.connections(), 20);
}

#[test]
fn a_read_is_repeated_once_on_a_connection_that_was_closed_under_it() {
    // The second request of every connection meets a closing server.
    let (server, seen, succeeded) = against(GET, |request| match request.on_connection {
        0 => Reply::Status(200, "ok".to_owned()),
        _ => Reply::Close,
    });
    assert_eq!((seen, succeeded), (Vec::new(), 20));
    assert_eq!(
        server.log().requests.len(),
        39,
        "every request but the first was repeated"
    );
    // A fresh connection that is closed is a failure, and is not tried for ever.
    let (server, seen, _) = against(GET, |_| Reply::Close);
    assert_eq!(seen, [("transport".to_owned(), 20)]);
    assert_eq!(server.log().requests.len(), 20);
}

#[test]
fn a_write_is_never_repeated() {
    let (server, seen, succeeded) = against(POST, |request| match request.on_connection {
        0 => Reply::Status(201, r#"{"order_id":"1","total":1.00}"#.to_owned()),
        _ => Reply::Close,
    });
    assert_eq!((seen, succeeded), (vec![("transport".to_owned(), 10)], 10));
    assert_eq!(server.log().requests.len(), 20);
}

#[test]
fn unexpected_statuses_and_missing_values_fail() {
    let (_, seen, _) = against(GET, |_| Reply::Status(503, String::new()));
    assert_eq!(seen, [("503".to_owned(), 20)]);
    let (_, seen, _) = against(POST, |_| {
        Reply::Status(201, r#"{"order_id":"1"}"#.to_owned())
    });
    assert_eq!(seen, [("extraction".to_owned(), 20)]);
    let (_, seen, succeeded) = against(POST, |_| {
        Reply::Status(409, r#"{"code":"sold_out"}"#.to_owned())
    });
    assert_eq!((seen, succeeded), (Vec::new(), 0), "sold out is expected");
    let (_, seen, _) = against(POST, |_| {
        Reply::Status(409, r#"{"code":"other"}"#.to_owned())
    });
    assert_eq!(seen, [("409".to_owned(), 20)]);
}
