//! `DNSCacheManager` and `KeystoreConfig`.

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use crate::compiler::Compiler;
use crate::user::User;

/// Knows the addresses of names.
#[derive(Debug)]
pub struct DnsCacheManager {
    /// Names and what is asked instead.
    hosts: Vec<(Template, Template)>,
}

/// Certificates of clients, which are not supported.
#[derive(Debug)]
pub struct KeystoreConfig {}

impl DnsCacheManager {
    /// Compiles a `DNSCacheManager`; `None` for another class. Its own name servers are not supported;
    /// looking names up anew at each iteration makes no difference here and is accepted.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        if element.class != "DNSCacheManager" {
            return None;
        }
        let is_custom = element.is("DNSCacheManager.isCustomResolver", false);
        if is_custom && element.texts("DNSCacheManager.servers").next().is_some() {
            compiler.refuse(element, "name servers of its own are not supported");
        }
        let hosts = element.elements("DNSCacheManager.hosts").map(|host| {
            let name = compiler.property(host, "StaticHost.Name");
            (name, compiler.property(host, "StaticHost.Address"))
        });
        let hosts = if is_custom {
            hosts.collect()
        } else {
            Vec::new()
        };
        Some(Self { hosts })
    }

    /// What is asked instead of a name: the first of the addresses given for it, or the name itself.
    pub(super) fn alias(&self, user: &mut User, host: &str) -> String {
        for (name, address) in &self.hosts {
            if user.render(name).eq_ignore_ascii_case(host) {
                let addresses = user.render(address);
                let first = addresses.split(',').next().unwrap_or_default().trim();
                return first.to_owned();
            }
        }
        host.to_owned()
    }
}

impl KeystoreConfig {
    /// Refuses a `KeystoreConfig`; `None` for another class.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        if element.class != "KeystoreConfig" {
            return None;
        }
        compiler.refuse(element, "certificates of clients are not supported");
        Some(Self {})
    }
}
