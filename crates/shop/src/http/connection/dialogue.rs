//! One connection: request by request, until one side ends it.
//!
//! A request that was read is answered to its end, whether or not the client is still there: what it
//! began to write has to be followed up (a payment's outcome stored, the cart cache told, the order
//! counted). So nothing is read, and no hang-up seen, while a request is in process.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::patrol::{Patrol, Place};
use crate::admission::Turns;
use crate::http::head::{Arrived, BodyLength, Head, arrived};
use crate::http::problem::{Kind, Problem};
use crate::http::reply::{Fate, Reply};
use crate::http::request_body::{Rest, Upload};
use crate::http::service::{App, Door};
use crate::settings::Limits;

/// Room for a request, in bytes; nearly all fit.
const ROOM: usize = 2_048;
/// What a buffer may keep from request to request, in bytes.
const ROOM_KEPT: usize = 16_384;
/// The longest that the last words to a client may take, and the most that is read meanwhile.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);
const FAREWELL_BYTES: usize = 1 << 20;

/// Holds the dialogue with a client to its end.
pub(super) async fn hold(stream: TcpStream, app: &App, door: Door, patrol: &Patrol) {
    let dialogue = Dialogue {
        stream,
        input: Vec::with_capacity(ROOM),
        spill: Vec::new(),
        output: Vec::new(),
        turns: Turns::default(),
        limits: &app.settings.limits,
    };
    // However it ended, there is nobody left to tell.
    if let Err(error) = dialogue.run(app, door, &patrol.post()).await {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "a connection broke"
        );
    }
}

struct Dialogue<'app> {
    stream: TcpStream,
    /// What has arrived and does not belong to an answered request.
    input: Vec<u8>,
    /// Where bodies are put together that do not arrive with their head.
    spill: Vec<u8>,
    output: Vec<u8>,
    turns: Turns,
    limits: &'app Limits,
}

/// What is there to be answered.
enum Next {
    Request,
    /// A head that cannot be one.
    Refused(Kind),
    /// A head that did not arrive in time.
    Late,
    Nothing,
}

impl Dialogue<'_> {
    async fn run(mut self, app: &App, door: Door, place: &Place<'_>) -> io::Result<()> {
        loop {
            match self.next(place).await? {
                Next::Request => {}
                Next::Refused(kind) => {
                    app.head_refused(kind.status);
                    return self.farewell(&Problem::from(kind).reply()).await;
                }
                Next::Late => {
                    let reply = app.head_timed_out(self.limits.head_timeout);
                    return self.farewell(&reply).await;
                }
                Next::Nothing => return Ok(()),
            }
            if !self.answer(app, door, place).await? {
                return Ok(());
            }
        }
    }

    /// Waits until the head of a request has arrived.
    async fn next(&mut self, place: &Place<'_>) -> io::Result<Next> {
        loop {
            // Some clients end a body with an empty line, which is not the beginning of a request
            // (RFC 9112, section 2.2).
            let blank = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
            let blanks = self.input.iter().take_while(blank).count();
            drop_front(&mut self.input, blanks);
            if !self.input.is_empty() {
                break;
            }
            self.input.shrink_to(ROOM_KEPT);
            self.input.reserve(ROOM);
            let (stream, input) = (&mut self.stream, &mut self.input);
            let read = place
                .idle(|context| poll_read(stream, input, context))
                .await;
            if read.transpose()?.unwrap_or(0) == 0 {
                return Ok(Next::Nothing);
            }
        }
        match arrived(&self.input, self.limits.head_bytes) {
            Ok(Arrived::Whole) => return Ok(Next::Request),
            Ok(Arrived::Part) => {}
            Err(kind) => return Ok(Next::Refused(kind)),
        }
        let timeout = self.limits.head_timeout;
        tokio::time::timeout(timeout, self.read_rest_of_head())
            .await
            .unwrap_or(Ok(Next::Late))
    }

    async fn read_rest_of_head(&mut self) -> io::Result<Next> {
        loop {
            self.input.reserve(ROOM);
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Ok(Next::Nothing);
            }
            match arrived(&self.input, self.limits.head_bytes) {
                Ok(Arrived::Whole) => return Ok(Next::Request),
                Ok(Arrived::Part) => {}
                Err(kind) => return Ok(Next::Refused(kind)),
            }
        }
    }

    /// Answers the request at hand; whether there may be another.
    async fn answer(&mut self, app: &App, door: Door, place: &Place<'_>) -> io::Result<bool> {
        let head = match Head::parse(&self.input) {
            Ok(head) => head,
            Err(kind) => {
                app.head_refused(kind.status);
                self.farewell(&Problem::from(kind).reply()).await?;
                return Ok(false);
            }
        };
        let after_head = self.input.get(head.bytes..).unwrap_or_default();
        let mut upload = Upload::new(&head, after_head, &mut self.stream, &mut self.spill);
        let reply = app.serve(&mut upload, door, &mut self.turns).await;
        let rest = upload.rest();
        let unread = unread_bytes(&head, rest, self.limits.body_bytes);
        let keeps = head.keep_alive && !place.is_stopping() && unread.is_some();
        let fate = match (keeps, head.is_old) {
            (false, _) => Fate::Closes,
            (true, true) => Fate::StaysSaidSo,
            (true, false) => Fate::Stays,
        };
        self.output.clear();
        reply.write(&mut self.output, head.is_for_head(), fate);
        let used = head.bytes;
        if !keeps {
            let is_unread = !matches!(rest, Rest::AfterArrived(_) | Rest::InSpill(_));
            self.flush().await?;
            if is_unread {
                self.linger().await;
            }
            return Ok(false);
        }
        self.flush().await?;
        self.forget(used, rest, unread.unwrap_or(0)).await
    }

    /// Makes room for the next request; false when the client did not send what it had announced.
    async fn forget(&mut self, head_bytes: usize, rest: Rest, unread: usize) -> io::Result<bool> {
        match rest {
            Rest::AfterArrived(body) => drop_front(&mut self.input, head_bytes + body),
            Rest::InSpill(body) => {
                self.input.clear();
                self.input
                    .extend_from_slice(self.spill.get(body..).unwrap_or_default());
                self.spill = Vec::new();
            }
            Rest::Unread => {
                drop_front(&mut self.input, head_bytes);
                let arrived = self.input.len().min(unread);
                drop_front(&mut self.input, arrived);
                let timeout = self.limits.body_timeout;
                let skipped = tokio::time::timeout(timeout, self.skip(unread - arrived)).await;
                return Ok(matches!(skipped, Ok(Ok(()))));
            }
            Rest::Lost => return Ok(false),
        }
        Ok(true)
    }

    /// Reads past bytes of a body that nobody wants.
    async fn skip(&mut self, bytes: usize) -> io::Result<()> {
        let mut passed = (&mut self.stream).take(bytes as u64);
        let read = tokio::io::copy(&mut passed, &mut tokio::io::sink()).await?;
        if read == bytes as u64 {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        let written = match self.stream.try_write(&self.output) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if let Some(rest) = self.output.get(written..).filter(|rest| !rest.is_empty()) {
            // Whoever does not read its answer does not use the connection.
            tokio::time::timeout(self.limits.idle_timeout, self.stream.write_all(rest)).await??;
        }
        if self.output.capacity() > ROOM_KEPT {
            self.output = Vec::new();
        }
        Ok(())
    }

    /// Says why nothing more is read, and closes.
    async fn farewell(&mut self, reply: &Reply) -> io::Result<()> {
        self.output.clear();
        reply.write(&mut self.output, false, Fate::Closes);
        let said = tokio::time::timeout(FAREWELL_TIMEOUT, self.flush()).await;
        self.linger().await;
        said.unwrap_or(Ok(()))
    }

    /// Ends our side first and reads for a moment: a connection that is closed with bytes unread is
    /// reset, and the answer may be lost with it (RFC 9112, section 9.6).
    async fn linger(&mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let mut passed = (&mut self.stream).take(FAREWELL_BYTES as u64);
        let mut sink = tokio::io::sink();
        let read = tokio::io::copy(&mut passed, &mut sink);
        drop(tokio::time::timeout(FAREWELL_TIMEOUT, read).await);
    }
}

/// Bytes of the body that must be passed over before the next request; none when it cannot be found
/// that way.
fn unread_bytes(head: &Head<'_>, rest: Rest, bytes_max: usize) -> Option<usize> {
    match (rest, head.body) {
        (Rest::AfterArrived(_) | Rest::InSpill(_), _) => Some(0),
        (Rest::Unread, BodyLength::Known(length)) if !head.expects_continue => {
            usize::try_from(length)
                .ok()
                .filter(|length| *length <= bytes_max)
        }
        (Rest::Unread | Rest::Lost, _) => None,
    }
}

fn drop_front(buffer: &mut Vec<u8>, bytes: usize) {
    if bytes >= buffer.len() {
        buffer.clear();
    } else {
        buffer.drain(..bytes);
    }
}

/// Reads what is there into the room that `input` has left.
fn poll_read(
    stream: &mut TcpStream,
    input: &mut Vec<u8>,
    context: &mut std::task::Context<'_>,
) -> std::task::Poll<io::Result<usize>> {
    let mut read = std::pin::pin!(stream.read_buf(input));
    read.as_mut().poll(context)
}
