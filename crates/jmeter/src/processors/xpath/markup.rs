//! Nodes as XML, and pages as documents that expressions can be asked of.

use sxd_document::Package;
use sxd_document::dom::{self, ChildOfElement};
use sxd_xpath::nodeset::Node;

use crate::html;

/// Spaces of a level.
const INDENT: usize = 3;

/// How nodes are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    /// All in one line.
    Compact,
    /// Elements that hold nothing but elements over several lines.
    Indented,
}

impl Markup {
    /// A node as it is printed.
    pub(super) fn of(self, node: Node<'_>) -> String {
        let mut out = String::new();
        match node {
            Node::Element(element) => self.element(element, 0, &mut out),
            Node::Root(_) => {
                for child in node.children() {
                    out.push_str(&self.of(child));
                }
            }
            Node::Text(text) => escape(text.text(), false, &mut out),
            Node::Comment(comment) => {
                out.extend(["<!--", comment.text(), "-->"]);
            }
            other => out.push_str(&other.string_value()),
        }
        out
    }

    fn element(self, element: dom::Element<'_>, level: usize, out: &mut String) {
        let name = match element.preferred_prefix() {
            Some(prefix) => format!("{prefix}:{}", element.name().local_part()),
            None => element.name().local_part().to_owned(),
        };
        out.push('<');
        out.push_str(&name);
        let own = element.name().namespace_uri();
        let around = element.parent().and_then(dom::ParentOfChild::element);
        let inherited = around.filter(|_| level > 0);
        let inherited = inherited.and_then(|around| around.name().namespace_uri());
        if let Some(address) = own.filter(|own| inherited != Some(own)) {
            out.push_str(" xmlns");
            if let Some(prefix) = element.preferred_prefix() {
                out.push(':');
                out.push_str(prefix);
            }
            out.push_str("=\"");
            escape(address, true, out);
            out.push('"');
        }
        for attribute in element.attributes() {
            out.push(' ');
            if let Some(prefix) = attribute.preferred_prefix() {
                out.push_str(prefix);
                out.push(':');
            }
            out.push_str(attribute.name().local_part());
            out.push_str("=\"");
            escape(attribute.value(), true, out);
            out.push('"');
        }
        let children = element.children();
        if children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        let is_text = |child: &ChildOfElement<'_>| matches!(child, ChildOfElement::Text(_));
        let breaks = self == Self::Indented && !children.iter().any(is_text);
        for child in children {
            if breaks {
                line(level + 1, out);
            }
            match child {
                ChildOfElement::Element(inner) => self.element(inner, level + 1, out),
                ChildOfElement::Text(text) => escape(text.text(), false, out),
                ChildOfElement::Comment(comment) => out.extend(["<!--", comment.text(), "-->"]),
                ChildOfElement::ProcessingInstruction(_) => {}
            }
        }
        if breaks {
            line(level, out);
        }
        out.extend(["</", &name, ">"]);
    }
}

fn line(level: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', level * INDENT));
}

fn escape(text: &str, in_attribute: bool, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

/// A page of HTML as a document.
pub(super) fn page(text: &str) -> Package {
    let source = html::Document::parse(text);
    let package = Package::new();
    let document = package.as_document();
    // Each node with the element that it goes into; none for the root.
    let mut waiting: Vec<(html::NodeId, Option<dom::Element<'_>>)> = vec![(0, None)];
    while let Some((id, into)) = waiting.pop() {
        let name = source.name(id);
        let mut within = into;
        if let Some(text) = source.own_data(id) {
            if let Some(into) = into {
                into.append_child(document.create_text(text));
            }
        } else if is_name(name) {
            let element = document.create_element(name);
            for (name, value) in source.attributes(id) {
                if is_name(name) {
                    element.set_attribute_value(name.as_str(), value);
                }
            }
            match into {
                Some(into) => into.append_child(element),
                None => document.root().append_child(element),
            }
            within = Some(element);
        }
        let children = source.children(id).iter().rev();
        waiting.extend(children.map(|child| (*child, within)));
    }
    package
}

/// Whether this can be the name of an element or attribute without a namespace.
fn is_name(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|first| first.is_alphabetic() || first == '_')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(xml: &str, markup: Markup) -> String {
        let package = sxd_document::parser::parse(xml).unwrap();
        let document = package.as_document();
        markup.of(Node::Root(document.root()))
    }

    #[test]
    fn nodes_are_printed_as_xml() {
        let xml = "<a x=\"1&quot;\"><b>&lt;</b><c/></a>";
        assert_eq!(printed(xml, Markup::Compact), xml);
        assert_eq!(
            printed(xml, Markup::Indented),
            "<a x=\"1&quot;\">\n   <b>&lt;</b>\n   <c/>\n</a>"
        );
        let named = "<n:a xmlns:n=\"u\"><n:b/></n:a>";
        assert_eq!(printed(named, Markup::Compact), named);
    }

    #[test]
    fn pages_become_documents() {
        let package = page("<p class=x>a &amp; b<br>c<1><p @=1>");
        let document = package.as_document();
        let text = Markup::Compact.of(Node::Root(document.root()));
        assert_eq!(
            text,
            "<html><head/><body><p class=\"x\">a &amp; b<br/>c&lt;1&gt;</p><p/></body></html>"
        );
    }
}
