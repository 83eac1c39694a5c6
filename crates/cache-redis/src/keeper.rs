//! What goes on in the background: connecting again, and delivering the blocks that are owed.

use std::sync::Arc;
use std::time::Duration;

use double11_store::Stopwatch;
use tokio::task::JoinSet;

use crate::cache::Inner;
use crate::error::Lost;
use crate::link::Connection;
use crate::owed::Block;
use crate::{carts, handshake};

/// Between two tries to connect: at first, and at most.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// A connection that lasted this long is tried again at once.
const STEADY: Duration = Duration::from_secs(2);
/// Blocks that are delivered at a time.
const BATCH: usize = 64;
/// How long a block may take to be delivered from here: nobody waits for it.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Keeps the connection until the cache is closed.
pub(crate) async fn keep(inner: Arc<Inner>) {
    let mut pause = Duration::ZERO;
    let mut installed = Some(Stopwatch::start());
    let mut said = None;
    loop {
        while let Some((generation, connection)) = inner.link() {
            match deliver(&inner, &connection).await {
                Ok(()) => inner.wake.notified().await,
                Err(lost) => inner.lose(generation, &lost),
            }
        }
        // One that is lost again and again, as when a part of a cluster is away, is tried less often.
        if installed
            .take()
            .is_some_and(|since| since.elapsed() > STEADY)
        {
            pause = Duration::ZERO;
            said = None;
        }
        drop(tokio::time::timeout(pause, inner.closed()).await);
        if inner.is_closed() {
            return;
        }
        pause = (pause * 2).clamp(PAUSE_MIN, PAUSE_MAX);
        // Whoever closes does not wait for a server that takes its time.
        let restored = tokio::select! {
            restored = restore(&inner) => restored,
            () = inner.closed() => return,
        };
        let Err(lost) = restored else {
            installed = Some(Stopwatch::start());
            tracing::info!(cache.address = %inner.address, "the shared cache is in use");
            continue;
        };
        let reason = lost.to_string();
        if said.as_ref() != Some(&reason) {
            tracing::warn!(
                cache.address = %inner.address,
                error = &lost as &dyn std::error::Error,
                "the shared cache cannot be used"
            );
            said = Some(reason);
        }
    }
}

/// Connects, checks, delivers what is owed, and only then lets the cache be used.
pub(crate) async fn restore(inner: &Arc<Inner>) -> Result<(), Lost> {
    let mut connection = Connection::open(&inner.address).await?;
    handshake::check(&mut connection, &inner.keys, &inner.store_identity).await?;
    deliver(inner, &connection).await?;
    inner.install(connection);
    Ok(())
}

/// Delivers what is owed, until nothing is.
async fn deliver(inner: &Arc<Inner>, connection: &Connection) -> Result<(), Lost> {
    loop {
        let blocks = inner.owed.some(BATCH);
        if blocks.is_empty() {
            return Ok(());
        }
        let mut delivering: JoinSet<Result<Block, Lost>> = JoinSet::new();
        for block in blocks {
            let command = carts::block(&inner.keys.cart(block.cart_id));
            let mut connection = connection.clone();
            delivering.spawn(async move {
                let _done: redis::Value = connection.ask(&command, TIMEOUT).await?;
                Ok(block)
            });
        }
        let mut failed = None;
        while let Some(delivered) = delivering.join_next().await {
            match delivered {
                Ok(Ok(block)) => inner.owed.delivered(&[block]),
                Ok(Err(lost)) => failed = Some(lost),
                Err(_) => failed = Some(Lost::NoConnection),
            }
        }
        if let Some(lost) = failed {
            return Err(lost);
        }
    }
}
