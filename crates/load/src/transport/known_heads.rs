//! Heads of responses that came before. A shop says the same again and again within a second: what
//! begins with the very bytes of an earlier head means the same, and is not parsed again.

use std::sync::Arc;

use super::response::ParsedHead;

/// Heads that are kept: the lengths of a step's answers, for the second of their date.
const HEADS_MAX: usize = 8;
/// Longer ones are not kept.
const HEAD_BYTES_MAX: usize = 1_024;

/// The last few heads, for every connection of a thread.
#[derive(Debug, Default)]
pub struct KnownHeads {
    heads: Vec<KnownHead>,
    /// The one that makes way next.
    oldest: usize,
}

#[derive(Debug)]
struct KnownHead {
    bytes: Vec<u8>,
    said: ParsedHead,
    /// The same bytes, once somebody wanted to keep them.
    shared: Option<Arc<[u8]>>,
}

impl KnownHeads {
    /// What the head at the start of `input` says, and its length.
    pub(super) fn find(&mut self, input: &[u8]) -> Option<(ParsedHead, usize)> {
        let known = self.known(input)?;
        Some((known.said, known.bytes.len()))
    }

    /// A whole head to be kept by whoever asks; the same memory for the same head again.
    pub(super) fn shared(&mut self, head: &[u8]) -> Arc<[u8]> {
        match self.known(head) {
            Some(known) => Arc::clone(known.shared.get_or_insert_with(|| head.into())),
            None => head.into(),
        }
    }

    fn known(&mut self, input: &[u8]) -> Option<&mut KnownHead> {
        let is_start = |known: &&mut KnownHead| input.starts_with(&known.bytes);
        self.heads.iter_mut().find(is_start)
    }

    /// Keeps a whole head, in the place of the oldest.
    pub(super) fn keep(&mut self, bytes: &[u8], head: ParsedHead) {
        if bytes.len() > HEAD_BYTES_MAX {
            return;
        }
        if self.heads.len() < HEADS_MAX {
            self.heads.push(KnownHead {
                bytes: bytes.to_vec(),
                said: head,
                shared: None,
            });
        } else if let Some(known) = self.heads.get_mut(self.oldest) {
            known.bytes.clear();
            known.bytes.extend_from_slice(bytes);
            known.said = head;
            known.shared = None;
            self.oldest = (self.oldest + 1) % HEADS_MAX;
        }
    }
}
