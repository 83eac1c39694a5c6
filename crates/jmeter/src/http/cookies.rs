//! `CookieManager`: cookies for each user.
//!
//! Every policy is RFC 6265, which is `JMeter`'s `standard`; `ignoreCookies` sends and keeps none.
//!
//! Source: RFC 6265 sections 5.1 to 5.4.

use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::clearing::Clearing;
use super::response::Head;
use super::url::Url;
use crate::compiler::Compiler;
use crate::user::{StateId, User};

/// Keeps cookies of the answers in its scope, and sends them.
#[derive(Debug)]
pub struct CookieManager {
    state: StateId,
    given: Vec<Given>,
    is_off: bool,
    /// Whether a cookie that expires with the first second of 1970 is one of the session, as in all
    /// policies of `JMeter` but one.
    keeps_oldest: bool,
    clearing: Clearing,
}

/// A cookie that the plan gives.
#[derive(Debug)]
struct Given {
    name: Template,
    value: Template,
    domain: Template,
    path: Template,
    is_secure: bool,
}

/// A user's cookies.
#[derive(Debug, Default)]
struct Jar(Vec<Cookie>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Whether only the very host of the domain gets it.
    is_host_only: bool,
    path: String,
    is_secure: bool,
    /// On the run's clock.
    expires: Option<Duration>,
    /// Whether it was to expire with the first second of 1970.
    is_oldest: bool,
}

impl CookieManager {
    /// Compiles a `CookieManager`; `None` for another class.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        if element.class != "CookieManager" {
            return None;
        }
        let given = element.elements("CookieManager.cookies");
        let given = given.map(|cookie| Given {
            name: compiler.template(&cookie.name),
            value: compiler.property(cookie, "Cookie.value"),
            domain: compiler.property(cookie, "Cookie.domain"),
            path: compiler.property(cookie, "Cookie.path"),
            is_secure: cookie.is("Cookie.secure", false),
        });
        Some(Self {
            given: given.collect(),
            state: compiler.state(),
            is_off: matches!(
                element.text("CookieManager.policy"),
                "ignoreCookies" | "ignorecookies"
            ),
            keeps_oldest: element.text("CookieManager.policy") != "compatibility",
            clearing: Clearing::of(
                element,
                "CookieManager.clearEachIteration",
                "CookieManager.controlledByThreadGroup",
            ),
        })
    }

    /// To be called before each iteration of a user; `same_user` is what the thread group says of its
    /// next iteration.
    pub fn iteration_start(&self, user: &mut User, same_user: bool) {
        if self.clearing.is_due(same_user) {
            let jar = self.first_jar(user);
            *user.state(self.state, Jar::default) = jar;
        }
    }

    /// The header for a request.
    pub(super) fn header(&self, user: &mut User, url: &Url) -> Option<String> {
        if self.is_off {
            return None;
        }
        let now = user.run.clock.now();
        let url = url.origin();
        let cookies = &self.jar(user).0;
        let mut sent: Vec<&Cookie> = cookies
            .iter()
            .filter(|cookie| cookie.is_for(url, now))
            .collect();
        // The longer the path, the earlier; of the same length the older first.
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let mut header = String::new();
        for cookie in sent {
            if !header.is_empty() {
                header.push_str("; ");
            }
            header.push_str(&cookie.name);
            header.push('=');
            push_value(&cookie.value, &mut header);
        }
        (!header.is_empty()).then_some(header)
    }

    /// Keeps what an answer sets, as variables `COOKIE_name` too if they are wanted.
    pub(super) fn take(&self, user: &mut User, url: &Url, head: Head<'_>, saves_variables: bool) {
        if self.is_off {
            return;
        }
        for (name, value) in head.headers() {
            if !name.eq_ignore_ascii_case(b"set-cookie") {
                continue;
            }
            let now = user.run.clock.now();
            let wall = user.run.clock.wall(now).get() / 1_000_000;
            let text = String::from_utf8_lossy(value);
            let Some(cookie) = Cookie::read(&text, url.origin(), (now, wall)) else {
                continue;
            };
            if cookie.is_oldest && !self.keeps_oldest {
                continue;
            }
            let is_expired = cookie.expires.is_some_and(|expires| expires <= now);
            if saves_variables && !is_expired && !cookie.value.is_empty() {
                let variable = format!("COOKIE_{}", cookie.name);
                user.variables.set(&variable, cookie.value.as_str());
            }
            let cookies = &mut self.jar(user).0;
            cookies.retain(|kept| !kept.is_same(&cookie));
            if !is_expired && !cookie.value.is_empty() {
                cookies.push(cookie);
            }
        }
    }

    fn jar<'u>(&self, user: &'u mut User) -> &'u mut Jar {
        if !self.given.is_empty() && !user.has_state(self.state) {
            let jar = self.first_jar(user);
            return user.state(self.state, || jar);
        }
        user.state(self.state, Jar::default)
    }

    /// The cookies that the plan gives.
    fn first_jar(&self, user: &mut User) -> Jar {
        let given = self.given.iter().map(|given| {
            let domain = user
                .render(&given.domain)
                .trim_start_matches('.')
                .to_ascii_lowercase();
            let path = user.render(&given.path).into_owned();
            Cookie {
                name: user.render(&given.name).into_owned(),
                value: user.render(&given.value).into_owned(),
                is_host_only: domain.parse::<std::net::IpAddr>().is_ok(),
                domain,
                path: if path.is_empty() {
                    "/".to_owned()
                } else {
                    path
                },
                is_secure: given.is_secure,
                expires: None,
                is_oldest: false,
            }
        });
        Jar(given.collect())
    }
}

impl Cookie {
    /// Reads the value of `Set-Cookie`; nothing when the cookie is not acceptable. The times are now,
    /// on the run's clock and in seconds since 1970.
    fn read(text: &str, url: &Url, (now, wall): (Duration, i64)) -> Option<Self> {
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let inner = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        let value = inner.unwrap_or(value);
        if name.is_empty() {
            return None;
        }
        let host = url.bare_host().to_ascii_lowercase();
        let mut cookie = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: host.clone(),
            is_host_only: true,
            path: default_path(url.path_or_root()).to_owned(),
            is_secure: false,
            expires: None,
            is_oldest: false,
        };
        let mut max_age = None;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "domain" if !value.is_empty() => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    if !is_within(&host, &domain) {
                        return None;
                    }
                    cookie.is_host_only = false;
                    cookie.domain = domain;
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.is_secure = true,
                "max-age" => max_age = value.parse::<i64>().ok(),
                "expires" => {
                    let at = httpdate::parse_http_date(&value.replace('-', " ")).ok();
                    let at = at.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
                    let at = at.and_then(|at| i64::try_from(at.as_secs()).ok());
                    // In JMeter the first second of 1970 stands for a cookie of this session.
                    cookie.is_oldest = at == Some(0);
                    let at = at.filter(|at| *at != 0);
                    cookie.expires = at.map(|at| later(now, at.saturating_sub(wall)));
                }
                _ => {}
            }
        }
        if let Some(max_age) = max_age {
            cookie.expires = Some(later(now, max_age));
        }
        Some(cookie)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.domain == other.domain && self.path == other.path
    }

    fn is_for(&self, url: &Url, now: Duration) -> bool {
        let host = url.bare_host().to_ascii_lowercase();
        let is_host = if self.is_host_only {
            host == self.domain
        } else {
            is_within(&host, &self.domain)
        };
        is_host
            && is_below(url.path_or_root(), &self.path)
            && (url.is_tls || !self.is_secure)
            && self.expires.is_none_or(|expires| expires > now)
    }
}

/// Appends a value; one with characters of its own meaning in quotes.
fn push_value(value: &str, header: &mut String) {
    if !value.contains([' ', '"', ',', ';', '\\']) {
        header.push_str(value);
        return;
    }
    header.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            header.push('\\');
        }
        header.push(character);
    }
    header.push('"');
}

/// An instant so many seconds after another; long ago when they are none.
fn later(now: Duration, seconds: i64) -> Duration {
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => now.saturating_add(Duration::from_secs(seconds)),
        _ => Duration::ZERO,
    }
}

fn is_within(host: &str, domain: &str) -> bool {
    host == domain
        || host
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.') && host.parse::<std::net::IpAddr>().is_err())
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
}

fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => path.get(..end).unwrap_or("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: (Duration, i64) = (Duration::from_secs(100), 1_700_000_000);

    fn check(set: &str, from: &str, to: &str, expected: bool) {
        let from = Url::parse(from).unwrap();
        let cookie = Cookie::read(set, &from, NOW);
        let is_for = cookie.is_some_and(|cookie| cookie.is_for(&Url::parse(to).unwrap(), NOW.0));
        assert_eq!(is_for, expected, "{set} {to}");
    }

    #[test]
    fn cookies_go_where_they_are_meant_to_go() {
        let from = "http://shop.example/a/b";
        check("n=v", from, "http://shop.example/a/c", true);
        check("n=v", from, "http://shop.example/ab", false);
        check("n=v", from, "http://other.example/a/b", false);
        check("n=v; Path=/", from, "http://shop.example:81/x", true);
        check(
            "n=v; Domain=.example; Path=/",
            from,
            "http://x.example/",
            true,
        );
        check(
            "n=v; Domain=other.example",
            from,
            "http://other.example/a/",
            false,
        );
        check("n=v; Secure; Path=/", from, "http://shop.example/", false);
        check("n=v; Secure; Path=/", from, "https://shop.example/", true);
        check("n=v; Max-Age=0", from, from, false);
        check(
            "n=v; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            from,
            from,
            true,
        );
        check("n=v; Max-Age=5", from, from, true);
        check(
            "n=v; Expires=Wed, 01 Jan 2020 00:00:00 GMT",
            from,
            from,
            false,
        );
        check(
            "n=v; Expires=Wed, 01-Jan-2120 00:00:00 GMT; Max-Age=-1",
            from,
            from,
            false,
        );
        check(
            "n=v; Path=/",
            "http://127.0.0.1/",
            "http://127.0.0.1/x",
            true,
        );
        check(
            "n=v; Domain=0.0.1; Path=/",
            "http://127.0.0.1/",
            "http://127.0.0.1/x",
            false,
        );
        check("=v", from, from, false);
        check("nothing", from, from, false);
    }
}
