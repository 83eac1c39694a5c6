//! The page of what is supported.

use std::fmt::Write as _;

use super::{ELEMENTS, Entry, FUNCTIONS, Support};

const HEAD: &str = "\
# What of JMeter's plans runs

This page is written from the registry of the crate `double11-jmx`; the program goes by the same table.
`double11 jmeter --check plan.jmx` says for one plan what of it is supported, with lines and reasons.

* **yes**: it runs as in JMeter 5.6. What of it does not is said in the same line or, for settings that few
  plans use, by `--check` with the line of the element.
* **ignored**: it is accepted, and the load is the same without it. Listeners are the most of these: every
  table and graph of JMeter's window is a `ResultCollector`, which writes its file if it names one.
* **expression**: it runs if its expression is within a subset that is evaluated without a script engine:
  literals, variables, arithmetic, comparisons, logic, and common methods of texts and numbers.
* **no**: a plan in which it is enabled is refused with exit code 2; `--lenient` runs the plan without it.

Disabled elements and all below them take no part, as in JMeter. Aliases (`HTTPSampler`, `HTTPSampler2`,
whole Java names) and names of old versions are understood. An element or function that this page does not
name is a plugin or Java code of the plan's own; a plan with one is refused and its name is said.

The tiers are those of a survey of 420 public plans with HTTP samplers:

| tier | what it is |
|---|---|
| A | the core, with which nearly half of all repositories get by |
| B | everything else that JMeter brings for HTTP |
| C | plugins in common use |
| D | expressions in JavaScript, JEXL and Groovy |
| E | JSR223 scripts: they come later |
| F | BeanShell and BSF scripts: they come later |
| G | other protocols |
| never | Java code of the plan's own, mail, and what JMeter itself gave up |
";

/// The page as Markdown.
pub fn support_page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Elements\n");
    for (family, entries) in ELEMENTS {
        let _written = write!(
            page,
            "\n### {}\n\n{}",
            family.title(),
            table("element", entries)
        );
    }
    let _written = write!(page, "\n## Functions\n\n{}", table("function", FUNCTIONS));
    page
}

fn table(what: &str, entries: &[Entry]) -> String {
    let mut table = format!("| {what} | runs | tier | |\n|---|---|---|---|\n");
    for entry in entries {
        let Entry { name, note, .. } = entry;
        let runs = match entry.support {
            Support::Supported => "yes",
            Support::Ignored => "ignored",
            Support::Expression => "expression",
            Support::Refused => "**no**",
        };
        let tier = entry.tier.letter();
        let _written = writeln!(table, "| `{name}` | {runs} | {tier} | {note} |");
    }
    table
}
