use proptest::prelude::*;

use super::{Arrived, BodyLength, Head, arrived};
use crate::http::problem::{self, Kind};

fn parse(text: &str) -> Result<Head<'_>, Kind> {
    Head::parse(text.as_bytes())
}

#[test]
fn a_request_of_the_shop() {
    let text = "POST /api/orders?x=1 HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n\
                Idempotency-Key: k-1\r\nIF-NONE-MATCH: \"a\"\r\nContent-Length: 12\r\n\r\n{}";
    let head = parse(text).unwrap();
    assert_eq!(
        (head.method, head.path, head.query),
        ("POST", "/api/orders", Some("x=1"))
    );
    assert_eq!(head.content_type, Some(&b"application/json"[..]));
    assert_eq!(head.idempotency_key, Some(&b"k-1"[..]));
    assert_eq!(head.conditions, [&b"\"a\""[..]]);
    assert_eq!(head.body, BodyLength::Known(12));
    assert!(head.keep_alive && !head.is_old && !head.expects_continue);
    assert_eq!(head.bytes, text.len() - 2);
}

#[test]
fn targets_lose_what_does_not_matter() {
    for (target, path, query) in [
        ("/a", "/a", None),
        ("/a?", "/a", Some("")),
        ("/a?b?c", "/a", Some("b?c")),
        ("/a#b", "/a", None),
        ("http://shop:80/a?b", "/a", Some("b")),
        ("https://shop", "/", None),
        ("http://shop?b", "", Some("b")),
        ("/a?u=http://x/y", "/a", Some("u=http://x/y")),
        ("*", "*", None),
    ] {
        let text = format!("GET {target} HTTP/1.1\r\n\r\n");
        let head = parse(&text).unwrap();
        assert_eq!((head.path, head.query), (path, query), "{target}");
    }
}

#[test]
fn who_keeps_the_connection() {
    for (version, fields, expected) in [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: upgrade, CLOSE\r\n", false),
        ("1.1", "Connection: keep-alive\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: close, keep-alive\r\n", false),
    ] {
        let text = format!("GET / HTTP/{version}\r\n{fields}\r\n");
        assert_eq!(
            parse(&text).unwrap().keep_alive,
            expected,
            "{version} {fields}"
        );
    }
}

#[test]
fn where_a_body_ends() {
    for (fields, expected) in [
        ("", Ok(BodyLength::Known(0))),
        (
            "Content-Length: 7\r\nContent-Length: 7\r\n",
            Ok(BodyLength::Known(7)),
        ),
        ("Transfer-Encoding: Chunked\r\n", Ok(BodyLength::Chunked)),
        (
            "Content-Length: 7\r\nContent-Length: 8\r\n",
            Err(problem::MALFORMED_HTTP),
        ),
        ("Content-Length: 7, 7\r\n", Err(problem::MALFORMED_HTTP)),
        ("Content-Length: +7\r\n", Err(problem::MALFORMED_HTTP)),
        ("Content-Length: \r\n", Err(problem::MALFORMED_HTTP)),
        (
            "Content-Length: 18446744073709551616\r\n",
            Err(problem::MALFORMED_HTTP),
        ),
        (
            "Transfer-Encoding: gzip, chunked\r\n",
            Err(problem::MALFORMED_HTTP),
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Err(problem::MALFORMED_HTTP),
        ),
        (
            "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n",
            Err(problem::MALFORMED_HTTP),
        ),
    ] {
        let text = format!("POST / HTTP/1.1\r\n{fields}\r\n");
        assert_eq!(parse(&text).map(|head| head.body), expected, "{fields}");
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(parse(old).unwrap_err(), problem::MALFORMED_HTTP);
}

#[test]
fn heads_arrive_in_pieces() {
    let text = "\r\nGET /a HTTP/1.1\r\nhost: shop\r\n\r\n";
    for end in 0..text.len() {
        let piece = &text.as_bytes()[..end];
        assert_eq!(arrived(piece, 1_000), Ok(Arrived::Part), "{end}");
    }
    assert_eq!(arrived(text.as_bytes(), 1_000), Ok(Arrived::Whole));
    assert_eq!(arrived(b"GET / HTTP/1.1\n\n", 1_000), Ok(Arrived::Whole));
    assert_eq!(arrived(text.as_bytes(), 20), Err(problem::HEAD_TOO_LARGE));
    assert_eq!(arrived(&[b'a'; 30], 20), Err(problem::URI_TOO_LONG));
    assert_eq!(
        arrived(b"\x16\x03\x01", 1_000),
        Err(problem::MALFORMED_HTTP)
    );
    let many = format!("GET / HTTP/1.1\r\n{}", "x: y\r\n".repeat(101));
    assert_eq!(
        arrived(many.as_bytes(), 10_000),
        Err(problem::HEAD_TOO_LARGE)
    );
}

proptest! {
    /// Whatever arrives is a head, a part of one or a refusal; what is whole can be read.
    #[test]
    fn anything_is_judged(input in proptest::collection::vec(prop_oneof![
        Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), Just(b'/'), any::<u8>()
    ], 0..200)) {
        if arrived(&input, 150) == Ok(Arrived::Whole)
            && let Ok(head) = Head::parse(&input) {
            prop_assert!(head.bytes <= input.len());
        }
    }

    /// A head is whole at its last byte and not before, wherever its lines break.
    #[test]
    fn the_end_is_found(fields in proptest::collection::vec("[a-z]{1,9}: [ -~]{0,20}", 0..9)) {
        let lines = fields.iter().fold(String::new(), |lines, field| lines + field.trim_end() + "\r\n");
        let text = format!("GET /a HTTP/1.1\r\n{lines}\r\n");
        prop_assert_eq!(arrived(text.as_bytes(), 10_000), Ok(Arrived::Whole));
        prop_assert_eq!(arrived(&text.as_bytes()[..text.len() - 1], 10_000), Ok(Arrived::Part));
        if let Ok(head) = Head::parse(text.as_bytes()) {
            prop_assert_eq!(head.bytes, text.len());
        }
    }
}
