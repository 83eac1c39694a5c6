//! The description of the API and the page that shows it: made at the start, served as they are.

use std::sync::Arc;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::openapi::{self, Facts};
use super::reply::{ContentType, Reply};
use super::route::Reference;
use crate::settings::ShopSettings;

/// Every file of the reference, ready to be sent.
#[derive(Debug)]
pub(crate) struct References {
    description: Prepared,
    page: Prepared,
    script: Prepared,
    style: Prepared,
}

#[derive(Debug)]
struct Prepared {
    content_type: ContentType,
    body: Bytes,
    /// A digest of the body, in quotes.
    etag: Arc<str>,
}

impl References {
    pub(crate) fn new(settings: &ShopSettings, gateway: &str) -> Self {
        let document = openapi::document(&Facts {
            version: &settings.version,
            currency: settings.currency,
            gateway,
            products: settings.products,
            with_actuator: settings.management_addr.is_none(),
        });
        let fixed = |content_type, text: &'static str| Prepared::new(content_type, text.into());
        Self {
            description: Prepared::new(ContentType::Json, document.to_string().into()),
            page: fixed(ContentType::Html, include_str!("reference/page.html")),
            script: fixed(ContentType::Script, include_str!("reference/page.js")),
            style: fixed(ContentType::Style, include_str!("reference/page.css")),
        }
    }

    /// The file, or that the copy at hand is the same.
    pub(super) fn answer(&self, file: Reference, conditions: &[&[u8]]) -> Reply {
        let prepared = match file {
            Reference::Description => &self.description,
            Reference::Page => &self.page,
            Reference::Script => &self.script,
            Reference::Style => &self.style,
        };
        let is_at_hand = conditions
            .iter()
            .any(|condition| names(condition, &prepared.etag));
        let mut reply = if is_at_hand {
            Reply::new(304, prepared.content_type, Bytes::new())
        } else {
            Reply::new(200, prepared.content_type, prepared.body.clone())
        };
        reply.etag = Some(prepared.etag.clone());
        reply
    }
}

impl Prepared {
    fn new(content_type: ContentType, body: Bytes) -> Self {
        let etag = format!("\"{:016x}\"", xxh3_64(&body));
        Self {
            content_type,
            body,
            etag: etag.into(),
        }
    }
}

/// Whether an `If-None-Match` names the tag; weak and strong tags are compared alike (RFC 9110,
/// section 13.1.2).
fn names(condition: &[u8], etag: &str) -> bool {
    let Ok(condition) = std::str::from_utf8(condition) else {
        return false;
    };
    condition.split(',').map(str::trim).any(|candidate| {
        candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == etag
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn conditions_name_tags() {
        for (condition, expected) in [
            ("\"a1\"", true),
            ("W/\"a1\"", true),
            ("\"b\", \"a1\"", true),
            ("*", true),
            ("a1", false),
            ("\"a\"", false),
            ("", false),
        ] {
            assert_eq!(
                names(condition.as_bytes(), "\"a1\""),
                expected,
                "{condition:?}"
            );
        }
    }
}
