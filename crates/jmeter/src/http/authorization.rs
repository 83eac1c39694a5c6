//! `AuthManager`: users and passwords.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use double11_jmx::document::Element;
use double11_jmx::template::Template;

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
}

impl AuthManager {
    /// Compiles an `AuthManager`; `None` for another class. Only basic authorisation is supported; it is
    /// sent with the first request, as `JMeter` does.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        if element.class != "AuthManager" {
            return None;
        }
        let mut known = Vec::new();
        for entry in element.elements("AuthManager.auth_list") {
            let mechanism = entry.text("Authorization.mechanism");
            if !matches!(mechanism, "" | "BASIC" | "BASIC_DIGEST") {
                let text = format!("authorisation by `{mechanism}` is not supported; `BASIC` is");
                compiler.refuse(element, text);
            }
            known.push(Known {
                url: compiler.property(entry, "Authorization.url"),
                user: compiler.property(entry, "Authorization.username"),
                password: compiler.property(entry, "Authorization.password"),
            });
        }
        Some(Self { known })
    }

    /// The header for a request.
    pub(super) fn header(&self, user: &mut User, url: &Url) -> Option<String> {
        let scheme = if url.is_tls { "https" } else { "http" };
        let path = url.path_or_root();
        let without = format!("{scheme}://{}{path}", url.host);
        let with = format!("{scheme}://{}:{}{path}", url.host, url.port_or_default());
        let is_usual = url.port_or_default() == if url.is_tls { 443 } else { 80 };
        for known in &self.known {
            let start = user.render(&known.url);
            let matches = url.text.starts_with(&*start)
                || with.starts_with(&*start)
                || (is_usual && without.starts_with(&*start));
            if matches {
                let name = user.render(&known.user);
                return Some(basic(&name, &user.render(&known.password)));
            }
        }
        None
    }
}

/// The value of the header for a user and a password.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
