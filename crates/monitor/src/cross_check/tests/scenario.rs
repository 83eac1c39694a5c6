//! A run in both worlds: as the client saw it and as the shop counted it.

use std::fmt::Write as _;
use std::time::Duration;

use double11_measure::run::{PhaseShape, RunRecorder, RunShape};
use double11_measure::sample::{Failure, Outcome, PhaseId, Sample, StepId};
use double11_units::UnixMicros;

use crate::cross_check::{
    CLIENT_OVERHEAD_DEFAULT, ClientWrites, CrossCheck, CrossCheckInput, ORDERS, PAYMENTS, REPLAYS,
    REQUEST_DURATION, StepEndpoint, cross_check,
};
use crate::exposition::Exposition;
use crate::matrix::Matrix;
use crate::scrape::Scrape;

const START_MS: i64 = 1_700_000_000_000;
const BOUNDS: [f64; 26] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4,
    0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, 3.0, 5.0,
];
/// Steps of the plan with their method and endpoint.
const STEPS: [(&str, &str, &str); 3] = [
    ("browse", "GET", "/api/products/random"),
    ("checkout", "POST", "/api/orders"),
    ("payment", "POST", "/api/payments"),
];
/// Phases as (name, start, duration, measured), in seconds.
const PHASES: [(&str, u64, u64, bool); 3] = [
    ("warm-up", 0, 5, false),
    ("normal", 5, 15, true),
    ("peak", 20, 20, true),
];

/// One request in both worlds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) step: u16,
    pub(super) planned_ms: u64,
    pub(super) outcome: Outcome,
    pub(super) service: Duration,
    /// What the shop measured; `None` if it never counted the request.
    pub(super) handler: Option<Duration>,
}

/// A run that the tests bend before it is checked.
pub(super) struct Scenario {
    pub(super) requests: Vec<Request>,
    pub(super) scrapes_ms: Vec<i64>,
    pub(super) restart_ms: Option<i64>,
    pub(super) tells_process_start: bool,
    pub(super) writes: ClientWrites,
    pub(super) orders_counted: u64,
    pub(super) payments_counted: u64,
    pub(super) replays_counted: Option<u64>,
    pub(super) endpoints: Vec<StepEndpoint>,
    pub(super) start_unix_ms: Option<i64>,
}

impl Scenario {
    /// 40 seconds at 100 requests/s; the handler takes 4 ms, the client sees 5 ms. Every tenth
    /// request takes 5 times as long.
    pub(super) fn honest() -> Self {
        let requests = (0..4_000_u64)
            .map(|n| {
                let slow = if n % 10 == 0 { 5 } else { 1 };
                Request {
                    step: [0, 0, 0, 1, 2][usize::try_from(n % 5).unwrap()],
                    planned_ms: n * 10,
                    outcome: Outcome::Success,
                    service: Duration::from_millis(4 * slow + 1),
                    handler: Some(Duration::from_millis(4 * slow)),
                }
            })
            .collect();
        let endpoint = |&(step, method, endpoint): &(&str, &str, &str)| StepEndpoint {
            step: step.to_owned(),
            method: method.to_owned(),
            endpoint: endpoint.to_owned(),
        };
        Self {
            requests,
            scrapes_ms: vec![
                -500, 2, 5_004, 10_001, 15_001, 20_003, 25_000, 30_000, 35_000, 40_010, 41_000,
            ],
            restart_ms: None,
            tells_process_start: true,
            writes: ClientWrites {
                orders_acknowledged: 800,
                orders_unknown: 0,
                payments_acknowledged: 800,
                payments_unknown: 0,
            },
            orders_counted: 800,
            payments_counted: 800,
            replays_counted: Some(0),
            endpoints: STEPS.iter().map(endpoint).collect(),
            start_unix_ms: Some(START_MS),
        }
    }

    pub(super) fn check(&self) -> CrossCheck {
        let shape = RunShape {
            steps: STEPS.iter().map(|step| step.0.to_owned()).collect(),
            phases: PHASES
                .iter()
                .map(|&(name, start, duration, measured)| PhaseShape {
                    name: name.to_owned(),
                    start: Duration::from_secs(start),
                    duration: Duration::from_secs(duration),
                    measured,
                    offered_per_second: Some(100.0),
                })
                .collect(),
        };
        let mut recorder = RunRecorder::new(shape, Duration::from_secs(5));
        for request in &self.requests {
            recorder.record(&request.sample());
        }
        let (summary, mut time_series) = recorder.finish(Duration::from_secs(40));
        time_series.start_unix_ms = self.start_unix_ms;
        let mut matrix = Matrix::new();
        for &at_ms in &self.scrapes_ms {
            matrix.push(&self.scrape(at_ms));
        }
        cross_check(&CrossCheckInput {
            summary: &summary,
            time_series: &time_series,
            matrix: &matrix,
            endpoints: &self.endpoints,
            writes: Some(self.writes),
            client_overhead: CLIENT_OVERHEAD_DEFAULT,
        })
    }

    /// What the shop says at an instant of the run.
    fn scrape(&self, at_ms: i64) -> Scrape {
        let since = self
            .restart_ms
            .filter(|&restart| restart <= at_ms)
            .unwrap_or(i64::MIN);
        let ended = |request: &&Request| (since..=at_ms).contains(&request.end_ms());
        let mut text = String::new();
        for (index, (_, method, endpoint)) in (0..).zip(STEPS) {
            let handler_times: Vec<f64> = self
                .requests
                .iter()
                .filter(|request| request.step == index)
                .filter(ended)
                .filter_map(|request| request.handler)
                .map(|handler| handler.as_secs_f64())
                .collect();
            let labels = format!("endpoint=\"{endpoint}\",method=\"{method}\",status=\"200\"");
            for bound in BOUNDS.into_iter().chain([f64::INFINITY]) {
                let le = if bound.is_finite() {
                    bound.to_string()
                } else {
                    "+Inf".to_owned()
                };
                let count = handler_times
                    .iter()
                    .filter(|&&handler| handler <= bound)
                    .count();
                writeln!(
                    text,
                    "{REQUEST_DURATION}_bucket{{{labels},le=\"{le}\"}} {count}"
                )
                .unwrap();
            }
            let sum: f64 = handler_times.iter().sum();
            let count = handler_times.len();
            writeln!(text, "{REQUEST_DURATION}_sum{{{labels}}} {sum}").unwrap();
            writeln!(text, "{REQUEST_DURATION}_count{{{labels}}} {count}").unwrap();
        }
        let over = at_ms >= 40_000;
        let at_end = |count: u64| if over { count } else { 0 };
        writeln!(
            text,
            "{ORDERS}{{status=\"success\"}} {}",
            at_end(self.orders_counted)
        )
        .unwrap();
        writeln!(text, "{ORDERS}{{status=\"sold_out\"}} {}", at_end(99)).unwrap();
        writeln!(
            text,
            "{PAYMENTS}{{status=\"success\"}} {}",
            at_end(self.payments_counted)
        )
        .unwrap();
        if let Some(replays) = self.replays_counted {
            writeln!(text, "{REPLAYS}{{operation=\"order\"}} {}", at_end(replays)).unwrap();
            writeln!(text, "{REPLAYS}{{operation=\"payment\"}} 0").unwrap();
        }
        if self.tells_process_start {
            writeln!(text, "process_start_time_seconds {}", since.max(-1_000)).unwrap();
        }
        Scrape {
            at: UnixMicros::new((START_MS + at_ms) * 1_000),
            took: Duration::from_millis(1),
            exposition: Exposition::parse(&text).unwrap(),
        }
    }
}

impl Request {
    fn sample(&self) -> Sample {
        let planned = Duration::from_millis(self.planned_ms);
        let sent = match self.outcome {
            Outcome::Failed(Failure::Dropped | Failure::Connect) => None,
            _ => Some(planned),
        };
        let phase = PHASES
            .iter()
            .rposition(|phase| phase.1 * 1_000 <= self.planned_ms)
            .unwrap();
        Sample {
            step: StepId(self.step),
            phase: PhaseId(u16::try_from(phase).unwrap()),
            thread: 0,
            shopper: 0,
            planned,
            sent,
            first_byte: None,
            connect: None,
            end: planned + self.service,
            outcome: self.outcome,
            status: None,
            bytes_received: 0,
            bytes_sent: 0,
            late: false,
            in_flight: 0,
        }
    }

    fn end_ms(&self) -> i64 {
        i64::try_from(self.planned_ms).unwrap() + i64::try_from(self.service.as_millis()).unwrap()
    }
}
