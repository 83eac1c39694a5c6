//! Connections: accepted up to a bound, timed, and closed in an orderly way.
//!
//! The time-out of a request's head is kept here and not by hyper, for two reasons: a client that is
//! too slow gets a 408 problem before the connection closes, and one timer per connection that ticks
//! a few times within the time-out costs nothing per request.

mod idle;
mod stream;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::service::{App, Door};
use idle::{IdleTimer, Verdict};
use stream::Lender;

/// The pause after the system refused to accept, for example because descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The longest that the last words to a slow client may take.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

/// Accepts connections until told to stop, then waits for them until the drain deadline; answers how
/// many had to be cut.
pub(crate) async fn accept(
    listener: TcpListener,
    app: Arc<App>,
    door: Door,
    mut stop: watch::Receiver<bool>,
) -> usize {
    let connections_max = app
        .settings
        .limits
        .connections_max
        .clamp(1, Semaphore::MAX_PERMITS);
    let slots = Arc::new(Semaphore::new(connections_max));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = next(&listener, &slots) => accepted,
            _ = stop.changed() => break,
        };
        match accepted {
            Ok((stream, slot)) => {
                let (app, stop) = (Arc::clone(&app), stop.clone());
                connections.spawn(async move {
                    serve(stream, &app, door, stop).await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection could not be accepted"
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let drain_deadline = app.settings.limits.drain_deadline;
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain_deadline, all).await.is_ok() {
        return 0;
    }
    let cut = connections.len();
    connections.shutdown().await;
    cut
}

/// The next connection, once there is room for it. More wait in the listener's backlog.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, slot))
}

/// What the timer must know of a connection.
#[derive(Debug, Default)]
struct Progress {
    /// A request is being answered.
    busy: AtomicBool,
    /// Requests answered so far.
    answered: AtomicU64,
    /// Bytes that had been read when the last answer was ready.
    read_at_answer: AtomicU64,
}

async fn serve(stream: TcpStream, app: &App, door: Door, mut stop: watch::Receiver<bool>) {
    let lender = Lender::new();
    let progress = Progress::default();
    let limits = &app.settings.limits;
    let mut idle = IdleTimer::new(limits.head_timeout, limits.idle_timeout);
    let verdict = {
        let (progress, traffic) = (&progress, lender.traffic());
        let service = service_fn(move |request| async move {
            progress.busy.store(true, Ordering::Relaxed);
            let response = app.serve(request, door).await;
            progress
                .read_at_answer
                .store(traffic.bytes_read(), Ordering::Relaxed);
            progress.answered.fetch_add(1, Ordering::Relaxed);
            progress.busy.store(false, Ordering::Relaxed);
            Ok::<_, std::convert::Infallible>(response)
        });
        let io = TokioIo::new(lender.lend(stream));
        let connection = http1::Builder::new()
            .max_buf_size(limits.head_bytes.max(8_192))
            .header_read_timeout(None)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        let mut stopping = *stop.borrow();
        if stopping {
            connection.as_mut().graceful_shutdown();
        }
        loop {
            tokio::select! {
                biased;
                _ = connection.as_mut() => break None,
                verdict = idle.next_tick(progress, traffic) => {
                    if verdict != Verdict::Fine {
                        break Some(verdict);
                    }
                }
                _ = stop.changed(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    };
    if let Some(status) = lender.traffic().refused_head() {
        app.head_refused(status);
    }
    if let (Some(Verdict::HeadTimedOut), Some(stream)) = (verdict, lender.take_back()) {
        say_timed_out(stream, app, limits.head_timeout).await;
    }
}

/// Tells a client that its request did not arrive in time, and closes.
async fn say_timed_out(mut stream: TcpStream, app: &App, head_timeout: Duration) {
    let answer = app.head_timed_out(head_timeout).as_last_words();
    let said = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    };
    if !matches!(
        tokio::time::timeout(FAREWELL_TIMEOUT, said).await,
        Ok(Ok(()))
    ) {
        tracing::debug!("a slow client could not be told that its request timed out");
    }
}
