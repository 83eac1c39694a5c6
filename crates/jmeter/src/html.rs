//! HTML as browsers and `JMeter`'s libraries read it: any text gives a tree.
//!
//! [`Document::parse`] makes the tree, with the elements `html`, `head` and `body` whether they are
//! written or not, and with the end tags that may be left out. What crosses itself, such as
//! `<b><i></b></i>`, is closed with the outer element and not opened anew as a browser would.
//! [`Selector`] finds elements in it.

mod reader;
mod selector;
mod text;

pub(crate) use selector::Selector;

/// A page.
#[derive(Debug)]
pub(crate) struct Document {
    nodes: Vec<Node>,
}

/// The number of a node in its document.
pub(crate) type NodeId = usize;

#[derive(Debug)]
struct Node {
    parent: Option<NodeId>,
    kind: Kind,
    children: Vec<NodeId>,
    /// Its number among all that stands in its parent.
    place: usize,
    /// How many elements stand before it in its parent.
    index: usize,
    /// How many elements stand in it.
    elements: usize,
}

#[derive(Debug)]
enum Kind {
    /// The document itself.
    Root,
    Element {
        /// In small letters.
        name: String,
        /// Names in small letters, each once.
        attributes: Vec<(String, String)>,
    },
    Text(String),
    /// What stands in scripts and style sheets.
    Data(String),
}

impl Document {
    /// Reads a page.
    pub(crate) fn parse(text: &str) -> Self {
        reader::read(text)
    }

    /// All elements, each before what stands in it.
    pub(crate) fn elements(&self) -> impl Iterator<Item = NodeId> {
        let mut waiting: Vec<NodeId> = vec![0];
        std::iter::from_fn(move || {
            loop {
                let id = waiting.pop()?;
                waiting.extend(self.nodes[id].children.iter().rev());
                if matches!(self.nodes[id].kind, Kind::Element { .. }) {
                    return Some(id);
                }
            }
        })
    }

    /// The name of an element; empty for what is none.
    pub(crate) fn name(&self, id: NodeId) -> &str {
        match &self.nodes[id].kind {
            Kind::Element { name, .. } => name,
            _ => "",
        }
    }

    /// An attribute of an element.
    pub(crate) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        let found = self.attributes(id).iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The text of a text or of a script, as it is written.
    pub(crate) fn own_data(&self, id: NodeId) -> Option<&str> {
        match &self.nodes[id].kind {
            Kind::Text(text) | Kind::Data(text) => Some(text),
            _ => None,
        }
    }

    /// What stands in a node.
    pub(crate) fn children(&self, id: NodeId) -> &[NodeId] {
        &self.nodes[id].children
    }

    /// The attributes of an element with their values.
    pub(crate) fn attributes(&self, id: NodeId) -> &[(String, String)] {
        match &self.nodes[id].kind {
            Kind::Element { attributes, .. } => attributes,
            _ => &[],
        }
    }

    /// The first text within an element, when it begins with one.
    pub(crate) fn first_text(&self, id: NodeId) -> Option<&str> {
        let first = self.nodes[id].children.first()?;
        match &self.nodes[*first].kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    fn is_element(&self, id: NodeId) -> bool {
        matches!(self.nodes[id].kind, Kind::Element { .. })
    }

    /// The element that another one stands in.
    fn parent(&self, id: NodeId) -> Option<NodeId> {
        let parent = self.nodes[id].parent?;
        self.is_element(parent).then_some(parent)
    }

    /// What stands in the same element, texts and this one among it.
    fn beside(&self, id: NodeId) -> &[NodeId] {
        let parent = self.nodes[id].parent;
        parent.map_or(&[], |parent| &self.nodes[parent].children)
    }

    /// The elements that stand in the same one, this one among them.
    fn siblings(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let beside = self.beside(id).iter().copied();
        beside.filter(|child| self.is_element(*child))
    }

    /// The elements before this one in the same one, the nearest first.
    fn siblings_before(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let before = self.beside(id).iter().take(self.nodes[id].place);
        let before = before.rev().copied();
        before.filter(|child| self.is_element(*child))
    }

    /// What comes right behind it in the same element.
    fn behind(&self, id: NodeId) -> Option<NodeId> {
        self.beside(id).get(self.nodes[id].place + 1).copied()
    }

    /// How many elements stand in the same one, this one among them.
    fn sibling_count(&self, id: NodeId) -> usize {
        self.nodes[id]
            .parent
            .map_or(0, |parent| self.nodes[parent].elements)
    }
}
