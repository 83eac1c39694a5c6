//! A report as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::registry::Tier;

use super::report::{Finding, Kind, Report};

/// The most characters of a name that are shown.
const NAME_WIDTH_MAX: usize = 40;

/// The version of the JSON form.
const SCHEMA: u32 = 1;

impl Report {
    /// The report for people: what is not supported first, grouped by what it would take, then what is
    /// ignored, what is supported, and the verdict in the last line.
    pub fn text(&self) -> String {
        let mut page = String::new();
        self.head(&mut page);
        for tier in TIERS {
            let of_tier: Vec<_> = self
                .refused
                .iter()
                .filter(|finding| finding.tier == *tier)
                .collect();
            list(&mut page, heading(*tier), &of_tier);
        }
        let ignored: Vec<_> = self.ignored.iter().collect();
        list(
            &mut page,
            "Ignored, because the load is the same without",
            &ignored,
        );
        counts(&mut page, "Supported elements", &self.elements);
        counts(&mut page, "Supported functions", &self.functions);
        self.remarks(&mut page);
        page.push('\n');
        page.push_str(&self.verdict());
        page.push('\n');
        page
    }

    fn head(&self, page: &mut String) {
        let version = match self.jmeter.as_str() {
            "" => "an old JMeter".to_owned(),
            version => format!("JMeter {version}"),
        };
        let disabled = match self.disabled {
            0 => String::new(),
            1 => "; 1 is disabled with all below it".to_owned(),
            many => format!("; {many} are disabled with all below them"),
        };
        let elements = number(self.enabled, "element");
        let _written = writeln!(
            page,
            "Plan `{}` of {version}: {elements}{disabled}",
            one_line(&self.plan)
        );
    }

    fn remarks(&self, page: &mut String) {
        if self.notes.is_empty() && self.includes.is_empty() {
            return;
        }
        page.push_str("\nTo know\n");
        for include in &self.includes {
            let path = one_line(&include.path);
            let _written = writeln!(page, "  line {:<6} includes `{path}`", include.line);
        }
        for note in &self.notes {
            let _written = writeln!(page, "  line {:<6} {}", note.line, one_line(&note.text));
        }
    }

    /// The last line of the text.
    pub fn verdict(&self) -> String {
        if self.runs() {
            return "This plan runs: everything in it that makes load is supported".to_owned();
        }
        let scripts = self.refused.iter();
        let scripts = scripts.filter(|finding| finding.tier.is_script()).count();
        let only = match (scripts, scripts == self.refused.len()) {
            (0, _) => String::new(),
            (_, true) => ", all of them scripts".to_owned(),
            (some, false) => format!(", {some} of them scripts"),
        };
        let things = number(self.refused.len(), "thing");
        let are = if self.refused.len() == 1 { "is" } else { "are" };
        format!("This plan does not run: {things} in it {are} not supported{only}")
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        let counted = |counts: &[(String, usize)]| -> Vec<Value> {
            let counts = counts.iter();
            let values = counts.map(|(name, count)| json!({ "name": name, "count": count }));
            values.collect()
        };
        let findings =
            |findings: &[Finding]| -> Vec<Value> { findings.iter().map(finding_as_json).collect() };
        let notes = self.notes.iter();
        let notes = notes.map(|note| json!({ "line": note.line, "text": note.text }));
        let includes = self.includes.iter();
        let includes =
            includes.map(|include| json!({ "line": include.line, "path": include.path }));
        json!({
            "schema": SCHEMA,
            "plan": self.plan,
            "jmeter": self.jmeter,
            "runs": self.runs(),
            "verdict": self.verdict(),
            "enabled_elements": self.enabled,
            "disabled_elements": self.disabled,
            "supported": {
                "elements": counted(&self.elements),
                "functions": counted(&self.functions),
            },
            "ignored": findings(&self.ignored),
            "not_supported": findings(&self.refused),
            "includes": includes.collect::<Vec<_>>(),
            "notes": notes.collect::<Vec<_>>(),
        })
    }
}

/// What is missing by what it would take: scripts before protocols before plugins.
const TIERS: &[Tier] = &[
    Tier::A,
    Tier::B,
    Tier::C,
    Tier::D,
    Tier::E,
    Tier::F,
    Tier::G,
    Tier::Never,
];

fn heading(tier: Tier) -> &'static str {
    match tier {
        Tier::A | Tier::B => "Not supported: elements and texts",
        Tier::C => "Not supported: plugins",
        Tier::D => "Not supported: expressions",
        Tier::E => "Not supported: scripts (JSR223)",
        Tier::F => "Not supported: scripts (BeanShell, BSF)",
        Tier::G => "Not supported: other protocols",
        Tier::Never => "Not supported, and not meant to be",
    }
}

fn finding_as_json(finding: &Finding) -> Value {
    let function = match &finding.kind {
        Kind::Function(function) => Some(function),
        _ => None,
    };
    let kind = match &finding.kind {
        Kind::Element => "element",
        Kind::Function(_) => "function",
        Kind::Condition => "condition",
        Kind::Text => "text",
    };
    json!({
        "line": finding.line,
        "kind": kind,
        "class": finding.class,
        "name": finding.name,
        "function": function,
        "tier": finding.tier.letter(),
        "script": finding.tier.is_script(),
        "reason": finding.reason,
    })
}

/// A heading and a line for each finding; equal ones that follow each other are one.
fn list(page: &mut String, heading: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    let mut rows: Vec<(u32, String, String, usize)> = Vec::new();
    for finding in findings {
        let row = (finding.line, label(finding), one_line(&finding.reason), 1);
        match rows.last_mut() {
            Some(last) if (last.0, &last.1, &last.2) == (row.0, &row.1, &row.2) => last.3 += 1,
            _ => rows.push(row),
        }
    }
    let widths = rows.iter().map(|(_, label, ..)| label.chars().count());
    let width = widths.max().unwrap_or_default();
    let _written = writeln!(page, "\n{heading}");
    for (line, label, reason, count) in rows {
        let times = match count {
            1 => String::new(),
            many => format!(" ({many} times)"),
        };
        let _written = writeln!(page, "  line {line:<6} {label:<width$}  {reason}{times}");
    }
}

/// Class and name of an element, or a function and the element that calls it.
fn label(finding: &Finding) -> String {
    let class = finding.class.rsplit('.').next().unwrap_or(&finding.class);
    let mut name = one_line(&finding.name);
    if name.chars().count() > NAME_WIDTH_MAX {
        name = name.chars().take(NAME_WIDTH_MAX - 1).collect();
        name.push('…');
    }
    match &finding.kind {
        Kind::Element => format!("{class} `{name}`"),
        Kind::Function(function) => format!("{function} in {class} `{name}`"),
        Kind::Condition => format!("condition of {class} `{name}`"),
        Kind::Text => format!("text of {class} `{name}`"),
    }
}

fn counts(page: &mut String, heading: &str, counts: &[(String, usize)]) {
    if counts.is_empty() {
        return;
    }
    let _written = writeln!(page, "\n{heading}");
    for (name, count) in counts {
        let name = name.rsplit('.').next().unwrap_or(name);
        let _written = writeln!(page, "  {count:>5} {name}");
    }
}

fn number(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}

/// Names of a plan may hold line breaks and control characters.
fn one_line(text: &str) -> String {
    let visible = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().map(visible).collect()
}
