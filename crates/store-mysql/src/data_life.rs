//! Restocking, and forgetting what nobody needs any more.

use double11_store::{Answer, StoreError};
use double11_units::{ProductId, UnixMicros};
use mysql::Value;

use crate::connections::Trouble;
use crate::engine::GroupError;
use crate::session::{Session, int, string};
use crate::store::MysqlStore;
use crate::work::{WorkError, WorkResult};

impl MysqlStore {
    /// Receives `pieces` more of a product; they are available at once. `false`: no such product.
    pub(crate) fn take_in(&self, product_id: ProductId, pieces: u32) -> Answer<bool> {
        self.alone(move |session| {
            let pieces = Value::Int(i64::from(pieces));
            let met = session.change(
                "UPDATE stock SET received = received + ?, available = available + ? \
                 WHERE product_id = ?",
                vec![pieces.clone(), pieces, Value::Int(product_id.get())],
            )?;
            Ok(met == 1)
        })
    }

    /// Deletes at most `limit` idempotency keys claimed before `keys_before`, but for those of payments
    /// that have no outcome yet, and carts last changed before `carts_before` with their lines. Tells how
    /// many keys and carts; fewer than `limit` mean that no more were to be deleted, or that others are
    /// deleting them.
    pub(crate) fn delete_old(
        &self,
        keys_before: UnixMicros,
        carts_before: UnixMicros,
        limit: u32,
    ) -> Answer<u32> {
        self.alone(move |session| {
            let keys = purge_keys(session, keys_before, limit)?;
            let carts = purge_carts(session, carts_before, limit.saturating_sub(keys))?;
            Ok(keys.saturating_add(carts))
        })
    }

    /// Runs work in a transaction of its own, again when it meets the locks of others.
    fn alone<T, F>(&self, mut work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Session) -> WorkResult<T> + Send + 'static,
    {
        let connections = self.connections();
        Box::pin(connections.run(move |session| {
            let done = session.begin().and_then(|()| work(session));
            let done = done.map_err(|error| {
                session.roll_back();
                Trouble::from(GroupError::before_commit(error))
            })?;
            session.commit().map_err(|error| {
                tracing::warn!(%error, "COMMIT was not answered");
                Trouble::Final(StoreError::OutcomeUnknown)
            })?;
            Ok(done)
        }))
    }
}

fn purge_keys(session: &mut Session, before: UnixMicros, limit: u32) -> WorkResult<u32> {
    let old = session.list(
        "SELECT k.`key`, k.operation, k.user_id FROM idempotency_keys k LEFT JOIN payments p \
         ON p.order_id = k.order_id AND p.attempt_id = k.attempt_id \
         WHERE k.created_at < ? AND (p.state IS NULL OR p.state <> 'processing') \
         ORDER BY k.`key`, k.operation, k.user_id LIMIT ?",
        vec![Value::Int(before.get()), Value::Int(i64::from(limit))],
        |row| {
            let column = |column| string(row, column).map(crate::session::text);
            Ok([column(0)?, column(1)?, column(2)?])
        },
    )?;
    let mut deleted = 0_u64;
    for scope in old {
        let values = scope.into_iter().chain([Value::Int(before.get())]);
        // A key that was freed and claimed again meanwhile is not old any more.
        deleted += session.change(
            "DELETE FROM idempotency_keys WHERE `key` = ? AND operation = ? AND user_id = ? \
             AND created_at < ?",
            values.collect(),
        )?;
    }
    count(deleted)
}

fn purge_carts(session: &mut Session, before: UnixMicros, limit: u32) -> WorkResult<u32> {
    let old = session.list(
        "SELECT cart_id FROM carts WHERE updated_at < ? ORDER BY cart_id LIMIT ?",
        vec![Value::Int(before.get()), Value::Int(i64::from(limit))],
        |row| int(row, 0),
    )?;
    let mut deleted = 0_u64;
    for cart_id in old {
        let cart_id = Value::Int(cart_id);
        // The cart first: whoever changes its lines holds its row.
        let gone = session.change(
            "DELETE FROM carts WHERE cart_id = ? AND updated_at < ?",
            vec![cart_id.clone(), Value::Int(before.get())],
        )?;
        if gone == 1 {
            session.change("DELETE FROM cart_lines WHERE cart_id = ?", vec![cart_id])?;
        }
        deleted += gone;
    }
    count(deleted)
}

fn count(rows: u64) -> WorkResult<u32> {
    u32::try_from(rows).map_err(|_| WorkError::Damaged("more rows than the limit"))
}
