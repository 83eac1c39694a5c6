//! CSS selectors, with the additions of jsoup that plans use.
//!
//! Source: W3C, Selectors Level 3, and the documentation of jsoup's `Selector`.

mod parser;

use regex::Regex;

use super::{Document, NodeId};

/// Finds elements.
#[derive(Debug, Clone)]
pub(crate) struct Selector {
    /// Any of these; each from the left to the right.
    alternatives: Vec<Vec<Compound>>,
}

/// What one element has to fulfil, and how it stands to the one before.
#[derive(Debug, Clone)]
struct Compound {
    relation: Relation,
    tests: Vec<Test>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// It stands somewhere in it.
    Within,
    /// It stands right in it.
    Child,
    /// It comes right behind it.
    Next,
    /// It comes somewhere behind it.
    Later,
}

#[derive(Debug, Clone)]
enum Test {
    Name(String),
    Id(String),
    Class(String),
    /// An attribute whose name begins so.
    AttributePrefix(String),
    Attribute(String, Value),
    /// Its number among its siblings, from 0.
    Index(std::cmp::Ordering, usize),
    /// `an+b`, from the end, among those of its name only.
    Nth {
        step: i64,
        offset: i64,
        from_end: bool,
        of_type: bool,
    },
    /// It has no siblings, or none of its name.
    Only {
        of_type: bool,
    },
    Empty,
    Root,
    /// The element that a selector within a selector starts from.
    Scope,
    Has(Selector),
    Not(Selector),
    /// Its text, or the one of its own, holds this.
    Contains(String, bool),
    Matches(Regex, bool),
}

#[derive(Debug, Clone)]
enum Value {
    Any,
    Is(String),
    IsNot(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(Regex),
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What is not understood.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text)
    }

    /// The elements that are meant, in the order of the page.
    pub(crate) fn select(&self, document: &Document) -> Vec<NodeId> {
        let all = document.elements();
        all.filter(|id| self.matches(document, *id, None)).collect()
    }

    fn matches(&self, document: &Document, id: NodeId, scope: Option<NodeId>) -> bool {
        let search = Search { document, scope };
        let mut alternatives = self.alternatives.iter();
        alternatives.any(|compounds| search.matches(compounds, id))
    }
}

struct Search<'d> {
    document: &'d Document,
    scope: Option<NodeId>,
}

impl Search<'_> {
    /// Whether the last of some compounds is met by an element, and the others by those before it.
    fn matches(&self, compounds: &[Compound], id: NodeId) -> bool {
        let Some((last, before)) = compounds.split_last() else {
            return true;
        };
        if !last.tests.iter().all(|test| self.holds(test, id)) {
            return false;
        }
        if before.is_empty() {
            return true;
        }
        match last.relation {
            Relation::Child => {
                let parent = self.document.parent(id);
                parent.is_some_and(|parent| self.matches(before, parent))
            }
            Relation::Within => {
                let mut parents =
                    std::iter::successors(self.document.parent(id), |id| self.document.parent(*id));
                parents.any(|parent| self.matches(before, parent))
            }
            Relation::Next => {
                let sibling = self.document.siblings_before(id).next();
                sibling.is_some_and(|sibling| self.matches(before, sibling))
            }
            Relation::Later => {
                let mut siblings = self.document.siblings_before(id);
                siblings.any(|sibling| self.matches(before, sibling))
            }
        }
    }

    fn holds(&self, test: &Test, id: NodeId) -> bool {
        let document = self.document;
        match test {
            Test::Name(name) => name == "*" || document.name(id) == name,
            Test::Id(own) => document.attribute(id, "id") == Some(own),
            Test::Class(own) => {
                let classes = document.attribute(id, "class").unwrap_or_default();
                let mut classes = classes.split_ascii_whitespace();
                classes.any(|class| class.eq_ignore_ascii_case(own))
            }
            Test::AttributePrefix(prefix) => {
                let mut attributes = document.attributes(id).iter();
                attributes.any(|(name, _)| name.starts_with(prefix))
            }
            Test::Attribute(name, value) => value.holds(document.attribute(id, name)),
            Test::Index(order, number) => document.nodes[id].index.cmp(number) == *order,
            Test::Nth { .. } => self.is_nth(test, id),
            Test::Only { of_type } => {
                let name = document.name(id);
                let mut siblings = document.siblings(id).filter(|own| *own != id);
                siblings.all(|own| *of_type && document.name(own) != name)
            }
            Test::Empty => {
                let children = &document.nodes[id].children;
                children.iter().all(|child| {
                    !document.is_element(*child) && document.whole_text(*child).trim().is_empty()
                })
            }
            Test::Root => document.parent(id).is_none(),
            Test::Scope => self.scope == Some(id),
            Test::Has(selector) => {
                let mut within = document.within(id);
                within.any(|inner| selector.matches(document, inner, Some(id)))
            }
            Test::Not(selector) => !selector.matches(document, id, Some(id)),
            Test::Contains(text, own) => self.text(id, *own).to_lowercase().contains(text),
            Test::Matches(pattern, own) => pattern.is_match(&self.text(id, *own)),
        }
    }

    fn text(&self, id: NodeId, own: bool) -> String {
        if own {
            self.document.own_text(id)
        } else {
            self.document.text(id)
        }
    }

    fn is_nth(&self, test: &Test, id: NodeId) -> bool {
        let Test::Nth {
            step,
            offset,
            from_end,
            of_type,
        } = test
        else {
            return false;
        };
        let document = self.document;
        let (index, count) = if *of_type {
            let name = document.name(id);
            let is_same = |own: &NodeId| document.name(*own) == name;
            let count = document.siblings(id).filter(is_same).count();
            (document.siblings_before(id).filter(is_same).count(), count)
        } else {
            (document.nodes[id].index, document.sibling_count(id))
        };
        let number = if *from_end { count - index } else { index + 1 };
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        // Numbers of a plan may be as large as they like: what overflows is no place among siblings.
        let Some(beyond) = number.checked_sub(*offset) else {
            return false;
        };
        if *step == 0 {
            beyond == 0
        } else {
            beyond.checked_rem(*step) == Some(0)
                && beyond.checked_div(*step).is_some_and(|times| times >= 0)
        }
    }
}

impl Document {
    /// The elements within another one.
    fn within(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let mut waiting: Vec<NodeId> = self.nodes[id].children.iter().rev().copied().collect();
        std::iter::from_fn(move || {
            loop {
                let id = waiting.pop()?;
                waiting.extend(self.nodes[id].children.iter().rev());
                if self.is_element(id) {
                    return Some(id);
                }
            }
        })
    }
}

impl Value {
    /// Whether the value of an attribute is right; capitals do not count.
    fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value else {
            return matches!(self, Self::IsNot(_));
        };
        let small = || value.to_lowercase();
        match self {
            Self::Any => true,
            Self::Is(own) => small().trim() == own,
            Self::IsNot(own) => small() != *own,
            Self::StartsWith(own) => small().starts_with(own),
            Self::EndsWith(own) => small().ends_with(own),
            Self::Contains(own) => small().contains(own),
            Self::Matches(pattern) => pattern.is_match(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<html><head><title>Shop</title><meta name="csrf" content="token"></head>
        <body><h1 class="head Big" id=top>Welcome</h1>
        <ul id="list"><li class="item" data-id="1">One</li><li class="item" data-id="2">Two <b>bold</b></li>
        <li class="item last" data-id="3">Three</li></ul>
        <form><input type="hidden" name="session" value="abc"><input name="q"></form><p></p>
        <a href="/echo/a?x=1">a</a> <a href="http://b/">b</a></body></html>"#;

    fn found(selector: &str) -> Vec<String> {
        let document = Document::parse(PAGE);
        let selector = Selector::parse(selector).unwrap();
        let found = selector.select(&document).into_iter();
        found
            .map(|id| {
                let text = document.text(id);
                let name = document.name(id);
                if text.is_empty() {
                    let own = document.attribute(id, "name").unwrap_or_default();
                    format!("{name} {own}").trim_end().to_owned()
                } else {
                    text
                }
            })
            .collect()
    }

    #[test]
    fn elements_are_found() {
        for (selector, expected) in [
            ("h1.head", &["Welcome"][..]),
            ("h1.big#top, title", &["Shop", "Welcome"]),
            ("li.item", &["One", "Two bold", "Three"]),
            ("ul > li:nth-child(3)", &["Three"]),
            ("ul>.last", &["Three"]),
            ("body > li", &[]),
            ("html b", &["bold"]),
            ("li + li + li", &["Three"]),
            ("li:first-child ~ li", &["Two bold", "Three"]),
            ("input[name=session]", &["input session"]),
            ("input[NAME='Session'][value]", &["input session"]),
            ("input:not([value])", &["input q"]),
            ("[data-id!=2].item", &["One", "Three"]),
            ("[^data-]", &["One", "Two bold", "Three"]),
            ("a[href^=/echo]", &["a"]),
            ("a[href$='/']", &["b"]),
            ("a[href*=echo]", &["a"]),
            (r"a[href~=\?x=\d]", &["a"]),
            ("li:contains(two)", &["Two bold"]),
            ("li:containsOwn(bold)", &[]),
            ("li:matches(^T.*e$)", &["Three"]),
            ("ul:has(> li b) li:lt(1)", &["One"]),
            ("li:has(b)", &["Two bold"]),
            ("li:eq(1), li:gt(1)", &["Two bold", "Three"]),
            ("li:nth-child(odd)", &["One", "Three"]),
            ("li:nth-child(-n+2)", &["One", "Two bold"]),
            ("li:nth-last-child(1)", &["Three"]),
            ("a:last-of-type, a:first-of-type", &["a", "b"]),
            ("p:empty", &["p"]),
            (":root > head > *", &["Shop", "meta csrf"]),
            ("h1:only-of-type", &["Welcome"]),
        ] {
            assert_eq!(found(selector), expected, "{selector}");
        }
    }

    /// Places are known, not counted: a page with many siblings takes no square of their number.
    #[test]
    fn many_siblings_are_searched() {
        let many = 100_000;
        let document = Document::parse(&"<li>x".repeat(many));
        for (selector, expected) in [
            ("li:nth-child(2n)", many / 2),
            ("li:nth-last-child(n+2)", many - 1),
            ("li:gt(10)", many - 11),
            ("li + li", many - 1),
            ("li ~ li", many - 1),
        ] {
            let selector = Selector::parse(selector).unwrap();
            assert_eq!(selector.select(&document).len(), expected, "{selector:?}");
        }
        let body = document.elements().find(|id| document.name(*id) == "body");
        assert_eq!(document.text(body.unwrap()).len(), 2 * many - 1);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (selector, expected) in [
            ("", "empty"),
            ("li:hover", "`:hover`"),
            ("li[", "`]` is missing"),
            ("li:nth-child(x)", "`x`"),
            ("li:not(p", "`)` is missing"),
            ("li,", "empty"),
            ("li > > p", "`> p`"),
            ("a[href~=(]", "no pattern"),
        ] {
            let error = Selector::parse(selector).unwrap_err();
            assert!(error.contains(expected), "{selector}: {error}");
        }
    }
}
