//! What need not be kept for ever.
//!
//! What is due is looked for outside the transaction that deletes it, because without an index by age
//! every row has to be looked at, and the writer has better things to do. The transaction then looks
//! again at what it was told to delete.

use double11_units::UnixMicros;
use rusqlite::Connection;

use crate::work::{Work, WorkError, WorkResult, list, run};

/// Keys and carts that were due for deletion when they were looked for.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    keys_before: UnixMicros,
    carts_before: UnixMicros,
    keys: Vec<Scope>,
    carts: Vec<i64>,
}

/// The primary key of an idempotency key.
#[derive(Clone, Debug)]
struct Scope {
    key: String,
    operation: String,
    user_id: String,
}

impl Due {
    /// Looks for at most `limit` keys and carts together.
    pub(crate) fn find(
        connection: &Connection,
        keys_before: UnixMicros,
        carts_before: UnixMicros,
        limit: u32,
    ) -> WorkResult<Self> {
        let keys = list(
            connection,
            "SELECT key, operation, user_id FROM idempotency_keys k WHERE created_at < ?1 \
             AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = k.order_id \
             AND p.attempt_id = k.attempt_id AND p.state = 'processing') LIMIT ?2",
            (keys_before.get(), limit),
            |row| {
                Ok(Scope {
                    key: row.get(0)?,
                    operation: row.get(1)?,
                    user_id: row.get(2)?,
                })
            },
        )?;
        let found = u32::try_from(keys.len()).unwrap_or(limit);
        let carts = list(
            connection,
            "SELECT cart_id FROM carts WHERE updated_at < ?1 LIMIT ?2",
            (carts_before.get(), limit.saturating_sub(found)),
            |row| row.get(0),
        )?;
        Ok(Self {
            keys_before,
            carts_before,
            keys,
            carts,
        })
    }

    /// Whether there is nothing to delete.
    pub(crate) const fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.carts.is_empty()
    }
}

/// Deletes what is still due; returns how many keys and carts.
pub(crate) fn purge(work: &Work<'_>, due: &Due) -> WorkResult<u32> {
    let mut deleted = 0;
    for Scope {
        key,
        operation,
        user_id,
    } in &due.keys
    {
        deleted += run(
            work.connection,
            "DELETE FROM idempotency_keys WHERE key = ?1 AND operation = ?2 AND user_id = ?3 \
             AND created_at < ?4 AND NOT EXISTS (SELECT 1 FROM payments p \
             WHERE p.order_id = idempotency_keys.order_id \
             AND p.attempt_id = idempotency_keys.attempt_id AND p.state = 'processing')",
            (key, operation, user_id, due.keys_before.get()),
        )?;
    }
    for cart_id in &due.carts {
        let gone = run(
            work.connection,
            "DELETE FROM carts WHERE cart_id = ?1 AND updated_at < ?2",
            (cart_id, due.carts_before.get()),
        )?;
        if gone == 1 {
            run(
                work.connection,
                "DELETE FROM cart_lines WHERE cart_id = ?1",
                [cart_id],
            )?;
        }
        deleted += gone;
    }
    u32::try_from(deleted).map_err(|_| WorkError::Damaged("more rows than the limit"))
}
