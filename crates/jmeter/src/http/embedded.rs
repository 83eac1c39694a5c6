//! The addresses that a page or a style sheet loads by itself.
//!
//! Tags and attributes are those that `JMeter`'s parser looks at; of style sheets it follows only
//! `@import`, of `style` attributes only addresses in quotes.

use std::collections::HashSet;
use std::sync::Arc;

use super::url::Url;

/// The addresses in a document of this type, in their order, each once.
pub(super) fn addresses(content_type: &str, body: &[u8], page: &Url) -> Vec<Url> {
    let media = content_type.split([' ', ';']).next().unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let mut found = Found {
        base: page.clone(),
        addresses: Vec::new(),
        known: HashSet::new(),
    };
    match media.to_ascii_lowercase().as_str() {
        "text/html" | "application/xhtml+xml" | "application/xml" | "text/xml" => {
            found.read_page(&text);
        }
        "text/css" => found.read_style_sheet(&text),
        _ => {}
    }
    found.addresses
}

struct Found {
    base: Url,
    addresses: Vec<Url>,
    known: HashSet<Arc<str>>,
}

/// A tag with its attributes.
struct Tag<'a> {
    name: String,
    attributes: Vec<(String, &'a str)>,
}

impl Tag<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| *value)
    }
}

impl Found {
    fn add(&mut self, reference: Option<&str>) {
        let Some(reference) = reference.map(str::trim).filter(|text| !text.is_empty()) else {
            return;
        };
        let reference = reference.replace("&amp;", "&");
        // Other schemes, such as data and javascript, are nothing to be asked for.
        let scheme = reference.split_once(':').map(|(scheme, _)| scheme);
        let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_other = |text: &str| {
            is_scheme(text)
                && !text.eq_ignore_ascii_case("http")
                && !text.eq_ignore_ascii_case("https")
        };
        if scheme.is_some_and(is_other) {
            return;
        }
        if let Ok(url) = self.base.join(&reference)
            && self.known.insert(Arc::clone(&url.text))
        {
            self.addresses.push(url);
        }
    }

    fn read_page(&mut self, text: &str) {
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            rest = rest.get(start + 1..).unwrap_or_default();
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = after(comment, "-->");
                continue;
            }
            if !rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
                continue;
            }
            let (tag, next) = read_tag(rest);
            rest = next;
            self.take(&tag);
            if matches!(tag.name.as_str(), "script" | "style" | "textarea" | "title") {
                rest = after_end_tag(rest, &tag.name);
            }
        }
    }

    fn take(&mut self, tag: &Tag<'_>) {
        match tag.name.as_str() {
            "base" => {
                if let Some(Ok(base)) = tag.value("href").map(|href| self.base.join(href)) {
                    self.base = base;
                }
            }
            "img" | "script" | "frame" | "iframe" | "embed" | "bgsound" => {
                self.add(tag.value("src"));
            }
            "applet" => match tag.value("codebase").filter(|base| !base.trim().is_empty()) {
                Some(base) => {
                    let what = tag.value("archive").or(tag.value("code"));
                    self.add(Some(&format!("{base}/{}", what.unwrap_or_default())));
                }
                None => self.add(tag.value("code")),
            },
            "object" => {
                self.add(tag.value("codebase"));
                self.add(tag.value("data"));
            }
            "input" => {
                let is_image = |kind: &str| kind.eq_ignore_ascii_case("image");
                if tag.value("type").is_some_and(is_image) {
                    self.add(tag.value("src"));
                }
            }
            "link" => {
                let rel = tag.value("rel").unwrap_or_default().to_ascii_lowercase();
                if matches!(rel.as_str(), "stylesheet" | "icon" | "shortcut icon") {
                    self.add(tag.value("href"));
                }
            }
            _ => self.add(tag.value("background")),
        }
        let mut style = tag.value("style").unwrap_or_default();
        while let Some((address, next)) = quoted_address(style) {
            self.add(Some(address));
            style = next;
        }
    }

    fn read_style_sheet(&mut self, text: &str) {
        let mut rest = text;
        while let Some((_, import)) = rest.split_once("@import") {
            let import = import.trim_start();
            let is_url = |start: &str| start.eq_ignore_ascii_case("url(");
            let import = if import.get(..4).is_some_and(is_url) {
                import.get(4..).unwrap_or_default().trim_start()
            } else {
                import
            };
            let quote = import
                .chars()
                .next()
                .filter(|first| matches!(first, '"' | '\''));
            let (address, next) = if let Some(quote) = quote {
                let inner = import.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            } else {
                let end = import.find([')', ';', ' ', '\n']);
                let end = end.unwrap_or(import.len());
                import.split_at_checked(end).unwrap_or((import, ""))
            };
            self.add(Some(address));
            rest = next;
        }
    }
}

/// The text after the next `mark`; nothing when there is none.
fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or("", |(_, rest)| rest)
}

fn after_end_tag<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once("</") {
        if tag
            .get(..name.len())
            .is_some_and(|own| own.eq_ignore_ascii_case(name))
        {
            return tag;
        }
        rest = tag;
    }
    ""
}

/// Reads a tag from its name on; the tag and the text after it.
fn read_tag(text: &str) -> (Tag<'_>, &str) {
    let ends_name = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/');
    let end = text.find(ends_name).unwrap_or(text.len());
    let (name, mut rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let mut tag = Tag {
        name: name.to_ascii_lowercase(),
        attributes: Vec::new(),
    };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(next) = rest.strip_prefix('>') {
            return (tag, next);
        }
        if rest.is_empty() {
            return (tag, rest);
        }
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/' | '=');
        // A stray `=` is a name of its own, so that something is always used up.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest.get(first..).and_then(|tail| tail.find(ends));
        let end = end.map_or(rest.len(), |end| first + end);
        let (name, next) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (value, next) = match next.trim_start().strip_prefix('=') {
            Some(value) => read_value(value.trim_start()),
            None => ("", next),
        };
        tag.attributes.push((name.to_ascii_lowercase(), value));
        rest = next;
    }
}

fn read_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    let ends = |c: char| c.is_ascii_whitespace() || c == '>';
    let end = text.find(ends).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The first address in quotes of a style, and the text after it.
fn quoted_address(style: &str) -> Option<(&str, &str)> {
    let mut rest = style;
    loop {
        let mut windows = rest.as_bytes().windows(4);
        let at = windows.position(|word| word.eq_ignore_ascii_case(b"url("))?;
        let inner = rest.get(at + 4..)?.trim_start();
        let quote = inner.chars().next();
        if let Some(quote) = quote.filter(|quote| matches!(quote, '"' | '\'')) {
            return inner.get(1..)?.split_once(quote);
        }
        rest = inner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: &str, body: &str, expected: &[&str]) {
        let page = Url::parse("http://a:81/d/page").unwrap();
        let found = addresses(content_type, body.as_bytes(), &page);
        let found: Vec<_> = found
            .iter()
            .map(|url| url.text.replace("http://a:81", ""))
            .collect();
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn a_style_of_many_addresses_is_read_in_one_go() {
        let body = format!("<p style=\"{}\">", "url(".repeat(300_000));
        check("text/html", &body, &[]);
    }

    #[test]
    fn pages_name_what_they_load() {
        check(
            "text/html; charset=utf-8",
            "<html><head><link rel=\"stylesheet\" href=\"a.css\"><script src=\"/s.js\"></script></head>\
             <body background='bg.png'><img src=\"i.png\"><IMG SRC=i.png><img src=\"404.png\"/>\
             <iframe src=\"frame.html\"></iframe><input type=\"image\" src=\"in.png\"><embed src=\"e.swf\">\
             <object data=\"o.bin\" codebase=\"/cb/\"></object><a href=\"no.html\">x</a>\
             <div style=\"background: url(st.png)\"></div><td style='background: url(\"q.png\")'>",
            &[
                "/d/a.css",
                "/s.js",
                "/d/bg.png",
                "/d/i.png",
                "/d/404.png",
                "/d/frame.html",
                "/d/in.png",
                "/d/e.swf",
                "/cb/",
                "/d/o.bin",
                "/d/q.png",
            ],
        );
        check(
            "text/html",
            "<!-- <img src=no1> --><script>'<img src=no2>'</script><base href=\"/b/\"><img src=yes>\
             <img src=\"data:image/png;base64,xx\"><link rel=alternate href=no3><img src=\"x?a=1&amp;b=2\"><img src",
            &["/b/yes", "/b/x?a=1&b=2"],
        );
        check("application/json", "<img src=no>", &[]);
        check("text/html", "<", &[]);
        check("text/html", "<img =", &[]);
    }

    #[test]
    fn style_sheets_name_what_they_import() {
        check(
            "text/css",
            "@import url(\"a.css\"); @import 'b.css' screen; @import url(c.css); p{background:url(no.png)}",
            &["/d/a.css", "/d/b.css", "/d/c.css"],
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "(<|>|img|src|=|\"|'|style|url\\(|@import|<!--|/| |\u{fc}){0,40}") {
            let page = Url::parse("http://a/").unwrap();
            drop(addresses("text/html", text.as_bytes(), &page));
            drop(addresses("text/css", text.as_bytes(), &page));
        }
    }
}
