//! Heads of responses that came before. A shop says the same again and again within a second: what
//! begins with the very bytes of an earlier head means the same, and is not parsed again.

use super::response::ParsedHead;

/// Heads that are kept: the lengths of a step's answers, for the second of their date.
const HEADS_MAX: usize = 8;
/// Longer ones are not kept.
const HEAD_BYTES_MAX: usize = 1_024;

/// The last few heads, for every connection of a thread.
#[derive(Debug, Default)]
pub struct KnownHeads {
    heads: Vec<(Vec<u8>, ParsedHead)>,
    /// The one that makes way next.
    oldest: usize,
}

impl KnownHeads {
    /// What the head at the start of `input` says, and its length.
    pub(super) fn find(&mut self, input: &[u8]) -> Option<(ParsedHead, usize)> {
        let is_start = |(bytes, _): &(Vec<u8>, ParsedHead)| input.starts_with(bytes);
        let index = self.heads.iter().position(is_start)?;
        let (bytes, head) = self.heads.get(index)?;
        Some((*head, bytes.len()))
    }

    /// Keeps a whole head, in the place of the oldest.
    pub(super) fn keep(&mut self, bytes: &[u8], head: ParsedHead) {
        if bytes.len() > HEAD_BYTES_MAX {
            return;
        }
        if self.heads.len() < HEADS_MAX {
            self.heads.push((bytes.to_vec(), head));
        } else if let Some((kept, said)) = self.heads.get_mut(self.oldest) {
            kept.clear();
            kept.extend_from_slice(bytes);
            *said = head;
            self.oldest = (self.oldest + 1) % HEADS_MAX;
        }
    }
}
