//! What may stand in a tracked file.

use crate::Finding;

/// A Rust file longer than this says in its first comment why.
const LINES_MAX: usize = 600;
/// The words with which that comment begins.
const LONG_FILE_REASON: &str = "//! Longer than most files here: ";

/// Addresses of one machine. Written in pieces, so that this file does not find itself.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wor", "k/"),
    concat!("/far", "m/"),
    concat!("/roo", "t/"),
    concat!("/hom", "e/"),
    concat!("/User", "s/"),
    concat!("/tm", "p/bash_jobs"),
];

/// Hosts from which packages are downloaded; a checkout must not depend on where a machine got its.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("registry.np", "mjs"),
    concat!("pyp", "i.org"),
    concat!("pythonhoste", "d"),
    concat!("deb.debia", "n"),
    concat!("mave", "n.org"),
    concat!("mave", "n.apache"),
    concat!("proxy.golan", "g"),
    concat!("static.crate", "s"),
    concat!("index.crate", "s"),
];

/// Marks of unfinished code.
const STUBS: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// Characters of simplified Chinese that no Traditional text has: documents are Traditional.
const SIMPLIFIED: &str = "们这说时间发现单订数库测试证优题务请应电实样为过还进开关无产购车测运动类";

/// A tracked text file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path from the root of the checkout, with `/` between its parts.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

impl SourceFile {
    /// What stands behind the last dot of the file's name.
    pub fn ending(&self) -> Option<&str> {
        self.path.rsplit_once('.').map(|(_, ending)| ending)
    }
}

/// What must not stand in `file`.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ending = file.ending();
    let lock_file = file.path.ends_with("Cargo.lock");
    for (index, line) in file.text.lines().enumerate() {
        let mut report = |problem: String| {
            findings.push(Finding::new(
                format!("{}:{}", file.path, index + 1),
                problem,
            ));
        };
        if !lock_file && let Some(path) = find(line, MACHINE_PATHS) {
            report(format!("a path of one machine (`{path}`)"));
        }
        if let Some(host) = find(line, REGISTRY_HOSTS) {
            report(format!("the host of a package registry (`{host}`)"));
        }
        if ending == Some("rs") {
            if let Some(stub) = find(line, STUBS) {
                report(format!("unfinished code (`{stub}`)"));
            }
            if line.trim_start().starts_with(concat!("#[ignor", "e]")) {
                report("a test is ignored without a reason".to_owned());
            }
        }
        if ending == Some("md")
            && let Some(character) = line.chars().find(|character| is_simplified(*character))
        {
            report(format!("`{character}` is simplified Chinese"));
        }
    }
    findings.extend(check_shape(file));
    findings
}

/// Links of a Markdown file to files of the checkout that are not there. `exists` answers for a
/// path from the root of the checkout.
pub fn broken_links(file: &SourceFile, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for target in link_targets(line) {
            let path = target.split('#').next().unwrap_or("");
            if path.is_empty() || path.contains(':') || exists(&join(folder, path)) {
                continue;
            }
            let place = format!("{}:{}", file.path, index + 1);
            findings.push(Finding::new(
                place,
                format!("links to `{target}`, which is not there"),
            ));
        }
    }
    findings
}

fn check_shape(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file.path.rsplit('/').next() == Some("mod.rs") {
        findings.push(Finding::new(
            &file.path,
            "a module `foo` is `foo.rs`, not `foo/mod.rs`",
        ));
    }
    let lines = file.text.lines().count();
    if file.ending() == Some("rs") && lines > LINES_MAX && !file.text.starts_with(LONG_FILE_REASON)
    {
        findings.push(Finding::new(
            &file.path,
            format!(
                "{lines} lines; split it by noun, or begin it with `{LONG_FILE_REASON}` and why"
            ),
        ));
    }
    if is_written_here(file) && !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(Finding::new(&file.path, "the last line does not end"));
    }
    findings
}

/// Vendored files keep the bytes of their origin, so that their checksums hold.
fn is_written_here(file: &SourceFile) -> bool {
    matches!(file.ending(), Some("rs" | "md" | "toml" | "sh"))
}

fn find<'a>(line: &str, patterns: &[&'a str]) -> Option<&'a str> {
    patterns
        .iter()
        .copied()
        .find(|pattern| line.contains(pattern))
}

fn is_simplified(character: char) -> bool {
    !character.is_ascii() && SIMPLIFIED.contains(character)
}

/// The targets of the `[text](target)` links in a line.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
}

/// `path` as seen from `folder`, both from the root of the checkout.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests;
