//! Blocks of carts that Redis has not been told of yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use double11_store::Stopwatch;
use double11_units::CartId;

/// Carts that are remembered. Beyond, no cart is read for [`MATTERS`].
pub(crate) const MAX: usize = 100_000;
/// How long an undelivered block matters: as long as a request may last that read the cart before, and then
/// as long as what it offered may live.
pub(crate) const MATTERS: Duration = Duration::from_mins(2);

/// The blocks that are owed.
#[derive(Debug, Default)]
pub(crate) struct Owed {
    state: Mutex<State>,
    /// Whether the state is empty, to be seen without the lock.
    nothing: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The last block of each cart, by its number.
    blocks: HashMap<CartId, u64>,
    /// The same blocks in the order in which they were added, so that neither the oldest nor the next ones
    /// are searched for.
    order: BTreeMap<u64, Block>,
    added: u64,
    /// Since the last block for which there was no room.
    overflowed: Option<Stopwatch>,
}

/// One block that is owed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) cart_id: CartId,
    /// Tells a block from a later one of the same cart.
    number: u64,
    since: Stopwatch,
}

impl Owed {
    pub(crate) fn new() -> Self {
        Self {
            nothing: AtomicBool::new(true),
            ..Self::default()
        }
    }

    /// Remembers a block, or that there is no room for it.
    pub(crate) fn add(&self, cart_id: CartId) -> Block {
        let mut state = self.lock();
        state.added += 1;
        let block = Block {
            cart_id,
            number: state.added,
            since: Stopwatch::start(),
        };
        if state.blocks.len() < MAX || state.blocks.contains_key(&cart_id) {
            if let Some(earlier) = state.blocks.insert(cart_id, block.number) {
                state.order.remove(&earlier);
            }
            state.order.insert(block.number, block);
        } else {
            state.overflowed = Some(Stopwatch::start());
        }
        self.nothing.store(false, Ordering::Release);
        block
    }

    /// Whether this cart, or any, may be out of date in Redis for a reason known here.
    pub(crate) fn concerns(&self, cart_id: CartId) -> bool {
        if self.nothing.load(Ordering::Acquire) {
            return false;
        }
        let state = self.lock();
        let overflows = |since: &Stopwatch| since.elapsed() < MATTERS;
        state.blocks.contains_key(&cart_id) || state.overflowed.as_ref().is_some_and(overflows)
    }

    /// The oldest blocks, to be delivered next; those that do not matter any more are forgotten.
    pub(crate) fn some(&self, count: usize) -> Vec<Block> {
        if self.nothing.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut state = self.lock();
        while let Some(oldest) = state.order.first_entry()
            && oldest.get().since.elapsed() >= MATTERS
        {
            let forgotten = oldest.remove();
            state.blocks.remove(&forgotten.cart_id);
        }
        let blocks: Vec<Block> = state.order.values().take(count).copied().collect();
        self.update(&mut state);
        blocks
    }

    /// These were delivered.
    pub(crate) fn delivered(&self, blocks: &[Block]) {
        let mut state = self.lock();
        for block in blocks {
            // A later block of the same cart has another number, and is still owed.
            if state.order.remove(&block.number).is_some() {
                state.blocks.remove(&block.cart_id);
            }
        }
        self.update(&mut state);
    }

    fn update(&self, state: &mut State) {
        if state
            .overflowed
            .is_some_and(|since| since.elapsed() >= MATTERS)
        {
            state.overflowed = None;
        }
        let nothing = state.blocks.is_empty() && state.overflowed.is_none();
        self.nothing.store(nothing, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use double11_store::Stopwatch;
    use double11_units::CartId;

    use super::{MAX, Owed};

    fn id(number: usize) -> CartId {
        CartId::new(i64::try_from(number).unwrap()).unwrap()
    }

    #[test]
    fn a_block_is_owed_until_it_was_delivered() {
        let owed = Owed::new();
        assert!(!owed.concerns(id(1)));
        owed.add(id(1));
        assert!(owed.concerns(id(1)));
        assert!(!owed.concerns(id(2)));
        let batch = owed.some(10);
        // Once more while the first is on its way: that one does not pay for this one.
        owed.add(id(1));
        owed.delivered(&batch);
        assert!(owed.concerns(id(1)));
        owed.delivered(&owed.some(10));
        assert!(!owed.concerns(id(1)));
        assert!(owed.some(10).is_empty());
    }

    /// All that a long outage left is delivered in small batches, each of which cost a look at all the others:
    /// seconds under the lock that every reader of a cart waits for.
    #[test]
    fn a_long_outage_is_forgotten_without_looking_at_all_blocks_for_each_batch() {
        let owed = Owed::new();
        for number in 1..=MAX {
            owed.add(id(number));
        }
        let begun = Stopwatch::start();
        let mut delivered = 0;
        loop {
            let batch = owed.some(64);
            if batch.is_empty() {
                break;
            }
            // The oldest first.
            assert_eq!(batch[0].cart_id, id(delivered + 1));
            delivered += batch.len();
            owed.delivered(&batch);
        }
        assert_eq!(delivered, MAX);
        assert!(!owed.concerns(id(1)));
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    #[test]
    fn beyond_its_bound_no_cart_is_trusted() {
        let owed = Owed::new();
        for number in 1..=MAX {
            owed.add(id(number));
        }
        assert!(!owed.concerns(id(MAX + 1)));
        owed.add(id(MAX + 1));
        assert!(
            owed.concerns(id(MAX + 2)),
            "of all carts one is out of date"
        );
        loop {
            let batch = owed.some(1_000);
            if batch.is_empty() {
                break;
            }
            owed.delivered(&batch);
        }
        assert!(owed.concerns(id(1)), "which one is not known any more");
    }
}
