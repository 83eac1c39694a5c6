//! The checks applied to this workspace as it stands.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use double11_tidy::{
    Dependency, DependencyKind, Finding, Policy, SourceFile, Workspace, edges, text,
};

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .expect("the crate lies two folders below the root")
        .to_owned()
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo and git are on the path")
}

fn text_of(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "`{program} {}` failed:\n{talk}",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).expect("the tools answer in UTF-8")
}

/// The packages that a build for this kind of machine may use, without changing `Cargo.lock`.
fn workspace() -> Workspace {
    let version = text_of(env!("CARGO"), &["--version", "--verbose"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.expect("cargo names its host");
    let arguments = [
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform",
        host,
    ];
    let offline = [&arguments[..], &["--offline"]].concat();
    let first = run(env!("CARGO"), &offline);
    let answer = if first.status.success() {
        String::from_utf8(first.stdout).expect("cargo answers in UTF-8")
    } else {
        // Optional packages that no build has needed so far are fetched for their manifests.
        text_of(env!("CARGO"), &arguments)
    };
    Workspace::parse(&answer).expect("cargo describes the workspace")
}

/// Every file that is tracked, or new and not ignored, and that is text.
fn source_files() -> Vec<SourceFile> {
    let listing = text_of(
        "git",
        &[
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
    );
    let files: Vec<SourceFile> = listing
        .split_terminator('\0')
        .filter_map(|path| {
            let bytes = std::fs::read(root().join(path)).ok()?;
            Some(SourceFile {
                path: path.to_owned(),
                text: String::from_utf8(bytes).ok()?,
            })
        })
        .collect();
    assert!(
        files.iter().any(|file| file.path == "Cargo.toml"),
        "the listing has the manifest"
    );
    files
}

fn assert_none(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

#[test]
fn crates_depend_on_each_other_only_as_drawn() {
    let workspace = workspace();
    assert!(
        workspace.members().count() > 10,
        "the workspace is read whole"
    );
    assert_none(&edges::forbidden_edges(&workspace));
}

#[test]
fn an_edge_planted_into_this_workspace_is_found() {
    let mut workspace = workspace();
    let audit = workspace
        .packages
        .iter_mut()
        .find(|package| package.name == "double11-audit");
    audit
        .expect("the audit is a crate of the workspace")
        .dependencies
        .push(Dependency {
            name: "double11-store-sqlite".to_owned(),
            kind: DependencyKind::Development,
        });
    let findings = edges::forbidden_edges(&workspace);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].place, "double11-audit");
}

#[test]
fn third_party_code_is_of_allowed_licence_name_and_source() {
    let file = std::fs::read_to_string(root().join("deny.toml")).expect("the policy is there");
    let policy = Policy::parse(&file).expect("the policy is readable");
    assert_none(&policy.check(&workspace()));
}

#[test]
fn tracked_text_is_tidy() {
    let findings: Vec<Finding> = source_files().iter().flat_map(text::check).collect();
    assert_none(&findings);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents: Vec<SourceFile> = source_files()
        .into_iter()
        .filter(|file| file.ending() == Some("md"))
        .collect();
    assert!(!documents.is_empty(), "there are documents");
    let exists = |path: &str| root().join(path).exists();
    let findings: Vec<Finding> = documents
        .iter()
        .flat_map(|document| text::broken_links(document, exists))
        .collect();
    assert_none(&findings);
}

/// The first command of the README is `cargo run`, which refuses to choose between two programs.
#[test]
fn cargo_run_means_the_program() {
    let arguments = ["metadata", "--format-version=1", "--no-deps", "--locked"];
    let answer: serde_json::Value =
        serde_json::from_str(&text_of(env!("CARGO"), &arguments)).expect("cargo answers in JSON");
    let of = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let members = of(&answer["workspace_default_members"]);
    let packages = of(&answer["packages"]);
    let targets = packages
        .iter()
        .filter(|package| members.contains(&package["id"]))
        .flat_map(|package| of(&package["targets"]));
    let programs: Vec<_> = targets
        .filter(|target| of(&target["kind"]).contains(&"bin".into()))
        .map(|target| target["name"].clone())
        .collect();
    assert_eq!(programs, ["double11"]);
}
