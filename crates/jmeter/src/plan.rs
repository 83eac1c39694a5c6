//! A plan made ready to run: compiled once, the same for all users.
//!
//! [`compile`] takes a document apart as `JMeter` does when a test starts: disabled elements are left
//! out, modules and included files put in place (`expand`), each sampler gets the elements in whose
//! scope it stands (`scope`), and the config elements among them fill in what the sampler leaves empty
//! (`merge`). Nothing of the document is looked at afterwards.

mod controllers;
mod elements;
mod expand;
mod merge;
mod package;
mod scope;

#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;
use std::sync::Arc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

pub use elements::{Elements, IterationHook, Manager};
pub use package::{Package, TransactionPackage};

use crate::compiler::Compiler;
use crate::groups::{Form, Phase};
use crate::http::HttpSettings;
use crate::results::SaveForm;
use crate::sample::Needs;
use crate::walk::Tree;

/// A plan made ready to run.
#[derive(Debug)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Variables that are set once at the start, in the order in which they are filled in.
    pub variables: Vec<VariableSet>,
    /// The thread groups, in the order of the plan.
    pub groups: Vec<Group>,
    /// What stands around samplers, each once.
    pub elements: Elements,
    /// Whether a thread group begins when the one before is over.
    pub serialized: bool,
    /// Whether what tears down runs also after a stop.
    pub tear_down_on_stop: bool,
}

/// Variables that are filled in together: each sees those of the sets before, none of its own set.
#[derive(Debug)]
pub struct VariableSet(pub Vec<(Template, Template)>);

/// A thread group.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: Template,
    /// Whether it sets up, is the test, or tears down.
    pub phase: Phase,
    /// How many users it has, and when they begin and end.
    pub form: Form,
    /// What a failed sample leads to.
    pub on_error: OnSampleError,
    /// Whether an iteration is that of the same user as the one before.
    pub same_user: bool,
    /// The managers in it, by their numbers in [`Elements`].
    pub managers: Vec<u32>,
    /// The controllers.
    pub tree: Tree,
    /// The samplers with all that is around them, by their numbers.
    pub packages: Vec<Package>,
    /// The transactions, by the numbers of their controllers.
    pub transactions: Vec<Option<TransactionPackage>>,
}

/// What a failed sample leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSampleError {
    /// The next sampler.
    Continue,
    /// The next iteration of the main loop.
    NextIteration,
    /// The end of the user.
    StopUser,
    /// The end of all users when their samples are over.
    StopTest,
    /// The end of all users at once.
    StopTestNow,
}

/// What compiling needs to know beside the document.
pub struct PlanOptions<'a> {
    /// What holds for all HTTP samplers.
    pub http: &'a Arc<HttpSettings>,
    /// The form of result files, by the properties.
    pub form: &'a SaveForm,
    /// What the result file of the command line reads of samples.
    pub needs: Needs,
    /// What is put in front of the files of include controllers, `includecontroller.prefix`.
    pub include_prefix: &'a str,
    /// Reads an included plan; the error says why it cannot be read.
    pub include: &'a dyn Fn(&Path) -> Result<Element, String>,
}

impl std::fmt::Debug for PlanOptions<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("PlanOptions");
        debug.field("needs", &self.needs).finish_non_exhaustive()
    }
}

/// Makes a plan ready to run. What cannot be run as it says is left out and told to the compiler.
pub fn compile(root: &Element, options: &PlanOptions<'_>, compiler: &mut Compiler) -> Plan {
    let root = expand::expand(root, options, compiler);
    let mut elements = Elements::new(options.http);
    elements.reads_previous_bodies = expand::mentions(&root, "__regexFunction(");
    let variables = variables(&root, compiler);
    let groups = scope::compile_groups(&root, options, &mut elements, compiler);
    // Groovy reads the last answer as `prev`.
    elements.keeps_previous = elements.reads_previous_bodies
        || !elements.pre.is_empty()
        || expand::mentions(&root, "prev.");
    if groups.is_empty() && compiler.problems().is_empty() {
        compiler.refuse(&root, "the plan has no thread group that is enabled");
    }
    Plan {
        name: root.name.clone(),
        variables,
        groups,
        serialized: root.is("TestPlan.serialize_threadgroups", false),
        tear_down_on_stop: root.is("TestPlan.tearDown_on_shutdown", false),
        elements,
    }
}

/// The variables of the plan, and of all its elements called User Defined Variables, wherever they are.
fn variables(root: &Element, compiler: &mut Compiler) -> Vec<VariableSet> {
    let mut sets = Vec::new();
    if let Some(own) = root.element("TestPlan.user_defined_variables") {
        compiler.enter(root);
        sets.push(variable_set(own, compiler));
    }
    collect_variables(&root.children, &mut sets, compiler);
    sets
}

fn collect_variables(elements: &[Element], sets: &mut Vec<VariableSet>, compiler: &mut Compiler) {
    for element in elements {
        if element.class == "Arguments" {
            compiler.enter(element);
            sets.push(variable_set(element, compiler));
        }
        collect_variables(&element.children, sets, compiler);
    }
}

/// The first of two variables of the same name counts.
fn variable_set(arguments: &Element, compiler: &mut Compiler) -> VariableSet {
    let mut names = Vec::new();
    let mut set = Vec::new();
    for argument in arguments.elements("Arguments.arguments") {
        let name = argument.text_or("Argument.name", &argument.name);
        if !names.contains(&name) && argument.enabled {
            names.push(name);
            let value = argument.text("Argument.value");
            set.push((compiler.template(name), compiler.template(value)));
        }
    }
    VariableSet(set)
}
