use std::net::TcpListener;

use super::*;
use crate::cross_check::Reason;
use crate::loopback::{Reply, Server, TickingClock};
use crate::matrix::{CounterError, Selector};

const PATIENT: Duration = Duration::from_secs(30);

/// Answers as Prometheus 2.42 gave them.
const SCALAR: &str =
    r#"{"status":"success","data":{"resultType":"scalar","result":[1700000000.5,"1700000000.5"]}}"#;
const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
const ONE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000060,"149.91666666666666"]}]}}"#;
const TWO: &str = r#"{"status":"success","data":{"resultType":"vector","result":[
    {"metric":{"__name__":"up","instance":"a:1","job":"x"},"value":[1700000060,"1"]},
    {"metric":{"__name__":"up","instance":"b:1","job":"x"},"value":[1700000060,"0"]}]}}"#;
const NAN: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000060,"NaN"]}]}}"#;
const SAMPLES: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[
    {"metric":{"__name__":"ecommerce_orders_total","instance":"127.0.0.1:8080","job":"ecommerce-app","status":"success"},
     "values":[[1700000000.123,"7"],[1700000005.123,"19"],[1700000010.123,"19"]]}]}}"#;
const RATES: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[
    {"metric":{},"values":[[1700000005,"12.5"],[1700000010,"+Inf"]]}]}}"#;
const PARSE_ERROR: &str = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:7: parse error: unexpected \"}\""}"#;
const BUILD: &str =
    r#"{"status":"success","data":{"version":"2.42.0+ds","revision":"x","goVersion":"go1.19"}}"#;

fn at(seconds: i64) -> UnixMicros {
    UnixMicros::new((1_700_000_000 + seconds) * 1_000_000)
}

fn ok(body: &str) -> Reply {
    Reply::Body(body.as_bytes().to_vec())
}

fn refusal(status: &str, body: &str) -> Reply {
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    Reply::Raw(text.into_bytes())
}

/// Asks a server that gives these answers one after the other; tells what it was asked, too.
fn asking<T>(replies: Vec<Reply>, ask: impl FnOnce(&Prometheus) -> T) -> (T, Vec<String>) {
    let count = replies.len();
    let server = Server::start(replies);
    let url = server.url().replace("/actuator/prometheus", "/");
    let clock = Arc::new(TickingClock::starting_at(at(0).get()));
    let prometheus = Prometheus::with_clock(&url, PATIENT, clock).unwrap();
    let answer = ask(&prometheus);
    let asked = (0..count).map(|_| server.next_request()).collect();
    server.join();
    (answer, asked)
}

fn number(reply: Reply) -> Result<Option<f64>, PrometheusError> {
    asking(vec![reply], |prometheus| {
        prometheus.number("x", Some(at(60)))
    })
    .0
}

#[test]
fn one_number_is_read_whatever_its_form() {
    assert_eq!(number(ok(SCALAR)).unwrap(), Some(1_700_000_000.5));
    assert_eq!(number(ok(ONE)).unwrap(), Some(149.916_666_666_666_66));
    assert_eq!(number(ok(EMPTY)).unwrap(), None);
    assert!(number(ok(NAN)).unwrap().unwrap().is_nan());
    for several in [TWO, SAMPLES, "<html>", "{}"] {
        let error = number(ok(several)).unwrap_err();
        assert!(matches!(error, PrometheusError::Form { .. }), "{error:?}");
    }
}

#[test]
fn a_refusal_is_told_in_the_words_of_prometheus() {
    let error = number(refusal("400 Bad Request", PARSE_ERROR)).unwrap_err();
    assert!(
        error.to_string().contains("status 400: invalid parameter"),
        "{error}"
    );
    let error = number(refusal("404 Not Found", "page not found")).unwrap_err();
    assert!(
        error.to_string().ends_with("no Prometheus answers there"),
        "{error}"
    );
}

#[test]
fn nobody_and_somebody_silent_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let nobody = Prometheus::new(&url, PATIENT).unwrap();
    let error = nobody.clock_ahead().unwrap_err();
    assert!(
        matches!(error, PrometheusError::Unreachable { .. }),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        format!("Prometheus at `{url}` cannot be reached")
    );
    let server = Server::start(vec![Reply::Silence]);
    let url = server.url().replace("/actuator/prometheus", "");
    let hasty = Prometheus::new(&url, Duration::from_millis(100)).unwrap();
    let error = hasty.clock_ahead().unwrap_err();
    assert!(
        matches!(error, PrometheusError::TimeOut { .. }),
        "{error:?}"
    );
    server.join();
    for no_address in [
        "",
        "spawn",
        "https://x",
        "http://",
        "http:///x",
        "http://a b",
    ] {
        let error = Prometheus::new(no_address, PATIENT).unwrap_err();
        assert!(
            matches!(error, PrometheusError::Address { .. }),
            "{no_address}"
        );
    }
    for secret in ["http://ann:secret@x", "http://secret@x:9090/p"] {
        let error = Prometheus::new(secret, PATIENT).unwrap_err();
        assert!(matches!(error, PrometheusError::Credentials), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}

#[test]
fn the_clocks_are_compared_in_the_middle_of_the_question() {
    // Each look at the test's clock takes a millisecond, and Prometheus says half past.
    let ((ahead, uncertain), asked) = asking(vec![ok(SCALAR)], |prometheus| {
        prometheus.clock_ahead().unwrap()
    });
    assert!((ahead - 0.4995).abs() < 1e-6, "{ahead}");
    assert!((uncertain - 0.0005).abs() < 1e-6, "{uncertain}");
    assert!(
        asked[0].starts_with("POST /api/v1/query HTTP/1.1\r\n"),
        "{}",
        asked[0]
    );
    assert!(!asked[0].contains("&time="), "{}", asked[0]);
}

#[test]
fn samples_come_at_the_instants_of_their_scrapes() {
    let span = Span {
        from: UnixMicros::new(1_700_000_000_123_000),
        to: UnixMicros::new(1_700_000_010_123_000),
    };
    let (matrix, asked) = asking(vec![ok(SAMPLES)], |prometheus| {
        prometheus.samples("job=\"ecommerce-app\"", span).unwrap()
    });
    // One millisecond longer, so that the first scrape is inside in every version.
    let question = "query=%7Bjob%3D%22ecommerce-app%22%7D%5B10001ms%5D&time=1700000010.123";
    assert!(asked[0].ends_with(question), "{}", asked[0]);
    let orders = Selector::new("ecommerce_orders_total", &[]);
    assert_eq!(matrix.counter_delta(orders, span.from, span.to), Ok(12.0));
    let cut = matrix.until(at(6));
    assert_eq!(cut.scrapes().len(), 2);
    let missing = cut.counter_delta(orders, span.from, span.to);
    assert!(
        matches!(missing, Err(CounterError::Reset { .. })),
        "{missing:?}"
    );
    assert_eq!(matrix.values().collect::<Vec<_>>(), [7.0, 19.0, 19.0]);
}

#[test]
fn rates_have_no_name_and_are_read_all_the_same() {
    let span = Span {
        from: at(0),
        to: at(10),
    };
    let (series, asked) = asking(vec![ok(RATES)], |prometheus| {
        prometheus
            .series("rate(x[20s])", span, Duration::from_secs(5))
            .unwrap()
    });
    assert_eq!(series.len(), 1);
    let points: Vec<_> = series[0]
        .1
        .iter()
        .map(|point| (point.at, point.value))
        .collect();
    assert_eq!(points, [(at(5), 12.5), (at(10), f64::INFINITY)]);
    let question = "&start=1700000000.000&end=1700000010.000&step=5000ms";
    assert!(asked[0].starts_with("POST /api/v1/query_range ") && asked[0].ends_with(question));
}

/// A phase of 100 a second from 4.75 s on, after one of 10: the second in which it began had 32 requests, of
/// which a window that began at 4.8 s took 6 instead of 20.
#[test]
fn seconds_that_two_phases_share_are_left_out() {
    let span = |begins, lasts| {
        let Span { from, to } = ask::whole_seconds(at(0), (begins, lasts));
        (from, to)
    };
    assert_eq!(span(4.75, 5.0), (at(5), at(9)));
    assert_eq!(span(5.0, 15.0), (at(5), at(20)));
}

#[test]
fn the_version_is_told_or_left_out() {
    let version = |reply| asking(vec![reply], Prometheus::version).0;
    assert_eq!(version(ok(BUILD)).as_deref(), Some("2.42.0+ds"));
    assert_eq!(version(refusal("404 Not Found", "")), None);
}

#[test]
fn another_clock_ends_every_search_for_a_target() {
    let a_minute_later =
        r#"{"status":"success","data":{"resultType":"scalar","result":[1700000060,"1700000060"]}}"#;
    let (found, _) = asking(vec![ok(a_minute_later)], |prometheus| {
        prometheus
            .scraped_since("job=\"x\"", "http://a:1", at(0))
            .unwrap()
    });
    let Err(Reason::OtherClock { ahead_s }) = found else {
        panic!("{found:?}");
    };
    assert!((ahead_s - 60.0).abs() < 0.01, "{ahead_s}");
}

#[test]
fn instants_are_written_to_the_millisecond() {
    assert_eq!(
        seconds_text(UnixMicros::new(1_700_000_000_007_999)),
        "1700000000.007"
    );
}
