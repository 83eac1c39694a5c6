//! The text of a `JSONPath` in a plan; read once when nothing in it is to be filled in.

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::json::path::{BadPath, Path};
use crate::compiler::Compiler;
use crate::user::User;

#[derive(Debug)]
pub(super) struct JsonPathText {
    template: Template,
    literal: Option<Path>,
}

impl JsonPathText {
    /// Reads a path; one that is literal and not understood is refused.
    pub(super) fn compile(text: &str, element: &Element, compiler: &mut Compiler) -> Self {
        let template = compiler.template(text.trim());
        let literal = template.literal().and_then(|text| {
            let path = Path::parse(text);
            if let Err(bad) = &path {
                compiler.refuse(element, bad.to_string());
            }
            path.ok()
        });
        Self { template, literal }
    }

    /// The path with everything filled in.
    pub(super) fn of(&self, user: &mut User) -> Result<Path, BadPath> {
        match &self.literal {
            Some(path) => Ok(path.clone()),
            None => Path::parse(&user.render(&self.template)),
        }
    }

    /// The text of the path with everything filled in.
    pub(super) fn text(&self, user: &mut User) -> String {
        user.render(&self.template).trim().to_owned()
    }
}
