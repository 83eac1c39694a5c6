use super::*;

const LIMITS: Limits = Limits {
    head_bytes_max: 1_024,
    body_bytes_max: 64,
};

/// Status, body and whether the connection stays open.
type Read = Result<(u16, String, bool), ResponseError>;

/// Reads a response that arrives in pieces of `piece` bytes, then the end of the stream. It reads the
/// same when its head is known already.
fn read(bytes: &[u8], piece: usize) -> Read {
    let mut heads = KnownHeads::default();
    let read = read_with(bytes, piece, &mut heads);
    assert_eq!(read_with(bytes, piece, &mut heads), read, "a known head");
    read
}

fn read_with(bytes: &[u8], piece: usize, heads: &mut KnownHeads) -> Read {
    let mut reader = ResponseReader::new(LIMITS);
    reader.begin(true);
    let whole = |reader: &ResponseReader, fed, input: &[u8]| match fed {
        Fed::More => None,
        Fed::Complete(head, at) => {
            let body = match at {
                BodyAt::Input(range) => input[range].to_vec(),
                BodyAt::Kept => reader.kept_body().to_vec(),
            };
            Some((
                head.status,
                String::from_utf8(body).unwrap(),
                head.keep_alive,
            ))
        }
    };
    for input in bytes.chunks(piece) {
        let fed = reader.feed(input, heads)?;
        if let Some(done) = whole(&reader, fed, input) {
            return Ok(done);
        }
    }
    let fed = reader.end_of_stream()?;
    Ok(whole(&reader, fed, b"").unwrap())
}

/// A response reads the same however it is cut.
#[track_caller]
fn check(bytes: &str, expected: &Read) {
    for piece in [1, 2, 3, 7, 16, bytes.len().max(1)] {
        let read = read(bytes.as_bytes(), piece);
        match (&read, expected) {
            // Bytes after the response are only seen when they arrive with it.
            (Ok((status, body, true)), Ok((wanted, text, false))) if piece < bytes.len() => {
                assert_eq!((status, body), (wanted, text), "{bytes:?}");
            }
            _ => assert_eq!(&read, expected, "{bytes:?} in pieces of {piece}"),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what is expected is a result")]
fn body(status: u16, text: &str) -> Read {
    Ok((status, text.to_owned(), true))
}

#[expect(clippy::unnecessary_wraps, reason = "what is expected is a result")]
fn last(status: u16, text: &str) -> Read {
    Ok((status, text.to_owned(), false))
}

#[test]
fn bodies_of_every_framing() {
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        &body(200, "hello"),
    );
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        &body(200, ""),
    );
    check("HTTP/1.1 204 No Content\r\n\r\n", &body(204, ""));
    check(
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        &body(304, ""),
    );
    check(
        "HTTP/1.1 200 OK\r\n\r\nto the end",
        &last(200, "to the end"),
    );
    check(
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
        &last(200, "a"),
    );
    check(
        "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na",
        &body(200, "a"),
    );
    check(
        "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\na",
        &last(200, "a"),
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        &body(200, "abc"),
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",
        &last(200, "a"),
    );
}

#[test]
fn chunked_bodies() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    check(
        &format!("{head}5\r\nhello\r\n0\r\n\r\n"),
        &body(200, "hello"),
    );
    check(
        &format!("{head}3\r\nhel\r\n02;x=\"y\"\r\nlo\r\n0\r\n\r\n"),
        &body(200, "hello"),
    );
    check(
        &format!("{head}A\r\n0123456789\r\n0\r\nX: y\r\nZ: z\r\n\r\n"),
        &body(200, "0123456789"),
    );
    check(&format!("{head}0\r\n\r\n"), &body(200, ""));
    check(
        &format!(
            "{}5\r\nhello\r\n0\r\n\r\n",
            head.replace("\r\n\r\n", "\r\nContent-Length: 9\r\n\r\n")
        ),
        &last(200, "hello"),
    );
    for wrong in [
        "5\r\nhelloX",
        "\r\n",
        "x\r\n",
        "5hello",
        "-1\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "5\rx",
    ] {
        check(&format!("{head}{wrong}"), &Err(ResponseError::Chunk));
    }
    check(&format!("{head}5\r\nhel"), &Err(ResponseError::Truncated));
    check(
        &format!("{head}5\r\nhello\r\n0\r\n"),
        &Err(ResponseError::Truncated),
    );
    check(
        &format!("{head}41\r\n{}", "x".repeat(0x41)),
        &Err(ResponseError::BodyTooLong),
    );
}

#[test]
fn interim_responses_are_passed_over() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    check(
        &format!("{interim}HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"),
        &body(201, "ok"),
    );
    check(
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        &Err(ResponseError::Upgrade),
    );
}

#[test]
fn wrong_responses_are_refused() {
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        &Err(ResponseError::Cut {
            expected: 5,
            received: 3,
        }),
    );
    check("", &Err(ResponseError::Truncated));
    check("HTTP/1.1 200 OK\r\n", &Err(ResponseError::Truncated));
    check("<html>", &Err(ResponseError::Head));
    check("HTTP/1.1 2x0 OK\r\n\r\n", &Err(ResponseError::Head));
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        &Err(ResponseError::Length),
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        &Err(ResponseError::Length),
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        &Err(ResponseError::Length),
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        &Err(ResponseError::Length),
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n",
        &Err(ResponseError::BodyTooLong),
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        &Err(ResponseError::Coding),
    );
    let long = "x".repeat(1_100);
    check(
        &format!("HTTP/1.1 200 OK\r\nX: {long}"),
        &Err(ResponseError::HeadTooLong),
    );
    check(
        &format!("HTTP/1.1 200 OK\r\nX: {long}\r\n\r\n"),
        &Err(ResponseError::HeadTooLong),
    );
    let many = "a: b\r\n".repeat(101);
    check(
        &format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        &Err(ResponseError::HeadTooLong),
    );
}

#[test]
fn a_head_is_known_by_all_its_bytes_and_makes_way_for_newer_ones() {
    let mut heads = KnownHeads::default();
    for round in 0..2 {
        for length in 0..20 {
            let body = "b".repeat(length);
            let response =
                format!("HTTP/1.1 20{round} X\r\nContent-Length: {length}\r\n\r\n{body}");
            for _ in 0..2 {
                let read = read_with(response.as_bytes(), usize::MAX, &mut heads);
                assert_eq!(read, super::tests::body(200 + round, &body));
            }
        }
    }
}

#[test]
fn a_body_that_is_not_kept_is_counted() {
    let mut heads = KnownHeads::default();
    let mut reader = ResponseReader::new(LIMITS);
    reader.begin(false);
    assert!(!reader.has_begun());
    assert_eq!(
        reader.feed(
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab",
            &mut heads
        ),
        Ok(Fed::More)
    );
    assert_eq!(reader.status(), Some(200));
    let Ok(Fed::Complete(head, _)) = reader.feed(b"cd", &mut heads) else {
        panic!("the response is complete");
    };
    assert_eq!(head.bytes, 42);
    assert_eq!(reader.kept_body(), b"");
    assert_eq!(reader.feed(b"x", &mut heads), Err(ResponseError::Head));
}

proptest::proptest! {
    #[test]
    fn a_response_reads_the_same_however_it_is_cut(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.0 404 N\r\n",
                "Content-Length: 3\r\n", "Content-Length: 0\r\n", "Connection: close\r\n",
                "Transfer-Encoding: chunked\r\n", "\r\n", "3\r\nabc\r\n", "0\r\n", "abc", "x", "\r", "\n",
            ]),
            0..12,
        ),
        piece in 1_usize..40,
    ) {
        let bytes = parts.concat();
        let (whole, cut) = (read(bytes.as_bytes(), usize::MAX), read(bytes.as_bytes(), piece));
        match (whole, cut) {
            // Only bytes that arrive with the response can tell that it has a surplus.
            (Ok(whole), Ok(cut)) => assert_eq!((whole.0, whole.1), (cut.0, cut.1)),
            (whole, cut) => assert_eq!(whole, cut),
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let mut heads = KnownHeads::default();
        let mut reader = ResponseReader::new(LIMITS);
        reader.begin(true);
        let mut input = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        input.extend_from_slice(&bytes);
        drop(reader.feed(&input, &mut heads));
        reader.begin(true);
        drop(reader.feed(&bytes, &mut heads));
    }
}
