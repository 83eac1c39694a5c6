//! Client and service against each other over real sockets, and the client against worse ones.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use double11_store::{Stopwatch, SystemClock};
use double11_units::{AttemptId, Currency, Money, OrderId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{HttpGateway, HttpSettings};
use crate::service::{CallbackSettings, EndReport, Service, ServiceSettings, Shares, serve};
use crate::signature::Secret;
use crate::{
    AttemptStatus, Charge, ChargeResult, Gateway, GatewayError, Health, SandboxGateway,
    SandboxSettings,
};

const NOTHING: Shares = Shares {
    no_answer: 0.0,
    duplicate: 0.0,
    late: 0.0,
};

/// What became of an attempt, as the gateway says.
async fn status(
    gateway: &dyn Gateway,
    attempt_id: AttemptId,
) -> Result<AttemptStatus, GatewayError> {
    let known = gateway.status(attempt_id).await?;
    Ok(known.status)
}

async fn void(gateway: &dyn Gateway, attempt_id: AttemptId) -> Result<AttemptStatus, GatewayError> {
    let known = gateway.void(attempt_id).await?;
    Ok(known.status)
}

fn id(number: i64) -> AttemptId {
    AttemptId::new(number).unwrap()
}

fn yuan(amount: i64) -> Money {
    Money::from_minor(amount * 100, Currency::Cny)
}

fn charge(attempt: i64) -> Charge {
    Charge {
        attempt_id: id(attempt),
        order_id: OrderId::new(70 + attempt).unwrap(),
        amount: yuan(199),
    }
}

fn secret() -> Secret {
    Secret::new(b"a secret of shop and gateway").unwrap()
}

/// A service in this process.
struct Running {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<EndReport>,
}

impl Running {
    async fn start(folder: &Path, settings: ServiceSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(listener, folder, settings)
    }

    fn start_on(listener: TcpListener, folder: &Path, settings: ServiceSettings) -> Self {
        let sandbox = SandboxSettings {
            latency_median: Duration::ZERO,
            ..SandboxSettings::serve(folder.join("ledger"), 5)
        };
        let sandbox = SandboxGateway::open(sandbox, Arc::new(SystemClock)).unwrap();
        let service = Service::new(sandbox, settings, Arc::new(SystemClock)).unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(listener, service, async {
            drop(stopped.await);
        }));
        Self {
            addr,
            stop,
            serving,
        }
    }

    fn client(&self) -> HttpGateway {
        client(self.addr, Some(secret()), Duration::from_secs(10))
    }

    async fn end(self) -> EndReport {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap()
    }
}

fn settings(secret: Option<Secret>, shares: Shares) -> ServiceSettings {
    ServiceSettings {
        secret,
        callbacks: None,
        shares,
        seed: 5,
    }
}

fn client(addr: SocketAddr, secret: Option<Secret>, timeout: Duration) -> HttpGateway {
    let settings = HttpSettings {
        url: format!("http://{addr}"),
        name: "http",
        secret,
        extra_roots: None,
        in_flight_max: 4,
        timeout,
    };
    HttpGateway::new(settings, Arc::new(SystemClock)).unwrap()
}

#[tokio::test]
async fn everything_is_asked_over_http_and_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), settings(Some(secret()), NOTHING)).await;
    let gateway = running.client();
    assert_eq!(gateway.name(), "http");
    for _ in 0..2 {
        assert_eq!(gateway.charge(charge(1)).await, Ok(ChargeResult::Captured));
        assert_eq!(void(&gateway, id(2)).await, Ok(AttemptStatus::Voided));
        assert_eq!(gateway.charge(charge(2)).await, Ok(ChargeResult::Declined));
        assert_eq!(gateway.refund(id(1), yuan(199)).await, Ok(()));
        let refused = gateway.refund(id(2), yuan(199)).await;
        assert_eq!(refused, Err(GatewayError::NotCaptured));
    }
    for (attempt, expected) in [
        (1, AttemptStatus::Captured),
        (2, AttemptStatus::Voided),
        (3, AttemptStatus::NeverHeard),
    ] {
        assert_eq!(status(&gateway, id(attempt)).await, Ok(expected));
    }
    // More than may be asked at a time.
    let mut charges = tokio::task::JoinSet::new();
    for attempt in 10..60 {
        charges.spawn(gateway.charge(charge(attempt)));
    }
    while let Some(charged) = charges.join_next().await {
        assert_eq!(charged.unwrap(), Ok(ChargeResult::Captured));
    }
    assert_eq!(gateway.health(), Health::Up);
    let report = running.end().await;
    assert_eq!((report.connections_cut, report.callbacks_untold), (0, 0));
    let ledger = std::fs::read_to_string(folder.path().join("ledger")).unwrap();
    assert_eq!(ledger.lines().count(), 1 + 3 + 50, "repeats write nothing");
}

/// An id that comes again for another order or amount is answered 409, and the status tells both.
#[tokio::test]
async fn an_attempt_of_another_charge_is_told_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), settings(Some(secret()), NOTHING)).await;
    let gateway = running.client();
    let first = charge(1);
    assert_eq!(gateway.charge(first).await, Ok(ChargeResult::Captured));
    let others = [
        Charge {
            order_id: OrderId::new(99).unwrap(),
            ..first
        },
        Charge {
            amount: yuan(198),
            ..first
        },
    ];
    for other in others {
        let refused = Err(GatewayError::OtherCharge);
        assert_eq!(gateway.charge(other).await, refused, "{other:?}");
        let known = gateway.status(id(1)).await.unwrap();
        assert_eq!(known.status_of(other), Err(GatewayError::OtherCharge));
        assert_eq!(known.status_of(first), Ok(AttemptStatus::Captured));
        let known = gateway.void(id(1)).await.unwrap();
        assert_eq!(known.status_of(other), Err(GatewayError::OtherCharge));
    }
    let refund = gateway.refund(id(1), yuan(198)).await;
    assert_eq!(refund, Err(GatewayError::OtherCharge));
    assert_eq!(gateway.health(), Health::Up);
}

#[tokio::test]
async fn strangers_are_not_believed_and_three_failures_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), settings(Some(secret()), NOTHING)).await;
    let other = Secret::new(b"the secret of somebody else").unwrap();
    for secret in [None, Some(other)] {
        let stranger = client(running.addr, secret, Duration::from_secs(10));
        for expected in [Health::Up, Health::Up, Health::Down("it does not answer")] {
            let charged = stranger.charge(charge(1)).await;
            assert_eq!(charged, Err(GatewayError::OutcomeUnknown));
            assert_eq!(stranger.health(), expected);
        }
    }
    let status = status(&running.client(), id(1)).await;
    assert_eq!(status, Ok(AttemptStatus::NeverHeard));
}

/// A server that answers everything with these bytes and closes.
async fn answers_with(bytes: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            if stream.read(&mut request).await.is_ok() {
                drop(stream.write_all(bytes.as_bytes()).await);
            }
        }
    });
    addr
}

#[tokio::test]
async fn only_words_of_the_protocol_are_answers() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"status\":\"voided\"",
        "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"status\":\"fanciful\"}",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 24\r\n\r\n{\"status\":\"never_heard\"}",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\n<html>",
        "HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 21\r\n\r\n{\"result\":\"captured\"}",
        "rubbish\r\n\r\n",
    ] {
        let gateway = client(answers_with(answer).await, None, Duration::from_secs(5));
        let unknown = GatewayError::OutcomeUnknown;
        assert_eq!(gateway.charge(charge(1)).await, Err(unknown), "{answer}");
        assert_eq!(status(&gateway, id(1)).await, Err(unknown), "{answer}");
        assert_eq!(void(&gateway, id(1)).await, Err(unknown), "{answer}");
        assert_eq!(
            gateway.refund(id(1), yuan(1)).await,
            Err(unknown),
            "{answer}"
        );
    }
}

/// Order and amount are read in the answers that they mean something in, and nowhere else.
#[tokio::test]
async fn what_an_answer_says_besides_does_not_spoil_it() {
    let captured = "HTTP/1.1 200 OK\r\ncontent-length: 48\r\n\r\n{\"result\":\"captured\",\"amount\":5,\"order_id\":77}  ";
    let gateway = client(answers_with(captured).await, None, Duration::from_secs(5));
    assert_eq!(gateway.charge(charge(1)).await, Ok(ChargeResult::Captured));
    let refunded = "HTTP/1.1 200 OK\r\ncontent-length: 43\r\n\r\n{\"refunded\":true,\"amount\":5,\"order_id\":7}  ";
    let gateway = client(answers_with(refunded).await, None, Duration::from_secs(5));
    assert_eq!(gateway.refund(id(1), yuan(5)).await, Ok(()));
}

#[tokio::test]
async fn a_charge_without_an_answer_was_made_once_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let never = Shares {
        no_answer: 1.0,
        ..NOTHING
    };
    let running = Running::start(folder.path(), settings(Some(secret()), never)).await;
    let hasty = client(running.addr, Some(secret()), Duration::from_millis(300));
    for attempt in 1..=8 {
        let charged = hasty.charge(charge(attempt)).await;
        assert_eq!(charged, Err(GatewayError::OutcomeUnknown));
        let known = status(&running.client(), id(attempt)).await;
        assert_eq!(known, Ok(AttemptStatus::Captured));
    }
    // Charges that nobody is to hear of do not hold up the end.
    let patient = running.client();
    let waiting = tokio::spawn(patient.charge(charge(9)));
    while status(&patient, id(9)).await != Ok(AttemptStatus::Captured) {}
    let stopwatch = Stopwatch::start();
    assert_eq!(running.end().await.connections_cut, 0);
    assert!(stopwatch.elapsed() < Duration::from_secs(4));
    assert_eq!(waiting.await.unwrap(), Err(GatewayError::OutcomeUnknown));
}

#[tokio::test]
async fn a_gateway_that_is_being_restarted_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), settings(Some(secret()), NOTHING)).await;
    let addr = running.addr;
    let gateway = running.client();
    assert_eq!(gateway.charge(charge(1)).await, Ok(ChargeResult::Captured));
    running.end().await;
    let charging = tokio::spawn(gateway.charge(charge(2)));
    tokio::time::sleep(Duration::from_millis(150)).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(addr).unwrap();
    let listener = socket.listen(16).unwrap();
    let again = Running::start_on(listener, folder.path(), settings(Some(secret()), NOTHING));
    assert_eq!(charging.await.unwrap(), Ok(ChargeResult::Captured));
    // What it did before is in the ledger.
    assert_eq!(status(&gateway, id(1)).await, Ok(AttemptStatus::Captured));
    again.end().await;
    let stopwatch = Stopwatch::start();
    let unreachable = gateway.charge(charge(3)).await;
    assert_eq!(unreachable, Err(GatewayError::OutcomeUnknown));
    assert!(stopwatch.elapsed() < Duration::from_secs(5), "not for long");
}

/// Status and body of a request as it is written here.
async fn raw(addr: SocketAddr, request: &str) -> (u16, serde_json::Value) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn the_service_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), settings(None, NOTHING)).await;
    let good = r#"{"order_id":"7","amount":"1.00","currency":"CNY","and":"more"}"#;
    let (status, body) = raw(running.addr, &request("PUT", "/v1/charges/1", good)).await;
    assert_eq!(status, 200);
    let expected = serde_json::json!({"attempt_id": "1", "result": "captured"});
    assert_eq!(body, expected);
    let large = " ".repeat(20_000);
    for (method, path, body, status, code) in [
        ("PUT", "/v1/charges/2", "{", 400, "malformed_json"),
        ("PUT", "/v1/charges/2", "{}", 400, "invalid_request"),
        (
            "PUT",
            "/v1/charges/2",
            r#"{"order_id":"7","amount":"0.00","currency":"CNY"}"#,
            400,
            "invalid_request",
        ),
        (
            "PUT",
            "/v1/charges/2",
            r#"{"order_id":"7","amount":1.00,"currency":"CNY"}"#,
            400,
            "invalid_request",
        ),
        (
            "PUT",
            "/v1/charges/2",
            r#"{"order_id":"7","amount":"1.00","currency":"GBP"}"#,
            400,
            "invalid_request",
        ),
        ("PUT", "/v1/charges/0", good, 400, "invalid_request"),
        ("GET", "/v1/charges/", "", 400, "invalid_request"),
        (
            "PUT",
            "/v1/charges/2/refund",
            good,
            405,
            "method_not_allowed",
        ),
        ("POST", "/v1/charges/2", good, 405, "method_not_allowed"),
        ("POST", "/v1/charges/2/", good, 404, "not_found"),
        ("POST", "/v1/charges/2/refunds", good, 404, "not_found"),
        ("GET", "/", "", 404, "not_found"),
        ("POST", "/v1/charges/2/refund", good, 409, "not_captured"),
        ("PUT", "/v1/charges/2", &large, 413, "body_too_large"),
    ] {
        let (found, problem) = raw(running.addr, &request(method, path, body)).await;
        let what = (found, problem["code"].as_str().unwrap());
        assert_eq!(what, (status, code), "{method} {path} {body}");
        assert_eq!(problem["status"], status);
    }
    let (status, body) = raw(running.addr, &request("GET", "/v1/health", "")).await;
    assert_eq!((status, &body["status"]), (200, &"UP".into()));
    let ledger = std::fs::read_to_string(folder.path().join("ledger")).unwrap();
    assert_eq!(ledger.lines().count(), 2, "refusals write nothing");
}

/// A shop that takes callbacks: the bodies whose signatures were right, and how it answers.
async fn shop(statuses: &'static [u16]) -> (SocketAddr, tokio::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move {
        let mut statuses = statuses.iter().chain(std::iter::repeat(&200));
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = String::new();
            let mut buffer = [0; 4_096];
            while !text.ends_with('}') {
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0, "cut off: {text}");
                text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            }
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let signature = head
                .lines()
                .find_map(|line| line.strip_prefix("double11-signature: "))
                .unwrap();
            let now = double11_store::Clock::now(&SystemClock);
            let checked = secret().verify(signature.as_bytes(), now, body.as_bytes());
            assert_eq!(checked, Ok(()));
            let status = statuses.next().unwrap();
            let answer =
                format!("HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            sender.send(format!("{status} {body}")).await.unwrap();
        }
    });
    (addr, receiver)
}

fn calling_back(shop: SocketAddr, shares: Shares, late_by: Duration) -> ServiceSettings {
    ServiceSettings {
        callbacks: Some(CallbackSettings {
            url: format!("http://{shop}/api/payments/callbacks/http"),
            secret: secret(),
            extra_roots: None,
            late_by,
        }),
        ..settings(Some(secret()), shares)
    }
}

#[tokio::test]
async fn outcomes_are_told_until_they_are_heard() {
    let folder = tempfile::tempdir().unwrap();
    // Busy first; the second attempt is refused for good and not told again.
    let (addr, mut heard) = shop(&[503, 200, 404]).await;
    let running = Running::start(folder.path(), calling_back(addr, NOTHING, Duration::ZERO)).await;
    let gateway = running.client();
    void(&gateway, id(2)).await.unwrap();
    gateway.charge(charge(1)).await.unwrap();
    let first = heard.recv().await.unwrap();
    let again = heard.recv().await.unwrap();
    let body = first.strip_prefix("503 ").unwrap();
    assert_eq!(again, format!("200 {body}"));
    let mut told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(told["at"].as_i64().unwrap() > 1_700_000_000_000_000);
    told["at"] = 0.into();
    let expected = serde_json::json!({
        "attempt_id": "1", "order_id": "71", "result": "captured", "amount": "199.00",
        "currency": "CNY", "at": 0,
    });
    assert_eq!(told, expected);
    gateway.charge(charge(2)).await.unwrap();
    let refused = heard.recv().await.unwrap();
    assert!(refused.starts_with("404 ") && refused.contains("declined"));
    assert_eq!(running.end().await.callbacks_untold, 0);
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn callbacks_come_twice_and_late_and_at_the_end_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (addr, mut heard) = shop(&[]).await;
    let all = Shares {
        duplicate: 1.0,
        late: 1.0,
        ..NOTHING
    };
    let late_by = Duration::from_mins(10);
    let running = Running::start(folder.path(), calling_back(addr, all, late_by)).await;
    running.client().charge(charge(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(heard.try_recv().is_err(), "it is late");
    assert_eq!(running.end().await.callbacks_untold, 0);
    let first = heard.recv().await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), first, "and told twice");

    // A shop that is gone: said at the end.
    drop(heard);
    let nobody = answers_with("").await;
    let folder = tempfile::tempdir().unwrap();
    let settings = calling_back(nobody, NOTHING, Duration::ZERO);
    let running = Running::start(folder.path(), settings).await;
    running.client().charge(charge(1)).await.unwrap();
    assert_eq!(running.end().await.callbacks_untold, 1);
}

/// A client that trusts these certificates asks a name.
fn client_of(name: &str, port: u16, roots: Option<&str>) -> HttpGateway {
    let settings = HttpSettings {
        url: format!("https://{name}:{port}"),
        name: "http",
        secret: None,
        extra_roots: roots.map(|pem| pem.as_bytes().to_owned()),
        in_flight_max: 4,
        timeout: Duration::from_secs(5),
    };
    HttpGateway::new(settings, Arc::new(SystemClock)).unwrap()
}

#[tokio::test]
async fn https_is_checked_against_the_given_authority() {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4_096];
            if stream.read(&mut request).await.is_ok() {
                let answer =
                    "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n{\"result\":\"captured\"}";
                drop(stream.write_all(answer.as_bytes()).await);
                drop(stream.flush().await);
            }
        }
    });
    let pem = certified.cert.pem();
    let trusting = client_of("localhost", port, Some(&pem));
    assert_eq!(trusting.charge(charge(1)).await, Ok(ChargeResult::Captured));
    for stranger in [
        client_of("localhost", port, None),
        client_of("127.0.0.1", port, Some(&pem)),
    ] {
        let charged = stranger.charge(charge(1)).await;
        assert_eq!(charged, Err(GatewayError::OutcomeUnknown));
    }
    let broken = HttpSettings {
        url: "https://localhost".to_owned(),
        name: "http",
        secret: None,
        extra_roots: Some(b"no certificate".to_vec()),
        in_flight_max: 1,
        timeout: Duration::from_secs(1),
    };
    assert!(HttpGateway::new(broken, Arc::new(SystemClock)).is_err());
}
