//! One connection through the proxy: a thread for each direction.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::{CutPoint, Open, Shared};

const CHUNK_BYTES: usize = 64 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

/// What happens to a piece.
enum Verdict {
    PassOn,
    Cut,
}

/// Takes a client over. One that the server does not take is dropped.
pub(super) fn begin(client: TcpStream, shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    // Without a thread the connection is dropped, which its client sees.
    drop(spawn(move || {
        drop(serve(&client, &shared));
    }));
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("proxied".to_owned())
        .spawn(work)
}

fn serve(client: &TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let server = TcpStream::connect_timeout(&shared.server, CONNECT_TIMEOUT)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let open = Open {
        client: client.try_clone()?,
        server: server.try_clone()?,
        ends_with_answer: false,
    };
    let id = {
        let mut state = shared.lock();
        if state.ended {
            return Ok(());
        }
        state.opened += 1;
        let id = state.opened;
        state.open.insert(id, open);
        id
    };
    let back = Pump {
        shared: Arc::clone(shared),
        id,
        direction: Direction::ToClient,
        seen: Vec::new(),
    };
    let (from, to) = (server.try_clone()?, client.try_clone()?);
    let answers = spawn(move || back.run(from, to))?;
    Pump {
        shared: Arc::clone(shared),
        id,
        direction: Direction::ToServer,
        seen: Vec::new(),
    }
    .run(client.try_clone()?, server);
    drop(answers.join());
    Ok(())
}

/// Carries bytes one way until either end ends.
struct Pump {
    shared: Arc<Shared>,
    id: u64,
    direction: Direction,
    /// The end of what went through, in which an awaited sequence may begin.
    seen: Vec<u8>,
}

impl Pump {
    fn run(mut self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let piece = buffer.get(..count).unwrap_or_default();
            match self.judge(piece) {
                Verdict::PassOn if to.write_all(piece).is_ok() => {}
                Verdict::PassOn => break,
                Verdict::Cut => {
                    self.shared.lock().cuts += 1;
                    break;
                }
            }
        }
        if let Some(open) = self.shared.lock().open.remove(&self.id) {
            open.shut();
        }
    }

    /// Waits as long as the proxy holds things up, then says what happens to this piece.
    fn judge(&mut self, piece: &[u8]) -> Verdict {
        let (shared, id) = (Arc::clone(&self.shared), self.id);
        let mut state = shared.lock();
        let delay = state.delay;
        if !delay.is_zero() {
            let waited = shared
                .changed
                .wait_timeout_while(state, delay, |state| state.open.contains_key(&id));
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        let waited = shared
            .changed
            .wait_while(state, |state| state.stalled && state.open.contains_key(&id));
        let mut state = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.direction == Direction::ToClient {
            let ends = state
                .open
                .get(&id)
                .is_some_and(|open| open.ends_with_answer);
            return if ends { Verdict::Cut } else { Verdict::PassOn };
        }
        let Some(trap) = state.trap.take_if(|trap| self.has_seen(&trap.bytes, piece)) else {
            return Verdict::PassOn;
        };
        match trap.point {
            CutPoint::Before => Verdict::Cut,
            CutPoint::After => {
                if let Some(open) = state.open.get_mut(&id) {
                    open.ends_with_answer = true;
                }
                Verdict::PassOn
            }
        }
    }

    /// Whether the stream has these bytes, of which the last stands in this piece.
    fn has_seen(&mut self, bytes: &[u8], piece: &[u8]) -> bool {
        self.seen.extend_from_slice(piece);
        let found = self
            .seen
            .windows(bytes.len().max(1))
            .any(|window| window == bytes);
        let kept = bytes.len().saturating_sub(1).min(self.seen.len());
        self.seen.drain(..self.seen.len() - kept);
        found
    }
}
