//! The sums that tell a reader how much was judged.

use crate::audited::AuditedStore;
use crate::check::fault_of_the_store;
use crate::error::AuditError;
use crate::report::Figures;

const STORE_FIGURES: &str = "
SELECT (SELECT COUNT(*) FROM store.stock),
       (SELECT COUNT(*) FROM store.orders),
       (SELECT COUNT(*) FROM store.orders WHERE state = 'paid'),
       (SELECT COUNT(*) FROM store.orders WHERE state IN ('cancelled', 'expired')),
       (SELECT COALESCE(SUM(amount), 0) FROM store.payments WHERE state IN ('captured', 'late')),
       (SELECT COALESCE(SUM(amount), 0) FROM store.refunds WHERE state = 'done')";

const GATEWAY_FIGURES: &str = "
SELECT (SELECT COALESCE(SUM(amount), 0) FROM gateway_charges WHERE result = 'captured'),
       (SELECT COALESCE(SUM(amount), 0) FROM gateway_refunds)";

/// Reads the figures; none when the store is too damaged to count. The checks say what is wrong then.
pub(crate) fn read(
    store: &AuditedStore,
    with_gateway: bool,
) -> Result<Option<Figures>, AuditError> {
    match try_read(store, with_gateway) {
        Ok(figures) => Ok(Some(figures)),
        Err(error) if fault_of_the_store(&error).is_some() => Ok(None),
        Err(error) => Err(AuditError::Query(error)),
    }
}

fn try_read(store: &AuditedStore, with_gateway: bool) -> rusqlite::Result<Figures> {
    let connection = store.connection();
    let gateway: Option<(i64, i64)> = if with_gateway {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Some(connection.query_row(GATEWAY_FIGURES, (), read)?)
    } else {
        None
    };
    connection.query_row(STORE_FIGURES, (), |row| {
        Ok(Figures {
            products: row.get(0)?,
            orders: row.get(1)?,
            orders_paid: row.get(2)?,
            orders_closed: row.get(3)?,
            captured: row.get(4)?,
            refunded: row.get(5)?,
            gateway_captured: gateway.map(|(captured, _)| captured),
            gateway_refunded: gateway.map(|(_, refunded)| refunded),
        })
    })
}
