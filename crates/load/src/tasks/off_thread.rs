//! Work that blocks, on a thread of its own.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Does something that blocks, such as looking up a name, on a thread of its own, while other tasks go
/// on. It is not cut short by a stop.
///
/// # Errors
/// When no thread can be started, or `work` panicked.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let shared = Arc::new(Mutex::new(State {
        result: None,
        waker: None,
        is_over: false,
    }));
    let over = Over(Arc::clone(&shared));
    std::thread::Builder::new()
        .name("off-thread".to_owned())
        .spawn(move || {
            let result = work();
            lock(&over.0).result = Some(result);
            drop(over);
        })?;
    Awaited(shared).await
}

#[derive(Debug)]
struct State<T> {
    result: Option<T>,
    waker: Option<Waker>,
    is_over: bool,
}

/// Tells the task that the thread is done, also when it panicked.
struct Over<T>(Arc<Mutex<State<T>>>);

struct Awaited<T>(Arc<Mutex<State<T>>>);

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Drop for Over<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.is_over = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Awaited<T> {
    type Output = io::Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.0);
        if let Some(result) = state.result.take() {
            return Poll::Ready(Ok(result));
        }
        if state.is_over {
            return Poll::Ready(Err(io::Error::other("the thread has panicked")));
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
