//! Every plan in `plans/`, by both.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::compare::{Leave, differences};
use crate::runner::{Runner, real_is_here};

/// A plan and what of it is left to chance.
struct Plan {
    /// The name of its file in `plans/`.
    name: &'static str,
    /// What is not compared.
    leave: Leave,
    /// Patterns of generated values.
    generated: &'static [&'static str],
    /// Options of both.
    options: &'static [&'static str],
}

/// Runs of `JMeter` at most, any of which may be the one that ours is equal to; ours runs once. `JMeter` does
/// not always do the same: it notes a stop on a thread of its own, so that the engine may or may not go on to
/// what tears down, and of resources that are fetched at once it sometimes counts no bytes as sent.
const RUNS_MAX: u32 = 4;

const NOTHING: Leave = Leave {
    threads: false,
    counts: false,
    sizes: false,
};
const THREADS: Leave = Leave {
    threads: true,
    ..NOTHING
};
const COUNTS: Leave = Leave {
    counts: true,
    ..NOTHING
};

const THREADS_AND_COUNTS: Leave = Leave {
    threads: true,
    ..COUNTS
};

/// Boundaries between parts are of random length.
const SIZES: Leave = Leave {
    sizes: true,
    ..NOTHING
};

const fn plan(name: &'static str, leave: Leave) -> Plan {
    Plan {
        name,
        leave,
        generated: &[],
        options: &[],
    }
}

const PLANS: &[Plan] = &[
    plan("requests", NOTHING),
    plan("answers", NOTHING),
    plan("failures", NOTHING),
    plan("redirects", NOTHING),
    Plan {
        generated: &[r"ResDownload-Thread-\d+"],
        ..plan("resources", NOTHING)
    },
    plan("cookies", NOTHING),
    plan("cache", NOTHING),
    plan("authorization", NOTHING),
    plan("headers", NOTHING),
    plan("multipart", SIZES),
    plan("controllers", NOTHING),
    plan("chance", THREADS_AND_COUNTS),
    plan("transactions", NOTHING),
    plan("reuse", NOTHING),
    plan("groups", COUNTS),
    plan("serial", NOTHING),
    plan("stop_test", NOTHING),
    plan("stop_now", NOTHING),
    plan("stop_action", NOTHING),
    plan("scoping", NOTHING),
    plan("timers", COUNTS),
    plan("extractors", NOTHING),
    // What a sample shows of variables has objects of Java in it, which are named by chance.
    plan("debug", SIZES),
    Plan {
        generated: WORDED_OTHERWISE,
        ..plan("assertions", NOTHING)
    },
    plan("data", NOTHING),
    plan("shared", THREADS),
    plan("functions", NOTHING),
    plan("dashboard", THREADS),
    plan("listeners", NOTHING),
    plan("more", NOTHING),
    plan("arrivals", THREADS),
    plan("plugins", THREADS_AND_COUNTS),
    plan("proxy", NOTHING),
    plan("refused", NOTHING),
    plan("uploads", SIZES),
    Plan {
        generated: GENERATED,
        ..plan("generated", NOTHING)
    },
];

/// Messages that later versions of `JMeter` or other libraries than Java's word otherwise, and measured times.
const WORDED_OTHERWISE: &[&str] = &[
    r"Value( in json path \\'.*?\\')? expected",
    r"Expected to find an object with property .*JsonSmartJsonProvider\\'\.|not JSON at byte \d+",
    r"Unrecognized token .*column: 5\]|expected value at line 1 column 1",
    r"Unmatched parentheses\.|Parsing error at position [^|]*",
    r"It took \d+ milliseconds",
];

/// UUIDs, dates, times and random texts, in that order.
const GENERATED: &[&str] = &[
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    r"\b20\d\d-\d\d-\d\d(T\d\d:\d\d:\d\d\.\d{3})?\b",
    r"\b20\d{6}\b",
    r"\b\d{13}\b",
    r"\b\d{10}\b",
];

/// Plans that do not run as in `JMeter` yet, and why. One that has become equal fails the test until it is
/// taken off this list; ROADMAP section 4 is the same list in other words.
const DIFFERING: &[(&str, &str)] = &[
    (
        "refused",
        "expressions beyond the subset, a function that is not known and a bad pattern are refused, where \
         JMeter writes a line into its log and goes on",
    ),
    (
        "uploads",
        "of a request whose file is missing JMeter sends what comes before the file",
    ),
];

#[test]
fn plans_run_as_in_jmeter() {
    if !real_is_here() {
        return;
    }
    let chosen = chosen();
    let plans: Vec<&Plan> = PLANS
        .iter()
        .filter(|plan| chosen.as_deref().is_none_or(|name| name == plan.name))
        .collect();
    assert!(!plans.is_empty(), "there is no plan {chosen:?}");
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let known = |plan: &Plan| DIFFERING.iter().find(|(name, _)| *name == plan.name);
    // Two at a time: what takes long is the start of Java.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match (differing(plan), known(plan)) {
                        (Some(text), None) => found.lock().unwrap().push(text),
                        (Some(text), Some(_)) if chosen.is_some() => eprintln!("{text}"),
                        (Some(_), Some((name, why))) => eprintln!("not equal yet: {name}: {why}"),
                        (None, Some((name, _))) => {
                            let text = format!("== {name} is equal now: take it off the list");
                            found.lock().unwrap().push(text);
                        }
                        (None, None) => {}
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(
        found.is_empty(),
        "{} of {} plans differ\n\n{}",
        found.len(),
        plans.len(),
        found.join("\n")
    );
}

/// Each file in `plans/` is run.
#[test]
fn every_plan_is_listed() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jmx") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(
                PLANS.iter().any(|plan| plan.name == name),
                "{name} is not in the list"
            );
        }
    }
}

/// What differs for a plan, if anything.
fn differing(plan: &Plan) -> Option<String> {
    let file = folder().join(plan.name).with_extension("jmx");
    let ours = Runner::Ours.run(&file, plan.options);
    let is_known = DIFFERING.iter().any(|(name, _)| *name == plan.name);
    let mut text = String::new();
    for run in 1..=if is_known { 1 } else { RUNS_MAX } {
        let real = Runner::Real.run(&file, plan.options);
        assert!(
            real.rows.len() > 1,
            "JMeter ran nothing of {}: {}",
            plan.name,
            real.console
        );
        text = differences(&real, &ours, plan.leave, plan.generated);
        if text.is_empty() {
            break;
        }
        eprintln!("{}: not equal to run {run} of JMeter", plan.name);
    }
    let shown = if ours.rows.is_empty() {
        &ours.console
    } else {
        ""
    };
    (!text.is_empty()).then(|| format!("== {}\n{text}{shown}", plan.name))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jmeter/plans")
}

#[expect(
    clippy::disallowed_methods,
    reason = "who looks into one plan says so by the environment"
)]
fn chosen() -> Option<String> {
    std::env::var("DOUBLE11_JMETER_PLAN").ok()
}
