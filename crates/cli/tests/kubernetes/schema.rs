//! Kubernetes' own schemas, strictly: unknown fields and unknown kinds are failures.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::harness::{both, skip};
use crate::rendered::{FOLDERS, manifests, root};

/// The oldest release that is still looked after, and the newest whose schemas the tool has.
const VERSIONS: [&str; 2] = ["1.34", "1.37"];

/// A program of the environment that scripts/install-test-tools.sh makes.
pub(crate) fn python_tool(name: &str) -> Option<PathBuf> {
    let program = root().join("target/test-tools/python/bin").join(name);
    if program.exists() {
        return Some(program);
    }
    skip(&format!(
        "{name} is not installed; scripts/install-test-tools.sh does that"
    ));
    None
}

#[test]
fn every_folder_is_what_kubernetes_takes() {
    let folder = tempfile::tempdir().unwrap();
    for name in FOLDERS {
        let Some(manifests) = manifests(name) else {
            return;
        };
        let file = folder.path().join(name.replace('/', "-"));
        std::fs::write(&file, manifests).unwrap();
        for version in VERSIONS {
            let Some(output) = validate(version, &file) else {
                return;
            };
            assert!(is_clean(&output), "{name} for {version}: {}", both(&output));
        }
    }
}

/// The check can fail: an unknown field, an unknown kind, a value of the wrong type.
#[test]
fn what_kubernetes_does_not_take_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.yaml");
    let head = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n";
    for (manifest, clean) in [
        (format!("{head}  ports:\n    - port: 80\n"), true),
        (format!("{head}  ports:\n    - prot: 80\n"), false),
        (format!("{head}  ports:\n    - port: many\n"), false),
        ("apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: a\n".to_owned(), false),
    ] {
        std::fs::write(&file, &manifest).unwrap();
        let Some(output) = validate(VERSIONS[0], &file) else {
            return;
        };
        assert_eq!(is_clean(&output), clean, "{manifest}{}", both(&output));
    }
}

fn validate(version: &str, file: &std::path::Path) -> Option<Output> {
    let output = Command::new(python_tool("kubernetes-validate")?)
        .args(["--kubernetes-version", version, "--strict"])
        .arg(file)
        .stdin(Stdio::null())
        .output();
    Some(output.unwrap())
}

/// The tool only warns of kinds that it does not know.
fn is_clean(output: &Output) -> bool {
    output.status.success() && !both(output).contains("WARN")
}
