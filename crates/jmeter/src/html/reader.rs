//! From a text to a tree.
//!
//! Source: the HTML standard, sections 13.1.2 (elements, tags that may be left out) and 13.2 (parsing),
//! as far as the module above says.

use super::{Document, Kind, Node, NodeId};

/// Elements within each other at most; what is deeper stands beside.
const DEPTH_MAX: usize = 400;

/// Attributes of an element at most; what comes then is passed over.
const ATTRIBUTES_MAX: usize = 1_000;

/// Elements that nothing stands in.
const VOID: [&str; 17] = [
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input",
    "keygen", "link", "meta", "param", "source", "wbr",
];
/// Elements that belong into the head while nothing else has come.
const OF_HEAD: [&str; 9] = [
    "base", "basefont", "bgsound", "link", "meta", "noscript", "script", "style", "title",
];
/// Elements whose text holds no tags.
const RAW: [&str; 8] = [
    "script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title",
];
/// Elements that end a paragraph.
const ENDS_PARAGRAPH: [&str; 38] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "plaintext",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
    "xmp",
];
/// Elements that an end tag within does not reach beyond.
const SCOPES: [&str; 9] = [
    "applet", "caption", "html", "table", "td", "th", "marquee", "object", "template",
];

/// A tag as it is written.
struct Tag<'t> {
    name: String,
    is_end: bool,
    attributes: Vec<(String, String)>,
    rest: &'t str,
}

struct Builder {
    document: Document,
    /// From the document itself inwards.
    open: Vec<NodeId>,
    head: Option<NodeId>,
    body: Option<NodeId>,
}

pub(super) fn read(text: &str) -> Document {
    let mut builder = Builder::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        builder.text(before);
        rest = builder.markup(from);
    }
    builder.text(rest);
    builder.finish()
}

impl Builder {
    fn new() -> Self {
        let root = Node {
            parent: None,
            kind: Kind::Root,
            children: Vec::new(),
            place: 0,
            index: 0,
            elements: 0,
        };
        let mut builder = Self {
            document: Document { nodes: vec![root] },
            open: vec![0],
            head: None,
            body: None,
        };
        builder.push("html", Vec::new());
        builder
    }

    /// Reads what begins with `<`; the text behind it.
    fn markup<'t>(&mut self, from: &'t str) -> &'t str {
        if let Some(comment) = from.strip_prefix("<!--") {
            return comment.split_once("-->").map_or("", |(_, rest)| rest);
        }
        if let Some(data) = from.strip_prefix("<![CDATA[") {
            let (text, rest) = data.split_once("]]>").unwrap_or((data, ""));
            self.add(Kind::Text(text.to_owned()));
            return rest;
        }
        if from.starts_with("<!") || from.starts_with("<?") {
            return from.split_once('>').map_or("", |(_, rest)| rest);
        }
        let Some(tag) = tag(from) else {
            // No tag: the sign stands for itself.
            self.text("<");
            return from.split_at(1).1;
        };
        let rest = tag.rest;
        if tag.is_end {
            self.end(&tag.name);
            return rest;
        }
        let name = tag.name;
        if RAW.contains(&name.as_str()) {
            return self.raw(&name, tag.attributes, rest);
        }
        self.start(&name, tag.attributes);
        rest
    }

    /// An element whose text holds no tags; the text behind its end.
    fn raw<'t>(&mut self, name: &str, attributes: Vec<(String, String)>, rest: &'t str) -> &'t str {
        let (inner, after) = until_end_tag(rest, name);
        let is_text = matches!(name, "textarea" | "title");
        self.start(name, attributes);
        if is_text {
            self.add(Kind::Text(unescaped(inner)));
        } else {
            self.add(Kind::Data(inner.to_owned()));
        }
        if self.open.len() > 2 {
            self.open.pop();
        }
        after
    }

    fn start(&mut self, name: &str, attributes: Vec<(String, String)>) {
        match name {
            "html" => return self.merge(1, attributes),
            "head" => {
                if self.head.is_none() && self.body.is_none() {
                    self.head = Some(self.push("head", attributes));
                }
                return;
            }
            "body" | "frameset" if self.body.is_none() => {
                self.leave_head();
                self.body = Some(self.push(name, attributes));
                return;
            }
            "body" => {
                if let Some(body) = self.body {
                    self.merge(body, attributes);
                }
                return;
            }
            _ => {}
        }
        self.find_place(name);
        self.imply_ends(name);
        self.imply_table_parts(name);
        self.push(name, attributes);
        if VOID.contains(&name) {
            self.open.pop();
        }
    }

    /// Opens `head` or `body` if the element needs one.
    fn find_place(&mut self, name: &str) {
        if self.body.is_some() {
            return;
        }
        if !OF_HEAD.contains(&name) {
            self.open_body();
        } else if self.head.is_none() {
            self.head = Some(self.push("head", Vec::new()));
        }
    }

    fn open_body(&mut self) {
        if self.body.is_none() {
            self.leave_head();
            self.body = Some(self.push("body", Vec::new()));
        }
    }

    fn leave_head(&mut self) {
        self.open.truncate(2);
        if self.head.is_none() {
            self.head = Some(self.push("head", Vec::new()));
            self.open.truncate(2);
        }
    }

    /// Closes elements whose end tag may be left out before this one.
    fn imply_ends(&mut self, name: &str) {
        let (closed, until): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu", "dir"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl"]),
            "option" => (&["option"], &["select", "datalist"]),
            "optgroup" => (&["option", "optgroup"], &["select"]),
            "tr" => (&["tr", "td", "th"], &["table", "tbody", "thead", "tfoot"]),
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "tbody" | "thead" | "tfoot" => (
                &[
                    "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "colgroup",
                ],
                &["table"],
            ),
            "a" => (&["a"], &["table", "td", "th"]),
            _ => (&[], &[]),
        };
        if !closed.is_empty() {
            self.close_up_to(closed, until);
        }
        if ENDS_PARAGRAPH.contains(&name) {
            self.close_up_to(&["p"], &SCOPES);
        }
    }

    /// Closes the outermost of these that is open within one of `until`.
    fn close_up_to(&mut self, closed: &[&str], until: &[&str]) {
        let mut outermost = None;
        for (index, id) in self.open.iter().enumerate().skip(2).rev() {
            let name = self.document.name(*id);
            if until.contains(&name) {
                break;
            }
            if closed.contains(&name) {
                outermost = Some(index);
            }
        }
        if let Some(index) = outermost {
            self.open.truncate(index);
        }
    }

    /// Rows stand in a body of their table, cells in a row.
    fn imply_table_parts(&mut self, name: &str) {
        if !matches!(name, "tr" | "td" | "th") {
            return;
        }
        if self.current_name() == "table" {
            self.push("tbody", Vec::new());
        }
        if name != "tr" && matches!(self.current_name(), "tbody" | "thead" | "tfoot") {
            self.push("tr", Vec::new());
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "html" | "body" => return,
            // A stray one in the body is passed over, as browsers do.
            "head" if self.body.is_some() => return,
            "head" => return self.open.truncate(2),
            "br" => return self.start("br", Vec::new()),
            "p" if !self.is_open("p") => {
                self.start("p", Vec::new());
            }
            _ => {}
        }
        let is_scope = SCOPES.contains(&name);
        for (index, id) in self.open.iter().enumerate().skip(2).rev() {
            let own = self.document.name(*id);
            if own == name {
                self.open.truncate(index);
                return;
            }
            if !is_scope
                && SCOPES.contains(&own)
                && !matches!(name, "tr" | "tbody" | "thead" | "tfoot")
            {
                return;
            }
        }
    }

    fn is_open(&self, name: &str) -> bool {
        self.open.iter().any(|id| self.document.name(*id) == name)
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.body.is_none() {
            if text.trim().is_empty() {
                return;
            }
            if self.open.len() <= 3 {
                self.open_body();
            }
        }
        self.add(Kind::Text(unescaped(text)));
    }

    fn current_name(&self) -> &str {
        self.open.last().map_or("", |id| self.document.name(*id))
    }

    /// Adds an element and opens it.
    fn push(&mut self, name: &str, attributes: Vec<(String, String)>) -> NodeId {
        if self.open.len() > DEPTH_MAX {
            self.open.pop();
        }
        let id = self.add(Kind::Element {
            name: name.to_owned(),
            attributes,
        });
        self.open.push(id);
        id
    }

    fn add(&mut self, kind: Kind) -> NodeId {
        let parent = self.open.last().copied().unwrap_or(0);
        let nodes = &mut self.document.nodes;
        if let (Kind::Text(text), Some(last)) = (&kind, nodes[parent].children.last().copied())
            && let Kind::Text(own) = &mut nodes[last].kind
        {
            own.push_str(text);
            return last;
        }
        let id = nodes.len();
        let is_element = matches!(kind, Kind::Element { .. });
        let around = &mut nodes[parent];
        let (place, index) = (around.children.len(), around.elements);
        around.children.push(id);
        around.elements += usize::from(is_element);
        nodes.push(Node {
            parent: Some(parent),
            kind,
            children: Vec::new(),
            place,
            index,
            elements: 0,
        });
        id
    }

    /// Attributes that an element does not have yet.
    fn merge(&mut self, id: NodeId, more: Vec<(String, String)>) {
        if let Kind::Element { attributes, .. } = &mut self.document.nodes[id].kind {
            for (name, value) in more {
                add_attribute(attributes, name, value);
            }
        }
    }

    fn finish(mut self) -> Document {
        self.open_body();
        self.document
    }
}

/// Reads a tag from its `<` on; none when it is no tag.
fn tag(from: &str) -> Option<Tag<'_>> {
    let inner = from.strip_prefix('<')?;
    let (is_end, inner) = match inner.strip_prefix('/') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    if !inner.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/');
    let (name, mut rest) = inner.split_at(inner.find(ends).unwrap_or(inner.len()));
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        if rest.is_empty() {
            break;
        }
        let (name, value, after) = attribute(rest);
        rest = after;
        add_attribute(&mut attributes, name, value);
    }
    Some(Tag {
        name: name.to_ascii_lowercase(),
        is_end,
        attributes,
        rest,
    })
}

/// Adds an attribute that is not there yet.
fn add_attribute(attributes: &mut Vec<(String, String)>, name: String, value: String) {
    if attributes.len() < ATTRIBUTES_MAX && !attributes.iter().any(|(own, _)| *own == name) {
        attributes.push((name, value));
    }
}

/// Reads an attribute: its name, its value, and the text behind it.
fn attribute(text: &str) -> (String, String, &str) {
    let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/' | '=');
    // A stray `=` is part of a name, so that something is always used up.
    let first = text.chars().next().map_or(0, char::len_utf8);
    let (start, tail) = text.split_at(first);
    let (more, rest) = tail.split_at(tail.find(ends).unwrap_or(tail.len()));
    let name = format!("{start}{more}").to_ascii_lowercase();
    let Some(value) = rest.trim_start().strip_prefix('=') else {
        return (name, String::new(), rest);
    };
    let value = value.trim_start();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            let (value, rest) = inner.split_once(quote).unwrap_or((inner, ""));
            return (name, unescaped(value), rest);
        }
    }
    let ends = |c: char| c.is_ascii_whitespace() || c == '>';
    let (value, rest) = value.split_at(value.find(ends).unwrap_or(value.len()));
    (name, unescaped(value), rest)
}

/// What stands before the end tag of this name, and what comes after it.
fn until_end_tag<'t>(text: &'t str, name: &str) -> (&'t str, &'t str) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("</")) {
        let (inner, tag) = text.split_at(from + at);
        let after = tag.split_at(2).1;
        let is_same = after
            .get(..name.len())
            .is_some_and(|own| own.eq_ignore_ascii_case(name));
        let is_whole = after
            .get(name.len()..)
            .is_none_or(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
        if is_same && is_whole {
            return (inner, tag.split_once('>').map_or("", |(_, rest)| rest));
        }
        from += at + 2;
    }
    (text, "")
}

/// A text with its entities resolved.
fn unescaped(text: &str) -> String {
    html_escape::decode_html_entities(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in short: elements with their parts, texts in quotes.
    fn shown(document: &Document, id: NodeId) -> String {
        let node = &document.nodes[id];
        let inner: Vec<String> = node
            .children
            .iter()
            .map(|id| shown(document, *id))
            .collect();
        match &node.kind {
            Kind::Root => inner.join(" "),
            Kind::Text(text) => format!("'{}'", text.trim()),
            Kind::Data(text) => format!("[{text}]"),
            Kind::Element { name, attributes } => {
                let attributes = attributes.iter();
                let attributes = attributes.map(|(name, value)| format!(" {name}={value}"));
                let attributes: String = attributes.collect();
                format!("{name}{attributes}({})", inner.join(" "))
            }
        }
    }

    #[test]
    fn any_text_gives_a_tree() {
        for (text, expected) in [
            ("", "html(head() body())"),
            ("a < b &amp; c", "html(head() body('a < b & c'))"),
            (
                "<!DOCTYPE html><title>T &lt;b></title><p>one<p>two</div>",
                "html(head(title('T <b>')) body(p('one') p('two')))",
            ),
            (
                "<html lang=de><body id='b'>x</body></html>",
                "html lang=de(head() body id=b('x'))",
            ),
            (
                "<ul><li>1<li>2<ul><li>3</ul></ul>",
                "html(head() body(ul(li('1') li('2' ul(li('3'))))))",
            ),
            (
                "<table><tr><td>1<td>2<tr><th>3</table>x",
                "html(head() body(table(tbody(tr(td('1') td('2')) tr(th('3')))) 'x'))",
            ),
            (
                "<script>if (a<b) '</p>'</SCRIPT><input A=1 b a=2/><br/>x",
                "html(head(script([if (a<b) '</p>'])) body(input a=1 b=() br() 'x'))",
            ),
            (
                "<select><option>1<option value=\"a&quot;b\">2</select><!-- <i> --><i>",
                "html(head() body(select(option('1') option value=a\"b('2')) i()))",
            ),
            (
                "<frameset><frame src=a><frame src=b></frameset>",
                "html(head() frameset(frame src=a() frame src=b()))",
            ),
            ("<p =x y='z", "html(head() body(p =x= y=z()))"),
        ] {
            let document = Document::parse(text);
            assert_eq!(shown(&document, 0), expected, "{text}");
        }
    }

    #[test]
    fn deep_pages_are_read_to_their_end() {
        let document = Document::parse(&"<b>".repeat(100_000));
        assert_eq!(document.elements().count(), 100_003);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(<|>|/|p|table|tr|td|li|a|=|\"|'| |<!--|-->|&|\u{fc}|script|</){0,40}") {
            let document = Document::parse(&text);
            proptest::prop_assert!(document.elements().count() >= 3);
        }
    }
}
