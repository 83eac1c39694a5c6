//! What a server or proxy asks of who asks it, and the answer: basic and digest authorisation.
//!
//! Source: RFC 7235 section 4.1 and RFC 2617 section 3.2; the order and the quotes of the answer are
//! those of Apache's HTTP client 4.5, `DigestScheme`.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::authorization::basic;

/// What is asked: `WWW-Authenticate` or `Proxy-Authenticate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// Whether it is the proxy that asks.
    pub(super) of_proxy: bool,
    digest: Option<DigestChallenge>,
    /// The realm of basic authorisation, if that is accepted.
    basic: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct DigestChallenge {
    realm: String,
    nonce: String,
    algorithm: Option<String>,
    opaque: Option<String>,
    /// The kinds of protection that are offered.
    protections: Vec<String>,
}

/// A user with a password.
#[derive(Debug, Clone, Copy)]
pub(super) struct Credentials<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    /// The only realm that they are for, unless it is empty.
    pub(super) realm: &'a str,
}

/// The request that is asked again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// Path and query as the request line has them.
    pub(super) target: &'a str,
    pub(super) body: Option<&'a [u8]>,
    /// Whether basic authorisation was tried already.
    pub(super) tried_basic: bool,
}

impl Challenge {
    /// Reads the values of the header; none when nothing that is known is asked for.
    pub(super) fn read<'v>(of_proxy: bool, values: impl Iterator<Item = &'v str>) -> Option<Self> {
        let mut challenge = Self {
            of_proxy,
            digest: None,
            basic: None,
        };
        for value in values {
            for (scheme, parameters) in schemes(value) {
                let realm = || parameter(&parameters, "realm").unwrap_or_default();
                if scheme.eq_ignore_ascii_case("basic") {
                    challenge.basic.get_or_insert_with(realm);
                } else if scheme.eq_ignore_ascii_case("digest") && challenge.digest.is_none() {
                    let protections = parameter(&parameters, "qop").unwrap_or_default();
                    let protections = protections.split(',').map(|one| one.trim().to_lowercase());
                    challenge.digest = Some(DigestChallenge {
                        realm: realm(),
                        nonce: parameter(&parameters, "nonce").unwrap_or_default(),
                        algorithm: parameter(&parameters, "algorithm"),
                        opaque: parameter(&parameters, "opaque"),
                        protections: protections.filter(|one| !one.is_empty()).collect(),
                    });
                }
            }
        }
        (challenge.digest.is_some() || challenge.basic.is_some()).then_some(challenge)
    }

    /// The value of the header that answers it; none when it cannot be answered. `client_nonce` is a
    /// text that nobody can foresee.
    pub(super) fn answer(
        &self,
        credentials: Credentials<'_>,
        asked: Asked<'_>,
        client_nonce: &str,
    ) -> Option<String> {
        let is_for = |realm: &str| credentials.realm.is_empty() || credentials.realm == realm;
        if let Some(digest) = &self.digest {
            if !is_for(&digest.realm) {
                return None;
            }
            return digest.answer(credentials, asked, client_nonce);
        }
        let realm = self.basic.as_ref()?;
        let may = is_for(realm) && !asked.tried_basic;
        may.then(|| basic(credentials.user, credentials.password))
    }

    /// Whether the body of the request is part of the answer.
    pub(super) fn wants_body(&self) -> bool {
        let digest = self.digest.as_ref();
        digest.is_some_and(|digest| digest.offers("auth-int"))
    }
}

impl DigestChallenge {
    fn offers(&self, protection: &str) -> bool {
        self.protections.iter().any(|own| own == protection)
    }

    fn answer(
        &self,
        credentials: Credentials<'_>,
        asked: Asked<'_>,
        client_nonce: &str,
    ) -> Option<String> {
        let algorithm = self.algorithm.as_deref().unwrap_or("MD5");
        let sum: fn(&[u8]) -> String = match algorithm.to_ascii_uppercase().as_str() {
            "MD5" | "MD5-SESS" => md5_of,
            "SHA-256" => |bytes| hexadecimal(&Sha256::digest(bytes)),
            _ => return None,
        };
        let protection = match asked.body {
            Some(_) if self.offers("auth-int") => Some("auth-int"),
            _ if self.offers("auth") => Some("auth"),
            _ if self.protections.is_empty() => None,
            _ => return None,
        };
        let Credentials { user, password, .. } = credentials;
        let (realm, nonce) = (&self.realm, &self.nonce);
        let text = |text: String| sum(&latin(&text));
        let mut secret = text(format!("{user}:{realm}:{password}"));
        if algorithm.eq_ignore_ascii_case("MD5-sess") {
            secret = text(format!("{secret}:{nonce}:{client_nonce}"));
        }
        let mut what = format!("{}:{}", asked.method, asked.target);
        if protection == Some("auth-int") {
            let body = sum(asked.body.unwrap_or_default());
            what = format!("{what}:{body}");
        }
        let what = text(what);
        let count = "00000001";
        let response = match protection {
            None => text(format!("{secret}:{nonce}:{what}")),
            Some(protection) => text(format!(
                "{secret}:{nonce}:{count}:{client_nonce}:{protection}:{what}"
            )),
        };
        let mut header = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{}\", \
             response=\"{response}\"",
            asked.target
        );
        // Writing to a string cannot fail.
        if let Some(protection) = protection {
            let _written = write!(
                header,
                ", qop={protection}, nc={count}, cnonce=\"{client_nonce}\""
            );
        }
        let _written = write!(header, ", algorithm={algorithm}");
        if let Some(opaque) = &self.opaque {
            let _written = write!(header, ", opaque=\"{opaque}\"");
        }
        Some(header)
    }
}

/// The MD5 sum of some bytes in hexadecimal digits.
pub(super) fn md5_of(bytes: &[u8]) -> String {
    hexadecimal(&Md5::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

/// In ISO 8859-1, as Apache's client sums them up.
fn latin(text: &str) -> Vec<u8> {
    let bytes = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'));
    bytes.collect()
}

type Parameters<'t> = Vec<(&'t str, String)>;

fn parameter(parameters: &Parameters<'_>, name: &str) -> Option<String> {
    let found = parameters
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.clone())
}

/// The schemes of one header with their parameters.
fn schemes(value: &str) -> Vec<(&str, Parameters<'_>)> {
    let mut found: Vec<(&str, Parameters<'_>)> = Vec::new();
    for item in items(value) {
        let (head, assigned) = match item.split_once('=') {
            Some((head, value)) => (head.trim(), Some(value.trim())),
            None => (item.trim(), None),
        };
        // A scheme stands before its first parameter.
        let name = match head.rsplit_once(char::is_whitespace) {
            Some((scheme, name)) => {
                found.push((scheme.trim(), Vec::new()));
                name
            }
            None if assigned.is_none() => {
                found.push((head, Vec::new()));
                continue;
            }
            None => head,
        };
        // Without a value it is a scheme with a token instead of parameters.
        if let (Some((_, parameters)), Some(value)) = (found.last_mut(), assigned) {
            parameters.push((name, unquoted(value)));
        }
    }
    found
}

/// The parts between commas that are in no quotes.
fn items(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = value.split(move |c: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    });
    parts.filter(|part| !part.trim().is_empty())
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(next) = characters.next() {
        let own = if next == '\\' {
            characters.next()
        } else {
            Some(next)
        };
        text.extend(own);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUFASA: Credentials<'_> = Credentials {
        user: "Mufasa",
        password: "Circle Of Life",
        realm: "",
    };

    fn answer(value: &str, credentials: Credentials<'_>, asked: Asked<'_>) -> Option<String> {
        let challenge = Challenge::read(false, std::iter::once(value))?;
        challenge.answer(credentials, asked, "0a4f113b")
    }

    const ASKED: Asked<'_> = Asked {
        method: "GET",
        target: "/dir/index.html",
        body: None,
        tried_basic: true,
    };

    #[test]
    fn digests_are_those_of_the_standard() {
        // RFC 2617, section 3.5.
        let value = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                     nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                     opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let header = answer(value, MUFASA, ASKED).unwrap();
        assert_eq!(
            header,
            "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
             nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
             response=\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, \
             cnonce=\"0a4f113b\", algorithm=MD5, opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""
        );
    }

    #[test]
    fn without_protection_the_answer_is_that_of_the_old_standard() {
        // Seen of JMeter 5.5.
        let credentials = Credentials {
            user: "buyer",
            password: "1111",
            realm: "",
        };
        let asked = Asked {
            target: "/digest",
            ..ASKED
        };
        let value = "Digest realm=\"shop\", nonce=\"0123456789abcdef\"";
        let header = answer(value, credentials, asked).unwrap();
        let end = "uri=\"/digest\", response=\"e23b748ff213971cf601e411fa13f3f7\", algorithm=MD5";
        assert!(header.ends_with(end), "{header}");
    }

    #[test]
    fn challenges_are_chosen_and_refused() {
        let fresh = Asked {
            tried_basic: false,
            ..ASKED
        };
        let starts = |value: &str, credentials, asked, start: &str| {
            let header = answer(value, credentials, asked).unwrap_or_default();
            let start_of_header = header.split(' ').next().unwrap_or_default();
            assert_eq!(start_of_header, start, "{value}");
        };
        let own = Credentials {
            realm: "r",
            ..MUFASA
        };
        starts("Basic realm=\"a, b\"", MUFASA, fresh, "Basic");
        starts("Basic realm=\"r\"", MUFASA, ASKED, "");
        starts(
            "Basic realm=r, Digest realm=\"r\", nonce=n",
            own,
            fresh,
            "Digest",
        );
        starts("Basic realm=\"s\"", own, fresh, "");
        starts("Digest realm=s, nonce=n", own, fresh, "");
        starts("Digest realm=r, nonce=n, algorithm=FOO", own, fresh, "");
        starts(
            "Digest realm=r, nonce=n, algorithm=SHA-256",
            own,
            fresh,
            "Digest",
        );
        starts("Digest realm=r, nonce=n, qop=auth-int", own, fresh, "");
        let with_body = Asked {
            body: Some(b"x"),
            ..fresh
        };
        starts(
            "Digest realm=r, nonce=n, qop=auth-int",
            own,
            with_body,
            "Digest",
        );
        starts("Negotiate, Basic realm=r", own, fresh, "Basic");
        starts("Negotiate dG9rZW4=", own, fresh, "");
    }
}
