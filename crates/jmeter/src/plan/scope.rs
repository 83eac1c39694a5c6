//! Which elements are around which sampler.
//!
//! Source: `JMeter`, `TestCompiler.saveSamplerConfigs`, `saveTransactionControllerConfigs` and
//! `trackIterationListeners`; `StandardJMeterEngine.run` for the elements of the plan itself, which count
//! as standing at the end of each thread group.

mod role;

use std::collections::HashMap;
use std::sync::Arc;

use double11_jmx::document::Element;

use super::{
    Elements, Group, Manager, OnSampleError, Package, PlanOptions, TransactionPackage, controllers,
    merge,
};
use crate::compiler::Compiler;
use crate::groups;
use crate::http::Scope;
use crate::results::ListenerId;
use crate::sample::Needs;
use crate::samplers::Sampler;
use crate::walk::{Child, Controller, ControllerId, Hook, Kind, Leaf, SamplerId, Tree};
use role::{Role, Roles};

/// All thread groups of a plan.
pub(super) fn compile_groups(
    root: &Element,
    options: &PlanOptions<'_>,
    elements: &mut Elements,
    compiler: &mut Compiler,
) -> Vec<Group> {
    let is_group = |element: &&Element| groups::is_group(&element.class);
    let of_plan: Vec<&Element> = root.children.iter().filter(|one| !is_group(one)).collect();
    let mut roles = Roles::new(options.form, elements);
    for child in &root.children {
        roles.find(child, compiler);
    }
    let Roles {
        found: roles,
        needs_of_all,
        ..
    } = roles;
    let shared = Shared {
        of_plan,
        roles: &roles,
        needs: needs_of_all.or(options.needs),
    };
    let found = root.children.iter().filter(is_group);
    let mut compiled = Vec::new();
    for element in found {
        if let Some(group) = GroupCompiler::compile(element, &shared, elements, compiler) {
            compiled.push(group);
        }
    }
    compiled
}

/// What all groups see.
struct Shared<'a> {
    /// The elements of the plan itself that are no groups.
    of_plan: Vec<&'a Element>,
    roles: &'a HashMap<*const Element, Role>,
    /// What is read of every sample.
    needs: Needs,
}

struct GroupCompiler<'a, 's> {
    shared: &'s Shared<'a>,
    elements: &'s mut Elements,
    compiler: &'s mut Compiler,
    tree: Tree,
    packages: Vec<Package>,
    transactions: Vec<Option<TransactionPackage>>,
    managers: Vec<u32>,
    /// What stands in each element on the way from the group to where we are.
    levels: Vec<Vec<&'a Element>>,
}

/// What is in scope of a sampler or transaction.
#[derive(Default)]
struct InScope<'a> {
    configs: Vec<&'a Element>,
    /// Nearest first, as config elements are.
    managers: Vec<u32>,
    pre: Vec<u32>,
    timers: Vec<u32>,
    post: Vec<u32>,
    assertions: Vec<u32>,
    listeners: Vec<ListenerId>,
    reactions: Vec<u32>,
}

impl<'a, 's> GroupCompiler<'a, 's> {
    fn compile(
        element: &'a Element,
        shared: &'s Shared<'a>,
        elements: &'s mut Elements,
        compiler: &'s mut Compiler,
    ) -> Option<Group> {
        compiler.enter(element);
        let (phase, form) = groups::compile(element, compiler)?;
        let main = element.element("ThreadGroup.main_controller");
        let kind = match main {
            _ if groups::takes_arrivals(&element.class) => Kind::Generic,
            Some(main) if main.properties.get("LoopController.loops").is_some() => {
                controllers::main_loop(main, compiler)
            }
            _ => groups::main_loop(element, compiler),
        };
        let name = compiler.template(&element.name);
        let level = element
            .children
            .iter()
            .chain(shared.of_plan.iter().copied());
        let level: Vec<&Element> = level.collect();
        let mut own = Self {
            shared,
            elements,
            compiler,
            tree: Tree::default(),
            packages: Vec::new(),
            transactions: vec![None],
            managers: Vec::new(),
            levels: vec![level.clone()],
        };
        own.tree.controllers.push(Controller {
            kind,
            name: name.clone(),
            children: Vec::new(),
            parent: None,
            hooks: Vec::new(),
        });
        for child in level {
            own.visit(child, ControllerId(0));
        }
        for controller in &mut own.tree.controllers {
            controller.hooks.reverse();
        }
        own.tree.controllers[0].hooks.insert(0, Hook::User);
        Some(Group {
            name,
            phase,
            form,
            on_error: OnSampleError::read(element, own.compiler),
            same_user: element.is("ThreadGroup.same_user_on_next_iteration", true),
            managers: own.managers,
            tree: own.tree,
            packages: own.packages,
            transactions: own.transactions,
        })
    }

    fn visit(&mut self, element: &'a Element, within: ControllerId) {
        let Some(role) = self.shared.roles.get(&std::ptr::from_ref(element)) else {
            return;
        };
        match *role {
            Role::Controller => self.visit_controller(element, within),
            Role::Sampler => self.visit_sampler(element, within),
            Role::Manager(number) if !self.managers.contains(&number) => {
                self.managers.push(number);
            }
            Role::Data { hook }
            | Role::Pre {
                hook: Some(hook), ..
            } => self.hook(within, Hook::Data(hook)),
            _ => {}
        }
    }

    fn hook(&mut self, controller: ControllerId, hook: Hook) {
        self.tree.controllers[controller.0 as usize]
            .hooks
            .push(hook);
    }

    fn visit_controller(&mut self, element: &'a Element, within: ControllerId) {
        let Some(kind) = controllers::compile(element, self.compiler) else {
            return;
        };
        let number = u32::try_from(self.tree.controllers.len()).unwrap_or(u32::MAX);
        let id = ControllerId(number);
        let hears = matches!(
            kind,
            Kind::Loop { .. }
                | Kind::While(_)
                | Kind::ForEach { .. }
                | Kind::OnceOnly
                | Kind::Throughput { .. }
        );
        let is_parent = matches!(kind, Kind::Transaction { parent: true, .. });
        self.tree.controllers.push(Controller {
            kind,
            name: self.compiler.template(&element.name),
            children: Vec::new(),
            parent: Some(within),
            hooks: Vec::new(),
        });
        self.transactions.push(None);
        self.child(within, Child::Controller(id));
        self.levels.push(element.children.iter().collect());
        if is_parent {
            let scope = self.in_scope(true);
            self.transactions[number as usize] = Some(TransactionPackage {
                assertions: scope.assertions.into(),
                listeners: scope.listeners.into(),
                reactions: scope.reactions.into(),
            });
        }
        for child in &element.children {
            self.visit(child, id);
        }
        self.levels.pop();
        if hears {
            self.hook(within, Hook::Controller(id));
        }
    }

    fn child(&mut self, within: ControllerId, child: Child) {
        self.tree.controllers[within.0 as usize]
            .children
            .push(child);
    }

    fn visit_sampler(&mut self, element: &'a Element, within: ControllerId) {
        self.levels.push(element.children.iter().collect());
        for child in &element.children {
            self.visit(child, within);
        }
        let scope = self.in_scope(false);
        self.levels.pop();
        let needs = self.needs(&scope);
        let element = if element.class == "HTTPSamplerProxy" {
            merge::http(element, &scope.configs)
        } else {
            merge::other(element, &scope.configs)
        };
        self.compiler.enter(&element);
        let http = http_scope(self.elements, &scope.managers, needs);
        let Some(sampler) = Sampler::compile(&element, http, needs, self.compiler) else {
            return;
        };
        let name = self.compiler.template(&element.name);
        let number = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        self.child(within, Child::Sampler(SamplerId(number)));
        self.tree.samplers.push(Leaf {
            name: name.clone(),
            parent: within,
        });
        let transaction = self.transaction_around(within);
        let heard_of_there = |id: &ListenerId| {
            transaction.is_none_or(|transaction| !transaction.listeners.contains(id))
        };
        let reacted_to_there =
            |id: &u32| transaction.is_none_or(|transaction| !transaction.reactions.contains(id));
        let listeners = scope.listeners.iter().copied();
        let reactions = scope.reactions.into_iter();
        let package = Package {
            label: name.literal().map(Into::into),
            name,
            sampler,
            pre: scope.pre.into(),
            timers: scope.timers.into(),
            post: scope.post.into(),
            assertions: scope.assertions.into(),
            listeners: listeners.filter(heard_of_there).collect(),
            listeners_in_scope: scope.listeners.iter().copied().collect(),
            reactions: reactions.filter(reacted_to_there).collect(),
        };
        self.packages.push(package);
    }

    /// The nearest transaction around that makes a sample of its own.
    fn transaction_around(&self, within: ControllerId) -> Option<&TransactionPackage> {
        let around = std::iter::successors(Some(within), |id| {
            self.tree.controllers[id.0 as usize].parent
        });
        let mut packages = around.filter_map(|id| self.transactions[id.0 as usize].as_ref());
        packages.next()
    }

    fn in_scope(&self, of_transaction: bool) -> InScope<'a> {
        let mut scope = InScope::default();
        for level in self.levels.iter().rev() {
            let mut nearer = std::mem::take(&mut scope.pre);
            let mut nearer_post = std::mem::take(&mut scope.post);
            let mut nearer_assertions = Vec::new();
            if !of_transaction {
                nearer_assertions = std::mem::take(&mut scope.assertions);
            }
            for element in level {
                match self.shared.roles.get(&std::ptr::from_ref(*element)) {
                    Some(Role::Config) => scope.configs.push(element),
                    Some(Role::Manager(number)) => scope.managers.push(*number),
                    Some(Role::Pre { number, .. }) => scope.pre.push(*number),
                    Some(Role::Timer(number)) => scope.timers.push(*number),
                    Some(Role::Post(number)) => scope.post.push(*number),
                    Some(Role::Assertion(number)) => scope.assertions.push(*number),
                    Some(Role::Listener(number)) => scope.listeners.push(*number),
                    Some(Role::Reaction(number)) => scope.reactions.push(*number),
                    _ => {}
                }
            }
            scope.pre.append(&mut nearer);
            scope.post.append(&mut nearer_post);
            scope.assertions.append(&mut nearer_assertions);
        }
        scope
    }

    fn needs(&self, scope: &InScope<'_>) -> Needs {
        let elements = &*self.elements;
        let post = scope.post.iter();
        let post = post.map(|number| elements.post[*number as usize].needs());
        let assertions = scope.assertions.iter();
        let assertions = assertions.map(|number| elements.assertions[*number as usize].needs());
        let reactions = scope.reactions.iter();
        let reactions = reactions.map(|number| elements.reactions[*number as usize].needs());
        let all = post.chain(assertions).chain(reactions);
        all.fold(self.shared.needs, Needs::or)
    }
}

/// What is around a HTTP sampler. Header managers are joined; of the others the one farthest away
/// counts, since `JMeter` goes through them from the nearest on and lets each supersede the one before.
fn http_scope(elements: &Elements, managers: &[u32], needs: Needs) -> Scope {
    let mut scope = Scope {
        settings: Arc::clone(&elements.http),
        needs,
        headers: Vec::new(),
        cookies: None,
        cache: None,
        authorization: None,
        names: None,
    };
    for number in managers {
        match &elements.managers[*number as usize] {
            Manager::Headers(manager) => scope.headers.push(Arc::clone(manager)),
            Manager::Cookies(manager) => scope.cookies = Some(Arc::clone(manager)),
            Manager::Cache(manager) => scope.cache = Some(Arc::clone(manager)),
            Manager::Authorization(manager) => scope.authorization = Some(Arc::clone(manager)),
            Manager::Names(manager) => scope.names = Some(Arc::clone(manager)),
            Manager::Keys(_) => {}
        }
    }
    scope
}

impl OnSampleError {
    fn read(group: &Element, compiler: &mut Compiler) -> Self {
        let text = group.text("ThreadGroup.on_sample_error");
        match text.to_ascii_lowercase().as_str() {
            "" | "continue" => Self::Continue,
            "startnextloop" => Self::NextIteration,
            "stopthread" => Self::StopUser,
            "stoptest" => Self::StopTest,
            "stoptestnow" => Self::StopTestNow,
            _ => {
                let accepted = "continue, startnextloop, stopthread, stoptest or stoptestnow";
                let text = format!("ThreadGroup.on_sample_error is `{text}`; it is {accepted}");
                compiler.refuse(group, text);
                Self::Continue
            }
        }
    }
}
