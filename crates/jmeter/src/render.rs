//! Filling in texts: variables and functions.

use std::borrow::Cow;

use double11_jmx::template::{Part, Template};

use crate::functions;
use crate::user::User;

impl User {
    /// The text with everything filled in.
    pub fn render<'t>(&mut self, template: &'t Template) -> Cow<'t, str> {
        if let Some(text) = template.literal() {
            return Cow::Borrowed(text);
        }
        let mut text = String::new();
        self.render_into(template, &mut text);
        Cow::Owned(text)
    }

    /// Appends the text with everything filled in.
    pub fn render_into(&mut self, template: &Template, out: &mut String) {
        for part in &template.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable(name) => {
                    if let Some(value) = self.variables.get(name) {
                        out.push_str(value);
                    } else {
                        out.push_str("${");
                        out.push_str(name);
                        out.push('}');
                    }
                }
                Part::Call(call) => functions::call(call, self, out),
            }
        }
    }
}
