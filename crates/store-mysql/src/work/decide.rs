//! Decides a group of commands, one after the other in the order of arrival, on what was loaded.
//!
//! No database, no clock: the same working set and commands give the same answers. A command that is
//! refused changes nothing.

mod carts;
mod orders;
mod payments;

use double11_store::{PlaceOutcome, PlaceRefusal};
use double11_units::UnixMicros;

use super::set::{KeyScope, Operation, Stored, WorkingSet};
use super::{Command, Outcome, ShopFacts, Task, WorkResult};

/// A group being decided.
#[derive(Debug)]
pub(crate) struct Decision<'set> {
    pub(crate) set: &'set mut WorkingSet,
    pub(crate) facts: ShopFacts,
    /// The instant that all rows of the group carry.
    pub(crate) now: UnixMicros,
}

impl Decision<'_> {
    /// Decides all commands of a group.
    pub(crate) fn decide_all(&mut self, tasks: &[Task<'_>]) -> WorkResult<Vec<Outcome>> {
        tasks.iter().map(|task| self.decide(*task)).collect()
    }

    fn decide(&mut self, task: Task<'_>) -> WorkResult<Outcome> {
        let fresh_id = task.fresh_id;
        Ok(match task.command {
            Command::Place(place) => Outcome::Place(self.place(place, fresh_id)?),
            Command::Cancel(order_id) => Outcome::Cancel(self.cancel(*order_id)?),
            Command::Expire { limit } => Outcome::Expire(self.expire_due(*limit)?),
            Command::Prepare(prepare) => Outcome::Prepare(self.prepare(prepare, fresh_id)?),
            Command::Finalize(finalize) => Outcome::Finalize(self.finalize(*finalize)?),
            Command::FinishRefund {
                order_id,
                attempt_id,
            } => {
                let id = (*order_id, *attempt_id);
                self.set.changes.finished_refunds.insert(id);
                Outcome::FinishRefund
            }
            Command::AddToCart(add) => Outcome::Cart(self.add_to_cart(add, fresh_id)?),
            Command::RemoveFromCart(remove) => Outcome::Cart(self.remove_from_cart(*remove)?),
        })
    }
}

/// Keys of orders that were refused although nothing was known of the key: another shop may have
/// claimed it between the reading of the keys and the locking of the rows that refused.
pub(crate) fn doubtful_keys(
    tasks: &[Task<'_>],
    outcomes: &[Outcome],
    set: &WorkingSet,
) -> Vec<KeyScope> {
    let refused = tasks.iter().zip(outcomes).filter_map(|(task, outcome)| {
        let Outcome::Place(PlaceOutcome::Refused(_)) = outcome else {
            return None;
        };
        order_scope(task.command)
    });
    refused
        .filter(|scope| !set.keys.contains_key(scope))
        .collect()
}

/// Whether an order was refused for want of stock that was only remembered: there may be more by now.
pub(crate) fn is_refused_in_hope(outcomes: &[Outcome], set: &WorkingSet) -> bool {
    outcomes.iter().any(|outcome| match outcome {
        Outcome::Place(PlaceOutcome::Refused(PlaceRefusal::SoldOut(short))) => {
            let level = set.stock.get(short);
            level.is_some_and(|level| matches!(level.stored, Stored::Hoped(_)))
        }
        _ => false,
    })
}

/// The scope of the key that an order wants to claim.
pub(crate) fn order_scope(command: &Command) -> Option<KeyScope> {
    match command {
        Command::Place(place) => place.key.as_ref().map(|key| KeyScope {
            key: key.key.as_str().to_owned(),
            operation: Operation::Order,
            user_id: place.user_id.as_str().to_owned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
