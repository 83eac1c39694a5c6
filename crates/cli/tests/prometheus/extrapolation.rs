//! How far `increase` and `rate` are from what was counted: the figures of `docs/CROSS-CHECK.md`.
//!
//! ```sh
//! cargo test --release -p double11 --test prometheus -- --ignored --nocapture how_far
//! ```

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{now, pause};
use crate::server::Prometheus;
use crate::servers::prometheus_present;

/// What is counted, evenly and exactly: 200 a second for 40 seconds.
const PER_SECOND: f64 = 200.0;
const SECONDS: f64 = 40.0;
const QUIET_BEFORE: Duration = Duration::from_secs(50);
const QUIET_AFTER: Duration = Duration::from_secs(35);

/// A page with the counter, and with one that is not there before it has counted anything.
fn page(begin: Instant) -> String {
    let elapsed = now().saturating_duration_since(begin).as_secs_f64();
    let counted = (elapsed.min(SECONDS) * PER_SECOND).floor();
    let lazy = if counted > 0.0 {
        format!("lazy_total {counted}\n")
    } else {
        String::new()
    };
    format!("counted_total {counted}\n{lazy}")
}

fn answer(mut stream: TcpStream, begin: Instant) -> std::io::Result<()> {
    let mut head = [0; 4_096];
    let read = stream.read(&mut head)?;
    assert!(read > 0, "a request has a head");
    let page = page(begin);
    let length = page.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{page}"
    )
}

/// The least and the most that a query gives, over every second of its evaluation, in per cent beside
/// the truth.
fn off(prometheus: &Prometheus, query: &str, truth: f64, seconds: std::ops::Range<u32>) -> String {
    let asked = |back: u32| {
        let result = prometheus.query(&query.replace(']', &format!("] offset {back}s")))?;
        result[0]["value"][1].as_str()?.parse::<f64>().ok()
    };
    let found: Vec<f64> = seconds.filter_map(asked).collect();
    let per_cent = |value: f64| (value / truth - 1.0) * 100.0;
    let least = found.iter().copied().fold(f64::INFINITY, f64::min);
    let most = found.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!(!found.is_empty(), "{query} gave nothing");
    format!("{:+.1} % … {:+.1} %", per_cent(least), per_cent(most))
}

#[test]
#[ignore = "takes two minutes and prints figures for the documents"]
fn how_far_extrapolation_is_off() {
    if !prometheus_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    let begin = now() + QUIET_BEFORE;
    let server = std::thread::spawn(move || {
        for stream in listener.incoming() {
            if told.load(Ordering::SeqCst) {
                return;
            }
            // A scrape that is cut off is a gap, which the figures would show.
            drop(stream.and_then(|stream| answer(stream, begin)));
        }
    });
    let job = |interval: u32| {
        format!(
            "  - job_name: every{interval}\n    scrape_interval: {interval}s\n    scrape_timeout: 1s\n    \
             static_configs: [{{targets: ['{address}']}}]\n"
        )
    };
    let text = format!("scrape_configs:\n{}{}", job(5), job(15));
    let prometheus = Prometheus::configured(folder.path(), &text);
    pause(begin.saturating_duration_since(now()) + Duration::from_secs_f64(SECONDS) + QUIET_AFTER);
    let truth = PER_SECOND * SECONDS;
    for interval in [5, 15] {
        let of = |name: &str| format!("{name}{{job=\"every{interval}\"}}");
        let around = |name: &str| format!("increase({}[60s])", of(name));
        let inside = format!("rate({}[30s])", of("counted_total"));
        // A window of a minute holds all 40 seconds when it ends at most 20 seconds after them.
        let after = 17..34;
        for (what, figures) in [
            (
                "increase over start and stop",
                off(&prometheus, &around("counted_total"), truth, after.clone()),
            ),
            (
                "the same of a series that began with its first event",
                off(&prometheus, &around("lazy_total"), truth, after),
            ),
            (
                "rate inside steady load",
                off(&prometheus, &inside, PER_SECOND, 37..44),
            ),
        ] {
            println!("{interval} s, {what}: {figures}");
        }
        let counted = of("counted_total");
        let delta = prometheus.query(&format!("{counted} - {counted} offset 100s"));
        assert_eq!(delta.unwrap()[0]["value"][1], "8000");
    }
    over.store(true, Ordering::SeqCst);
    drop(TcpStream::connect(&address));
    server.join().unwrap();
}
