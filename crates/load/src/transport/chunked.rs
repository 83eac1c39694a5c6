//! Decoding chunked bodies.
//!
//! Source: RFC 9112 section 7.1.

use super::ResponseError;

/// Bytes of a chunk's size line or of one trailer field at most.
const LINE_MAX: usize = 4_096;
/// Bytes of the whole trailer section at most.
const TRAILER_MAX: usize = 16_384;

/// A decoder between two inputs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ChunkDecoder {
    part: Part,
    /// Bytes of the size line, or of the trailer section, so far.
    line_bytes: usize,
    trailer_bytes: usize,
    /// Digits seen of the size.
    size: Option<u64>,
    in_extension: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Size,
    SizeEnd,
    Data {
        remaining: u64,
    },
    DataReturn,
    DataEnd,
    TrailerStart,
    Trailer,
    LastEnd,
}

/// What the decoder made of a piece of input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// Bytes of the body, as a range of the input; feed from `next` on.
    Data { from: usize, next: usize },
    /// The body is over; the input from here on is not part of it.
    End(usize),
    /// All input was used.
    More,
}

impl ChunkDecoder {
    /// Decodes `input` from `at` up to the next stretch of body bytes.
    pub(super) fn decode(&mut self, input: &[u8], mut at: usize) -> Result<Decoded, ResponseError> {
        while let Some(&byte) = input.get(at) {
            if let Part::Data { remaining } = self.part {
                let available = u64::try_from(input.len() - at).unwrap_or(u64::MAX);
                let taken = remaining.min(available);
                let next = at + usize::try_from(taken).unwrap_or(usize::MAX);
                self.part = match remaining - taken {
                    0 => Part::DataReturn,
                    remaining => Part::Data { remaining },
                };
                return Ok(Decoded::Data { from: at, next });
            }
            at += 1;
            if self.step(byte)? {
                return Ok(Decoded::End(at));
            }
        }
        Ok(Decoded::More)
    }

    /// Takes one byte outside of chunk data; `true` at the end of the body.
    fn step(&mut self, byte: u8) -> Result<bool, ResponseError> {
        match (self.part, byte) {
            (Part::Size, b'\r') => self.part = Part::SizeEnd,
            (Part::Size, _) => self.size_byte(byte)?,
            (Part::SizeEnd, b'\n') => {
                let size = self.size.take().ok_or(ResponseError::Chunk)?;
                self.line_bytes = 0;
                self.in_extension = false;
                self.part = match size {
                    0 => Part::TrailerStart,
                    remaining => Part::Data { remaining },
                };
            }
            (Part::DataReturn, b'\r') => self.part = Part::DataEnd,
            (Part::DataEnd, b'\n') => self.part = Part::Size,
            (Part::TrailerStart, b'\r') => self.part = Part::LastEnd,
            (Part::LastEnd, b'\n') => return Ok(true),
            (Part::Trailer, b'\n') => self.part = Part::TrailerStart,
            (Part::Trailer | Part::TrailerStart, _) => {
                self.part = Part::Trailer;
                self.trailer_bytes += 1;
                if self.trailer_bytes > TRAILER_MAX {
                    return Err(ResponseError::HeadTooLong);
                }
            }
            _ => return Err(ResponseError::Chunk),
        }
        Ok(false)
    }

    fn size_byte(&mut self, byte: u8) -> Result<(), ResponseError> {
        self.line_bytes += 1;
        if self.line_bytes > LINE_MAX {
            return Err(ResponseError::Chunk);
        }
        if self.in_extension {
            return Ok(());
        }
        match char::from(byte).to_digit(16) {
            Some(digit) => {
                let size = self.size.unwrap_or(0).checked_mul(16);
                self.size = Some(size.ok_or(ResponseError::Chunk)? + u64::from(digit));
            }
            None if self.size.is_some() && matches!(byte, b';' | b' ' | b'\t') => {
                self.in_extension = true;
            }
            None => return Err(ResponseError::Chunk),
        }
        Ok(())
    }
}
