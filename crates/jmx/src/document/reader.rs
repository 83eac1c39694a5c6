//! From XML to the tree of a plan.

use super::error::{Limits, Place, ReadError};
use super::xml::Node;
use super::{Document, Element, Oddity, Properties, Property, names, source, xml};

/// What the root may be called: as it is written today, and by the whole name of its class.
const ROOTS: &[&str] = &["jmeterTestPlan", "org.apache.jmeter.save.ScriptWrapper"];

/// What stands below an element: today's name and the whole name of the class.
const TREES: &[&str] = &[
    "hashTree",
    "org.apache.jorphan.collections.ListedHashTree",
    "org.apache.jorphan.collections.HashTree",
];

/// The first line of what Git LFS leaves in place of a file.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Reads a plan.
///
/// # Errors
/// It is no plan, or too large; the error says where.
pub fn read(bytes: &[u8], limits: Limits) -> Result<Document, ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    if bytes.starts_with(POINTER) {
        return Err(ReadError::Pointer);
    }
    if bytes.len() > limits.bytes {
        return Err(ReadError::TooLarge {
            bytes: bytes.len(),
            limit: limits.bytes,
        });
    }
    let text = source::text_of(bytes)?;
    let root = xml::read(&text, limits)?;
    Conversion::default().document(root)
}

#[derive(Default)]
struct Conversion {
    oddities: Vec<Oddity>,
}

impl Conversion {
    fn document(mut self, root: Node) -> Result<Document, ReadError> {
        let at = Place {
            line: root.line,
            column: 1,
        };
        if !ROOTS.contains(&root.tag.as_str()) {
            let root = root.tag;
            return Err(ReadError::NotAPlan { at, root });
        }
        let attribute = |name| root.attribute(name).unwrap_or_default().to_owned();
        let (jmeter, properties) = (attribute("jmeter"), attribute("properties"));
        let mut tops = Vec::new();
        for child in root.children {
            if child.attribute("class").is_some() || is_tree(&child) {
                tops.extend(self.tree(child));
            } else {
                self.odd(&child, "stands beside the tree of the plan");
            }
        }
        let Some(index) = tops.iter().position(|top| top.class == "TestPlan") else {
            return Err(ReadError::NoTestPlan { at });
        };
        let plan = tops.remove(index);
        Ok(Document {
            jmeter,
            properties,
            root: plan,
            beside: tops,
            oddities: self.oddities,
        })
    }

    /// The elements of a `hashTree`, each with those of the `hashTree` that follows it.
    fn tree(&mut self, tree: Node) -> Vec<Element> {
        let mut elements: Vec<Element> = Vec::new();
        for node in tree.children {
            if !is_tree(&node) {
                elements.push(self.element(node));
                continue;
            }
            let line = node.line;
            let below = self.tree(node);
            match elements.last_mut() {
                Some(above) => above.children.extend(below),
                None if below.is_empty() => {}
                None => self.oddities.push(Oddity {
                    line,
                    text: "a `hashTree` follows no element".to_owned(),
                }),
            }
        }
        elements
    }

    fn element(&mut self, node: Node) -> Element {
        let written = node.attribute("class").unwrap_or(&node.tag);
        let class = names::class(written);
        self.element_of(node, class)
    }

    /// An element of the tree, or within a property.
    fn element_of(&mut self, node: Node, class: String) -> Element {
        let attribute = |name| node.attribute(name);
        let enabled = attribute("enabled").is_none_or(is_true);
        let mut element = Element {
            gui_class: attribute("guiclass").map(names::class).unwrap_or_default(),
            name: attribute("testname").unwrap_or_default().to_owned(),
            class,
            enabled,
            line: node.line,
            properties: Properties::default(),
            children: Vec::new(),
        };
        for child in node.children {
            let Some((name, value)) = self.property(&element.class, child) else {
                continue;
            };
            match (name.as_str(), value.as_text()) {
                ("TestElement.enabled", Some(text)) => element.enabled = is_true(text),
                ("TestElement.name", Some(text)) => text.clone_into(&mut element.name),
                ("TestElement.gui_class", Some(text)) => element.gui_class = names::class(text),
                ("TestElement.test_class", Some(_)) => {}
                _ => element.properties.set(&name, value),
            }
        }
        element
    }

    /// A property of an element of this class.
    fn property(&mut self, class: &str, node: Node) -> Option<(String, Property)> {
        let tag = node.tag.as_str();
        let tag = tag.rsplit('.').next().unwrap_or(tag);
        match tag {
            "elementProp" | "TestElementProperty" => Some(self.element_property(node)),
            "collectionProp" | "CollectionProperty" | "mapProp" | "MapProperty" => {
                let name = names::property(class, node.attribute("name").unwrap_or_default());
                let name = name.to_owned();
                let items = node.children.into_iter();
                let items = items.filter_map(|item| self.property("", item));
                Some((name, Property::List(items.collect())))
            }
            "objProp" | "ObjectProperty" => self.object_property(node),
            "stringProp" | "boolProp" | "intProp" | "longProp" | "floatProp" | "doubleProp"
            | "StringProperty" | "BooleanProperty" | "IntegerProperty" | "LongProperty"
            | "FloatProperty" | "DoubleProperty" => {
                let (name, text) = named_text(node);
                let name = names::property(class, &name);
                let text = names::value(class, name, text);
                Some((name.to_owned(), Property::Text(text)))
            }
            _ => {
                self.odd(&node, "is no property that is known");
                None
            }
        }
    }

    fn element_property(&mut self, node: Node) -> (String, Property) {
        let name = node.attribute("name").unwrap_or_default().to_owned();
        let class = node.attribute("elementType").unwrap_or_default();
        let class = names::class(class);
        let element = self.element_of(node, class);
        (name, Property::Element(Box::new(element)))
    }

    /// An object that is no element of a plan, such as what a listener writes: an element all the same,
    /// whose properties are the fields of the object.
    fn object_property(&mut self, node: Node) -> Option<(String, Property)> {
        let named = node.attribute("name").map(str::to_owned);
        let line = node.line;
        let mut name = named.unwrap_or_default();
        let mut value = None;
        for child in node.children {
            match child.tag.as_str() {
                "name" => name = child.text,
                "value" => value = Some(child),
                _ => self.odd(&child, "is no part of an `objProp`"),
            }
        }
        let Some(value) = value else {
            self.oddities.push(Oddity {
                line,
                text: format!("`objProp` `{name}` has no value"),
            });
            return None;
        };
        Some((name, fields(value)))
    }

    fn odd(&mut self, node: &Node, what: &str) {
        self.oddities.push(Oddity {
            line: node.line,
            text: format!("`{}` {what}", node.tag),
        });
    }
}

/// The value of an object: its text, or its fields.
fn fields(node: Node) -> Property {
    if node.children.is_empty() {
        return Property::Text(node.text);
    }
    let mut element = Element {
        class: names::class(node.attribute("class").unwrap_or(&node.tag)),
        enabled: true,
        line: node.line,
        ..Element::default()
    };
    for child in node.children {
        let name = child.tag.clone();
        element.properties.set(&name, fields(child));
    }
    Property::Element(Box::new(element))
}

/// Name and text of a property: an attribute and what is in it, or two elements in it.
fn named_text(node: Node) -> (String, String) {
    if let Some(name) = node.attribute("name") {
        return (name.to_owned(), node.text);
    }
    let mut name = String::new();
    let mut text = String::new();
    for child in node.children {
        match child.tag.as_str() {
            "name" => name = child.text,
            "value" => text = child.text,
            _ => {}
        }
    }
    (name, text)
}

fn is_tree(node: &Node) -> bool {
    TREES.contains(&node.tag.as_str())
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}
