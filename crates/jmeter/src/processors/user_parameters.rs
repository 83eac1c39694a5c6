//! `UserParameters`: variables with values of their own for each user.

use double11_jmx::document::{Element, Property};
use double11_jmx::template::Template;

use crate::compiler::Compiler;
use crate::user::User;

#[derive(Debug)]
pub(super) struct UserParameters {
    names: Vec<Template>,
    /// The values of the first user, the second one, and so on; then from the start again.
    users: Vec<Vec<Template>>,
    /// Whether they are set once an iteration and not before each sampler.
    pub(super) per_iteration: bool,
}

impl UserParameters {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let names = element.texts("UserParameters.names");
        let names = names.map(|name| compiler.template(name)).collect();
        let lists = element.properties.list("UserParameters.thread_values");
        let users = lists
            .iter()
            .filter_map(|(_, list)| match list {
                Property::List(values) => Some(values),
                _ => None,
            })
            .map(|values| {
                let values = values.iter().filter_map(|(_, value)| value.as_text());
                values.map(|value| compiler.template(value)).collect()
            })
            .collect();
        Self {
            names,
            users,
            per_iteration: element.is("UserParameters.per_iteration", false),
        }
    }

    pub(super) fn set(&self, user: &mut User) {
        let Some(last) = self.users.len().checked_sub(1) else {
            return;
        };
        let number = user.number.saturating_sub(1) as usize;
        let values = &self.users[number % (last + 1)];
        for (name, value) in self.names.iter().zip(values) {
            let name = user.render(name);
            let value = user.render(value);
            user.variables.set(&name, &*value);
        }
    }
}
