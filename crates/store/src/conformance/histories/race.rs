//! A few clients at once, and an order of their commands that explains every answer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use super::commands::{Answered, Command, answer_of, apply};
use super::steps::{Book, Random, Step};
use super::{agrees, carry_out};
use crate::conformance::Conditions;
use crate::conformance::model::Model;
use crate::{Clock as _, Store, StoreError};

/// Commands before the clients begin, so that there is something to quarrel about.
const BEFORE: usize = 12;
const CLIENTS: usize = 3;
const COMMANDS_EACH: usize = 3;
/// Ends of explanations that are compared with the store.
const ENDS_MAX: usize = 64;

/// A command and its answer, with the places of its beginning and end among all events.
struct Call {
    command: Command,
    answered: Answered,
    began: u64,
    ended: u64,
}

impl Call {
    fn told(&self) -> String {
        let Self {
            command,
            answered,
            began,
            ended,
        } = self;
        format!("  {began}..{ended} {command:?}\n  -> {answered:?}\n")
    }
}

/// One history of three clients.
pub(super) async fn run(
    store: &dyn Store,
    conditions: &Conditions,
    seed: u64,
) -> Result<(), String> {
    let clock = Arc::clone(&conditions.clock);
    let mut random = Random::new(seed);
    let mut model = Model::new(conditions);
    let mut book = Book::default();
    let mut told = String::new();
    for _ in 0..BEFORE {
        let command = Step::at_once(&mut random).command(&book);
        let line = carry_out(store, &clock, &mut model, &mut book, &command).await;
        told += &line.map_err(|line| format!("{told}{line}"))?;
    }
    let clients: Vec<Vec<Command>> = (0..CLIENTS)
        .map(|_| {
            let steps = (0..COMMANDS_EACH).map(|_| Step::at_once(&mut random));
            steps.map(|step| step.command(&book)).collect()
        })
        .collect();
    let calls = at_once(store, conditions, &clients)
        .await
        .map_err(|error| format!("{told}  -> no answer: {error}\n"))?;
    let mut ends = Vec::new();
    explain(&model, &mut calls.iter().collect(), &mut ends);
    told += "  then at once, by beginning and end:\n";
    told += &calls.iter().map(Call::told).collect::<String>();
    let mut last = "  which no order explains\n".to_owned();
    for end in &ends {
        match agrees(store, end).await {
            Ok(()) => return Ok(()),
            Err(line) => last = line,
        }
    }
    Err(format!("{told}{last}"))
}

/// Collects the models at the end of every order that explains the calls, up to a bound.
fn explain(model: &Model, left: &mut Vec<&Call>, ends: &mut Vec<Model>) {
    if left.is_empty() {
        ends.push(model.clone());
        return;
    }
    for place in 0..left.len() {
        if ends.len() >= ENDS_MAX {
            return;
        }
        let call = left[place];
        // Whatever had ended before this began comes first.
        if left.iter().any(|other| other.ended < call.began) {
            continue;
        }
        let mut next = model.clone();
        if apply(&mut next, &call.command, &call.answered) == call.answered {
            left.remove(place);
            explain(&next, left, ends);
            left.insert(place, call);
        }
    }
}

/// Every client's commands one after the other, all clients at once.
async fn at_once(
    store: &dyn Store,
    conditions: &Conditions,
    clients: &[Vec<Command>],
) -> Result<Vec<Call>, StoreError> {
    let events = AtomicU64::new(0);
    let acting = clients.iter().map(|commands| {
        let events = &events;
        async move {
            let mut calls = Vec::new();
            for command in commands {
                let began = events.fetch_add(1, Ordering::SeqCst);
                let answered = answer_of(store, command, conditions.clock.now()).await?;
                let ended = events.fetch_add(1, Ordering::SeqCst);
                calls.push(Call {
                    command: command.clone(),
                    answered,
                    began,
                    ended,
                });
            }
            Ok(calls)
        }
    });
    let calls: Result<Vec<Vec<Call>>, StoreError> = join(acting).await.into_iter().collect();
    Ok(calls?.into_iter().flatten().collect())
}

/// Waits for all futures together. The stores work on threads of their own, so that it is enough to
/// poll from one task.
pub(super) async fn join<'all, T>(
    futures: impl Iterator<Item = impl Future<Output = T> + 'all>,
) -> Vec<T> {
    let mut waiting: Vec<Pin<Box<dyn Future<Output = T> + 'all>>> = Vec::new();
    for future in futures {
        waiting.push(Box::pin(future));
    }
    let mut results: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, result) in waiting.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *result = Some(value);
            }
        }
        if results.iter().all(Option::is_some) {
            Poll::Ready(results.drain(..).flatten().collect())
        } else {
            Poll::Pending
        }
    })
    .await
}
