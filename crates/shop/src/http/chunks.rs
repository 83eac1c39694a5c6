//! Bodies in chunks, joined. Source: RFC 9112, section 7.1.

/// The longest line of a chunk's size, and of a trailer, in bytes.
const LINE_MAX: usize = 4_096;

/// Joins chunks as they arrive.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// What has been joined.
    pub(super) body: Vec<u8>,
    in_trailer: bool,
}

/// How far a body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// More bytes are needed.
    Part,
    Whole,
    TooLarge,
    /// These are no chunks.
    Broken,
}

impl Chunks {
    /// Takes what can be used off the front of `raw`.
    pub(super) fn take(&mut self, raw: &mut Vec<u8>, bytes_max: usize) -> Joined {
        let mut used = 0;
        let joined = loop {
            let rest = raw.get(used..).unwrap_or_default();
            match self.step(rest, bytes_max) {
                Ok(step) => used += step,
                Err((step, joined)) => {
                    used += step;
                    break joined;
                }
            }
        };
        raw.drain(..used);
        joined
    }

    /// Bytes of the next chunk or trailer; or why there is none, after how many last bytes.
    fn step(&mut self, rest: &[u8], bytes_max: usize) -> Result<usize, (usize, Joined)> {
        let incomplete = if rest.len() > LINE_MAX {
            Err((0, Joined::Broken))
        } else {
            Err((0, Joined::Part))
        };
        if self.in_trailer {
            let Some(end) = memchr::memchr(b'\n', rest) else {
                return incomplete;
            };
            let is_empty = matches!(rest.get(..end), Some(b"" | b"\r"));
            return if is_empty {
                Err((end + 1, Joined::Whole))
            } else {
                Ok(end + 1)
            };
        }
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return incomplete,
            Err(_) => return Err((0, Joined::Broken)),
        };
        if size == 0 {
            self.in_trailer = true;
            return Ok(start);
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > bytes_max.saturating_sub(self.body.len()) {
            return Err((0, Joined::TooLarge));
        }
        let end = start + size;
        match rest.get(end..end + 2) {
            Some(b"\r\n") => {
                self.body
                    .extend_from_slice(rest.get(start..end).unwrap_or_default());
                Ok(end + 2)
            }
            Some(_) => Err((0, Joined::Broken)),
            None => Err((0, Joined::Part)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunks, Joined};

    const TEXT: &[u8] = b"4\r\nab\r\n\r\n5;name=\"v\"\r\ncdefg\r\n0\r\nx: y\r\n\r\nGET /";

    #[test]
    fn chunks_are_joined_wherever_they_are_cut() {
        for piece in 1..TEXT.len() {
            let (mut chunks, mut raw) = (Chunks::default(), Vec::new());
            let mut pieces = TEXT.chunks(piece);
            let joined = loop {
                raw.extend_from_slice(pieces.next().unwrap());
                match chunks.take(&mut raw, 9) {
                    Joined::Part => {}
                    joined => break joined,
                }
            };
            raw.extend(pieces.flatten());
            assert_eq!(joined, Joined::Whole);
            assert_eq!((&*chunks.body, &*raw), (&b"ab\r\ncdefg"[..], &b"GET /"[..]));
        }
    }

    #[test]
    fn what_is_no_chunk_or_too_much() {
        let long = [b"1;".as_slice(), &[b'x'; 5_000]].concat();
        for (text, expected) in [
            (&b"5\r\nab"[..], Joined::Part),
            (b"5\r\nabcdef\r\n", Joined::Broken),
            (b"x\r\n", Joined::Broken),
            (b"-1\r\n", Joined::Broken),
            (b"fffffffffffffffff\r\n", Joined::Broken),
            (b"a\r\n", Joined::TooLarge),
            (b"5\r\nabcde\r\n5\r\n", Joined::TooLarge),
            (&long, Joined::Broken),
        ] {
            let joined = Chunks::default().take(&mut text.to_vec(), 9);
            assert_eq!(joined, expected, "{}", String::from_utf8_lossy(text));
        }
    }
}
