//! Every check, in the order of the report: the store by itself, then against the gateway's ledger,
//! then against what clients were told.

mod acknowledged;
mod carts;
mod explained;
pub(crate) mod figures;
mod file;
mod gateway;
mod keys;
mod orders;
mod payments;
mod refunds;
mod scratch;
mod sold_out;
mod stock;
mod times;

use crate::check::Check;

const FAMILIES: [&[Check]; 12] = [
    file::CHECKS,
    stock::CHECKS,
    orders::CHECKS,
    times::CHECKS,
    payments::CHECKS,
    refunds::CHECKS,
    keys::CHECKS,
    carts::CHECKS,
    gateway::CHECKS,
    acknowledged::CHECKS,
    explained::CHECKS,
    sold_out::CHECKS,
];

/// Every check.
pub(crate) fn all() -> impl Iterator<Item = &'static Check> {
    FAMILIES.into_iter().flatten()
}
