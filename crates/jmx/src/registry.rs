//! What of `JMeter` and its plugins is known, and what of that runs: one table of elements, one of
//! functions. `--check`, the page `docs/JMX-SUPPORT.md` and the compiler go by them.

mod elements;
mod functions;
mod page;

pub use elements::{ELEMENTS, element};
pub use functions::{FUNCTIONS, function};
pub use page::support_page;

/// What is known of an element or a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The class of an element, short if it is `JMeter`'s own, or the name of a function, the two
    /// underscores included.
    pub name: &'static str,
    /// Where it belongs.
    pub tier: Tier,
    /// Whether it runs.
    pub support: Support,
    /// What it does, or why it does not run.
    pub note: &'static str,
}

/// Whether something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It runs as in `JMeter`.
    Supported,
    /// It is accepted, and a plan does the same without it.
    Ignored,
    /// It runs where its expression is in the subset that can be evaluated.
    Expression,
    /// A plan that has it enabled is refused.
    Refused,
}

/// How far from the core of `JMeter` something is; the letters of the survey of public plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// What half of all plans get by with.
    A,
    /// The rest of what `JMeter` brings for HTTP.
    B,
    /// Plugins in common use.
    C,
    /// Expressions in a scripting language.
    D,
    /// JSR223 scripts.
    E,
    /// `BeanShell` and BSF scripts.
    F,
    /// Other protocols.
    G,
    /// Java code of somebody's own, mail, and what `JMeter` itself gave up.
    Never,
}

/// What an element is for; the order is that of the page of support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The plan and what it is divided into.
    Plan,
    /// Thread groups.
    Group,
    /// Logic controllers.
    Controller,
    /// Samplers.
    Sampler,
    /// Configuration.
    Config,
    /// Timers.
    Timer,
    /// Pre-processors.
    PreProcessor,
    /// Post-processors.
    PostProcessor,
    /// Assertions.
    Assertion,
    /// Listeners.
    Listener,
    /// What runs in `JMeter`'s window only.
    Tool,
}

impl Family {
    /// A heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Plan => "Plan",
            Self::Group => "Thread groups",
            Self::Controller => "Logic controllers",
            Self::Sampler => "Samplers",
            Self::Config => "Configuration",
            Self::Timer => "Timers",
            Self::PreProcessor => "Pre-processors",
            Self::PostProcessor => "Post-processors",
            Self::Assertion => "Assertions",
            Self::Listener => "Listeners",
            Self::Tool => "Tools of the window",
        }
    }
}

impl Tier {
    /// What this part of the survey is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::A => "the core",
            Self::B => "the rest of JMeter for HTTP",
            Self::C => "plugins",
            Self::D => "expressions",
            Self::E => "JSR223 scripts",
            Self::F => "BeanShell and BSF scripts",
            Self::G => "other protocols",
            Self::Never => "never",
        }
    }

    /// The letter.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
            Self::F => "F",
            Self::G => "G",
            Self::Never => "never",
        }
    }

    /// Whether this is a script.
    pub fn is_script(self) -> bool {
        matches!(self, Self::E | Self::F)
    }
}

const fn entry(name: &'static str, tier: Tier, support: Support, note: &'static str) -> Entry {
    Entry {
        name,
        tier,
        support,
        note,
    }
}

const fn runs(name: &'static str, tier: Tier, note: &'static str) -> Entry {
    entry(name, tier, Support::Supported, note)
}

const fn evaluates(name: &'static str, tier: Tier, note: &'static str) -> Entry {
    entry(name, tier, Support::Expression, note)
}

const fn ignored(name: &'static str, tier: Tier, note: &'static str) -> Entry {
    entry(name, tier, Support::Ignored, note)
}

const fn refused(name: &'static str, tier: Tier, note: &'static str) -> Entry {
    entry(name, tier, Support::Refused, note)
}
