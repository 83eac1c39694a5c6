//! What each element of a plan is.

use std::collections::HashMap;

use double11_jmx::document::Element;
use double11_jmx::registry::{self, Support};

use super::super::{Elements, IterationHook, Manager};
use crate::compiler::Compiler;
use crate::groups;
use crate::processors::{Assertion, DataConfig, PostProcessor, PreProcessor, Reaction};
use crate::results::{Listener, ListenerId, SaveForm};
use crate::sample::Needs;
use crate::samplers;
use crate::timers::Timer;

/// What an element is, with its number among its like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Controller,
    Sampler,
    /// Merged into samplers.
    Config,
    Manager(u32),
    Data {
        hook: u32,
    },
    Pre {
        number: u32,
        hook: Option<u32>,
    },
    Timer(u32),
    Post(u32),
    Assertion(u32),
    Listener(ListenerId),
    Reaction(u32),
    /// Nothing that changes a run.
    Nothing,
}

/// Finds the roles of all elements.
pub(super) struct Roles<'e> {
    pub(super) found: HashMap<*const Element, Role>,
    /// What of any sample is read wherever it comes from.
    pub(super) needs_of_all: Needs,
    form: &'e SaveForm,
    elements: &'e mut Elements,
}

/// The elements that `JMeter` too leaves out of a run.
const NO_TEST_ELEMENTS: [&str; 6] = [
    "WorkBench",
    "ProxyControl",
    "HttpMirrorControl",
    "PropertyControl",
    "TestFragmentController",
    "Arguments",
];

/// Controllers.
const CONTROLLERS: [&str; 18] = [
    "GenericController",
    "ModuleController",
    "IncludeController",
    "RecordingController",
    "TestFragmentController",
    "LoopController",
    "OnceOnlyController",
    "IfController",
    "WhileController",
    "ForeachController",
    "SwitchController",
    "InterleaveControl",
    "RandomController",
    "RandomOrderController",
    "ThroughputController",
    "TransactionController",
    "RunTime",
    "CriticalSectionController",
];

fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl<'e> Roles<'e> {
    pub(super) fn new(form: &'e SaveForm, elements: &'e mut Elements) -> Self {
        let needs_of_all = Needs {
            body: elements.reads_previous_bodies,
            ..Needs::default()
        };
        Self {
            found: HashMap::new(),
            needs_of_all,
            form,
            elements,
        }
    }

    /// Finds the role of a child of the plan, and of all that stands below.
    pub(super) fn find(&mut self, element: &Element, compiler: &mut Compiler) {
        let class = element.class.as_str();
        if groups::is_group(class) {
            self.find_all(&element.children, compiler);
        } else if NO_TEST_ELEMENTS.contains(&class) {
            self.found.insert(element, Role::Nothing);
        } else {
            self.one(element, compiler);
        }
    }

    fn find_all(&mut self, elements: &[Element], compiler: &mut Compiler) {
        for element in elements {
            self.one(element, compiler);
        }
    }

    fn one(&mut self, element: &Element, compiler: &mut Compiler) {
        compiler.enter(element);
        let role = self.role(element, compiler);
        let is_ignored = || {
            let known = registry::element(&element.class);
            known.is_some_and(|(_, entry)| entry.support == Support::Ignored)
        };
        if let Some(role) = role.or_else(|| is_ignored().then_some(Role::Nothing)) {
            self.found.insert(element, role);
        } else {
            let class = &element.class;
            compiler.refuse(
                element,
                format!("elements of class `{class}` are not known"),
            );
        }
        self.find_all(&element.children, compiler);
    }

    fn role(&mut self, element: &Element, compiler: &mut Compiler) -> Option<Role> {
        let class = element.class.as_str();
        if CONTROLLERS.contains(&class) {
            return Some(Role::Controller);
        }
        if samplers::is_sampler(class) {
            return Some(Role::Sampler);
        }
        if class == "ConfigTestElement" {
            return Some(Role::Config);
        }
        if NO_TEST_ELEMENTS.contains(&class) {
            return Some(Role::Nothing);
        }
        let elements = &mut *self.elements;
        if let Some(manager) = Manager::compile(element, compiler) {
            elements.managers.push(manager);
            return Some(Role::Manager(number(elements.managers.len() - 1)));
        }
        if let Some(data) = DataConfig::compile(element, compiler) {
            elements.data.push(data);
            let hook = IterationHook::Data(number(elements.data.len() - 1));
            elements.hooks.push(hook);
            let hook = number(elements.hooks.len() - 1);
            return Some(Role::Data { hook });
        }
        if let Some(timer) = Timer::compile(element, compiler) {
            elements.timers.push(timer);
            return Some(Role::Timer(number(elements.timers.len() - 1)));
        }
        if let Some(pre) = PreProcessor::compile(element, compiler) {
            self.needs_of_all = self.needs_of_all.or(pre.needs());
            let hears = pre.listens_to_iterations();
            elements.pre.push(pre);
            let number_of_pre = number(elements.pre.len() - 1);
            if hears {
                elements.hooks.push(IterationHook::Pre(number_of_pre));
            }
            return Some(Role::Pre {
                number: number_of_pre,
                hook: hears.then(|| number(elements.hooks.len() - 1)),
            });
        }
        self.after(element, compiler)
    }

    /// What comes after a sampler.
    fn after(&mut self, element: &Element, compiler: &mut Compiler) -> Option<Role> {
        let elements = &mut *self.elements;
        if let Some(post) = PostProcessor::compile(element, compiler) {
            elements.post.push(post);
            return Some(Role::Post(number(elements.post.len() - 1)));
        }
        if let Some(assertion) = Assertion::compile(element, compiler) {
            elements.assertions.push(assertion);
            return Some(Role::Assertion(number(elements.assertions.len() - 1)));
        }
        if let Some(reaction) = Reaction::compile(element, compiler) {
            elements.reactions.push(reaction);
            return Some(Role::Reaction(number(elements.reactions.len() - 1)));
        }
        let listener = Listener::compile(element, compiler)?;
        if matches!(listener, Listener::Ignored) {
            return Some(Role::Nothing);
        }
        self.needs_of_all = self.needs_of_all.or(listener.needs(self.form));
        let Ok(id) = u16::try_from(elements.listeners.len()) else {
            compiler.refuse(element, "there are more than 65,535 listeners");
            return Some(Role::Nothing);
        };
        elements.listeners.push(listener);
        Some(Role::Listener(ListenerId(id)))
    }
}
