mod registry;

use std::path::Path;
use std::sync::Arc;

use double11_jmx::document::{self, Element, Limits};

use super::*;
use crate::compiler::Compiler;
use crate::http::HttpSettings;
use crate::run::Run;
use crate::user::User;

/// A plan with these thread groups and other elements, made ready, and what is wrong with it.
pub(crate) fn compiled(root: &Element, folder: &Path) -> (Plan, Vec<String>) {
    let mut compiler = Compiler::new(folder);
    let none = |_: &str| None;
    let http = Arc::new(HttpSettings::new(&none, None, &mut compiler).unwrap());
    let form = SaveForm::of(&none).unwrap();
    let include = |path: &Path| {
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        let document = document::read(&bytes, Limits::STANDARD);
        Ok(document.map_err(|error| error.to_string())?.root)
    };
    let options = PlanOptions {
        http: &http,
        form: &form,
        needs: Needs::default(),
        include_prefix: "",
        include: &include,
    };
    let plan = compile(root, &options, &mut compiler);
    let problems = compiler.problems().iter();
    let problems = problems.map(|problem| format!("{}: {}", problem.name, problem.text));
    (plan, problems.collect())
}

/// A plan without problems.
pub(crate) fn plan(groups: Vec<Element>) -> Plan {
    let mut root = Element::new("TestPlan", "Plan");
    root.children = groups;
    let (plan, problems) = compiled(&root, Path::new("."));
    assert_eq!(problems, Vec::<String>::new());
    plan
}

/// A thread group of one user.
pub(crate) fn group(loops: &str, children: Vec<Element>) -> Element {
    let main = Element::new("LoopController", "").with("LoopController.loops", loops);
    let mut group = Element::new("ThreadGroup", "Group").with("ThreadGroup.num_threads", "1");
    let main = double11_jmx::document::Property::Element(Box::new(main));
    group.properties.set("ThreadGroup.main_controller", main);
    group.children = children;
    group
}

/// A sampler that needs no server.
pub(crate) fn sampler(name: &str) -> Element {
    Element::new("DebugSampler", name)
}

/// An element with these below it.
pub(crate) fn with(mut element: Element, children: Vec<Element>) -> Element {
    element.children = children;
    element
}

/// A user of a run of its own.
pub(crate) fn user() -> User {
    let run = Run::new(Path::new("."), std::collections::HashMap::new(), 7);
    User::new(&Arc::new(run), "Group", 1, 1)
}

fn assertion(name: &str) -> Element {
    Element::new("DurationAssertion", name).with("DurationAssertion.duration", "1")
}

#[test]
fn what_is_around_a_sampler_runs_from_the_outside_in() {
    let plan = plan(vec![
        group(
            "1",
            vec![
                assertion("group"),
                with(
                    Element::new("GenericController", "Simple"),
                    vec![
                        with(
                            sampler("A"),
                            vec![
                                assertion("own"),
                                Element::new("ConstantTimer", "own")
                                    .with("ConstantTimer.delay", "1"),
                            ],
                        ),
                        assertion("simple"),
                        sampler("B"),
                    ],
                ),
                Element::new("ConstantTimer", "group").with("ConstantTimer.delay", "2"),
            ],
        ),
        assertion("plan"),
    ]);
    let packages = &plan.groups[0].packages;
    // Compiled in the order of the plan: group, own, simple, and that of the plan itself at the end.
    assert_eq!(&*packages[0].assertions, [0, 3, 2, 1]);
    assert_eq!(&*packages[1].assertions, [0, 3, 2]);
    assert_eq!(&*packages[0].timers, [0, 1], "the nearest first");
    assert_eq!(&*packages[1].timers, [1]);
}

#[test]
fn what_is_disabled_takes_no_part() {
    let mut off = group("1", vec![sampler("A")]);
    off.enabled = false;
    let mut hidden = with(Element::new("GenericController", "Off"), vec![sampler("B")]);
    hidden.enabled = false;
    let plan = plan(vec![off, group("1", vec![hidden, sampler("C")])]);
    assert_eq!(plan.groups.len(), 1);
    assert_eq!(plan.groups[0].packages.len(), 1);
}

#[test]
fn modules_stand_in_for_what_they_name_even_if_that_is_disabled() {
    let mut fragment = with(
        Element::new("TestFragmentController", "Fragment"),
        vec![with(
            Element::new("GenericController", "Steps"),
            vec![sampler("A"), sampler("B")],
        )],
    );
    fragment.enabled = false;
    let path = ["Test Plan", "Plan", "Fragment", "Steps"];
    let module =
        Element::new("ModuleController", "Module").with_list("ModuleController.node_path", &path);
    let plan = plan(vec![fragment, group("1", vec![module.clone(), module])]);
    assert_eq!(plan.groups[0].packages.len(), 4);
}

#[test]
fn modules_and_files_that_lead_nowhere_or_to_themselves_are_refused() {
    let check = |child: Element, expected: &str| {
        let mut root = Element::new("TestPlan", "Plan");
        root.children = vec![group("1", vec![child, sampler("A")])];
        let (_, problems) = compiled(&root, Path::new("/nowhere"));
        assert!(problems[0].contains(expected), "{problems:?}");
    };
    let path = ["Test Plan", "Plan", "Group", "Gone"];
    let module =
        Element::new("ModuleController", "Module").with_list("ModuleController.node_path", &path);
    check(
        module,
        "there is no element `Test Plan > Plan > Group > Gone`",
    );
    let path = ["Test Plan", "Plan", "Group", "Loop"];
    let module =
        Element::new("ModuleController", "Module").with_list("ModuleController.node_path", &path);
    check(
        with(Element::new("GenericController", "Loop"), vec![module]),
        "it leads to itself",
    );
    let include = Element::new("IncludeController", "Include")
        .with("IncludeController.includepath", "gone.jmx");
    check(include, "gone.jmx");
    check(
        Element::new("Surprise", "S"),
        "elements of class `Surprise`",
    );
}

#[test]
fn defaults_fill_in_what_a_sampler_leaves_empty_and_add_arguments() {
    let argument = |name: &str| Element::new("HTTPArgument", name);
    let arguments = |names: &[&str]| {
        let arguments = names.iter().map(|name| argument(name)).collect();
        let own = Element::new("Arguments", "").with_elements("Arguments.arguments", arguments);
        double11_jmx::document::Property::Element(Box::new(own))
    };
    let mut sampler = Element::new("HTTPSamplerProxy", "")
        .with("HTTPSampler.domain", "")
        .with("HTTPSampler.path", "/own");
    sampler
        .properties
        .set("HTTPsampler.Arguments", arguments(&["a"]));
    let defaults = |gui: &str, domain: &str| {
        let mut config = Element::new("ConfigTestElement", "Defaults")
            .with("HTTPSampler.domain", domain)
            .with("HTTPSampler.path", "/default")
            .with("HTTPSampler.port", "8080");
        gui.clone_into(&mut config.gui_class);
        config
            .properties
            .set("HTTPsampler.Arguments", arguments(&["b"]));
        config
    };
    let near = defaults("HttpDefaultsGui", "near");
    let far = defaults("HttpDefaultsGui", "far");
    let other = defaults("FtpConfigGui", "ftp");
    let merged = merge::http(&sampler, &[&other, &near, &far]);
    assert_eq!(merged.name, "Defaults");
    assert_eq!(merged.text("HTTPSampler.domain"), "near");
    assert_eq!(merged.text("HTTPSampler.path"), "/own");
    assert_eq!(merged.text("HTTPSampler.port"), "8080");
    let arguments = merged.element("HTTPsampler.Arguments").unwrap();
    let names: Vec<&str> = arguments
        .elements("Arguments.arguments")
        .map(|argument| argument.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "b"]);
}
