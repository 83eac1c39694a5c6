//! Planted edges: each must be found, and the drawn arrows must not be.

use super::*;

/// One crate of the workspace with one dependency: `(name, kind)`.
fn workspace(member: &str, dependency: &str, kind: DependencyKind) -> Workspace {
    let package = |name: &str, dependencies: Vec<Dependency>| Package {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        member: true,
        source: None,
        licence: Some("MIT".to_owned()),
        dependencies,
    };
    let planted = Dependency {
        name: dependency.to_owned(),
        kind,
    };
    Workspace {
        packages: vec![package(member, vec![planted])],
    }
}

fn check(member: &str, dependency: &str, kind: DependencyKind, allowed: bool) {
    let findings = forbidden_edges(&workspace(member, dependency, kind));
    assert_eq!(
        findings.is_empty(),
        allowed,
        "{member} -> {dependency} ({kind:?}): {findings:?}"
    );
}

const KINDS: [DependencyKind; 3] = [
    DependencyKind::Normal,
    DependencyKind::Development,
    DependencyKind::Build,
];

#[test]
fn no_tester_reaches_the_shop_or_a_store_in_any_way() {
    let testers = [
        "load",
        "jmeter",
        "audit",
        "monitor",
        "measure",
        "report",
        "units",
        "rehearsal",
    ];
    let tested = [
        "shop",
        "store",
        "store-sqlite",
        "store-mysql",
        "cache-redis",
    ];
    for tester in testers {
        for part in tested {
            for kind in KINDS {
                check(
                    &format!("double11-{tester}"),
                    &format!("double11-{part}"),
                    kind,
                    false,
                );
            }
        }
    }
}

#[test]
fn nothing_reaches_upwards() {
    let rows = [
        ("double11-units", "double11-measure"),
        ("double11-measure", "double11-report"),
        ("double11-measure", "double11-load"),
        ("double11-report", "double11-load"),
        ("double11-load", "double11-jmeter"),
        ("double11-store", "double11-store-sqlite"),
        ("double11-store-sqlite", "double11-shop"),
        ("double11-shop", "double11-measure"),
        ("double11-shop", "double11"),
        ("double11-rehearsal", "double11"),
        ("double11", "double11-tidy"),
    ];
    for (member, dependency) in rows {
        for kind in KINDS {
            check(member, dependency, kind, false);
        }
    }
}

#[test]
fn the_drawn_arrows_are_allowed() {
    let rows = [
        ("double11", "double11-rehearsal"),
        ("double11", "double11-store-sqlite"),
        ("double11-rehearsal", "double11-load"),
        ("double11-rehearsal", "double11-audit"),
        ("double11-shop", "double11-store"),
        ("double11-store-sqlite", "double11-store"),
        ("double11-report", "double11-measure"),
        ("double11-measure", "double11-units"),
    ];
    for (member, dependency) in rows {
        check(member, dependency, DependencyKind::Normal, true);
    }
}

#[test]
fn only_tests_of_the_shop_may_use_a_store() {
    check(
        "double11-shop",
        "double11-store-sqlite",
        DependencyKind::Development,
        true,
    );
    check(
        "double11-shop",
        "double11-store-sqlite",
        DependencyKind::Normal,
        false,
    );
    check(
        "double11-shop",
        "double11-store-sqlite",
        DependencyKind::Build,
        false,
    );
}

#[test]
fn libraries_stay_where_they_belong() {
    let normal = DependencyKind::Normal;
    check("double11", "anyhow", normal, true);
    check("double11-shop", "anyhow", normal, false);
    check("double11-shop", "prometheus", normal, true);
    check("double11-monitor", "prometheus", normal, false);
    check("double11-audit", "rusqlite", normal, true);
    check("double11-rehearsal", "rusqlite", normal, false);
    check("double11", "rusqlite", DependencyKind::Development, true);
    check("double11-measure", "rand", normal, false);
    check(
        "double11-measure",
        "rand",
        DependencyKind::Development,
        true,
    );
    check("double11-report", "maud", normal, true);
}

#[test]
fn an_unknown_crate_needs_a_row() {
    check("double11-new", "serde", DependencyKind::Normal, false);
}
