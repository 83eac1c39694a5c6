//! `__XPath`: nodes of an XML file, one by one.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Invocation;
use crate::log::Level;
use crate::processors::xpath::{Found, Namespaces, Reading, built, evaluate};
use crate::user::Trouble;

/// The nodes of a file that all users read in turn; none when the file could not be read.
#[derive(Debug, Default)]
struct Nodes {
    texts: OnceLock<Vec<Option<String>>>,
    next: Mutex<usize>,
}

/// `__XPath(file, expression)`: the next node, from the first again after the last; `null` for one
/// without a text.
pub(super) fn x_path(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let file = call.argument(0);
    let expression = call.argument(1);
    let nodes: Arc<Nodes> = call.user.run.named(format!("__XPath {file} {expression}"));
    let texts = nodes.texts.get_or_init(|| match read(&file, &expression) {
        Ok(texts) => texts,
        Err(why) => {
            call.user
                .run
                .log
                .line(Level::Warn, "o.a.j.f.XPathWrapper", &why);
            Vec::new()
        }
    });
    let mut next = nodes.next.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(text) = texts.get(*next) else {
        // No file, or no nodes in it: the log says so.
        return Ok(());
    };
    *next = (*next + 1) % texts.len();
    call.out.push_str(text.as_deref().unwrap_or("null"));
    Ok(())
}

fn read(file: &str, expression: &str) -> Result<Vec<Option<String>>, String> {
    let xml = std::fs::read_to_string(file).map_err(|why| format!("{file}: {why}"))?;
    let path = built(expression).map_err(|why| format!("{expression}: {why}"))?;
    match evaluate(&path, &xml, &Reading::of_xml(Namespaces::OfDocument))? {
        Found::Nodes(nodes) => Ok(nodes.into_iter().map(|node| node.first).collect()),
        _ => Err(format!("{expression}: yields no nodes")),
    }
}
