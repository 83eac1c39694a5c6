//! Reads a request body within its limits of size and time, and checks what it claims to be.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::chunks::{Chunks, Joined};
use super::head::{BodyLength, Head};
use super::problem::{self, Problem};

/// What a body is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    pub(crate) bytes: usize,
    pub(crate) timeout: Duration,
}

/// A request's body, of which some bytes have arrived together with the head.
#[derive(Debug)]
pub(crate) struct Upload<'connection> {
    pub(crate) head: &'connection Head<'connection>,
    /// What arrived after the head.
    arrived: &'connection [u8],
    stream: &'connection mut TcpStream,
    /// Where a body is put together that did not arrive at once.
    spill: &'connection mut Vec<u8>,
    rest: Rest,
}

/// What has become of a body, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing of it was read.
    Unread,
    /// It was this many bytes of those that had arrived with the head.
    AfterArrived(usize),
    /// The next request begins in the spill, after this many bytes.
    InSpill(usize),
    /// The next request cannot be found.
    Lost,
}

impl<'connection> Upload<'connection> {
    pub(super) fn new(
        head: &'connection Head<'connection>,
        arrived: &'connection [u8],
        stream: &'connection mut TcpStream,
        spill: &'connection mut Vec<u8>,
    ) -> Self {
        let rest = if head.body == BodyLength::Known(0) {
            Rest::AfterArrived(0)
        } else {
            Rest::Unread
        };
        Self {
            head,
            arrived,
            stream,
            spill,
            rest,
        }
    }

    /// What has become of the body.
    pub(super) fn rest(&self) -> Rest {
        self.rest
    }

    /// The whole body.
    pub(crate) async fn read(&mut self, limits: BodyLimits) -> Result<Cow<'_, [u8]>, Problem> {
        check_content_type(self.head.content_type)?;
        let too_large = || {
            Problem::from(problem::BODY_TOO_LARGE)
                .detail(format!("at most {} bytes are accepted", limits.bytes))
        };
        let length = match self.head.body {
            // A length that is announced as too large is refused before a byte of it is read.
            BodyLength::Known(length) if length > limits.bytes as u64 => return Err(too_large()),
            BodyLength::Known(length) => usize::try_from(length).ok(),
            BodyLength::Chunked => None,
        };
        // Nearly every body arrives together with its head.
        if let Some(length) = length
            && let Some(body) = self.arrived.get(..length)
        {
            self.rest = Rest::AfterArrived(length);
            return Ok(Cow::Borrowed(body));
        }
        self.rest = Rest::Lost;
        self.spill.clear();
        self.spill.extend_from_slice(self.arrived);
        let collected = match length {
            Some(length) => tokio::time::timeout(limits.timeout, self.collect(length)).await,
            None => tokio::time::timeout(limits.timeout, self.collect_chunks(limits.bytes)).await,
        };
        match collected {
            Ok(Ok(Some(body))) => Ok(body),
            Ok(Ok(None)) => Err(too_large()),
            Ok(Err(error)) => Err(Problem::from(problem::INVALID_REQUEST)
                .detail(format!("the body is broken: {error}"))),
            Err(_) => Err(Problem::from(problem::REQUEST_TIMEOUT)
                .detail(format!("the body took longer than {:?}", limits.timeout))),
        }
    }

    async fn collect(&mut self, length: usize) -> io::Result<Option<Cow<'_, [u8]>>> {
        self.say_continue().await?;
        self.spill.reserve(length.saturating_sub(self.spill.len()));
        while self.spill.len() < length {
            self.read_more().await?;
        }
        self.rest = Rest::InSpill(length);
        Ok(self.spill.get(..length).map(Cow::Borrowed))
    }

    async fn collect_chunks(&mut self, bytes_max: usize) -> io::Result<Option<Cow<'_, [u8]>>> {
        self.say_continue().await?;
        let mut chunks = Chunks::default();
        loop {
            match chunks.take(self.spill, bytes_max) {
                Joined::Part => self.read_more().await?,
                Joined::Whole => {
                    self.rest = Rest::InSpill(0);
                    return Ok(Some(Cow::Owned(chunks.body)));
                }
                Joined::TooLarge => return Ok(None),
                Joined::Broken => return Err(io::Error::other("a chunk is malformed")),
            }
        }
    }

    async fn say_continue(&mut self) -> io::Result<()> {
        if self.head.expects_continue && self.arrived.is_empty() {
            self.stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        Ok(())
    }

    async fn read_more(&mut self) -> io::Result<()> {
        self.spill.reserve(4_096);
        match self.stream.read_buf(self.spill).await? {
            0 => Err(io::Error::other("it ended early")),
            _ => Ok(()),
        }
    }
}

/// JSON or nothing said.
fn check_content_type(value: Option<&[u8]>) -> Result<(), Problem> {
    let Some(value) = value else {
        return Ok(());
    };
    if value == b"application/json" {
        return Ok(());
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default().trim();
    let is_json = media.eq_ignore_ascii_case("application/json")
        || media
            .to_ascii_lowercase()
            .strip_prefix("application/")
            .is_some_and(|subtype| subtype.ends_with("+json"));
    if is_json {
        Ok(())
    } else {
        Err(problem::UNSUPPORTED_MEDIA_TYPE.into())
    }
}
