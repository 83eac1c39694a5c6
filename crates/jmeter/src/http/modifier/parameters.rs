//! `RegExUserParameters`: arguments get the values that an extractor found beside their names.

use std::collections::HashMap;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::super::request::Definition;
use crate::compiler::Compiler;
use crate::user::User;

/// The variable of an extractor, and the groups that hold names and values.
#[derive(Debug)]
pub(super) struct Parameters {
    variable: Template,
    names: Template,
    values: Template,
}

impl Parameters {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let mut property =
            |name: &str| compiler.property(element, &format!("RegExUserParameters.{name}"));
        Self {
            variable: property("regex_ref_name"),
            names: property("param_names_gr_nr"),
            values: property("param_values_gr_nr"),
        }
    }

    pub(super) fn apply(&self, user: &mut User, request: &mut Definition) {
        let found = self.found(user);
        for argument in &mut request.arguments {
            let name = user.render(&argument.name);
            if let Some(value) = found.get(&*name) {
                argument.value = Template::of_text(value);
            }
        }
    }

    /// Names and values of all matches; none unless the first match has both.
    fn found(&self, user: &mut User) -> HashMap<String, String> {
        let variable = user.render(&self.variable).into_owned();
        let names = user.render(&self.names).into_owned();
        let values = user.render(&self.values).into_owned();
        let get = |match_number: usize, group: &str| {
            let name = format!("{variable}_{match_number}_g{group}");
            user.variables.get(&name).map(str::to_owned)
        };
        let count = user.variables.get(&format!("{variable}_matchNr"));
        let count = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        if get(1, &names).is_none() || get(1, &values).is_none() {
            return HashMap::new();
        }
        // A match may lack a group that is optional. There are no more matches than variables.
        let count = user.variables.len().min(count);
        let pairs = (1..=count).filter_map(|number| get(number, &names).zip(get(number, &values)));
        pairs.collect()
    }
}
