//! `CacheManager`: what each user remembers of the age of answers. Bodies are not kept, as in `JMeter`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use double11_jmx::document::Element;

use super::clearing::Clearing;
use super::response::Head;
use crate::compiler::Compiler;
use crate::user::{StateId, User};

const YEAR: Duration = Duration::from_hours(365 * 24);

/// Remembers what answers say of their age, for conditional requests, or to spare requests.
#[derive(Debug)]
pub struct CacheManager {
    state: StateId,
    clearing: Clearing,
    uses_expires: bool,
    entries_max: usize,
}

#[derive(Debug, Default)]
struct Cache(HashMap<Arc<str>, Entry>);

#[derive(Debug)]
struct Entry {
    last_modified: Option<String>,
    tag: Option<String>,
    expires: Option<Duration>,
    added: u64,
}

impl CacheManager {
    /// Compiles a `CacheManager`; `None` for another class.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        if element.class != "CacheManager" {
            return None;
        }
        let entries_max = element.text("maxSize").trim().parse().unwrap_or(5_000);
        Some(Self {
            state: compiler.state(),
            clearing: Clearing::of(
                element,
                "clearEachIteration",
                "CacheManager.controlledByThread",
            ),
            uses_expires: element.is("useExpires", false),
            entries_max,
        })
    }

    /// To be called before each iteration of a user; `same_user` is what the thread group says of its
    /// next iteration.
    pub fn iteration_start(&self, user: &mut User, same_user: bool) {
        if self.clearing.is_due(same_user) {
            user.state(self.state, Cache::default).0.clear();
        }
    }

    /// Whether an answer is known that still holds.
    pub(super) fn holds(&self, user: &mut User, url: &str) -> bool {
        let now = user.run.clock.now();
        let entry = user.state(self.state, Cache::default).0.get(url);
        let expires = entry.and_then(|entry| entry.expires);
        expires.is_some_and(|expires| expires > now)
    }

    /// The headers that ask for an answer only if it is another than the one known.
    pub(super) fn validators(&self, user: &mut User, url: &str) -> Vec<(&'static str, String)> {
        let Some(entry) = user.state(self.state, Cache::default).0.get(url) else {
            return Vec::new();
        };
        let modified = entry.last_modified.clone();
        let modified = modified.map(|value| ("If-Modified-Since", value));
        let tag = entry.tag.clone().map(|value| ("If-None-Match", value));
        modified.into_iter().chain(tag).collect()
    }

    /// Remembers an answer.
    pub(super) fn take(
        &self,
        user: &mut User,
        method: &str,
        (url, status): (&Arc<str>, u16),
        head: Head<'_>,
    ) {
        let varies = head.value("vary").is_some();
        if method != "GET" || !matches!(status, 200..=299 | 304) || varies {
            return;
        }
        let value = |name| head.value(name).map(std::borrow::Cow::into_owned);
        let (last_modified, tag) = (value("last-modified"), value("etag"));
        let (expires, control) = (value("expires"), value("cache-control"));
        if last_modified.is_none() && tag.is_none() && expires.is_none() && control.is_none() {
            return;
        }
        let control = control.unwrap_or_default();
        if self.uses_expires && control.contains("no-store") {
            return;
        }
        let now = user.run.clock.now();
        let wall = seconds(user.run.clock.wall(now).get() / 1_000_000);
        let mut expires_at = None;
        if self.uses_expires {
            let date = |text: &str| {
                let at = httpdate::parse_http_date(text).ok()?;
                at.duration_since(std::time::UNIX_EPOCH).ok()
            };
            expires_at = expires.as_deref().map(|text| {
                // A malformed date means that it has passed.
                let left = date(text).and_then(|at| at.checked_sub(wall));
                left.map_or(Duration::ZERO, |left| now.saturating_add(left))
            });
            if !control.contains("no-cache") {
                if let Some(age) = max_age(&control) {
                    expires_at = Some(now.saturating_add(age));
                } else if expires.is_none() {
                    let age = match (last_modified.as_deref(), value("date").as_deref()) {
                        (Some(modified), Some(answered)) => date(answered)
                            .zip(date(modified))
                            .map_or(YEAR, |(answered, modified)| {
                                answered.saturating_sub(modified) / 10
                            }),
                        _ => YEAR,
                    };
                    expires_at = Some(now.saturating_add(age));
                }
            }
        }
        let entries_max = self.entries_max;
        let cache = &mut user.state(self.state, Cache::default).0;
        if cache.contains_key(url) || entries_max == 0 {
            return;
        }
        if cache.len() >= entries_max
            && let Some(oldest) = cache
                .iter()
                .min_by_key(|(_, entry)| entry.added)
                .map(|(url, _)| Arc::clone(url))
        {
            cache.remove(&oldest);
        }
        let added = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let entry = Entry {
            last_modified,
            tag,
            expires: expires_at,
            added,
        };
        cache.insert(Arc::clone(url), entry);
    }
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

fn max_age(control: &str) -> Option<Duration> {
    let (_, rest) = control.split_once("max-age=")?;
    let digits = rest.split([',', ' ']).next()?;
    digits.parse().ok().map(Duration::from_secs)
}
