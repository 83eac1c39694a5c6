//! Third-party code: licences, banned packages and sources, by the policy in `deny.toml`.
//!
//! The file has the format of the tool `cargo-deny`, so that whoever has that tool can run it too;
//! this check covers the same three questions without it and adds nothing to the build.

use toml::{Table, Value};

use crate::{Finding, Workspace, licence};

/// Where every third-party package must come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What `deny.toml` says, as far as this check reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// SPDX names that any package may have.
    pub licences: Vec<String>,
    /// A package and one more SPDX name that it alone may have.
    pub exceptions: Vec<(String, String)>,
    /// A package that declares no licence, and the SPDX expression that its licence file amounts to.
    pub clarified: Vec<(String, String)>,
    /// Packages that must not be linked, each with the reason.
    pub banned: Vec<(String, String)>,
}

/// Why `deny.toml` could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The text is not TOML.
    #[error("deny.toml is not TOML")]
    Toml(#[source] toml::de::Error),
    /// A key is missing or of another type.
    #[error("deny.toml has no usable `{key}`")]
    Key {
        /// The key with its table.
        key: &'static str,
    },
}

impl Policy {
    /// Reads the policy.
    ///
    /// # Errors
    /// [`PolicyError`] when the text is not TOML or lacks a part that the check reads.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: Table = text.parse().map_err(PolicyError::Toml)?;
        let licences = strings(array(&file, "licenses", "allow", "licenses.allow")?).ok_or(
            PolicyError::Key {
                key: "licenses.allow",
            },
        )?;
        let mut exceptions = Vec::new();
        for entry in array(&file, "licenses", "exceptions", "licenses.exceptions")? {
            let key = "licenses.exceptions";
            let name = text_of(entry, "crate").ok_or(PolicyError::Key { key })?;
            let allowed = entry.get("allow").and_then(Value::as_array);
            let allowed = allowed
                .and_then(|list| strings(list))
                .ok_or(PolicyError::Key { key })?;
            exceptions.extend(allowed.into_iter().map(|licence| (name.clone(), licence)));
        }
        let mut clarified = Vec::new();
        for entry in optional_array(&file, "licenses", "clarify") {
            let key = "licenses.clarify";
            let name = text_of(entry, "crate").ok_or(PolicyError::Key { key })?;
            let expression = text_of(entry, "expression").ok_or(PolicyError::Key { key })?;
            clarified.push((name, expression));
        }
        let mut banned = Vec::new();
        for entry in array(&file, "bans", "deny", "bans.deny")? {
            let key = "bans.deny";
            let name = text_of(entry, "crate").ok_or(PolicyError::Key { key })?;
            let reason = text_of(entry, "reason").ok_or(PolicyError::Key { key })?;
            banned.push((name, reason));
        }
        Ok(Self {
            licences,
            exceptions,
            clarified,
            banned,
        })
    }

    /// What the policy refuses about the packages of `workspace`.
    pub fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let mut findings = Vec::new();
        for package in &workspace.packages {
            let place = format!("{} {}", package.name, package.version);
            let mut allowed = self.licences.clone();
            allowed.extend(
                self.exceptions
                    .iter()
                    .filter(|(name, _)| *name == package.name)
                    .map(|(_, licence)| licence.clone()),
            );
            let clarified = self
                .clarified
                .iter()
                .find(|(name, _)| *name == package.name);
            let expression = package
                .licence
                .as_deref()
                .or(clarified.map(|(_, expression)| expression.as_str()))
                .unwrap_or("");
            match licence::is_satisfied(expression, &allowed) {
                Some(true) => {}
                Some(false) => findings.push(Finding::new(
                    &place,
                    format!("licence `{expression}` is not allowed by deny.toml"),
                )),
                None => findings.push(Finding::new(
                    &place,
                    format!("unreadable licence `{expression}`"),
                )),
            }
            if let Some((_, reason)) = self.banned.iter().find(|(name, _)| *name == package.name) {
                findings.push(Finding::new(
                    &place,
                    format!("banned by deny.toml: {reason}"),
                ));
            }
            let from_registry = package.source.as_deref() == Some(REGISTRY);
            if !package.member && !from_registry {
                let source = package
                    .source
                    .as_deref()
                    .unwrap_or("a path outside the workspace");
                findings.push(Finding::new(&place, format!("comes from {source}")));
            }
        }
        findings
    }
}

fn array<'a>(
    file: &'a Table,
    table: &str,
    name: &str,
    key: &'static str,
) -> Result<&'a Vec<Value>, PolicyError> {
    file.get(table)
        .and_then(|table| table.get(name))
        .and_then(Value::as_array)
        .ok_or(PolicyError::Key { key })
}

/// The same, empty when the file has none.
fn optional_array<'a>(file: &'a Table, table: &str, name: &str) -> &'a [Value] {
    file.get(table)
        .and_then(|table| table.get(name))
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn strings(list: &[Value]) -> Option<Vec<String>> {
    list.iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

fn text_of(entry: &Value, name: &str) -> Option<String> {
    entry.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Package;

    const POLICY: &str = r#"
        [licenses]
        allow = ["MIT"]
        exceptions = [{ crate = "roots", allow = ["CDLA-Permissive-2.0"] }]
        clarify = [{ crate = "old", expression = "MIT" }, { crate = "bad", expression = "GPL-3.0" }]
        [bans]
        deny = [{ crate = "openssl-sys", reason = "TLS is rustls" }]
    "#;

    fn package(name: &str, licence: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            member: false,
            source: source.map(str::to_owned),
            licence: licence.map(str::to_owned),
            dependencies: Vec::new(),
        }
    }

    fn findings(package: Package) -> Vec<String> {
        let policy = Policy::parse(POLICY).unwrap();
        let workspace = Workspace {
            packages: vec![package],
        };
        policy
            .check(&workspace)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_good_package_passes() {
        assert!(findings(package("good", Some("MIT"), Some(REGISTRY))).is_empty());
        assert!(findings(package("old", None, Some(REGISTRY))).is_empty());
        assert!(
            findings(package(
                "roots",
                Some("CDLA-Permissive-2.0"),
                Some(REGISTRY)
            ))
            .is_empty()
        );
    }

    #[test]
    fn each_planted_fault_is_found() {
        let rows = [
            (package("a", Some("GPL-3.0"), Some(REGISTRY)), "not allowed"),
            (
                package("a", Some("CDLA-Permissive-2.0"), Some(REGISTRY)),
                "not allowed",
            ),
            (package("a", None, Some(REGISTRY)), "unreadable"),
            (package("bad", None, Some(REGISTRY)), "not allowed"),
            (
                package("old", Some("GPL-3.0"), Some(REGISTRY)),
                "not allowed",
            ),
            (
                package("openssl-sys", Some("MIT"), Some(REGISTRY)),
                "TLS is rustls",
            ),
            (
                package("a", Some("MIT"), Some("git+https://example.org/a")),
                "comes from git",
            ),
            (package("a", Some("MIT"), None), "comes from a path"),
        ];
        for (package, expected) in rows {
            let found = findings(package);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(expected), "{found:?}");
        }
    }

    #[test]
    fn a_policy_with_a_missing_part_is_refused() {
        for text in ["", "[licenses]", "[licenses]\nallow = [1]", "not toml"] {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
    }
}
