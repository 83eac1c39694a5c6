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

/// A group of this class whose samplers come in order.
fn arrivals(class: &str, properties: &[(&str, &str)], children: Vec<Element>) -> Element {
    let mut group = Element::new(class, "Open");
    for (name, value) in properties {
        group = group.with(name, value);
    }
    with(group, children)
}

#[test]
fn each_arrival_is_an_iteration() {
    let schedule = "rate(50/s) even_arrivals(100 ms)";
    let open = arrivals(
        "OpenModelThreadGroup",
        &[("OpenModelThreadGroup.schedule", schedule)],
        vec![sampler("A"), sampler("B")],
    );
    let mut found = rows(vec![open]);
    found.sort();
    let expected: Vec<String> = ["A", "B"]
        .into_iter()
        .flat_map(|name| (1..=5).map(move |number| format!("{name},200,OK,Open 1-{number},true")))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn users_that_are_through_take_the_next_arrival() {
    let group = arrivals(
        "com.blazemeter.jmeter.threads.arrivals.ArrivalsThreadGroup",
        &[("TargetLevel", "20"), ("Hold", "1"), ("Unit", "S")],
        vec![sampler("${__iterationNum}")],
    );
    let found = rows(vec![group]);
    assert_eq!(found.len(), 20, "{found:?}");
    // Two threads have a user each, which is through before its next arrival.
    let users = |number: u32| {
        let name = format!("Open-ThreadStarter 1-{number},");
        found.iter().filter(|row| row.contains(&name)).count()
    };
    assert_eq!((users(1), users(2)), (10, 10), "{found:?}");
}

#[test]
fn arrivals_beyond_the_limit_are_dropped() {
    let mut sleeps = Element::new("JavaSampler", "slow").with("classname", "SleepTest");
    let argument = |name: &str, value: &str| {
        Element::new("Argument", name)
            .with("Argument.name", name)
            .with("Argument.value", value)
    };
    let arguments = Element::new("Arguments", "").with_elements(
        "Arguments.arguments",
        vec![argument("SleepTime", "2000"), argument("SleepMask", "0")],
    );
    let arguments = double11_jmx::document::Property::Element(Box::new(arguments));
    sleeps.properties.set("arguments", arguments);
    let limits = [
        ("TargetLevel", "20"),
        ("Hold", "1"),
        ("Unit", "S"),
        ("ConcurrencyLimit", "3"),
    ];
    let class = "com.blazemeter.jmeter.threads.arrivals.ArrivalsThreadGroup";
    assert_eq!(rows(vec![arrivals(class, &limits, vec![sleeps])]).len(), 3);
}

#[test]
fn a_throughput_shaping_timer_ends_its_group() {
    let cells = ["20", "20", "1"].map(|cell| {
        let cell = double11_jmx::document::Property::Text(cell.to_owned());
        (String::new(), cell)
    });
    let row = double11_jmx::document::Property::List(cells.to_vec());
    let mut timer = Element::new("kg.apc.jmeter.timers.VariableThroughputTimer", "shape");
    let rows_of_profile = double11_jmx::document::Property::List(vec![(String::new(), row)]);
    timer.properties.set("load_profile", rows_of_profile);
    let found = rows(vec![group("-1", vec![timer, sampler("A")])]);
    // A row of one second holds for two, as in the plugin.
    assert_eq!(found.len(), 40);
}

#[test]
fn a_transaction_that_fails_at_its_end_is_recorded_once() {
    // It holds of the samplers, whose body it is, and not of the transaction, which has none.
    let holds = Element::new("ResponseAssertion", "has a body")
        .with_list("Asserion.test_strings", &["JMeterVariables"])
        .with("Assertion.test_field", "Assertion.response_data")
        .with("Assertion.test_type", "2");
    let shows = |name: &str| sampler(name).with("displayJMeterVariables", "true");
    let transaction = |name: &str, children: Vec<Element>| {
        let own = Element::new("TransactionController", name);
        with(own.with("TransactionController.parent", "true"), children)
    };
    let labels = |children: Vec<Element>| {
        let group = group("2", children).with("ThreadGroup.on_sample_error", "startnextloop");
        let rows = rows(vec![group]);
        let labels = rows.iter().filter_map(|row| row.split(',').next());
        labels.collect::<Vec<_>>().join(" ")
    };
    let one = transaction("T", vec![shows("A"), holds.clone()]);
    assert_eq!(labels(vec![one.clone(), sampler("B")]), "T A T A");
    assert_eq!(labels(vec![transaction("O", vec![one])]), "O T A O T A");
}
