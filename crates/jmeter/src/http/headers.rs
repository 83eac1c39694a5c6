//! `HeaderManager`: headers for the requests in its scope.

use std::sync::Arc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use crate::compiler::Compiler;

/// Headers that requests in scope carry.
#[derive(Debug)]
pub struct HeaderManager {
    headers: Vec<(Template, Template)>,
}

impl HeaderManager {
    /// Compiles a `HeaderManager`; `None` for another class.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        if element.class != "HeaderManager" {
            return None;
        }
        let headers = element.elements("HeaderManager.headers");
        let headers = headers.map(|header| {
            let name = compiler.property(header, "Header.name");
            (name, compiler.property(header, "Header.value"))
        });
        let headers = headers.collect();
        Some(Self { headers })
    }
}

/// The headers of the managers in scope, the nearest first, as `JMeter` merges them: all of the nearest
/// manager hold, and of each further one those whose names nobody nearer has.
pub(super) fn merged(managers: &[Arc<HeaderManager>]) -> Vec<(Template, Template)> {
    let mut merged: Vec<(Template, Template)> = Vec::new();
    for (index, manager) in managers.iter().enumerate() {
        for (name, value) in &manager.headers {
            let is_taken = index > 0 && merged.iter().any(|(taken, _)| is_same(taken, name));
            if !is_taken {
                merged.push((name.clone(), value.clone()));
            }
        }
    }
    merged
}

/// Names that are made by functions are taken for different ones.
fn is_same(one: &Template, other: &Template) -> bool {
    match (one.literal(), other.literal()) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => false,
    }
}
