//! The table of what is supported, held against what compiles and runs.

use double11_jmx::document::Property;
use double11_jmx::registry::{ELEMENTS, Entry, FUNCTIONS, Family, Support};

use super::*;
use crate::functions;

fn runs(entry: &Entry) -> bool {
    matches!(entry.support, Support::Supported | Support::Expression)
}

/// An element with what it cannot be without.
fn minimal(class: &str) -> Element {
    let row = || {
        let cells = ["1"; 5].map(|cell| (String::new(), Property::Text(cell.to_owned())));
        Property::List(vec![(String::new(), Property::List(cells.to_vec()))])
    };
    let mut element = Element::new(class, "it");
    match class {
        "kg.apc.jmeter.threads.UltimateThreadGroup" => {
            element.properties.set("ultimatethreadgroupdata", row());
        }
        "com.blazemeter.jmeter.threads.arrivals.FreeFormArrivalsThreadGroup" => {
            element.properties.set("Schedule", row());
        }
        _ => {}
    }
    for (property, value) in [
        ("BoundaryExtractor.refname", "v"),
        ("HtmlExtractor.expr", "p"),
        ("JSON_PATH", "$.a"),
        ("JSONPATH", "$.a"),
        ("VAR", "v"),
        ("JSONPostProcessor.referenceNames", "v"),
        ("JSONPostProcessor.jsonPathExprs", "$.a"),
        ("JMESExtractor.referenceName", "v"),
        ("JMESExtractor.jmesPathExpr", "a"),
        ("JMES_PATH", "a"),
        ("XPathExtractor.xpathQuery", "//a"),
        ("XPathExtractor2.xpathQuery", "//a"),
        ("XPath.xpath", "//a"),
        (
            "classname",
            "org.apache.jmeter.protocol.java.test.SleepTest",
        ),
        ("filename", "/dev/null"),
        ("variableNames", "v"),
        ("variableName", "v"),
        ("minimumValue", "1"),
        ("maximumValue", "2"),
        ("SizeAssertion.size", "1"),
        ("Assertion.test_type", "2"),
        ("SizeAssertion.operator", "1"),
        ("DurationAssertion.duration", "1"),
    ] {
        element = element.with(property, value);
    }
    element
}

/// What is wrong with a plan that has such an element.
fn problems_of(family: Family, class: &str) -> Vec<String> {
    let element = minimal(class);
    let mut root = Element::new("TestPlan", "Plan");
    let folder = tempfile::tempdir().unwrap();
    if matches!(class, "IncludeController" | "ModuleController") {
        // They stand for something else, which is compiled in their place.
        let path = ["Test Plan", "Plan", "Group", "other"];
        let other = Element::new("GenericController", "other");
        let module =
            Element::new("ModuleController", "it").with_list("ModuleController.node_path", &path);
        let file = folder.path().join("part.jmx");
        let text = "<jmeterTestPlan version=\"1.2\"><hashTree><TestPlan testname=\"P\"/><hashTree>\
                    <TestFragmentController testname=\"F\"/><hashTree/></hashTree></hashTree></jmeterTestPlan>";
        std::fs::write(file, text).unwrap();
        let include = Element::new("IncludeController", "it")
            .with("IncludeController.includepath", "part.jmx");
        let own = if class == "IncludeController" {
            include
        } else {
            module
        };
        root.children = vec![group("1", vec![own, other, sampler("A")])];
    } else if family == Family::Group {
        root.children = vec![with(element, vec![sampler("A")])];
    } else {
        root.children = vec![group("1", vec![element, sampler("A")])];
    }
    compiled(&root, folder.path()).1
}

#[test]
fn each_element_that_is_called_supported_compiles_and_no_other() {
    let mut wrong = Vec::new();
    for (family, entries) in ELEMENTS {
        for entry in *entries {
            if entry.name == "TestPlan" || *family == Family::Tool || entry.name.ends_with('*') {
                continue;
            }
            let problems = problems_of(*family, entry.name);
            match entry.support {
                Support::Refused if problems.is_empty() => {
                    wrong.push(format!("{} is refused by the table alone", entry.name));
                }
                Support::Supported | Support::Expression | Support::Ignored
                    if !problems.is_empty() =>
                {
                    wrong.push(format!("{}: {problems:?}", entry.name));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_function_that_is_called_supported_is_there_and_no_other() {
    for entry in FUNCTIONS {
        let known = functions::lookup(entry.name).is_some();
        assert_eq!(known, runs(entry), "{}", entry.name);
    }
    for function in functions::all() {
        let entry = double11_jmx::registry::function(function.name);
        assert!(entry.is_some(), "{} is in no table", function.name);
    }
}

#[test]
fn a_call_that_is_not_closed_is_a_problem_of_its_element() {
    let mut root = Element::new("TestPlan", "Plan");
    let timer =
        Element::new("ConstantTimer", "wait").with("ConstantTimer.delay", "${__Random(1,2)");
    root.children = vec![group("1", vec![sampler("A"), timer])];
    let (_, problems) = compiled(&root, Path::new("."));
    assert_eq!(
        problems,
        ["wait: `}` is missing after the call of `__Random` that begins at character 1"]
    );
}
