//! `JSONPath` as Jayway's library reads it.

use super::filter::{self, Filter};

/// The most steps of a path, and the longest path.
const LENGTH_MAX: usize = 10_000;

/// A path.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Path {
    /// Whether it begins at what a filter looks at, and not at the whole document.
    pub(in super::super) from_current: bool,
    pub(in super::super) steps: Vec<Step>,
    /// A function at its end.
    pub(in super::super) function: Option<Function>,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Step {
    /// `.name`, `['name']`, `['one','other']`
    Members(Vec<String>),
    /// `[0]`, `[0,2]`, `[-1]`
    Elements(Vec<i64>),
    /// `[from:to]`
    Slice(Option<i64>, Option<i64>),
    /// `*`
    Every,
    /// `..`: whatever stands below, at any depth.
    Below,
    /// `[?(…)]`
    Filter(Filter),
}

/// A function at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Function {
    Length,
    Min,
    Max,
    Sum,
    Average,
    Keys,
    First,
    Last,
}

/// Why a text is no path, or one that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is no JSONPath that can be used: {reason}")]
pub(in super::super) struct BadPath {
    pub(in super::super) path: String,
    pub(in super::super) reason: &'static str,
}

impl Path {
    /// Reads a path.
    pub(in super::super) fn parse(text: &str) -> Result<Self, BadPath> {
        let bad = |reason| BadPath {
            path: text.to_owned(),
            reason,
        };
        let own = text.trim();
        if own.is_empty() || own.len() > LENGTH_MAX {
            return Err(bad("it is empty or too long"));
        }
        let (path, rest) = Self::begin(own, 0).map_err(bad)?;
        match rest.trim() {
            "" => Ok(path),
            _ => Err(bad("something stands behind its end")),
        }
    }

    /// Reads a path at the start of a text; the answer is also what follows it. `depth` counts filters
    /// within filters.
    pub(super) fn begin(text: &str, depth: u32) -> Result<(Self, &str), &'static str> {
        let (from_current, mut rest) = match (text.strip_prefix('$'), text.strip_prefix('@')) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            // What has no root begins with the name of a member.
            (None, None) => {
                let (step, rest) = dotted(text)?;
                let path = Self {
                    from_current: false,
                    steps: vec![step],
                    function: None,
                };
                return path.go_on(rest, depth);
            }
        };
        if rest == "." || rest == ".." {
            return Err("a name must follow the dot");
        }
        let path = Self {
            from_current,
            steps: Vec::new(),
            function: None,
        };
        if let Some(name) = rest.strip_prefix(' ') {
            rest = name;
        }
        path.go_on(rest, depth)
    }

    fn go_on(mut self, text: &str, depth: u32) -> Result<(Self, &str), &'static str> {
        let mut rest = text;
        loop {
            if let Some(below) = rest.strip_prefix("..") {
                self.steps.push(Step::Below);
                if below.starts_with('[') {
                    rest = below;
                    continue;
                }
                let (step, after) = dotted(below)?;
                self.steps.push(step);
                rest = after;
            } else if let Some(name) = rest.strip_prefix('.') {
                if name.starts_with('[') {
                    rest = name;
                    continue;
                }
                let (step, after) = dotted(name)?;
                if let Some(after) = after.strip_prefix('(') {
                    let Step::Members(names) = step else {
                        return Err("only a function has parentheses");
                    };
                    self.function = Some(Function::named(names.first().map_or("", |name| name))?);
                    let rest = after
                        .strip_prefix(')')
                        .ok_or("functions have no arguments")?;
                    return Ok((self, rest));
                }
                self.steps.push(step);
                rest = after;
            } else if let Some(inside) = rest.strip_prefix('[') {
                let (step, after) = bracketed(inside.trim_start(), depth)?;
                self.steps.push(step);
                rest = after;
            } else {
                return Ok((self, rest));
            }
        }
    }

    /// Whether it leads to one value at most.
    pub(in super::super) fn is_definite(&self) -> bool {
        let last = self.steps.len().saturating_sub(1);
        let mut steps = self.steps.iter().enumerate();
        steps.all(|(index, step)| step.is_definite(index == last))
    }
}

impl Step {
    pub(super) fn is_definite(&self, is_last: bool) -> bool {
        match self {
            Self::Members(names) => names.len() == 1 || is_last,
            Self::Elements(places) => places.len() == 1,
            Self::Slice(..) | Self::Every | Self::Below | Self::Filter(_) => false,
        }
    }
}

impl Function {
    fn named(name: &str) -> Result<Self, &'static str> {
        Ok(match name {
            "length" | "size" => Self::Length,
            "min" => Self::Min,
            "max" => Self::Max,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            "keys" => Self::Keys,
            "first" => Self::First,
            "last" => Self::Last,
            _ => {
                return Err(
                    "its function is not length, size, min, max, sum, avg, keys, first or last",
                );
            }
        })
    }
}

/// What stands behind a dot.
fn dotted(text: &str) -> Result<(Step, &str), &'static str> {
    if let Some(rest) = text.strip_prefix('*') {
        return Ok((Step::Every, rest));
    }
    let ends = |c: char| {
        matches!(
            c,
            '.' | '[' | '(' | ')' | ' ' | '&' | '|' | '=' | '<' | '>' | '!' | ',' | ']'
        )
    };
    let end = text.find(ends).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err("a name is missing");
    }
    Ok((Step::Members(vec![name.to_owned()]), rest))
}

/// What stands in brackets, of which the first was taken.
fn bracketed(text: &str, depth: u32) -> Result<(Step, &str), &'static str> {
    const OPEN: &str = "a bracket is not closed";
    if let Some(rest) = text.strip_prefix('*') {
        let rest = rest.trim_start().strip_prefix(']').ok_or(OPEN)?;
        return Ok((Step::Every, rest));
    }
    if let Some(rest) = text.strip_prefix('?') {
        let inside = rest
            .trim_start()
            .strip_prefix('(')
            .ok_or("a filter stands in parentheses")?;
        let (filter, rest) = filter::parse(inside, depth)?;
        let rest = rest
            .trim_start()
            .strip_prefix(')')
            .ok_or("a parenthesis is not closed")?;
        let rest = rest.trim_start().strip_prefix(']').ok_or(OPEN)?;
        return Ok((Step::Filter(filter), rest));
    }
    if text.starts_with(['\'', '"']) {
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = quoted(rest.trim_start())?;
            names.push(name);
            let after = after.trim_start();
            let Some(next) = after.strip_prefix(',') else {
                let rest = after.strip_prefix(']').ok_or(OPEN)?;
                return Ok((Step::Members(names), rest));
            };
            rest = next;
        }
    }
    let (inside, rest) = text.split_once(']').ok_or(OPEN)?;
    let number = |text: &str| {
        text.trim()
            .parse::<i64>()
            .map_err(|_| "a number is expected in brackets")
    };
    if let Some((from, to)) = inside.split_once(':') {
        let end = |text: &str| match text.trim() {
            "" => Ok(None),
            text => number(text).map(Some),
        };
        return Ok((Step::Slice(end(from)?, end(to)?), rest));
    }
    let places = inside.split(',').map(number).collect::<Result<_, _>>()?;
    Ok((Step::Elements(places), rest))
}

/// A text in quotation marks of either kind, and what follows it.
pub(super) fn quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut chars = text.chars();
    let quote = chars.next().filter(|c| matches!(c, '\'' | '"'));
    let quote = quote.ok_or("a name in quotation marks is expected")?;
    let mut own = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' => own.extend(chars.next()),
            c if c == quote => return Ok((own, chars.as_str())),
            c => own.push(c),
        }
    }
    Err("a quotation mark is not closed")
}
