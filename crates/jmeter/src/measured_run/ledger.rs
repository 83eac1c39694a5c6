//! The client ledger of a plan: writes are known by the shop's own method and path, whatever the plan calls
//! its samplers. Beside it what each label asks for, so that figures can be held against the shop's own.
//!
//! Source: `docs/API.md`.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError, RwLock};

use double11_load::engine::AskedPath;
use double11_load::engine::keeper::{KeptWrite, STEPS_MAX};
use double11_load::plan::Write;

use super::samples::Told;
use crate::http::{Exchange, Witness};

/// The longest body that is kept with a write, in bytes; a shop takes 64 KiB, and readers of ledgers lines of 1 MiB.
const BODY_BYTES_MAX: usize = 256 << 10;

/// Tells of the writes that were sent.
#[derive(Debug)]
pub(super) struct Ledger {
    sender: SyncSender<Told>,
    asked: Arc<Asked>,
}

/// What samples of each label ask for.
#[derive(Debug, Default)]
pub(super) struct Asked(RwLock<HashMap<Arc<str>, Option<AskedPath>>>);

impl Ledger {
    pub(super) fn new(sender: SyncSender<Told>, asked: &Arc<Asked>) -> Self {
        Self {
            sender,
            asked: Arc::clone(asked),
        }
    }
}

impl Asked {
    /// Notes a request. A label that asks for one thing and then for another tells of neither.
    fn note(&self, label: &Arc<str>, method: &str, path: &str) {
        // What it guards is read for every request and written for the first ones of a label.
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_first = match known.get(label) {
            Some(None) => return,
            Some(Some(one)) if one.method == method && fits(&one.path, path) => return,
            Some(Some(_)) => false,
            None if known.len() >= STEPS_MAX => return,
            None => true,
        };
        drop(known);
        let asked = is_first.then(|| AskedPath {
            method: method.to_owned(),
            path: pattern(path),
        });
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(label) {
            // Somebody else was first, or the label is known to ask for something else.
            Some(one) if asked.is_none() || *one != asked => *one = None,
            Some(_) => {}
            None => drop(known.insert(Arc::clone(label), asked)),
        }
    }

    /// What is known of each label.
    pub(super) fn all(&self) -> BTreeMap<String, AskedPath> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let asked = known
            .iter()
            .filter_map(|(label, asked)| Some((label.to_string(), asked.clone()?)));
        asked.collect()
    }
}

/// A path with `{}` for each segment that a digit is in: what differs from request to request.
fn pattern(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').map(segment).collect();
    segments.join("/")
}

fn segment(segment: &str) -> &str {
    if segment.bytes().any(|byte| byte.is_ascii_digit()) {
        "{}"
    } else {
        segment
    }
}

/// Whether a path has this pattern.
fn fits(pattern: &str, path: &str) -> bool {
    path.split('/').map(segment).eq(pattern.split('/'))
}

impl Witness for Ledger {
    fn wants(&self, label: &Arc<str>, method: &str, path: &str) -> bool {
        self.asked.note(label, method, path);
        kind(method, path).is_some()
    }

    fn saw(&self, exchange: Exchange<'_>) {
        let Some(kind) = kind(exchange.method, exchange.path) else {
            return;
        };
        let key = exchange.header("Idempotency-Key");
        let write = KeptWrite {
            kind,
            step: Arc::clone(exchange.label),
            key: key.map(|key| String::from_utf8_lossy(key).into_owned()),
            sent: exchange.began,
            end: exchange.ended,
            status: exchange.status,
            request: small(exchange.request_body()),
            answer: small(exchange.body),
        };
        // Who counts goes away only when the run is over.
        drop(self.sender.send(Told::Write(write)));
    }
}

/// Bytes that a line of the ledger may hold; nothing of longer ones, which no order and no answer of a shop is.
fn small(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() > BODY_BYTES_MAX {
        return Vec::new();
    }
    bytes.to_vec()
}

/// What a request of this method and path writes, if anything.
fn kind(method: &str, path: &str) -> Option<Write> {
    let mut segments = path.strip_prefix("/api/")?.split('/');
    let segments = [(); 5].map(|()| segments.next());
    match (method, segments) {
        ("POST", [Some("orders"), None, ..]) => Some(Write::Order),
        ("POST", [Some("payments"), None, ..]) => Some(Write::Payment),
        ("POST", [Some("cart"), None, ..])
        | ("DELETE", [Some("cart"), Some(_), Some("items"), Some(_), None]) => Some(Write::Cart),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_known_by_method_and_path() {
        for (method, path, expected) in [
            ("POST", "/api/orders", Some(Write::Order)),
            ("POST", "/api/payments", Some(Write::Payment)),
            ("POST", "/api/cart", Some(Write::Cart)),
            ("DELETE", "/api/cart/7/items/9", Some(Write::Cart)),
            ("GET", "/api/orders/7", None),
            ("GET", "/api/cart/7", None),
            ("POST", "/api/orders/7/cancel", None),
            ("DELETE", "/api/cart/7", None),
            ("POST", "/orders", None),
            ("POST", "/api/ordersx", None),
        ] {
            assert_eq!(kind(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn labels_are_known_by_what_they_ask_for() {
        let asked = Asked::default();
        for (label, method, path) in [
            ("View", "GET", "/api/products/17"),
            ("View", "GET", "/api/products/4"),
            ("Browse", "GET", "/api/products/random"),
            ("Both", "GET", "/api/products/random"),
            ("Both", "GET", "/api/products/9"),
            ("Both", "GET", "/api/products/random"),
            ("Cart", "POST", "/api/cart"),
            ("Cart", "DELETE", "/api/cart"),
        ] {
            asked.note(&label.into(), method, path);
        }
        let all = asked.all();
        let known: Vec<_> = all
            .iter()
            .map(|(label, asked)| (label.as_str(), asked.method.as_str(), asked.path.as_str()))
            .collect();
        assert_eq!(
            known,
            [
                ("Browse", "GET", "/api/products/random"),
                ("View", "GET", "/api/products/{}"),
            ]
        );
    }
}
