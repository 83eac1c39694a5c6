//! Random histories of commands, whose every answer is known beforehand.
//!
//! [`sequential`] carries out one command after the other and compares each answer, and in the end
//! everything that can be read, with the [`Model`]. What is found is made smaller by leaving commands
//! out. [`concurrent`] lets a few clients act at once and looks for an order of their commands in which
//! the model gives the same answers; [`crowd`] lets many act and checks what must hold for any order.
//!
//! A seed makes a history; a store's mistake is reported with it.

mod commands;
mod crowd;
mod race;
mod steps;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::conformance::model::Model;
use crate::conformance::{Conditions, ManualClock};
use crate::{Clock, Store};
use commands::{Command, answer_of, apply};
use steps::{Book, Random, Step};

/// Pieces of the products in every history: few, so that they run out.
const STOCK: [u32; 3] = [4, 7, 2];
/// Commands of a sequential history.
const STEPS: usize = 40;
/// Histories that are tried to make one smaller.
const SHRINK_MAX: usize = 300;

/// A history in which a store did what no store may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The seed of the history.
    pub seed: u64,
    /// What happened, and where it went wrong.
    pub told: String,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "history of seed {}:\n{}", self.seed, self.told)
    }
}

/// How many histories of a kind: the second number in long runs.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a test takes is the business of whoever starts it"
)]
fn cases(short: u64, long: u64) -> u64 {
    let soak = std::env::var("DOUBLE11_SOAK").is_ok_and(|value| value == "1");
    if soak { long } else { short }
}

/// One command after the other: every answer is the model's.
pub async fn sequential<S: Deref<Target = dyn Store>>(open: impl AsyncFn(Conditions) -> S) {
    let cases = cases(64, 2_000);
    nothing_found("sequential", cases, find_sequential(&open, cases).await);
}

/// A few clients at once: there is an order of their commands in which every answer is the model's.
pub async fn concurrent<S: Deref<Target = dyn Store>>(open: impl AsyncFn(Conditions) -> S) {
    let cases = cases(64, 2_000);
    nothing_found("concurrent", cases, find_concurrent(&open, cases).await);
}

/// Many clients at once: one write for each key, the stock equation, and sums that agree.
pub async fn crowd<S: Deref<Target = dyn Store>>(open: impl AsyncFn(Conditions) -> S) {
    let cases = cases(8, 200);
    nothing_found("crowd", cases, find_in_crowd(&open, cases).await);
}

fn nothing_found(kind: &str, cases: u64, found: Option<Counterexample>) {
    let told = found.map(|found| found.to_string()).unwrap_or_default();
    assert!(told.is_empty(), "{kind}: {told}");
    if cases > 64 {
        say(&format!(
            "soak: histories_{kind}: {cases} of {cases} seeds (1..={cases})"
        ));
    }
}

#[expect(clippy::print_stdout, reason = "the closing line of a long test")]
fn say(line: &str) {
    println!("{line}");
}

/// Looks for a mistake in `cases` sequential histories; the first one is made smaller.
pub async fn find_sequential<S: Deref<Target = dyn Store>>(
    open: &impl AsyncFn(Conditions) -> S,
    cases: u64,
) -> Option<Counterexample> {
    for seed in 1..=cases {
        let mut random = Random::new(seed);
        let steps: Vec<Step> = (0..STEPS).map(|_| Step::any(&mut random)).collect();
        if let Err(told) = run(open, &steps).await {
            let told = shrink(open, steps, told).await;
            return Some(Counterexample { seed, told });
        }
    }
    None
}

/// Looks for a mistake in `cases` histories of three clients.
pub async fn find_concurrent<S: Deref<Target = dyn Store>>(
    open: &impl AsyncFn(Conditions) -> S,
    cases: u64,
) -> Option<Counterexample> {
    for seed in 1..=cases {
        let conditions = Conditions::with_stock(&STOCK);
        let store = open(conditions.clone()).await;
        if let Err(told) = race::run(&*store, &conditions, seed).await {
            return Some(Counterexample { seed, told });
        }
    }
    None
}

/// Looks for a mistake in `cases` histories of many clients.
pub async fn find_in_crowd<S: Deref<Target = dyn Store>>(
    open: &impl AsyncFn(Conditions) -> S,
    cases: u64,
) -> Option<Counterexample> {
    for seed in 1..=cases {
        let conditions = Conditions::with_stock(&crowd::STOCK);
        let store = open(conditions.clone()).await;
        if let Err(told) = crowd::run(&*store, &conditions, seed).await {
            return Some(Counterexample { seed, told });
        }
    }
    None
}

/// A history on a store of its own; tells what went wrong.
async fn run<S: Deref<Target = dyn Store>>(
    open: &impl AsyncFn(Conditions) -> S,
    steps: &[Step],
) -> Result<(), String> {
    let conditions = Conditions::with_stock(&STOCK);
    let clock = Arc::clone(&conditions.clock);
    let mut model = Model::new(&conditions);
    let store = open(conditions).await;
    let mut book = Book::default();
    let mut told = String::new();
    for step in steps {
        let command = step.command(&book);
        carry_out(&*store, &clock, &mut model, &mut book, &command)
            .await
            .map(|line| told += &line)
            .map_err(|line| format!("{told}{line}"))?;
    }
    agrees(&*store, &model)
        .await
        .map_err(|line| format!("{told}{line}"))
}

/// One command on the store and the model; tells it, or what is wrong with its answer.
async fn carry_out(
    store: &dyn Store,
    clock: &ManualClock,
    model: &mut Model,
    book: &mut Book,
    command: &Command,
) -> Result<String, String> {
    if let Command::Advance(span) = command {
        clock.advance(*span);
        model.advance(*span);
        return Ok(format!("  {command:?}\n"));
    }
    let seen = answer_of(store, command, clock.now()).await;
    let seen = seen.map_err(|error| format!("  {command:?}\n  -> no answer: {error}\n"))?;
    let expected = apply(model, command, &seen);
    if seen != expected {
        return Err(format!(
            "  {command:?}\n  -> {seen:?}\n  instead of {expected:?}\n"
        ));
    }
    book.note(command, &seen);
    Ok(format!("  {command:?}\n  -> {seen:?}\n"))
}

async fn agrees(store: &dyn Store, model: &Model) -> Result<(), String> {
    match model.differences(store).await {
        Ok(found) if found.is_empty() => Ok(()),
        Ok(found) => Err(format!("  in the end {}\n", found.join("\n  and "))),
        Err(error) => Err(format!("  in the end it cannot be read: {error}\n")),
    }
}

/// Leaves out as many steps as possible; tells what goes wrong in the shortest history that was found.
async fn shrink<S: Deref<Target = dyn Store>>(
    open: &impl AsyncFn(Conditions) -> S,
    mut steps: Vec<Step>,
    mut told: String,
) -> String {
    let mut tries = 0;
    let mut chunk = steps.len().div_ceil(2);
    while chunk > 0 && tries < SHRINK_MAX {
        let mut start = 0;
        while start < steps.len() && tries < SHRINK_MAX {
            let mut fewer = steps.clone();
            fewer.drain(start..steps.len().min(start + chunk));
            tries += 1;
            match run(open, &fewer).await {
                Err(shorter) => (steps, told) = (fewer, shorter),
                Ok(()) => start += chunk,
            }
        }
        chunk /= 2;
    }
    told
}
