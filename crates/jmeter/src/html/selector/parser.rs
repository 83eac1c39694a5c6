//! Reads selectors.

use std::cmp::Ordering;

use regex::Regex;

use super::{Compound, Relation, Selector, Test, Value};

/// Selectors within selectors at most.
const DEPTH_MAX: u32 = 16;

pub(super) fn parse(text: &str) -> Result<Selector, String> {
    selector(text, DEPTH_MAX)
}

struct Parser<'t> {
    rest: &'t str,
    depth: u32,
}

fn selector(text: &str, depth: u32) -> Result<Selector, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err("selectors stand within each other too deep".to_owned());
    };
    let mut parser = Parser {
        rest: text.trim(),
        depth,
    };
    let mut alternatives = Vec::new();
    loop {
        alternatives.push(parser.complex()?);
        match parser.rest.strip_prefix(',') {
            Some(rest) => parser.rest = rest.trim_start(),
            None => return Ok(Selector { alternatives }),
        }
    }
}

impl<'t> Parser<'t> {
    /// Up to a comma or the end.
    fn complex(&mut self) -> Result<Vec<Compound>, String> {
        let mut compounds = Vec::new();
        let mut relation = Relation::Within;
        if let Some(first) = self.relation() {
            // It starts from the element that it is asked of.
            relation = first;
            compounds.push(Compound {
                relation: Relation::Within,
                tests: vec![Test::Scope],
            });
        }
        loop {
            let tests = self.compound()?;
            if tests.is_empty() {
                return Err(match self.rest {
                    "" => "a selector is empty".to_owned(),
                    rest => format!("`{rest}` is not expected"),
                });
            }
            compounds.push(Compound { relation, tests });
            let spaced = self.rest.starts_with(|c: char| c.is_ascii_whitespace());
            self.rest = self.rest.trim_start();
            relation = match self.relation() {
                Some(relation) => relation,
                None if self.rest.is_empty() || self.rest.starts_with(',') => {
                    return Ok(compounds);
                }
                None if spaced => Relation::Within,
                None => return Err(format!("`{}` is not expected", self.rest)),
            };
        }
    }

    fn relation(&mut self) -> Option<Relation> {
        let first = self.rest.chars().next()?;
        let relation = match first {
            '>' => Relation::Child,
            '+' => Relation::Next,
            '~' => Relation::Later,
            _ => return None,
        };
        self.rest = self.rest.split_at(1).1.trim_start();
        Some(relation)
    }

    /// What one element has to fulfil.
    fn compound(&mut self) -> Result<Vec<Test>, String> {
        let mut tests = Vec::new();
        if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
            tests.push(Test::Name("*".to_owned()));
        } else {
            let name = self.name();
            if !name.is_empty() {
                // A namespace is written `ns|name`, the element is called `ns:name`.
                let name = match self.rest.strip_prefix('|') {
                    Some(rest) => {
                        self.rest = rest;
                        format!("{name}:{}", self.name())
                    }
                    None => name.to_owned(),
                };
                tests.push(Test::Name(name.to_lowercase()));
            }
        }
        loop {
            let Some(first) = self.rest.chars().next() else {
                return Ok(tests);
            };
            if !matches!(first, '#' | '.' | '[' | ':') {
                return Ok(tests);
            }
            self.rest = self.rest.split_at(1).1;
            tests.push(match first {
                '#' => Test::Id(self.named("#")?.to_owned()),
                '.' => Test::Class(self.named(".")?.to_owned()),
                '[' => {
                    let inner = self.balanced('[', ']')?;
                    attribute(inner)?
                }
                _ => self.pseudo()?,
            });
        }
    }

    /// Letters, digits, `-` and `_`.
    fn name(&mut self) -> &'t str {
        let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'));
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name
    }

    fn named(&mut self, sign: &str) -> Result<&'t str, String> {
        match self.name() {
            "" => Err(format!("a name is missing behind `{sign}`")),
            name => Ok(name),
        }
    }

    /// Up to the sign that closes the one that was taken; quotes and backslashes hide signs.
    fn balanced(&mut self, open: char, close: char) -> Result<&'t str, String> {
        let mut depth = 1_u32;
        let mut quote = None;
        let mut escaped = false;
        for (at, next) in self.rest.char_indices() {
            if escaped {
                escaped = false;
            } else if next == '\\' {
                escaped = true;
            } else if quote.is_some() {
                if quote == Some(next) {
                    quote = None;
                }
            } else if matches!(next, '"' | '\'') {
                quote = Some(next);
            } else if next == open {
                depth += 1;
            } else if next == close {
                depth -= 1;
                if depth == 0 {
                    let (inner, rest) = self.rest.split_at(at);
                    self.rest = rest.split_at(close.len_utf8()).1;
                    return Ok(inner);
                }
            }
        }
        Err(format!("`{close}` is missing"))
    }

    fn pseudo(&mut self) -> Result<Test, String> {
        let name = self.named(":")?.to_ascii_lowercase();
        let argument = match self.rest.strip_prefix('(') {
            Some(rest) => {
                self.rest = rest;
                Some(self.balanced('(', ')')?.trim())
            }
            None => None,
        };
        let nth = |step, offset, from_end, of_type| Test::Nth {
            step,
            offset,
            from_end,
            of_type,
        };
        let test = match (name.as_str(), argument) {
            ("first-child", None) => nth(0, 1, false, false),
            ("last-child", None) => nth(0, 1, true, false),
            ("first-of-type", None) => nth(0, 1, false, true),
            ("last-of-type", None) => nth(0, 1, true, true),
            ("only-child" | "only-of-type", None) => Test::Only {
                of_type: name == "only-of-type",
            },
            ("empty", None) => Test::Empty,
            ("root", None) => Test::Root,
            ("nth-child" | "nth-last-child" | "nth-of-type" | "nth-last-of-type", Some(text)) => {
                let (step, offset) = steps(text)?;
                nth(step, offset, name.contains("last"), name.contains("type"))
            }
            ("lt" | "gt" | "eq", Some(text)) => {
                let number = text.parse();
                let number = number.map_err(|_| format!("`{text}` is no number"))?;
                Test::Index(
                    match name.as_str() {
                        "lt" => Ordering::Less,
                        "gt" => Ordering::Greater,
                        _ => Ordering::Equal,
                    },
                    number,
                )
            }
            ("has", Some(text)) => Test::Has(selector(text, self.depth)?),
            ("not", Some(text)) => Test::Not(selector(text, self.depth)?),
            ("contains" | "containsown", Some(text)) => {
                Test::Contains(unquoted(text).to_lowercase(), name == "containsown")
            }
            ("matches" | "matchesown", Some(text)) => {
                Test::Matches(pattern(text)?, name == "matchesown")
            }
            _ => return Err(format!("`:{name}` is not supported")),
        };
        Ok(test)
    }
}

/// What stands in brackets.
fn attribute(inner: &str) -> Result<Test, String> {
    let inner = inner.trim();
    let Some(at) = inner.find('=') else {
        return Ok(match inner.strip_prefix('^') {
            Some(prefix) => Test::AttributePrefix(prefix.to_lowercase()),
            None => Test::Attribute(inner.to_lowercase(), Value::Any),
        });
    };
    let (name, value) = inner.split_at(at);
    let value = value.split_at(1).1.trim();
    let signs = ['!', '^', '$', '*', '~'];
    let sign = name.chars().next_back().filter(|sign| signs.contains(sign));
    let name = name.trim_end_matches(signs).trim().to_lowercase();
    let text = || unquoted(value).to_lowercase();
    let value = match sign {
        None => Value::Is(text().trim().to_owned()),
        Some('!') => Value::IsNot(text()),
        Some('^') => Value::StartsWith(text()),
        Some('$') => Value::EndsWith(text()),
        Some('*') => Value::Contains(text()),
        Some(_) => Value::Matches(pattern(unquoted(value))?),
    };
    Ok(Test::Attribute(name, value))
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|_| format!("`{text}` is no pattern that is supported"))
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote);
        if let Some(inner) = inner.and_then(|inner| inner.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// Reads `2n+1`, `odd`, `even` or `3`.
fn steps(text: &str) -> Result<(i64, i64), String> {
    let small: String = text.to_ascii_lowercase().split_whitespace().collect();
    let wrong = || format!("`{text}` is no number such as `2n+1`");
    let number = |text: &str| {
        text.trim_start_matches('+')
            .parse::<i64>()
            .map_err(|_| wrong())
    };
    match small.as_str() {
        "odd" => return Ok((2, 1)),
        "even" => return Ok((2, 0)),
        _ => {}
    }
    match small.split_once('n') {
        None => Ok((0, number(&small)?)),
        Some((step, offset)) => {
            let step = match step {
                "" | "+" => 1,
                "-" => -1,
                step => number(step)?,
            };
            let offset = if offset.is_empty() {
                0
            } else {
                number(offset)?
            };
            Ok((step, offset))
        }
    }
}
