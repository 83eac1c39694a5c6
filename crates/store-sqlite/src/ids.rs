//! Ids: 63-bit integers that grow with time.
//!
//! The upper 43 bits are milliseconds since the Unix epoch, the lower 20 count within the
//! millisecond. Rows are appended to their tables, and an id is fixed before its transaction begins.

use std::sync::atomic::{AtomicI64, Ordering};

use double11_units::UnixMicros;

const SEQUENCE_BITS: u32 = 20;

/// Hands out ids, each larger than all before it, even when the clock goes back.
#[derive(Debug)]
pub(crate) struct IdSource {
    last: AtomicI64,
}

impl IdSource {
    /// A source that continues after the largest id that the store holds.
    pub(crate) const fn after(largest: i64) -> Self {
        Self {
            last: AtomicI64::new(largest),
        }
    }

    /// The next id.
    pub(crate) fn next(&self, now: UnixMicros) -> i64 {
        let by_time = now.millis() << SEQUENCE_BITS;
        let mut seen = self.last.load(Ordering::Relaxed);
        loop {
            let id = by_time.max(seen + 1);
            match self
                .last
                .compare_exchange_weak(seen, id, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return id,
                Err(newer) => seen = newer,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IdSource;
    use double11_units::UnixMicros;

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let ids = IdSource::after(0);
        let first = ids.next(UnixMicros::new(5_000_000));
        let second = ids.next(UnixMicros::new(5_000_000));
        let third = ids.next(UnixMicros::new(1_000));
        assert!(first < second && second < third);
        let restarted = IdSource::after(third);
        assert!(restarted.next(UnixMicros::new(0)) > third);
    }
}
