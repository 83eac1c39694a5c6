//! What the checks need of `cargo metadata --format-version 1`, and nothing else of it.

use serde_json::Value;

/// Why a package depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependencyKind {
    /// Linked into the package.
    Normal,
    /// Used by its tests and examples only.
    Development,
    /// Used by its build script.
    Build,
}

/// A dependency as the manifest declares it, optional and platform-specific ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The package's name, not what the manifest renames it to.
    pub name: String,
    /// Why it is needed.
    pub kind: DependencyKind,
}

/// One package of the dependency graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name as published.
    pub name: String,
    /// Version in full.
    pub version: String,
    /// Whether it is a crate of this workspace.
    pub member: bool,
    /// Where it comes from; absent for a path on this machine.
    pub source: Option<String>,
    /// The SPDX expression of its licence, when it declares one.
    pub licence: Option<String>,
    /// What its manifest asks for.
    pub dependencies: Vec<Dependency>,
}

/// The packages of one `cargo metadata` answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Every package, in cargo's order.
    pub packages: Vec<Package>,
}

/// Why an answer of `cargo metadata` could not be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The text is not JSON.
    #[error("the answer of cargo metadata is not JSON")]
    Json(#[source] serde_json::Error),
    /// A field that the format promises is missing or of another type.
    #[error("the answer of cargo metadata has no usable `{field}`")]
    Field {
        /// The field's name.
        field: &'static str,
    },
}

impl Workspace {
    /// Reads an answer of `cargo metadata --format-version 1`.
    ///
    /// # Errors
    /// [`MetadataError`] when the text is not such an answer.
    pub fn parse(text: &str) -> Result<Self, MetadataError> {
        let answer: Value = serde_json::from_str(text).map_err(MetadataError::Json)?;
        let members: Vec<&str> = list(&answer, "workspace_members")?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let packages = list(&answer, "packages")?
            .iter()
            .map(|package| parse_package(package, &members))
            .collect::<Result<_, _>>()?;
        Ok(Self { packages })
    }

    /// The crates of the workspace itself.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.member)
    }
}

fn parse_package(package: &Value, members: &[&str]) -> Result<Package, MetadataError> {
    let id = string(package, "id")?;
    Ok(Package {
        name: string(package, "name")?.to_owned(),
        version: string(package, "version")?.to_owned(),
        member: members.contains(&id),
        source: optional_string(package, "source"),
        licence: optional_string(package, "license"),
        dependencies: list(package, "dependencies")?
            .iter()
            .map(parse_dependency)
            .collect::<Result<_, _>>()?,
    })
}

fn parse_dependency(dependency: &Value) -> Result<Dependency, MetadataError> {
    let kind = match dependency.get("kind").and_then(Value::as_str) {
        None => DependencyKind::Normal,
        Some("dev") => DependencyKind::Development,
        Some("build") => DependencyKind::Build,
        Some(_) => return Err(MetadataError::Field { field: "kind" }),
    };
    Ok(Dependency {
        name: string(dependency, "name")?.to_owned(),
        kind,
    })
}

fn string<'a>(value: &'a Value, field: &'static str) -> Result<&'a str, MetadataError> {
    value
        .get(field)
        .and_then(Value::as_str)
        .ok_or(MetadataError::Field { field })
}

fn optional_string(value: &Value, field: &str) -> Option<String> {
    value.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn list<'a>(value: &'a Value, field: &'static str) -> Result<&'a Vec<Value>, MetadataError> {
    value
        .get(field)
        .and_then(Value::as_array)
        .ok_or(MetadataError::Field { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_members_kinds_licences_and_sources() {
        let text = r#"{"workspace_members":["path+a"],"packages":[
            {"id":"path+a","name":"a","version":"0.1.0","source":null,"license":"MIT",
             "dependencies":[{"name":"b","kind":null},{"name":"c","kind":"dev"},{"name":"d","kind":"build"}]},
            {"id":"r+b","name":"b","version":"1.2.3","source":"registry+x","license":null,"dependencies":[]}]}"#;
        let workspace = Workspace::parse(text).unwrap();
        let first = &workspace.packages[0];
        assert!(first.member);
        assert_eq!(first.source, None);
        assert_eq!(
            first
                .dependencies
                .iter()
                .map(|dependency| dependency.kind)
                .collect::<Vec<_>>(),
            [
                DependencyKind::Normal,
                DependencyKind::Development,
                DependencyKind::Build
            ]
        );
        let second = &workspace.packages[1];
        assert!(!second.member);
        assert_eq!(second.source.as_deref(), Some("registry+x"));
        assert_eq!(second.licence, None);
    }

    #[test]
    fn refuses_what_is_not_an_answer_of_cargo() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"workspace_members":[],"packages":[{}]}"#,
        ] {
            assert!(Workspace::parse(text).is_err(), "{text}");
        }
    }
}
