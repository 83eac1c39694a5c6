//! Planted faults: each must be found, and ordinary text must not be.

use super::*;

fn findings(path: &str, text: &str) -> Vec<String> {
    let file = SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    check(&file).iter().map(ToString::to_string).collect()
}

#[test]
fn each_planted_fault_is_found() {
    let long = "// one line\n".repeat(LINES_MAX + 1);
    let rows = [
        (
            "docs/A.md",
            format!("first\nsee {}main\n", MACHINE_PATHS[0]),
            "docs/A.md:2: a path",
        ),
        (
            "Makefile",
            format!("cat {}x\n", MACHINE_PATHS[5]),
            "Makefile:1: a path",
        ),
        (
            "Cargo.lock",
            format!("https://{}/x\n", REGISTRY_HOSTS[7]),
            "host of a package",
        ),
        (
            "a.rs",
            format!("fn a() {{ {}) }}\n", STUBS[0]),
            "unfinished",
        ),
        ("a.rs", format!("// {}: later\n", STUBS[2]), "unfinished"),
        (
            "a.rs",
            format!("    {}\nfn a() {{}}\n", concat!("#[ignor", "e]")),
            "without a reason",
        ),
        ("a.rs", long, "601 lines"),
        (
            "crates/a/src/b/mod.rs",
            "//! B.\n".to_owned(),
            "not `foo/mod.rs`",
        ),
        ("a.rs", "//! No end.".to_owned(), "does not end"),
        ("README.md", "這說\n订單\n".to_owned(), "README.md:2: `订`"),
    ];
    for (path, text, expected) in rows {
        let found = findings(path, &text);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        assert!(found[0].contains(expected), "{found:?}");
    }
}

#[test]
fn ordinary_text_passes() {
    let explained = format!(
        "{LONG_FILE_REASON}one table.\n{}",
        "// row\n".repeat(LINES_MAX)
    );
    let rows = [
        ("a.rs", explained.as_str()),
        ("a.rs", "#[ignore = \"needs two machines\"]\nfn a() {}\n"),
        ("README.zh-TW.md", "訂單、庫存與付款的稽核\n"),
        (
            "docs/A.md",
            "`target/release/double11`, ./results/runs and the folder work\n",
        ),
        ("vendor/chart.min.js", "var a=1"),
    ];
    for (path, text) in rows {
        assert_eq!(findings(path, text), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn links_lead_somewhere() {
    let exists = |path: &str| ["README.md", "docs/API.md"].contains(&path);
    let rows = [
        ("docs/A.md", "[a](API.md#codes) and [b](../README.md)", 0),
        (
            "README.md",
            "[a](docs/API.md), [b](https://example.org/x), [c](#words)",
            0,
        ),
        ("README.md", "[a](docs/GONE.md)", 1),
        ("docs/A.md", "[a](README.md) ![b](./picture.png)", 2),
    ];
    for (path, text, expected) in rows {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(
            broken_links(&file, exists).len(),
            expected,
            "{path}: {text}"
        );
    }
}
