//! Every element and function that is said to run stands in a plan that both run.

use std::collections::BTreeSet;
use std::path::Path;

use double11_jmx::registry::{ELEMENTS, FUNCTIONS, Support};

/// What the `JMeter` of the tests has no plugin for; tests of their own hold what these do.
const PLUGINS_NOT_THERE: [&str; 24] = [
    "__MD5",
    "__base64Decode",
    "__base64Encode",
    "__caseFormat",
    "__chooseRandom",
    "__doubleSum",
    "__env",
    "__fifoGet",
    "__fifoPut",
    "__fifoSize",
    "__if",
    "__isDefined",
    "__iterationNum",
    "__jexl",
    "__lowercase",
    "__strLen",
    "__strReplace",
    "__strReplaceRegex",
    "__substring",
    "__uppercase",
    "com.atlantbh.jmeter.plugins.jsonutils.jsonpathassertion.JSONPathAssertion",
    "com.atlantbh.jmeter.plugins.jsonutils.jsonpathextractor.JSONPathExtractor",
    "kg.apc.jmeter.modifiers.FifoPopPreProcessor",
    "kg.apc.jmeter.modifiers.FifoPutPostProcessor",
];

#[test]
fn all_that_is_supported_is_compared() {
    let plans = plans();
    let runs = |support: Support| matches!(support, Support::Supported | Support::Expression);
    let elements = ELEMENTS.iter().flat_map(|(_, entries)| entries.iter());
    let elements = elements.filter(|entry| runs(entry.support)).map(|entry| {
        let (whole, short) = (
            entry.name,
            entry.name.rsplit('.').next().unwrap_or_default(),
        );
        let names = [format!("\"{whole}\""), format!("\"{short}\"")];
        (entry.name, names.iter().any(|name| plans.contains(name)))
    });
    let functions = FUNCTIONS.iter().filter(|entry| runs(entry.support));
    let functions = functions.map(|entry| {
        let calls = [
            format!("${{{}(", entry.name),
            format!("${{{}}}", entry.name),
        ];
        (entry.name, calls.iter().any(|call| plans.contains(call)))
    });
    let absent: BTreeSet<&str> = PLUGINS_NOT_THERE.into_iter().collect();
    let supported = |name: &&str| {
        let element = double11_jmx::registry::element(name).map(|(_, entry)| entry);
        let entry = element.or_else(|| double11_jmx::registry::function(name));
        entry.is_some_and(|entry| runs(entry.support))
    };
    let stale: Vec<&&str> = absent.iter().filter(|name| !supported(name)).collect();
    assert!(stale.is_empty(), "not supported, or not known: {stale:?}");
    let missing: Vec<&str> = elements
        .chain(functions)
        .filter(|(name, found)| !found && !absent.contains(name))
        .map(|(name, _)| name)
        .collect();
    assert!(missing.is_empty(), "no plan has {missing:?}");
}

/// The texts of all plans, one behind the other.
fn plans() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "tests/jmeter/plans",
        "tests/jmeter/plans/files",
        "../../tests",
    ];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(here.join(folder)).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    let plans = files.filter(|path| path.extension().is_some_and(|extension| extension == "jmx"));
    plans
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}
