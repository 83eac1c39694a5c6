//! The description of the API and the page that shows it: made at the start, served as they are.

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderValue, IF_NONE_MATCH};
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
    etag: HeaderValue,
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
    pub(super) fn answer(&self, file: Reference, headers: &HeaderMap) -> Reply {
        let prepared = match file {
            Reference::Description => &self.description,
            Reference::Page => &self.page,
            Reference::Script => &self.script,
            Reference::Style => &self.style,
        };
        let is_at_hand = headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .any(|value| names(value, &prepared.etag));
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
            etag: HeaderValue::from_str(&etag)
                .expect("invariant: hexadecimal digits in quotes are a header value"),
        }
    }
}

/// Whether an `If-None-Match` names the tag; weak and strong tags are compared alike (RFC 9110,
/// section 13.1.2).
fn names(condition: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(condition), Ok(etag)) = (condition.to_str(), etag.to_str()) else {
        return false;
    };
    condition.split(',').map(str::trim).any(|candidate| {
        candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == etag
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::names;

    #[test]
    fn conditions_name_tags() {
        let etag = HeaderValue::from_static("\"a1\"");
        for (condition, expected) in [
            ("\"a1\"", true),
            ("W/\"a1\"", true),
            ("\"b\", \"a1\"", true),
            ("*", true),
            ("a1", false),
            ("\"a\"", false),
            ("", false),
        ] {
            let condition = HeaderValue::from_static(condition);
            assert_eq!(names(&condition, &etag), expected, "{condition:?}");
        }
    }
}
