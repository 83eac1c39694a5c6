//! Data of iterations and users: files of values, counters, random numbers, parameters.

use std::collections::HashMap;
use std::future::Future as _;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use double11_jmx::document::{Element, Property};

use super::super::{DataConfig, Next, PreProcessor};
use super::{user, user_in};
use crate::compiler::Compiler;
use crate::run::Run;
use crate::samplers::{Action, Sampler};
use crate::user::User;
use crate::walk::LoopAction;

/// The values of the variables `a` and `b` over iterations, and whether the user stopped.
fn iterations(element: &Element, users: &mut [User], count: usize) -> String {
    let mut compiler = Compiler::default();
    let data = DataConfig::compile(element, &mut compiler).unwrap();
    assert_eq!(compiler.problems(), []);
    let mut seen = Vec::new();
    for index in 0..count {
        let user_count = users.len();
        let user = &mut users[index % user_count];
        if data.iteration_start(user) == Next::StopUser {
            seen.push("stop".to_owned());
            break;
        }
        let value = |name| user.variables.get(name).unwrap_or("?");
        seen.push(format!("{}{}", value("a"), value("b")));
    }
    seen.join(" ")
}

#[test]
fn lines_of_files_become_variables() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.csv"), "a,b\r\n1,x\r\n2,\"y,\"\"z\"\n").unwrap();
    std::fs::write(folder.path().join("gap.csv"), "1,x\n\n3\n").unwrap();
    std::fs::write(folder.path().join("t.csv"), "1\tx\n").unwrap();
    std::fs::write(folder.path().join("bom.csv"), "\u{feff}1,\u{e4}\n").unwrap();
    std::fs::write(folder.path().join("latin.csv"), b"1,\xe4\n").unwrap();
    let csv = |file: &str, names: &str| {
        Element::new("CSVDataSet", "CSV Data Set Config")
            .with("filename", file)
            .with("variableNames", names)
            .with("delimiter", ",")
            .with("shareMode", "shareMode.all")
    };
    for (element, expected) in [
        (
            csv("d.csv", "").with("quotedData", "true"),
            "1x 2y,\"z 1x 2y,\"z",
        ),
        (
            csv("d.csv", "a,b").with("ignoreFirstLine", "true"),
            "1x 2\"y 1x 2\"y",
        ),
        (csv("d.csv", " b , a"), "ba x1 \"y2 ba"),
        (
            csv("d.csv", "")
                .with("quotedData", "true")
                .with("recycle", "false"),
            "1x 2y,\"z <EOF><EOF> <EOF><EOF>",
        ),
        (
            csv("d.csv", "")
                .with("recycle", "false")
                .with("stopThread", "true"),
            "1x 2\"y stop",
        ),
        // A line that holds nothing counts as the end, one that is short leaves what was there.
        (csv("gap.csv", "a,b"), "1x <EOF><EOF> 3<EOF> 1x"),
        (csv("t.csv", "a,b").with("delimiter", "\\t"), "1x 1x 1x 1x"),
        (csv("bom.csv", "a,b"), "1ä 1ä 1ä 1ä"),
        (
            csv("latin.csv", "a,b").with("fileEncoding", "ISO-8859-1"),
            "1ä 1ä 1ä 1ä",
        ),
        (csv("missing.csv", "a,b"), "stop"),
    ] {
        let mut users = [user_in(folder.path())];
        assert_eq!(iterations(&element, &mut users, 4), expected);
    }
}

#[test]
fn users_share_files_as_the_plan_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.csv"), "1\n2\n3\n").unwrap();
    for (mode, expected) in [
        ("shareMode.all", "1? 2? 3? 1?"),
        ("shareMode.thread", "1? 1? 2? 2?"),
        ("shareMode.group", "1? 1? 2? 2?"),
        ("mine", "1? 2? 3? 1?"),
    ] {
        let run = Arc::new(Run::new(folder.path(), HashMap::new(), 1));
        let mut users = [User::new(&run, "One", 1, 1), User::new(&run, "Two", 2, 1)];
        let element = Element::new("CSVDataSet", "CSV")
            .with("filename", "d.csv")
            .with("variableNames", "a")
            .with("shareMode", mode);
        assert_eq!(iterations(&element, &mut users, 4), expected, "{mode}");
    }
}

#[test]
fn counters_count() {
    let counter = |format: &str| {
        Element::new("CounterConfig", "Counter")
            .with("CounterConfig.start", "1")
            .with("CounterConfig.incr", "2")
            .with("CounterConfig.end", "4")
            .with("CounterConfig.name", "a")
            .with("CounterConfig.format", format)
    };
    let run = Arc::new(Run::new(Path::new("."), HashMap::new(), 1));
    for (element, expected) in [
        (counter(""), "1? 3? 1? 3? 1?"),
        (counter("00"), "01? 03? 01? 03? 01?"),
        (
            counter("").with("CounterConfig.per_user", "true"),
            "1? 1? 3? 3? 1?",
        ),
        (counter("").with("CounterConfig.end", ""), "1? 3? 5? 7? 9?"),
    ] {
        let mut users = [User::new(&run, "One", 1, 1), User::new(&run, "One", 1, 2)];
        assert_eq!(iterations(&element, &mut users, 5), expected);
    }
}

#[test]
fn seeded_random_variables_are_those_of_java() {
    let element = Element::new("RandomVariableConfig", "Random Variable")
        .with("minimumValue", "1")
        .with("maximumValue", "100")
        .with("randomSeed", "42")
        .with("outputFormat", "N000")
        .with("variableName", "a");
    let mut users = [user(), user()];
    let seen = iterations(&element, &mut users, 4);
    assert_eq!(seen, "N031? N064? N049? N085?");
}

#[test]
fn lines_in_any_order_come_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.csv"), "a\n1\n2\n3\n4\n").unwrap();
    let random = Element::new("com.blazemeter.jmeter.RandomCSVDataSetConfig", "Random")
        .with("filename", "d.csv")
        .with("delimiter", ",")
        .with("randomOrder", "true");
    let mut users = [user_in(folder.path()), user_in(folder.path())];
    let seen = iterations(&random, &mut users, 9);
    let mut lines: Vec<&str> = seen.split(' ').collect();
    assert_eq!(lines.pop(), Some("stop"));
    lines.sort_unstable();
    assert_eq!(lines, ["1?", "2?", "3?", "4?"]);
    let in_order = random
        .with("randomOrder", "false")
        .with("rewindOnTheEndOfList", "true");
    assert_eq!(iterations(&in_order, &mut users, 5), "1? 2? 3? 4? 1?");
}

#[test]
fn users_have_parameters_of_their_own() {
    let list = |texts: &[&str]| {
        let texts = texts
            .iter()
            .map(|text| (String::new(), Property::Text((*text).to_owned())));
        Property::List(texts.collect())
    };
    let mut element =
        Element::new("UserParameters", "Users").with_list("UserParameters.names", &["a"]);
    let values = vec![(String::new(), list(&["x"])), (String::new(), list(&["y"]))];
    element
        .properties
        .set("UserParameters.thread_values", Property::List(values));
    let run = Arc::new(Run::new(Path::new("."), HashMap::new(), 1));
    for (number, expected) in [(1, "x"), (2, "y"), (3, "x")] {
        let mut user = User::new(&run, "G", 1, number);
        let mut compiler = Compiler::default();
        let parameters = PreProcessor::compile(&element, &mut compiler).unwrap();
        assert!(!parameters.listens_to_iterations());
        let sampler = Sampler::Action(Action::Loop(LoopAction::Break));
        let mut process = Box::pin(parameters.process(&mut user, &sampler, None));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(process.as_mut().poll(&mut context), Poll::Ready(()));
        drop(process);
        assert_eq!(user.variables.get("a"), Some(expected));
    }
    let mut compiler = Compiler::default();
    let known = Element::new("SampleTimeout", "Timeout").with("InterruptTimer.timeout", "1500");
    let timeout = PreProcessor::compile(&known, &mut compiler).unwrap();
    let mut user = User::new(&run, "G", 1, 1);
    assert_eq!(
        timeout.timeout(&mut user),
        Some(Duration::from_millis(1_500))
    );
    assert!(PreProcessor::compile(&Element::new("Other", "O"), &mut compiler).is_none());
}
