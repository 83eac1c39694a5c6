//! `AuthManager`: users and passwords.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::challenge::{Asked, Challenge, Credentials};
use super::url::Url;
use crate::compiler::Compiler;
use crate::user::User;

/// Knows users and passwords of the servers in its scope.
#[derive(Debug)]
pub struct AuthManager {
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    /// What addresses begin with.
    url: Template,
    user: Template,
    password: Template,
    /// The Windows domain that stands before the user's name.
    domain: Template,
    realm: Template,
    /// Whether the password waits until the server asks for it.
    waits: bool,
}

impl AuthManager {
    /// Compiles an `AuthManager`; `None` for another class. Basic authorisation is sent with the first
    /// request, as `JMeter` does; any other is the answer to a challenge.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        if element.class != "AuthManager" {
            return None;
        }
        let mut known = Vec::new();
        for entry in element.elements("AuthManager.auth_list") {
            let mechanism = entry.text("Authorization.mechanism");
            if !matches!(mechanism, "" | "BASIC" | "BASIC_DIGEST" | "DIGEST") {
                let accepted = "`BASIC` and `DIGEST` are";
                let text = format!("authorisation by `{mechanism}` is not supported; {accepted}");
                compiler.refuse(element, text);
            }
            known.push(Known {
                url: compiler.property(entry, "Authorization.url"),
                user: compiler.property(entry, "Authorization.username"),
                password: compiler.property(entry, "Authorization.password"),
                domain: compiler.property(entry, "Authorization.domain"),
                realm: compiler.property(entry, "Authorization.realm"),
                waits: mechanism == "DIGEST",
            });
        }
        Some(Self { known })
    }

    /// The header that goes with the first request.
    pub(super) fn header(&self, user: &mut User, url: &Url) -> Option<String> {
        let known = self.of(user, url).filter(|known| !known.waits)?;
        let name = known.name(user);
        Some(basic(&name, &user.render(&known.password)))
    }

    /// The header that answers a challenge.
    pub(super) fn answer(
        &self,
        user: &mut User,
        url: &Url,
        challenge: &Challenge,
        asked: Asked<'_>,
    ) -> Option<String> {
        let known = self.of(user, url)?;
        let asked = Asked {
            tried_basic: !known.waits,
            ..asked
        };
        let name = known.name(user);
        let password = user.render(&known.password).into_owned();
        let realm = user.render(&known.realm).into_owned();
        let credentials = Credentials {
            user: &name,
            password: &password,
            realm: &realm,
        };
        challenge.answer(credentials, asked, &client_nonce(user))
    }

    /// The first entry that an address begins with.
    fn of(&self, user: &mut User, url: &Url) -> Option<&Known> {
        let url = url.origin();
        let scheme = if url.is_tls { "https" } else { "http" };
        let path = url.path_or_root();
        let without = format!("{scheme}://{}{path}", url.host);
        let with = format!("{scheme}://{}:{}{path}", url.host, url.port_or_default());
        let is_usual = url.port_or_default() == if url.is_tls { 443 } else { 80 };
        self.known.iter().find(|known| {
            let start = user.render(&known.url);
            url.text.starts_with(&*start)
                || with.starts_with(&*start)
                || (is_usual && without.starts_with(&*start))
        })
    }
}

impl Known {
    fn name(&self, user: &mut User) -> String {
        let domain = user.render(&self.domain).to_uppercase();
        let name = user.render(&self.user);
        if domain.is_empty() {
            name.into_owned()
        } else {
            format!("{domain}\\{name}")
        }
    }
}

/// A text of 16 hexadecimal digits that nobody can foresee.
pub(super) fn client_nonce(user: &mut User) -> String {
    format!("{:016x}", user.random.bits())
}

/// The value of the header for a user and a password.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
