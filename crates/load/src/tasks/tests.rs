use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use super::*;

fn tasks() -> (Tasks, Stop, RunClock) {
    let (stop, clock) = (Stop::default(), RunClock::start());
    (Tasks::new(clock, &stop).unwrap(), stop, clock)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn sleepers_wake_in_the_order_of_their_instants_and_not_before() {
    let (mut tasks, _, clock) = tasks();
    let woken = Rc::new(RefCell::new(Vec::new()));
    for at in [millis(12), millis(4), millis(8), millis(4)] {
        let woken = Rc::clone(&woken);
        tasks.spawn(async move {
            sleep_until(at).await.unwrap();
            assert!(clock.now() >= at);
            woken.borrow_mut().push(at);
        });
    }
    tasks.run().unwrap();
    assert_eq!(*woken.borrow(), [4, 4, 8, 12].map(millis));
}

/// As where an exchange is cut at an instant, which it nearly always ends before: a timer that stayed
/// until then would be memory that grows with the requests.
#[test]
fn who_no_longer_waits_leaves_no_timer() {
    let (mut tasks, ..) = tasks();
    tasks.spawn(async {
        let waiting = || event_loop::current(event_loop::EventLoop::timers_waiting);
        let signal = Signal::default();
        for _ in 0..3 {
            let mut far = Box::pin(sleep_until(millis(3_600_000)));
            let mut nothing = Box::pin(signal.past(signal.count(), Some(millis(3_600_000))));
            poll_fn(|context| {
                assert!(far.as_mut().poll(context).is_pending());
                assert!(nothing.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            assert_eq!(waiting(), 2);
            // One that has fired is taken back as well, from where it no longer is.
            sleep_until(clock().now() + millis(1)).await.unwrap();
            assert_eq!(waiting(), 2);
        }
        assert_eq!(waiting(), 0);
    });
    tasks.run().unwrap();
}

#[test]
fn tasks_spawn_tasks_and_take_turns() {
    let (mut tasks, ..) = tasks();
    let said = Rc::new(RefCell::new(String::new()));
    let say = {
        let said = Rc::clone(&said);
        move |letter: char| said.borrow_mut().push(letter)
    };
    let inner = say.clone();
    tasks.spawn(async move {
        say('a');
        spawn(async move {
            inner('b');
            yield_now().await;
            inner('d');
        });
        yield_now().await;
        say('c');
        yield_now().await;
        yield_now().await;
        say('e');
    });
    tasks.run().unwrap();
    assert_eq!(*said.borrow(), "acbde".to_owned());
}

#[test]
fn a_stop_from_another_thread_cuts_what_it_may_cut() {
    let (mut tasks, stop, clock) = tasks();
    let ended = Rc::new(RefCell::new(Vec::new()));
    let record = |name: &'static str, ended: &Rc<RefCell<Vec<&'static str>>>| {
        let ended = Rc::clone(ended);
        move || ended.borrow_mut().push(name)
    };
    let gracefully = record("gracefully", &ended);
    tasks.spawn(async move {
        assert_eq!(sleep_unless_stopping(Duration::MAX).await, Err(Stopped));
        gracefully();
    });
    let now = record("now", &ended);
    tasks.spawn(async move {
        assert_eq!(sleep_until(Duration::MAX).await, Err(Stopped));
        assert_eq!(stop_level(), StopLevel::Now);
        now();
    });
    let gate = record("gate", &ended);
    tasks.spawn(async move {
        assert_eq!(Gate::default().wait().await, Err(Stopped));
        gate();
    });
    let stopper = std::thread::spawn(move || {
        while clock.now() < millis(5) {}
        stop.request(StopLevel::Gracefully);
        while clock.now() < millis(10) {}
        stop.request(StopLevel::Now);
        stop.request(StopLevel::Gracefully);
        assert_eq!(stop.level(), StopLevel::Now);
    });
    tasks.run().unwrap();
    stopper.join().unwrap();
    assert_eq!(*ended.borrow(), ["gracefully", "now", "gate"]);
}

#[test]
fn gates_and_signals_reach_tasks_of_other_threads() {
    let (gate, signal) = (Gate::default(), Signal::default());
    let other = {
        let (gate, signal) = (gate.clone(), signal.clone());
        std::thread::spawn(move || {
            let (mut tasks, ..) = tasks();
            tasks.spawn(async move {
                assert_eq!(signal.past(0, Some(millis(1))).await, Ok(false));
                gate.open();
                assert_eq!(signal.past(0, None).await, Ok(true));
                assert_eq!(signal.past(0, Some(millis(1))).await, Ok(true));
            });
            tasks.run().unwrap();
        })
    };
    let (mut tasks, ..) = tasks();
    tasks.spawn(async move {
        gate.wait().await.unwrap();
        gate.wait().await.unwrap();
        assert!(gate.is_open());
        signal.notify();
    });
    tasks.run().unwrap();
    other.join().unwrap();
}

#[test]
fn a_lock_is_held_by_one_task_at_a_time_on_whatever_thread() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static INSIDE: AtomicU32 = AtomicU32::new(0);
    static TURNS: AtomicU32 = AtomicU32::new(0);
    let lock = Lock::default();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let lock = lock.clone();
            std::thread::spawn(move || {
                let (mut tasks, ..) = tasks();
                for _ in 0..20 {
                    let lock = lock.clone();
                    tasks.spawn(async move {
                        for _ in 0..5 {
                            let guard = lock.acquire().await.unwrap();
                            assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                            yield_now().await;
                            TURNS.fetch_add(1, Ordering::SeqCst);
                            assert_eq!(INSIDE.fetch_sub(1, Ordering::SeqCst), 1);
                            drop(guard);
                        }
                    });
                }
                tasks.run().unwrap();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(TURNS.load(Ordering::SeqCst), 300);
}

#[test]
fn blocking_work_leaves_the_loop_to_others() {
    let (mut tasks, ..) = tasks();
    let gate = Gate::default();
    let opener = gate.clone();
    tasks.spawn(async move {
        let (sender, receiver) = std::sync::mpsc::channel();
        spawn(async move { sender.send(7).unwrap() });
        assert_eq!(
            off_thread(move || receiver.recv().unwrap()).await.unwrap(),
            7
        );
        opener.open();
    });
    tasks.spawn(async move { gate.wait().await.unwrap() });
    tasks.run().unwrap();
}

/// A server that answers each request of a connection with the next of these texts, and ends the
/// connection after the last.
fn server(answers: Vec<&'static str>) -> std::net::SocketAddr {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answers) = (stream.unwrap(), answers.clone());
            std::thread::spawn(move || {
                for answer in answers {
                    let mut request = Vec::new();
                    let mut bytes = [0; 1_024];
                    while !request.ends_with(b"\r\n\r\n") {
                        let read = stream.read(&mut bytes).unwrap_or(0);
                        if read == 0 {
                            return;
                        }
                        request.extend_from_slice(&bytes[..read]);
                    }
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            });
        }
    });
    address
}

fn keep(is_bodiless: bool) -> Ask {
    Ask {
        expected: crate::transport::Expected {
            keep_body: true,
            keep_head: true,
            is_bodiless,
        },
        ..Ask::default()
    }
}

#[test]
fn a_connection_carries_one_exchange_after_the_other() {
    let address = server(vec![
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n",
    ]);
    let (mut tasks, ..) = tasks();
    tasks.spawn(async move {
        let mut link = Link::open(address, None, crate::transport::Limits::DEFAULT).unwrap();
        link.write(|out| out.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n"));
        let answer = link.exchange(keep(false)).await.unwrap();
        assert!(answer.connected_at.is_some() && answer.keep_alive);
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"abc"[..]));
        let head = answer.head.unwrap();
        assert_eq!(&*head, b"HTTP/1.1 200 Fine\r\nContent-Length: 3\r\n\r\n");
        assert_eq!((answer.head_bytes, answer.body_bytes), (40, 3));
        assert_eq!(answer.bytes, 40 + 3 + 25);
        link.write(|out| out.extend_from_slice(b"HEAD / HTTP/1.1\r\n\r\n"));
        let answer = link.exchange(keep(true)).await.unwrap();
        assert!(answer.connected_at.is_none() && answer.keep_alive);
        assert_eq!((answer.status, answer.body_bytes), (200, 0));
        link.write(|out| out.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n"));
        let answer = link.exchange(keep(false)).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (404, &b"xy"[..]));
        assert_eq!(answer.body_bytes, 2);
        let closed = async {
            while link.is_usable() {
                sleep_until(clock().now() + millis(1)).await.unwrap();
            }
        };
        closed.await;
    });
    tasks.run().unwrap();
}

#[test]
fn the_time_out_of_connecting_ends_with_it() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _read = stream.read(&mut [0; 1_024]).unwrap();
        // Longer than connecting may take: the client looks at that deadline meanwhile.
        std::thread::park_timeout(millis(150));
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let (mut tasks, ..) = tasks();
    tasks.spawn(async move {
        let mut link = Link::open(address, None, crate::transport::Limits::DEFAULT).unwrap();
        link.write(|out| out.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n"));
        let ask = Ask {
            connect_timeout: Some(millis(100)),
            ..keep(false)
        };
        assert_eq!(link.exchange(ask).await.unwrap().status, 200);
    });
    tasks.run().unwrap();
}

#[test]
fn exchanges_fail_for_what_went_wrong() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_address = silent.local_addr().unwrap();
    let closing = server(vec![]);
    let (mut tasks, stop, _) = tasks();
    tasks.spawn(async move {
        let exchange = async |address, response_timeout| {
            let mut link = Link::open(address, None, crate::transport::Limits::DEFAULT).unwrap();
            link.write(|out| out.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n"));
            let ask = Ask {
                response_timeout,
                ..keep(false)
            };
            let failure = link.exchange(ask).await.unwrap_err();
            assert!(!link.is_usable());
            format!("{:?}", failure.kind)
        };
        let nobody = "127.0.0.1:1".parse().unwrap();
        let said = exchange(nobody, None).await;
        assert!(
            said.contains("Connect(") && said.contains("refused"),
            "{said}"
        );
        let said = exchange(closing, None).await;
        assert!(
            said.contains("Truncated") || said.contains("reset"),
            "{said}"
        );
        let begun = clock().now();
        let said = exchange(silent_address, Some(millis(20))).await;
        assert_eq!(said, "ResponseTimeout");
        assert!(clock().now() >= begun + millis(20));
        spawn(async move {
            sleep_until(clock().now() + millis(5)).await.unwrap();
            stop.request(StopLevel::Now);
        });
        assert_eq!(exchange(silent_address, None).await, "Stopped");
    });
    tasks.run().unwrap();
}

/// A server with a certificate that nobody has signed, which answers one request a connection. When it
/// is reached as by a proxy, it first gives way to a tunnel.
fn tls_server(is_proxy: bool) -> std::net::SocketAddr {
    use std::io::{Read as _, Write as _};
    let certified = rcgen::generate_simple_self_signed(vec!["x.example".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 1_024];
            if is_proxy {
                let read = stream.read(&mut bytes).unwrap();
                assert!(bytes[..read].starts_with(b"CONNECT "));
                stream.write_all(b"HTTP/1.1 200 Go\r\n\r\n").unwrap();
            }
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let read = stream.read(&mut bytes).unwrap();
            assert!(bytes[..read].starts_with(b"GET "));
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
            stream.write_all(answer).unwrap();
            stream.flush().unwrap();
        }
    });
    address
}

#[test]
fn tls_takes_any_certificate_and_goes_through_proxies() {
    use crate::transport::{Limits, TlsSettings};
    let (direct, proxy) = (tls_server(false), tls_server(true));
    let (mut tasks, ..) = tasks();
    tasks.spawn(async move {
        let tls = TlsSettings::unchecked("127.0.0.1").unwrap();
        let mut link = Link::open(direct, Some(&tls), Limits::DEFAULT).unwrap();
        link.write(|out| out.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n"));
        let answer = link.exchange(keep(false)).await.unwrap();
        assert_eq!(answer.body, b"abc");
        assert!(answer.connected_at.is_some());
        let tls = tls.for_host("other.example").unwrap();
        let mut link = Link::open(proxy, None, Limits::DEFAULT).unwrap();
        link.write(|out| out.extend_from_slice(b"CONNECT a:443 HTTP/1.1\r\n\r\n"));
        let answer = link.exchange(keep(true)).await.unwrap();
        assert_eq!((answer.status, answer.keep_alive), (200, true));
        link.start_tls(&tls).unwrap();
        link.write(|out| out.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n"));
        let answer = link.exchange(keep(false)).await.unwrap();
        assert_eq!(answer.body, b"abc");
    });
    tasks.run().unwrap();
}
