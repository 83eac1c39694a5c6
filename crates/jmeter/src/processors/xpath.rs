//! `XPath` over XML answers.
//!
//! Both of `JMeter`'s kinds are served by one library of `XPath` 1.0; expressions that need more are
//! refused where they stand in the plan.

mod markup;

use std::rc::Rc;

use double11_jmx::document::Element as PlanElement;
use double11_jmx::template::Template;
use sxd_document::dom::{ChildOfElement, ChildOfRoot, Document, Element};
use sxd_xpath::nodeset::Node;
use sxd_xpath::{Context, Factory, Value, XPath};

use crate::compiler::Compiler;
use crate::user::{StateId, User};
pub(crate) use markup::Markup;

/// Elements within each other at most: the library calls itself for each level.
const DEPTH_MAX: usize = 1_000;
/// Parentheses and brackets within each other in an expression, for the same reason.
const NESTING_MAX: usize = 100;

/// The text of an expression in a plan.
#[derive(Debug)]
pub(super) struct XPathText {
    template: Template,
    /// What the user filled in last, and its expression: they cannot be shared by threads.
    last: StateId,
}

type Last = Option<(String, Rc<XPath>)>;

/// How names with namespaces are understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Namespaces {
    /// Names without a prefix have none, whatever the document says.
    Ignored,
    /// By the prefixes of the document's root.
    OfDocument,
    /// By these prefixes and addresses.
    Given(Vec<(String, String)>),
}

/// How a text is read, and what is told of what is found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// How names are understood.
    pub(crate) namespaces: Namespaces,
    /// Whether the text is HTML, however bad.
    pub(crate) is_html: bool,
    /// How nodes are printed, if they are.
    pub(crate) markup: Option<Markup>,
}

/// What an expression leads to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    Nodes(Vec<NodeText>),
    Bool(bool),
    Text(String),
}

/// The texts of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeText {
    /// Of an element its first child's, when that is a text; of others their own.
    pub(crate) first: Option<String>,
    /// All texts within it.
    pub(crate) whole: String,
    /// As it is printed, if that is wanted.
    pub(crate) markup: Option<String>,
}

impl Reading {
    /// Of XML.
    pub(crate) fn of_xml(namespaces: Namespaces) -> Self {
        Self {
            namespaces,
            is_html: false,
            markup: None,
        }
    }
}

impl XPathText {
    /// Reads an expression; one that is literal and not understood is refused.
    pub(super) fn compile(text: &str, element: &PlanElement, compiler: &mut Compiler) -> Self {
        let template = compiler.template(text);
        if let Some(own) = template.literal().filter(|own| !own.is_empty())
            && let Err(reason) = built(own)
        {
            let text = format!("`{own}` is no expression of XPath 1.0: {reason}");
            compiler.refuse(element, text);
        }
        Self {
            template,
            last: compiler.state(),
        }
    }

    /// The text with everything filled in.
    pub(super) fn text(&self, user: &mut User) -> String {
        user.render(&self.template).into_owned()
    }

    /// The expression with everything filled in.
    pub(super) fn of(&self, user: &mut User) -> Result<Rc<XPath>, String> {
        let text = self.text(user);
        let last = user.state::<Last>(self.last, || None);
        if let Some((own, path)) = last
            && *own == text
        {
            return Ok(Rc::clone(path));
        }
        let path = Rc::new(built(&text)?);
        *last = Some((text, Rc::clone(&path)));
        Ok(path)
    }
}

impl Namespaces {
    /// Reads lines such as `prefix=address`.
    pub(super) fn given(lines: &str) -> Self {
        let pairs = lines.lines().filter_map(|line| line.split_once('='));
        Self::Given(
            pairs
                .map(|(prefix, address)| (prefix.trim().to_owned(), address.trim().to_owned()))
                .collect(),
        )
    }
}

/// An expression that is to be followed.
///
/// # Errors
/// What is not understood about it.
pub(crate) fn built(text: &str) -> Result<XPath, String> {
    if nesting(text) > NESTING_MAX {
        return Err(format!(
            "more than {NESTING_MAX} parentheses and brackets stand within each other"
        ));
    }
    let path = Factory::new().build(text);
    let path = path.map_err(|reason| reason.to_string())?;
    path.ok_or_else(|| "it is empty".to_owned())
}

/// How many parentheses and brackets stand within each other at most; those in texts may count.
fn nesting(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' => now += 1,
            b')' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// How deep elements stand within each other, before the text is known to be XML: the library looks up
/// namespaces through all levels, so that it takes the square of their number.
fn depth(xml: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    let mut rest = xml;
    while let Some((_, from)) = rest.split_once('<') {
        let parts = if from.starts_with("!--") {
            from.split_once("-->")
        } else if from.starts_with("![CDATA[") {
            from.split_once("]]>")
        } else {
            split_tag(from)
        };
        let Some((tag, after)) = parts else {
            break;
        };
        rest = after;
        if tag.starts_with('/') {
            now = now.saturating_sub(1);
        } else if !tag.starts_with(['!', '?']) && !tag.ends_with('/') {
            now += 1;
            most = most.max(now);
        }
    }
    most
}

/// A tag without its signs, and what comes behind it; a `>` in the value of an attribute is none.
fn split_tag(from: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let end = from.find(|sign| {
        match (quote, sign) {
            (None, '"' | '\'') => quote = Some(sign),
            (Some(open), _) if open == sign => quote = None,
            _ => {}
        }
        quote.is_none() && sign == '>'
    })?;
    let (tag, after) = from.split_at(end);
    Some((tag, after.strip_prefix('>')?))
}

/// Whether the text is XML, and what is wrong with it otherwise.
pub(super) fn well_formed(xml: &str) -> Result<(), String> {
    parsed(xml).map(drop)
}

/// XML as a document, or what is wrong with it; in Java's words where it is no XML from the start.
fn parsed(xml: &str) -> Result<sxd_document::Package, String> {
    let xml = xml.trim_start_matches('\u{feff}');
    if depth(xml) > DEPTH_MAX {
        return Err(format!(
            "its elements stand more than {DEPTH_MAX} deep within each other"
        ));
    }
    sxd_document::parser::parse(xml).map_err(|reason| {
        if xml.trim_start().starts_with('<') || xml.trim().is_empty() {
            reason.to_string()
        } else {
            "Content is not allowed in prolog.".to_owned()
        }
    })
}

/// Follows an expression from the root of a document.
///
/// # Errors
/// What is no XML, and names or functions that are not known.
pub(crate) fn evaluate(path: &XPath, xml: &str, reading: &Reading) -> Result<Found, String> {
    let namespaces = &reading.namespaces;
    let package = if reading.is_html {
        markup::page(xml)
    } else {
        parsed(xml)?
    };
    let document = package.as_document();
    let mut context = Context::new();
    if let Namespaces::Given(pairs) = namespaces {
        for (prefix, address) in pairs {
            context.set_namespace(prefix, address);
        }
    } else if let Some(root) = root_of(&document) {
        for namespace in root.namespaces_in_scope() {
            context.set_namespace(namespace.prefix(), namespace.uri());
        }
        if *namespaces == Namespaces::Ignored {
            without_default_namespace(root);
        }
    }
    let value = path.evaluate(&context, document.root());
    Ok(match value.map_err(|reason| reason.to_string())? {
        Value::Nodeset(nodes) => {
            let nodes = nodes.document_order();
            let nodes = nodes.into_iter();
            let nodes = nodes.map(|node| NodeText::of(node, reading.markup));
            Found::Nodes(nodes.collect())
        }
        Value::Boolean(value) => Found::Bool(value),
        other => Found::Text(other.into_string()),
    })
}

fn root_of<'d>(document: &Document<'d>) -> Option<Element<'d>> {
    let children = document.root().children();
    children.into_iter().find_map(ChildOfRoot::element)
}

/// Takes the namespace from all elements that have one without a prefix.
fn without_default_namespace(root: Element<'_>) {
    let mut waiting = vec![root];
    while let Some(element) = waiting.pop() {
        let name = element.name();
        if name.namespace_uri().is_some() && element.preferred_prefix().is_none() {
            element.set_name(name.local_part());
        }
        let children = element.children();
        waiting.extend(children.into_iter().filter_map(ChildOfElement::element));
    }
}

impl NodeText {
    fn of(node: Node<'_>, markup: Option<Markup>) -> Self {
        let first = match node {
            Node::Root(_) | Node::Element(_) => {
                let child = node.children().into_iter().next();
                child.and_then(|child| match child {
                    Node::Root(_) | Node::Element(_) => None,
                    other => Some(other.string_value()),
                })
            }
            other => Some(other.string_value()),
        };
        Self {
            first,
            whole: node.string_value(),
            markup: markup.map(|markup| markup.of(node)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(xml: &str) -> Result<Found, String> {
        let path = built("count(//a)").unwrap();
        evaluate(&path, xml, &Reading::of_xml(Namespaces::Ignored))
    }

    /// The library's way through texts and ours through markup call themselves for each level.
    #[test]
    fn what_is_too_deep_is_no_crash() {
        let deep = |levels| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert_eq!(count(&deep(1_000)), Ok(Found::Text("1000".to_owned())));
        let error = count(&deep(200_000)).unwrap_err();
        assert!(error.contains("1000 deep"), "{error}");
        assert!(well_formed(&deep(200_000)).is_err());
        let wide = format!(
            "<a>{}</a>",
            "<a x='>'/><!-- <a> --><![CDATA[<a>]]><a></a>".repeat(2_000)
        );
        assert_eq!(count(&wide), Ok(Found::Text("4001".to_owned())));
        let error = built(&format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)));
        let error = error.unwrap_err();
        assert!(error.contains("more than 100"), "{error}");
        assert!(built(&format!("{}1{}", "(".repeat(100), ")".repeat(100))).is_ok());
    }
}
