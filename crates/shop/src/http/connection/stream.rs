//! A stream that is lent to hyper: it counts what is read, comes back when hyper is done with it, and
//! gives hyper's own bare refusals of a broken head the problem body that every other refusal has.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::http::problem;

/// What went over a stream.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    bytes_read: AtomicU64,
    /// The status with which hyper refused a head; 0 before that.
    refused_head: AtomicU16,
}

impl Traffic {
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// The status with which a head was refused that could not be read.
    pub(super) fn refused_head(&self) -> Option<u16> {
        match self.refused_head.load(Ordering::Relaxed) {
            0 => None,
            status => Some(status),
        }
    }
}

/// Lends one stream and takes it back.
#[derive(Debug)]
pub(super) struct Lender {
    traffic: Arc<Traffic>,
    returned: Arc<Mutex<Option<TcpStream>>>,
}

impl Lender {
    pub(super) fn new() -> Self {
        Self {
            traffic: Arc::default(),
            returned: Arc::default(),
        }
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(super) fn lend(&self, stream: TcpStream) -> Lent {
        Lent {
            stream: Some(stream),
            traffic: Arc::clone(&self.traffic),
            returned: Arc::clone(&self.returned),
            instead: Vec::new(),
            written: 0,
        }
    }

    /// The stream, once the one who borrowed it is gone.
    pub(super) fn take_back(&self) -> Option<TcpStream> {
        self.returned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// The stream while it is lent.
#[derive(Debug)]
pub(super) struct Lent {
    /// Present until the drop.
    stream: Option<TcpStream>,
    traffic: Arc<Traffic>,
    returned: Arc<Mutex<Option<TcpStream>>>,
    /// What is written instead of hyper's refusal, and how much of it has been.
    instead: Vec<u8>,
    written: usize,
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.returned.lock().unwrap_or_else(PoisonError::into_inner) = self.stream.take();
    }
}

impl Lent {
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream
            .as_mut()
            .map(Pin::new)
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Whether this is hyper's own refusal of a head. All answers of the shop say their type.
    fn replaces(&mut self, head: &[u8]) -> bool {
        let Some(status) = bare_refusal(head) else {
            return false;
        };
        self.traffic.refused_head.store(status, Ordering::Relaxed);
        self.instead = problem::Problem::from(problem::of_refused_head(status))
            .reply()
            .as_last_words();
        true
    }

    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.instead.len() {
            let rest = self
                .instead
                .get(self.written..)
                .unwrap_or_default()
                .to_vec();
            let written = ready!(self.stream()?.poll_write(context, &rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        Poll::Ready(Ok(()))
    }
}

/// The status of an answer that hyper made by itself: a 4xx without a content type.
fn bare_refusal(head: &[u8]) -> Option<u16> {
    let digits = head
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    let status = std::str::from_utf8(digits.get(..3)?).ok()?.parse().ok()?;
    let says_type = head
        .windows(13)
        .any(|window| window.eq_ignore_ascii_case(b"content-type:"));
    ((400..500).contains(&status) && !says_type).then_some(status)
}

impl AsyncRead for Lent {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = self.stream()?.poll_read(context, buffer);
        let read = buffer.filled().len() - before;
        self.traffic
            .bytes_read
            .fetch_add(read as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Lent {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = slices.first()
            && self.replaces(first)
        {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        self.stream()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        self.stream()?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::bare_refusal;

    #[test]
    fn only_hypers_own_refusals_are_bare() {
        for (head, expected) in [
            (
                "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
                Some(400),
            ),
            (
                "HTTP/1.0 431 Request Header Fields Too Large\r\n\r\n",
                Some(431),
            ),
            (
                "HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\n\r\n",
                None,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", None),
            ("HTTP/1.1 100 Continue\r\n\r\n", None),
            ("{\"a\":1}", None),
            ("", None),
        ] {
            assert_eq!(bare_refusal(head.as_bytes()), expected, "{head}");
        }
    }
}
