//! The controller on a shop of numbers: one server, requests in the order of their arrival, an accepted
//! one costs a unit and a shed one a part of it.

use std::collections::VecDeque;
use std::time::Duration;

use super::{CLASS, PERIOD, Pressure};
use crate::admission::Class;

/// Accepted requests that the server can serve within a period.
const CAPACITY: f64 = 200.0;
/// The cost of a rejection, of that of an accepted request.
const REJECTION: f64 = 0.25;

/// The shares of the classes in the traffic, in percent, the least important first.
const MIX: [(Class, u32); 6] = [
    (Class::Browse, 30),
    (Class::Search, 20),
    (Class::Detail, 25),
    (Class::Cart, 10),
    (Class::Order, 8),
    (Class::Payment, 7),
];

/// What came of a stretch of time, in accepted requests per capacity.
#[derive(Debug, Default)]
struct Stretch {
    goodput: f64,
    /// The longest wait of an accepted request, in periods.
    wait: usize,
    accepted: [u32; 6],
    offered: [u32; 6],
}

struct Simulation {
    pressure: Pressure,
    /// The period of each arrival, and its class.
    queue: VecDeque<(usize, Class)>,
    now: usize,
    arrived: u32,
    owed: f64,
    spare: f64,
}

impl Simulation {
    fn new() -> Self {
        Self {
            pressure: Pressure::default(),
            queue: VecDeque::new(),
            now: 0,
            arrived: 0,
            owed: 0.0,
            spare: 0.0,
        }
    }

    /// Offers `load` times the capacity for some periods.
    fn run(&mut self, load: f64, periods: usize) -> Stretch {
        let mut stretch = Stretch::default();
        for _ in 0..periods {
            self.now += 1;
            self.owed += load * CAPACITY;
            while self.owed >= 1.0 {
                self.owed -= 1.0;
                // A step that shares no factor with 100 mixes the classes.
                self.arrived = (self.arrived + 37) % 100;
                let mut place = self.arrived;
                let class = MIX.iter().find(|(_, share)| {
                    let found = place < *share;
                    place = place.saturating_sub(*share);
                    found
                });
                self.queue.push_back((self.now, class.unwrap().0));
            }
            self.serve(&mut stretch);
            let oldest = self.queue.front().map_or(self.now, |(at, _)| *at);
            let lag = PERIOD * u32::try_from(self.now - oldest).unwrap();
            self.pressure.follow(lag);
        }
        stretch.goodput /= CAPACITY * periods as f64;
        stretch
    }

    fn serve(&mut self, stretch: &mut Stretch) {
        self.spare = self.spare.min(0.0) + CAPACITY;
        while self.spare > 0.0
            && let Some((at, class)) = self.queue.pop_front()
        {
            stretch.offered[class as usize] += 1;
            if self.pressure.sheds(class) {
                self.spare -= REJECTION;
            } else {
                self.spare -= 1.0;
                stretch.goodput += 1.0;
                stretch.accepted[class as usize] += 1;
                stretch.wait = stretch.wait.max(self.now - at);
            }
        }
    }
}

/// What a server can do that has to look at everything: see `docs/PERFORMANCE.md`.
fn bound(load: f64) -> f64 {
    if load <= 1.0 {
        load
    } else {
        (1.0 - load * REJECTION) / (1.0 - REJECTION)
    }
}

#[test]
fn goodput_stays_near_its_bound_and_waits_stay_short() {
    for load in [0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5] {
        let mut simulation = Simulation::new();
        simulation.run(load, 200);
        let stretch = simulation.run(load, 1_000);
        let bound = bound(load);
        assert!(
            stretch.goodput >= 0.9 * bound && stretch.goodput <= bound + 0.01,
            "{load}: {stretch:?}, bound {bound}"
        );
        assert!(stretch.wait <= 20, "{load}: {stretch:?}");
    }
}

#[test]
fn the_more_important_the_less_is_shed() {
    let mut simulation = Simulation::new();
    simulation.run(2.0, 200);
    let stretch = simulation.run(2.0, 1_000);
    let shares: Vec<f64> = (0..6)
        .map(|class| f64::from(stretch.accepted[class]) / f64::from(stretch.offered[class]))
        .collect();
    assert!(shares.is_sorted(), "{shares:?}");
    assert!(shares[0] < 0.1, "{shares:?}");
    assert!(shares[4] > 0.999 && shares[5] > 0.999, "{shares:?}");
}

#[test]
fn it_recovers_within_a_second() {
    let mut simulation = Simulation::new();
    simulation.run(2.5, 500);
    simulation.run(0.5, 100);
    let after = simulation.run(0.5, 100);
    assert!(after.accepted == after.offered, "{after:?}");
    assert_eq!(after.wait, 0);
}

#[test]
fn a_pause_is_no_overload() {
    let pressure = Pressure::default();
    for turn in 0..1_000 {
        pressure.follow(Duration::from_millis(if turn % 10 == 0 { 0 } else { 500 }));
        assert!(Class::ALL.iter().all(|class| !pressure.sheds(*class)));
    }
}

#[test]
fn a_share_is_shed_evenly() {
    for share in [1, 100, 333, 500, 900, 999] {
        let pressure = Pressure::default();
        pressure
            .level
            .store(CLASS + share, std::sync::atomic::Ordering::Relaxed);
        assert!(pressure.sheds(Class::Browse));
        assert!(!pressure.sheds(Class::Detail));
        let shed = (0..10_000)
            .filter(|_| pressure.sheds(Class::Search))
            .count();
        let expected = share as usize * 10;
        assert!(shed.abs_diff(expected) <= 10, "{shed} for {share}");
    }
}
