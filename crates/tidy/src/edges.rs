//! The arrows between the crates, and which crate may name which library.
//!
//! A tester that shares code with what it tests cannot find its faults. Therefore load engine,
//! audit, monitoring, measuring and report never reach the shop or a store, not even from their
//! tests; the table below says so by naming everything that *is* allowed.

use crate::{Dependency, DependencyKind, Finding, Package, Workspace};

/// What one crate of the workspace may depend on.
struct Row {
    member: &'static str,
    /// Crates of the workspace, for the crate itself, its build script and its tests.
    allowed: &'static [&'static str],
    /// Crates of the workspace for its tests alone.
    in_tests: &'static [&'static str],
}

const MEASURING: &[&str] = &["double11-measure", "double11-units"];
const STORE: &[&str] = &["double11-store", "double11-units"];
const SHOP: &[&str] = &["double11-gateway", "double11-store", "double11-units"];
/// Private servers are for tests alone, and for the bench.
const SERVERS: &[&str] = &["double11-servers"];
/// The tests of the program lose power, and have servers to lose.
const PROGRAM_TESTS: &[&str] = &[
    "double11-power-loss",
    "double11-power-loss-shim",
    "double11-servers",
];
/// The store's tests lose power as well, and count what an order costs.
const STORE_TESTS: &[&str] = &[
    "double11-gate",
    "double11-power-loss",
    "double11-power-loss-shim",
];

const ROWS: &[Row] = &[
    Row {
        member: "double11-units",
        allowed: &[],
        in_tests: &[],
    },
    Row {
        member: "double11-measure",
        allowed: &["double11-units"],
        in_tests: &[],
    },
    Row {
        member: "double11-report",
        allowed: MEASURING,
        in_tests: &[],
    },
    Row {
        member: "double11-monitor",
        allowed: MEASURING,
        in_tests: &[],
    },
    Row {
        member: "double11-load",
        allowed: MEASURING,
        in_tests: &["double11-gate"],
    },
    Row {
        // It knows processes by their ids alone.
        member: "double11-limits",
        allowed: &[],
        in_tests: &[],
    },
    Row {
        // It reads a plan and runs nothing.
        member: "double11-jmx",
        allowed: &[],
        in_tests: &[],
    },
    Row {
        member: "double11-jmeter",
        allowed: &[
            "double11-jmx",
            "double11-load",
            "double11-measure",
            "double11-units",
        ],
        in_tests: &["double11-gate"],
    },
    Row {
        // It knows the metrics by their names alone.
        member: "double11-dashboards",
        allowed: &[],
        in_tests: &[],
    },
    Row {
        member: "double11-audit",
        allowed: &["double11-units"],
        in_tests: SERVERS,
    },
    Row {
        member: "double11-store",
        allowed: &["double11-units"],
        in_tests: &[],
    },
    Row {
        member: "double11-store-sqlite",
        allowed: STORE,
        in_tests: STORE_TESTS,
    },
    Row {
        member: "double11-store-mysql",
        allowed: STORE,
        in_tests: SERVERS,
    },
    Row {
        member: "double11-cache-redis",
        allowed: STORE,
        in_tests: SERVERS,
    },
    Row {
        // It runs without a shop: of the store it has the clock.
        member: "double11-gateway",
        allowed: STORE,
        in_tests: &[],
    },
    Row {
        member: "double11-shop",
        allowed: SHOP,
        in_tests: &[
            "double11-cache-redis",
            "double11-gate",
            "double11-servers",
            "double11-store-sqlite",
        ],
    },
    Row {
        // It draws with the chart library that the report carries; the workspace has one copy of it.
        member: "double11-viewer",
        allowed: &["double11-report"],
        in_tests: &[],
    },
    Row {
        member: "double11-rehearsal",
        allowed: &[
            "double11-audit",
            "double11-jmeter",
            "double11-limits",
            "double11-load",
            "double11-measure",
            "double11-monitor",
            "double11-report",
            "double11-units",
        ],
        in_tests: &[],
    },
    Row {
        member: "double11",
        allowed: &[
            "double11-audit",
            "double11-cache-redis",
            "double11-dashboards",
            "double11-gateway",
            "double11-jmeter",
            "double11-jmx",
            "double11-limits",
            "double11-load",
            "double11-measure",
            "double11-monitor",
            "double11-rehearsal",
            "double11-report",
            "double11-shop",
            "double11-store",
            "double11-store-mysql",
            "double11-store-sqlite",
            "double11-units",
            "double11-viewer",
        ],
        in_tests: PROGRAM_TESTS,
    },
    Row {
        // It runs the program from outside and judges nothing; of the shop it has the HTTP stack.
        member: "double11-bench",
        allowed: &[
            "double11-gateway",
            "double11-load",
            "double11-measure",
            "double11-monitor",
            "double11-servers",
            "double11-shop",
            "double11-store",
            "double11-units",
        ],
        in_tests: &[],
    },
    Row {
        member: "double11-gate",
        allowed: &[],
        in_tests: &[],
    },
    Row {
        member: "double11-power-loss",
        allowed: &[],
        in_tests: &[],
    },
    Row {
        member: "double11-power-loss-shim",
        allowed: &["double11-power-loss"],
        in_tests: &[],
    },
    Row {
        member: "double11-servers",
        allowed: &[],
        in_tests: &[],
    },
    Row {
        member: "double11-tidy",
        allowed: &[],
        in_tests: &[],
    },
];

/// A library that only some crates may link; their tests are free to use it.
struct Confined {
    library: &'static str,
    members: &'static [&'static str],
    reason: &'static str,
}

const CONFINED: &[Confined] = &[
    Confined {
        library: "anyhow",
        members: &["double11", "double11-bench"],
        reason: "libraries name their errors, only programs string them together",
    },
    Confined {
        library: "clap",
        members: &["double11", "double11-bench"],
        reason: "only programs have a command line",
    },
    Confined {
        library: "indicatif",
        members: &["double11"],
        reason: "only the program writes to a terminal",
    },
    Confined {
        library: "tracing-subscriber",
        members: &["double11"],
        reason: "only the program decides where logs go",
    },
    Confined {
        library: "httpdate",
        members: &["double11-shop", "double11-jmeter"],
        reason: "only the shop serves HTTP, and only the runner of JMeter plans keeps cookies and a cache",
    },
    Confined {
        library: "prometheus",
        members: &["double11-shop"],
        reason: "only the shop has metrics; the others read them as text",
    },
    Confined {
        library: "rusqlite",
        members: &["double11-audit", "double11-store-sqlite"],
        reason: "SQL belongs to the store and, in words of its own, to the audit",
    },
    Confined {
        library: "mysql",
        members: &["double11-audit", "double11-store-mysql"],
        reason: "SQL belongs to the store and, in words of its own, to the audit",
    },
    Confined {
        library: "mio",
        members: &["double11-load"],
        reason: "only the load engine polls sockets itself",
    },
];

/// The crates that do no input or output and read no clock, and libraries that would let them.
const PURE: &[&str] = &[
    "double11-units",
    "double11-measure",
    "double11-report",
    "double11-jmx",
];
const IMPURE: &[&str] = &[
    "mio",
    "rand",
    "rusqlite",
    "rustix",
    "signal-hook",
    "socket2",
    "tokio",
    "ureq",
];

/// Every dependency of a workspace crate that the tables do not allow, and every workspace crate
/// that they do not know.
pub fn forbidden_edges(workspace: &Workspace) -> Vec<Finding> {
    let names: Vec<&str> = workspace
        .members()
        .map(|member| member.name.as_str())
        .collect();
    workspace
        .members()
        .flat_map(|member| check_member(member, &names))
        .collect()
}

fn check_member(member: &Package, members: &[&str]) -> Vec<Finding> {
    let Some(row) = ROWS.iter().find(|row| row.member == member.name) else {
        let problem = "the table of arrows has no row for this crate; add one with its reason";
        return vec![Finding::new(&member.name, problem)];
    };
    member
        .dependencies
        .iter()
        .filter_map(|dependency| {
            if members.contains(&dependency.name.as_str()) || is_known(&dependency.name) {
                check_arrow(row, dependency)
            } else {
                check_library(&member.name, dependency)
            }
        })
        .map(|problem| Finding::new(&member.name, problem))
        .collect()
}

fn is_known(name: &str) -> bool {
    ROWS.iter().any(|row| row.member == name)
}

fn check_arrow(row: &Row, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    let in_tests = dependency.kind == DependencyKind::Development;
    let allowed = name == row.member && in_tests
        || row.allowed.contains(&name)
        || in_tests && row.in_tests.contains(&name);
    (!allowed).then(|| {
        let part = match dependency.kind {
            DependencyKind::Normal => "the crate",
            DependencyKind::Development => "its tests",
            DependencyKind::Build => "its build script",
        };
        format!("{part} must not depend on `{name}`")
    })
}

fn check_library(member: &str, dependency: &Dependency) -> Option<String> {
    if dependency.kind == DependencyKind::Development {
        return None;
    }
    let name = dependency.name.as_str();
    if PURE.contains(&member) && IMPURE.contains(&name) {
        return Some(format!(
            "must not depend on `{name}`: it works on readers and writers handed to it, without a \
             clock or a random number generator of its own"
        ));
    }
    let confined = CONFINED.iter().find(|confined| confined.library == name)?;
    (!confined.members.contains(&member))
        .then(|| format!("must not depend on `{name}`: {}", confined.reason))
}

#[cfg(test)]
mod tests;
