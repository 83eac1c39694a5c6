use std::collections::HashMap;
use std::path::Path;

use double11_jmx::document::Element;

use super::*;
use crate::plan::tests::{group, plan, sampler, with};
use crate::results::RecorderOptions;

/// Runs a plan of these groups; the rows of its result file: label, code, message, user, success.
fn rows(groups: Vec<Element>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.jtl");
    let plan = Arc::new(plan(groups));
    let run = Run::new(Path::new("."), HashMap::new(), 1);
    let mut user = begin(&plan, &Arc::new(run));
    let mut options = RecorderOptions::of(&|_| None).unwrap();
    options.log_file = Some(file.clone());
    let listeners = &plan.elements.listeners;
    let mut recorder = Recorder::start(options, listeners, &mut user, Box::new(drop)).unwrap();
    let stop = StopHandle::default();
    let options = EngineOptions { workers: Some(2) };
    super::run(&plan, user, &mut recorder, &stop, options).unwrap();
    recorder.finish().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        // The message of a transaction holds a comma, so it is quoted.
        let line = line.replace(", number", "; number");
        let fields: Vec<&str> = line.split(',').collect();
        rows.push([fields[2], fields[3], fields[4], fields[5], fields[7]].join(","));
    }
    rows
}

#[test]
fn users_run_their_samplers_and_results_are_written() {
    let mut two = group("2", vec![sampler("A"), sampler("${__threadNum}")]);
    two = two.with("ThreadGroup.num_threads", "2");
    let mut rows = rows(vec![two]);
    rows.sort();
    assert_eq!(
        rows,
        [
            "1,200,OK,Group 1-1,true",
            "1,200,OK,Group 1-1,true",
            "2,200,OK,Group 1-2,true",
            "2,200,OK,Group 1-2,true",
            "A,200,OK,Group 1-1,true",
            "A,200,OK,Group 1-1,true",
            "A,200,OK,Group 1-2,true",
            "A,200,OK,Group 1-2,true",
        ]
    );
}

#[test]
fn set_up_comes_first_and_tear_down_last() {
    let of = |class: &str, name: &str| {
        let mut group = group("1", vec![sampler(name)]);
        class.clone_into(&mut group.class);
        group
    };
    let rows = rows(vec![
        of("PostThreadGroup", "post"),
        of("ThreadGroup", "main"),
        of("SetupThreadGroup", "setup"),
    ]);
    let labels: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.split(',').next())
        .collect();
    assert_eq!(labels, ["setup", "main", "post"]);
}

#[test]
fn transactions_of_both_kinds_leave_their_rows() {
    let transaction = |parent: &str| {
        let own = Element::new("TransactionController", "T");
        with(
            own.with("TransactionController.parent", parent),
            vec![sampler("A"), sampler("B")],
        )
    };
    let row = "T,200,\"Number of samples in transaction : 2; number of failing samples : 0\",\
               Group 1-1,true";
    let own = |name: &str| format!("{name},200,OK,Group 1-1,true");
    assert_eq!(
        rows(vec![group("1", vec![transaction("false")])]),
        [own("A"), own("B"), row.to_owned()]
    );
    // Parts come after what they are parts of.
    assert_eq!(
        rows(vec![group("1", vec![transaction("true")])]),
        [row.to_owned(), own("A"), own("B")]
    );
    let nested = with(
        Element::new("TransactionController", "Outer").with("TransactionController.parent", "true"),
        vec![transaction("true"), sampler("C")],
    );
    let outer = row.replacen('T', "Outer", 1);
    assert_eq!(
        rows(vec![group("1", vec![nested])]),
        [outer, row.to_owned(), own("A"), own("B"), own("C")]
    );
}

#[test]
fn flow_control_leaves_loops_and_ends_users() {
    let action = |number: &str| {
        Element::new("TestAction", "Action")
            .with("ActionProcessor.action", number)
            .with("ActionProcessor.target", "0")
    };
    let labels = |children: Vec<Element>| {
        let rows = rows(vec![group("2", children)]);
        let labels = rows.iter().filter_map(|row| row.split(',').next());
        labels.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(labels(vec![sampler("A"), action("3"), sampler("B")]), "A A");
    assert_eq!(labels(vec![sampler("A"), action("0"), sampler("B")]), "A");
    assert_eq!(
        labels(vec![sampler("A"), action("1"), sampler("B")]),
        "A B A B"
    );
}

#[test]
fn variables_of_the_plan_see_those_before_them() {
    let argument = |name: &str, value: &str| {
        Element::new("Argument", name)
            .with("Argument.name", name)
            .with("Argument.value", value)
    };
    let set = |arguments: Vec<Element>| {
        Element::new("Arguments", "Variables").with_elements("Arguments.arguments", arguments)
    };
    let plan = plan(vec![
        set(vec![
            argument("a", "1"),
            argument("b", "${a}"),
            argument("a", "2"),
        ]),
        group("1", vec![sampler("A"), set(vec![argument("c", "${a}3")])]),
    ]);
    let run = Run::new(Path::new("."), HashMap::new(), 1);
    let user = begin(&plan, &Arc::new(run));
    let get = |name: &str| user.variables.get(name).unwrap_or_default().to_owned();
    assert_eq!([get("a"), get("b"), get("c")], ["1", "${a}", "13"]);
}

#[test]
fn a_group_that_cannot_start_says_why() {
    let group = group("1", vec![sampler("A")]).with("ThreadGroup.num_threads", "many");
    let plan = plan(vec![group]);
    let run = Run::new(Path::new("."), HashMap::new(), 1);
    let mut user = begin(&plan, &Arc::new(run));
    let error = check(&plan, &mut user).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "the number of threads is `many`: give a whole number from 0 to 1000000"
    );
}
