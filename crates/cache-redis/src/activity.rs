//! Whom each shop saw: a hash for every slot of time, with a field for every shop.

use std::collections::HashMap;
use std::time::Duration;

use double11_store::OthersActivity;
use redis::Pipeline;

use crate::keys::Keys;

/// How long a slot is kept: the five minutes that are asked about, and one more for late shops.
const SLOT_TTL: Duration = Duration::from_mins(6);

/// What the pipeline answers: the shops of the slot and of the one before.
pub(crate) type Answer = (HashMap<String, Vec<u8>>, HashMap<String, Vec<u8>>);

/// Publishes a slot and asks for it and the one before. The keys share a hash tag.
pub(crate) fn exchange(keys: &Keys, shop: &str, slot: u64, seen: &[u8]) -> Pipeline {
    let key = keys.activity(slot);
    let mut pipeline = redis::pipe();
    pipeline.hset(&key, shop, seen).ignore();
    let ttl = i64::try_from(SLOT_TTL.as_secs()).unwrap_or(i64::MAX);
    pipeline.expire(&key, ttl).ignore();
    pipeline.hgetall(&key);
    pipeline.hgetall(keys.activity(slot.saturating_sub(1)));
    pipeline
}

/// What the others published.
pub(crate) fn others(shop: &str, slot: u64, (this, before): Answer) -> Vec<OthersActivity> {
    let of = |slot: u64, shops: HashMap<String, Vec<u8>>| {
        let others = shops.into_iter().filter(move |(name, _)| name != shop);
        others.map(move |(_, seen)| OthersActivity { slot, seen })
    };
    of(slot, this)
        .chain(of(slot.saturating_sub(1), before))
        .collect()
}
