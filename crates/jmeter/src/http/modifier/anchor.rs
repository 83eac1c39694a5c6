//! `AnchorModifier`, the HTML Link Parser: the request becomes one of the links or forms of the page
//! before that it describes. Protocol, host, path and arguments of the plan are patterns for them.
//!
//! Source: `JMeter` 5.5, `AnchorModifier` and `HtmlParsingUtils`. Its port stays that of the plan.

use double11_jmx::template::Template;

use super::super::encode::{Charset, decode_form};
use super::super::request::{Argument, Definition};
use super::super::url::Url;
use super::argument;
use crate::html::{Document, NodeId};
use crate::processors::Pattern;
use crate::user::User;

/// A link or a form.
struct Link {
    url: Url,
    /// Names and values, in the form of an address; whether `=` stands between them.
    arguments: Vec<(String, String, bool)>,
    is_form: bool,
}

/// What the plan says of the links that are meant.
struct Wanted {
    protocol: String,
    domain: String,
    path: String,
    arguments: Vec<String>,
}

pub(super) fn apply(user: &mut User, request: &mut Definition) {
    let Some(previous) = user.previous.clone() else {
        return;
    };
    let Some(page) = previous.url.as_deref().and_then(|url| Url::parse(url).ok()) else {
        return;
    };
    let protocol = user.render(&request.protocol).into_owned();
    let arguments = request.arguments.iter();
    let wanted = Wanted {
        protocol: if protocol.is_empty() {
            "http".to_owned()
        } else {
            protocol
        },
        domain: user.render(&request.domain).into_owned(),
        path: user.render(&request.path).into_owned(),
        arguments: arguments
            .map(|argument| user.render(&argument.name).into_owned())
            .collect(),
    };
    let document = Document::parse(&previous.text());
    let mut links = links(&document, &page);
    links.retain(|link| wanted.is_met_by(link, user));
    if links.is_empty() {
        return;
    }
    let last = u64::try_from(links.len() - 1).unwrap_or(u64::MAX);
    let drawn = usize::try_from(user.random.between(0, last)).unwrap_or(0);
    let link = links.swap_remove(drawn);
    follow(link, user, request);
}

/// Makes a request one for a link, or fills in the arguments that a form has.
fn follow(link: Link, user: &mut User, request: &mut Definition) {
    request.domain = Template::of_text(link.url.bare_host());
    request.path = Template::of_text(&link.url.path);
    let protocol = if link.url.is_tls { "https" } else { "http" };
    request.protocol = Template::of_text(protocol);
    let arguments = link.arguments.into_iter();
    if !link.is_form {
        let arguments = arguments.map(|(name, value, has_equals)| {
            argument(&name, &value, false, if has_equals { "=" } else { "" })
        });
        request.arguments = arguments.collect();
        return;
    }
    let mut left: Vec<(String, String)> = arguments.map(|(name, value, _)| (name, value)).collect();
    for own in &mut request.arguments {
        fill_in(own, &mut left, user);
    }
}

/// Gives an argument name and value of one of those of a form that it is a pattern for.
fn fill_in(own: &mut Argument, left: &mut Vec<(String, String)>, user: &mut User) {
    let name = user.render(&own.name).into_owned();
    let value = user.render(&own.value).into_owned();
    let fits: Vec<usize> = (0..left.len())
        .filter(|index| {
            is_equal_or_matches(&left[*index].0, &name, user)
                && is_equal_or_matches(&left[*index].1, &value, user)
        })
        .collect();
    let Some(last) = fits.len().checked_sub(1) else {
        return;
    };
    let drawn = user.random.between(0, last as u64);
    let (name, value) = left.remove(fits[usize::try_from(drawn).unwrap_or(0)]);
    own.name = Template::of_text(&name);
    own.value = Template::of_text(&value);
}

impl Wanted {
    fn is_met_by(&self, link: &Link, user: &User) -> bool {
        let protocol = if link.url.is_tls { "https" } else { "http" };
        if !is_equal_or_matches(protocol, &self.protocol, user) {
            return false;
        }
        let host = link.url.bare_host();
        if !self.domain.is_empty() && !is_equal_or_matches(host, &self.domain, user) {
            return false;
        }
        let path = &link.url.path;
        if *path != self.path && !whole(path, &format!("[/]*{}", self.path), user) {
            return false;
        }
        let query = query(&link.arguments);
        self.arguments.iter().all(|name| {
            query.contains(&format!("{name}=")) || {
                let pattern = Pattern::of_run(&user.run, name);
                pattern.is_ok_and(|pattern| pattern.is_found(&query))
            }
        })
    }
}

/// The arguments as a query, decoded.
fn query(arguments: &[(String, String, bool)]) -> String {
    let pairs = arguments.iter().map(|(name, value, has_equals)| {
        let equals = if *has_equals { "=" } else { "" };
        format!("{name}{equals}{value}")
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    decode_form(&query, Charset::Utf8).unwrap_or(query)
}

fn is_equal_or_matches(text: &str, pattern: &str, user: &User) -> bool {
    text == pattern || whole(text, pattern, user)
}

fn whole(text: &str, pattern: &str, user: &User) -> bool {
    // Texts of plans that are no patterns fit nothing but themselves.
    Pattern::of_run(&user.run, pattern).is_ok_and(|pattern| pattern.is_whole(text))
}

/// The links, forms and frames of a page, in the order in which `JMeter` looks at them.
fn links(document: &Document, page: &Url) -> Vec<Link> {
    let named = |name: &'static str| {
        let elements = document.elements();
        elements.filter(move |id| document.name(*id) == name)
    };
    let base = named("base").find_map(|id| document.attribute(id, "href"));
    let base = base.and_then(|base| page.join(base).ok());
    let base = base.as_ref().unwrap_or(page);
    let mut links = Vec::new();
    let anchors = named("a").filter_map(|id| document.attribute(id, "href"));
    let anchors = anchors.filter(|href| !href.starts_with("javascript:"));
    links.extend(anchors.filter_map(|href| link(href, base, false)));
    links.extend(forms(document, page));
    let frames = named("frame").filter_map(|id| document.attribute(id, "src"));
    links.extend(frames.filter_map(|source| link(source, base, false)));
    links
}

fn link(reference: &str, base: &Url, is_form: bool) -> Option<Link> {
    let url = base.join(reference).ok()?;
    let query = url.query.clone().unwrap_or_default();
    let arguments = query.split('&').filter_map(|pair| {
        let (name, value, has_equals) = match pair.split_once('=') {
            Some((name, value)) => (name, value, true),
            None => (pair, "", false),
        };
        (!name.is_empty()).then(|| (name.to_owned(), value.to_owned(), has_equals))
    });
    Some(Link {
        arguments: arguments.collect(),
        url,
        is_form,
    })
}

/// Forms with the fields that come after them, up to the next form.
fn forms(document: &Document, page: &Url) -> Vec<Link> {
    let mut forms: Vec<Link> = Vec::new();
    let mut select = String::new();
    let value =
        |id: NodeId, name: &str| document.attribute(id, name).unwrap_or_default().to_owned();
    for id in document.elements() {
        let name = document.name(id);
        if name == "form" {
            let action = document.attribute(id, "action");
            forms.extend(action.and_then(|action| link(action, page, true)));
            continue;
        }
        let Some(form) = forms.last_mut() else {
            continue;
        };
        let field = match name {
            "input" => (value(id, "name"), value(id, "value")),
            "textarea" => {
                let text = document.first_text(id).unwrap_or_default();
                (value(id, "name"), text.to_owned())
            }
            "select" => {
                select = value(id, "name");
                continue;
            }
            "option" => {
                let text = document.first_text(id).unwrap_or_default();
                let own = document.attribute(id, "value").unwrap_or(text);
                (select.clone(), own.to_owned())
            }
            _ => continue,
        };
        let decoded = decode_form(&field.1, Charset::Utf8).unwrap_or_else(|_| field.1.clone());
        form.arguments.push((field.0, decoded, true));
    }
    forms
}
