//! What a reader sees of an element.
//!
//! Source: the documentation of jsoup's `Element.text` and `Element.ownText`, and its classes `Tag` and
//! `StringUtil` for which elements stand on lines of their own and what counts as a space.

use super::{Document, Kind, NodeId};

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 66] = [
    "html",
    "head",
    "body",
    "frameset",
    "script",
    "noscript",
    "style",
    "meta",
    "link",
    "title",
    "frame",
    "noframes",
    "section",
    "nav",
    "aside",
    "hgroup",
    "header",
    "footer",
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "pre",
    "div",
    "blockquote",
    "hr",
    "address",
    "figure",
    "figcaption",
    "form",
    "fieldset",
    "ins",
    "del",
    "dl",
    "dt",
    "dd",
    "li",
    "table",
    "caption",
    "thead",
    "tfoot",
    "tbody",
    "colgroup",
    "col",
    "tr",
    "th",
    "td",
    "video",
    "audio",
    "canvas",
    "details",
    "menu",
    "plaintext",
    "template",
    "article",
    "main",
    "svg",
    "math",
    "center",
    "dir",
    "listing",
];
/// Those of them that are written as if they did not.
const WRITTEN_INLINE: [&str; 19] = [
    "title", "a", "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "address", "li", "th", "td",
    "script", "style", "ins", "del", "s",
];

impl Document {
    /// All texts within an element, with one space for any number of them and between blocks.
    pub(crate) fn text(&self, id: NodeId) -> String {
        let mut out = String::new();
        self.append(id, &mut out);
        out.trim().to_owned()
    }

    /// All texts within an element as they are written.
    pub(crate) fn whole_text(&self, id: NodeId) -> String {
        let mut out = String::new();
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            let node = &self.nodes[id];
            if let Kind::Text(text) | Kind::Data(text) = &node.kind {
                out.push_str(text);
            }
            waiting.extend(node.children.iter().rev());
        }
        out
    }

    /// The texts of an element itself, not of those within it.
    pub(super) fn own_text(&self, id: NodeId) -> String {
        let mut out = String::new();
        for child in &self.nodes[id].children {
            match &self.nodes[*child].kind {
                Kind::Text(text) => self.append_text(*child, text, &mut out),
                _ if self.name(*child) == "br" && !ends_with_space(&out) => out.push(' '),
                _ => {}
            }
        }
        out.trim().to_owned()
    }

    fn append(&self, id: NodeId, out: &mut String) {
        if let Kind::Text(text) = &self.nodes[id].kind {
            self.append_text(id, text, out);
            return;
        }
        let name = self.name(id);
        let is_block = BLOCKS.contains(&name);
        if !out.is_empty() && (is_block || name == "br") && !ends_with_space(out) {
            out.push(' ');
        }
        for child in &self.nodes[id].children {
            self.append(*child, out);
        }
        if is_block && self.is_followed_inline(id) && !ends_with_space(out) {
            out.push(' ');
        }
    }

    /// Whether a text or an element within a line comes next.
    fn is_followed_inline(&self, id: NodeId) -> bool {
        let Some(next) = self.behind(id) else {
            return false;
        };
        match &self.nodes[next].kind {
            Kind::Text(_) => true,
            Kind::Element { name, .. } => {
                let name = name.as_str();
                !BLOCKS.contains(&name) || WRITTEN_INLINE.contains(&name)
            }
            _ => false,
        }
    }

    fn append_text(&self, id: NodeId, text: &str, out: &mut String) {
        let parent = self.nodes[id].parent.map_or("", |id| self.name(id));
        if matches!(parent, "pre" | "plaintext" | "textarea") {
            out.push_str(text);
            return;
        }
        let mut after_space = ends_with_space(out);
        let mut is_start = after_space;
        for character in text.chars() {
            match character {
                ' ' | '\t' | '\n' | '\u{c}' | '\r' | '\u{a0}' => {
                    if !(after_space || is_start) {
                        out.push(' ');
                        after_space = true;
                    }
                }
                // A zero width space and a soft hyphen are not seen.
                '\u{200b}' | '\u{ad}' => {}
                other => {
                    out.push(other);
                    after_space = false;
                    is_start = false;
                }
            }
        }
    }
}

fn ends_with_space(text: &str) -> bool {
    text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_that_a_reader_sees() {
        for (html, expected, own) in [
            ("<p>a  b\n<b>c</b> d</p>", "a b c d", ""),
            (
                "<div>one</div><div>two</div>three",
                "one two three",
                "three",
            ),
            ("a<br>b&nbsp;&nbsp;c", "a b c", "a b c"),
            ("<script>x</script>y<textarea> z </textarea>", "y z", "y"),
            ("<pre>a  b</pre>", "a  b", ""),
            ("<ul><li>1</li><li>2</li></ul>", "1 2", ""),
        ] {
            let document = Document::parse(html);
            let body = document.elements().find(|id| document.name(*id) == "body");
            let body = body.unwrap();
            assert_eq!(document.text(body), expected, "{html}");
            assert_eq!(document.own_text(body), own, "{html}");
        }
    }
}
