//! What takes part: disabled elements are left out, modules and included files stand in their places.

use std::path::Path;

use double11_jmx::document::{Element, Property};

use super::PlanOptions;
use crate::compiler::Compiler;

/// How deep modules and includes may lead into each other.
const DEPTH_MAX: usize = 50;
/// How many elements a plan may have when modules and includes are in place.
const ELEMENTS_MAX: usize = 500_000;

struct Expansion<'a> {
    options: &'a PlanOptions<'a>,
    compiler: &'a mut Compiler,
    elements: usize,
    /// What is being put in place: addresses of modules, paths of included files.
    within: Vec<String>,
}

/// The plan with everything in its place.
pub(super) fn expand(
    root: &Element,
    options: &PlanOptions<'_>,
    compiler: &mut Compiler,
) -> Element {
    let mut expansion = Expansion {
        options,
        compiler,
        elements: 0,
        within: Vec::new(),
    };
    let children = expansion.all(root, &root.children);
    Element {
        children,
        ..shallow(root)
    }
}

/// Whether any text of the plan holds `what`.
pub(super) fn mentions(element: &Element, what: &str) -> bool {
    fn in_property(property: &Property, what: &str) -> bool {
        match property {
            Property::Text(text) => text.contains(what),
            Property::List(items) => items.iter().any(|(_, item)| in_property(item, what)),
            Property::Element(element) => mentions(element, what),
        }
    }
    let own = element.properties.iter();
    own.into_iter()
        .any(|(_, property)| in_property(property, what))
        || element.children.iter().any(|child| mentions(child, what))
}

fn shallow(element: &Element) -> Element {
    Element {
        class: element.class.clone(),
        gui_class: element.gui_class.clone(),
        name: element.name.clone(),
        enabled: true,
        line: element.line,
        properties: element.properties.clone(),
        children: Vec::new(),
    }
}

impl Expansion<'_> {
    /// `root` is the plan that modules among `elements` are looked for in.
    fn all(&mut self, root: &Element, elements: &[Element]) -> Vec<Element> {
        let enabled = elements.iter().filter(|element| element.enabled);
        let mut expanded = Vec::with_capacity(elements.len());
        for element in enabled {
            expanded.push(self.one(root, element));
        }
        expanded
    }

    fn one(&mut self, root: &Element, element: &Element) -> Element {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            if self.elements == ELEMENTS_MAX + 1 {
                let text = format!(
                    "modules and includes make more than {ELEMENTS_MAX} elements of this plan"
                );
                self.compiler.refuse(element, text);
            }
            return shallow(element);
        }
        let children = match element.class.as_str() {
            "ModuleController" => self.module(root, element),
            "IncludeController" => self.include(element),
            _ => self.all(root, &element.children),
        };
        Element {
            children,
            ..shallow(element)
        }
    }

    fn module(&mut self, root: &Element, element: &Element) -> Vec<Element> {
        let path: Vec<&str> = element.texts("ModuleController.node_path").collect();
        // The first is the root of JMeter's tree, the second the plan.
        let found = match path.get(1) {
            Some(plan) if *plan == root.name => find(root, path.get(2..).unwrap_or_default()),
            _ => None,
        };
        let Some(found) = found else {
            let path = path.join(" > ");
            let text = format!("there is no element `{path}`: was it renamed?");
            self.compiler.refuse(element, text);
            return Vec::new();
        };
        let key = format!("{found:p}");
        let placed = self.within(element, key, |expansion| {
            // A module may lead to something that is disabled where it stands.
            vec![expansion.one(root, found)]
        });
        placed.unwrap_or_default()
    }

    fn include(&mut self, element: &Element) -> Vec<Element> {
        let name = element.text("IncludeController.includepath");
        if name.is_empty() {
            return Vec::new();
        }
        let name = format!("{}{name}", self.options.include_prefix);
        let path = Path::new(name.trim());
        let path = match path.try_exists() {
            Ok(true) => path.to_owned(),
            _ => self.compiler.folder.join(path),
        };
        let included = match (self.options.include)(&path) {
            Ok(included) => included,
            Err(error) => {
                let text = format!("the included file `{}`: {error}", path.display());
                self.compiler.refuse(element, text);
                return Vec::new();
            }
        };
        let fragment = included
            .children
            .iter()
            .find(|child| child.class == "TestFragmentController");
        let Some(fragment) = fragment else {
            let text = format!("the included file `{}` has no fragment", path.display());
            self.compiler.refuse(element, text);
            return Vec::new();
        };
        let key = path.display().to_string();
        let placed = self.within(element, key, |expansion| {
            expansion.all(&included, &fragment.children)
        });
        placed.unwrap_or_default()
    }

    /// Does something within a module or include, unless that leads to itself.
    fn within<T>(
        &mut self,
        element: &Element,
        key: String,
        place: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        if self.within.contains(&key) || self.within.len() >= DEPTH_MAX {
            self.compiler
                .refuse(element, "it leads to itself, over other modules or files");
            return None;
        }
        self.within.push(key);
        let placed = place(self);
        self.within.pop();
        Some(placed)
    }
}

/// The last element with these names on the way to it; modules are not looked into.
fn find<'a>(element: &'a Element, path: &[&str]) -> Option<&'a Element> {
    let (name, rest) = path.split_first()?;
    let mut found = None;
    for child in &element.children {
        if child.class == "ModuleController" || child.name != *name {
            continue;
        }
        if rest.is_empty() {
            found = Some(child);
        } else {
            found = find(child, rest).or(found);
        }
    }
    found
}
