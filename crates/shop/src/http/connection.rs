//! Connections: accepted up to a bound, watched, and closed in an orderly way.
//!
//! From the outside in: this file accepts and drains; `patrol` ends those that idle for too long or
//! that a shutdown finds idle; `dialogue` reads requests off one connection and writes the answers.
//! HTTP/1.1 is spoken by this module itself, because it is on the way of every order: head and body
//! are read with one system call and parsed in place, the answer is written with one.

mod dialogue;
mod patrol;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::service::{App, Door};
use patrol::Patrol;

/// The pause after the system refused to accept, for example because descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until told to stop, then waits for them until the drain deadline; answers how
/// many had to be cut.
pub(crate) async fn accept(
    listener: TcpListener,
    app: Arc<App>,
    door: Door,
    mut stop: watch::Receiver<bool>,
) -> usize {
    let limits = &app.settings.limits;
    let slots = Arc::new(Semaphore::new(
        limits.connections_max.clamp(1, Semaphore::MAX_PERMITS),
    ));
    let patrol = Arc::new(Patrol::new(limits.idle_timeout));
    let mut rounds = patrol.rounds();
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = next(&listener, &slots) => accepted,
            _ = rounds.tick() => {
                patrol.walk();
                continue;
            }
            _ = stop.changed() => break,
        };
        match accepted {
            Ok((stream, slot)) => {
                let (app, patrol) = (Arc::clone(&app), Arc::clone(&patrol));
                connections.spawn(async move {
                    dialogue::hold(stream, &app, door, &patrol).await;
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
    patrol.stop();
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain_deadline, all)
        .await
        .is_ok()
    {
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
