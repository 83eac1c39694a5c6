//! Plans of other people: read, counted against an independent count, and checked.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test tells what it found and skipped, and stops at what it cannot read"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use double11_jmx::check::{AnyExpression, Finding, Report, check};
use double11_jmx::document::{Document, Element, Limits, Property, read};
use double11_jmx::template::{Part, Sites, Template};

/// What the index says of a plan.
struct Row {
    file: String,
    elements: BTreeMap<String, usize>,
    functions: BTreeMap<String, usize>,
}

/// The folder of the plans; nothing when they are not there.
fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/jmx-corpus");
    if folder.join("INDEX.tsv").is_file() {
        return Some(folder);
    }
    println!(
        "SKIPPED: the plans of other people are not at {}",
        folder.display()
    );
    None
}

fn rows(folder: &Path) -> Vec<Row> {
    let index = fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let rows = index.lines().skip(1).map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        Row {
            file: columns[2].to_owned(),
            elements: counts(columns[6]),
            functions: counts(columns[7]),
        }
    });
    rows.collect()
}

/// `A=1;B=2`, with classes under the names that the reader gives them.
fn counts(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (name, count) in text.split(';').filter_map(|item| item.split_once('=')) {
        let name = match name {
            "HTTPSampler" | "HTTPSampler2" => "HTTPSamplerProxy",
            other => other,
        };
        *counts.entry(name.to_owned()).or_default() += count.parse::<usize>().unwrap();
    }
    counts
}

fn document(folder: &Path, file: &str) -> Document {
    let bytes = fs::read(folder.join(file)).unwrap();
    read(&bytes, Limits::STANDARD).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A plan in which nine elements are post-processors by their tags and pre-processors by their
/// `testclass`: `JMeter` goes by the tag, the index by the attribute.
const TWO_CLASSES: &str = "cawilliamson__azure-magento__benchmark.jmx";

#[derive(Default)]
struct Count {
    elements: BTreeMap<String, usize>,
    functions: BTreeMap<String, usize>,
}

impl Count {
    fn of(document: &Document) -> Self {
        let mut count = Self::default();
        count.element(&document.root);
        for beside in &document.beside {
            count.element(beside);
        }
        count
    }

    fn element(&mut self, element: &Element) {
        if !element.enabled {
            return;
        }
        *self.elements.entry(element.class.clone()).or_default() += 1;
        self.text(&element.name);
        self.properties(element);
        for child in &element.children {
            self.element(child);
        }
    }

    fn rename(&mut self, from: &str, to: &str, count: usize) {
        *self
            .elements
            .get_mut(from)
            .expect("there are such elements") -= count;
        *self.elements.entry(to.to_owned()).or_default() += count;
    }

    fn properties(&mut self, element: &Element) {
        for (_, value) in element.properties.iter() {
            self.property(value);
        }
    }

    fn property(&mut self, value: &Property) {
        match value {
            Property::Text(text) => self.text(text),
            Property::List(items) => items.iter().for_each(|(_, item)| self.property(item)),
            Property::Element(inner) => self.properties(inner),
        }
    }

    fn text(&mut self, text: &str) {
        self.template(&Template::parse(text, &mut Sites::default()));
    }

    fn template(&mut self, template: &Template) {
        for part in &template.parts {
            let name = match part {
                Part::Text(_) => continue,
                Part::Variable(name) => name,
                Part::Call(call) => {
                    for argument in &call.arguments {
                        self.template(argument);
                    }
                    &call.name
                }
            };
            // The index counts whatever begins with `${__`, up to what is no letter of a name.
            let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let (name, _) = name.split_at(end.unwrap_or(name.len()));
            if name.starts_with("__") {
                *self.functions.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
}

#[test]
fn elements_and_functions_are_those_of_an_independent_count() {
    let Some(folder) = corpus() else { return };
    let mut different = Vec::new();
    for row in rows(&folder) {
        let document = document(&folder, &row.file);
        if !document.oddities.is_empty() {
            different.push(format!("{}: {:?}", row.file, document.oddities));
        }
        let mut count = Count::of(&document);
        if row.file == TWO_CLASSES {
            count.rename("JSR223PostProcessor", "JSR223PreProcessor", 9);
        }
        if count.elements != row.elements {
            different.push(format!(
                "{}\n  read    {:?}\n  counted {:?}",
                row.file, count.elements, row.elements
            ));
        }
        if count.functions != row.functions {
            different.push(format!(
                "{}\n  read    {:?}\n  counted {:?}",
                row.file, count.functions, row.functions
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn most_plans_are_supported_and_the_others_are_told_why() {
    let Some(folder) = corpus() else { return };
    let mut plans = 0_u32;
    let mut supported = 0_u32;
    for row in rows(&folder) {
        let report = check(&document(&folder, &row.file), &AnyExpression);
        if row.elements.contains_key("HTTPSamplerProxy") {
            plans += 1;
            supported += u32::from(report.runs());
        }
        if !report.runs() {
            println!("{}: {}", row.file, why(&report));
        }
        for finding in &report.refused {
            assert!(finding.line > 0 && !finding.reason.is_empty());
        }
        assert!(
            report
                .text()
                .ends_with(&format!("\n{}\n", report.verdict()))
        );
        assert_eq!(report.enabled, row.elements.values().sum::<usize>());
    }
    let share = 100.0 * f64::from(supported) / f64::from(plans);
    println!("{supported} of {plans} plans with HTTP samplers are supported: {share:.1} %");
    assert!(share >= 60.0, "{share:.1} %");
}

/// The elements and functions that are not supported, each once.
fn why(report: &Report) -> String {
    let mut names: Vec<_> = report.refused.iter().map(Finding::what).collect();
    names.sort();
    names.dedup();
    names.join(", ")
}
