//! XML as a tree of nodes, within limits and without entities.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::error::{Limits, ReadError};
use super::source::Lines;

/// An element of the file.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Its name as it is written.
    pub(super) tag: String,
    /// Its attributes.
    pub(super) attributes: Vec<(String, String)>,
    /// The text directly in it.
    pub(super) text: String,
    /// The elements in it.
    pub(super) children: Vec<Self>,
    /// The line that it begins on.
    pub(super) line: u32,
}

impl Node {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads on, event by event.
struct Tree<'t> {
    reader: Reader<&'t [u8]>,
    lines: Lines<'t>,
    limits: Limits,
    open: Vec<Node>,
    root: Option<Node>,
    elements: usize,
}

/// The root of the text.
pub(super) fn read(text: &str, limits: Limits) -> Result<Node, ReadError> {
    let mut tree = Tree {
        reader: Reader::from_str(text),
        lines: Lines::new(text),
        limits,
        open: Vec::new(),
        root: None,
        elements: 0,
    };
    loop {
        let offset = usize::try_from(tree.reader.buffer_position()).unwrap_or(usize::MAX);
        match tree.reader.read_event() {
            Ok(Event::Eof) => return tree.finish(text.len()),
            Ok(event) => tree.take(event, offset)?,
            Err(error) => {
                let at = tree.reader.error_position();
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                return Err(tree.malformed(at, error.to_string()));
            }
        }
    }
}

impl Tree<'_> {
    fn take(&mut self, event: Event<'_>, offset: usize) -> Result<(), ReadError> {
        match event {
            Event::Start(start) => self.start(&start, offset),
            Event::Empty(start) => {
                self.start(&start, offset)?;
                self.end();
                Ok(())
            }
            Event::End(_) => {
                self.end();
                Ok(())
            }
            Event::Text(text) => self.text(&text.into_inner(), offset),
            Event::CData(text) => self.text(&text.into_inner(), offset),
            Event::GeneralRef(reference) => self.reference(&reference, offset),
            Event::DocType(_) => Err(ReadError::DocumentType {
                at: self.lines.place(offset),
            }),
            Event::Decl(_) if self.root.is_some() => Err(self.outside(offset)),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, offset: usize) -> Result<(), ReadError> {
        let at = self.lines.place(offset);
        if let Some(root) = &self.root {
            let first = root.line;
            return Err(ReadError::SecondRoot { at, first });
        }
        if self.open.len() == self.limits.depth {
            let limit = self.limits.depth;
            return Err(ReadError::TooDeep { at, limit });
        }
        self.elements += 1;
        if self.elements > self.limits.elements {
            let limit = self.limits.elements;
            return Err(ReadError::TooMany { at, limit });
        }
        let mut node = Node {
            tag: start.name().as_ref().to_owned(),
            line: at.line,
            ..Node::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.malformed(offset, error.to_string()))?;
            let value = self.attribute_value(&attribute.value, offset)?;
            node.attributes
                .push((attribute.key.as_ref().to_owned(), value));
        }
        self.open.push(node);
        Ok(())
    }

    fn end(&mut self) {
        let Some(node) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
    }

    fn text(&mut self, text: &str, offset: usize) -> Result<(), ReadError> {
        match self.open.last_mut() {
            Some(node) => node.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(self.outside(offset)),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>, offset: usize) -> Result<(), ReadError> {
        let name: &str = reference;
        let Some(character) = character_of(name) else {
            return Err(self.undefined(name, offset));
        };
        match self.open.last_mut() {
            Some(node) => node.text.push(character),
            None => return Err(self.outside(offset)),
        }
        Ok(())
    }

    /// The value with references resolved and white space as spaces.
    fn attribute_value(&mut self, written: &str, offset: usize) -> Result<String, ReadError> {
        let mut value = String::with_capacity(written.len());
        let mut rest = written;
        while let Some((before, after)) = rest.split_once('&') {
            value.extend(before.chars().map(space));
            let Some((name, after)) = after.split_once(';') else {
                let reason = "`&` without `;` in an attribute".to_owned();
                return Err(self.malformed(offset, reason));
            };
            match character_of(name) {
                Some(character) => value.push(character),
                None => return Err(self.undefined(name, offset)),
            }
            rest = after;
        }
        value.extend(rest.chars().map(space));
        Ok(value)
    }

    fn finish(mut self, length: usize) -> Result<Node, ReadError> {
        if let Some(open) = self.open.last() {
            let reason = format!("`{}` of line {} is not closed", open.tag, open.line);
            return Err(self.malformed(length, reason));
        }
        let root = self.root.take();
        root.ok_or_else(|| self.malformed(0, "there is no element".to_owned()))
    }

    /// Text before or after the root.
    fn outside(&mut self, offset: usize) -> ReadError {
        let at = self.lines.place(offset);
        match &self.root {
            Some(root) => ReadError::SecondRoot {
                at,
                first: root.line,
            },
            None => self.malformed(offset, "text stands before the first element".to_owned()),
        }
    }

    fn undefined(&mut self, name: &str, offset: usize) -> ReadError {
        ReadError::Entity {
            at: self.lines.place(offset),
            name: name.chars().take(60).collect(),
        }
    }

    fn malformed(&mut self, offset: usize, reason: String) -> ReadError {
        let at = self.lines.place(offset);
        ReadError::Xml { at, reason }
    }
}

/// The character that a reference stands for. Control characters are let through: `JMeter` writes them
/// so, into plans that declare XML 1.0 too.
fn character_of(name: &str) -> Option<char> {
    let number = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code)
}

fn space(character: char) -> char {
    match character {
        '\t' | '\n' => ' ',
        other => other,
    }
}
