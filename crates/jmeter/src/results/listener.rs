//! Listeners of a plan: those that write a file, those that sum up, and all the others.

use std::sync::Arc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use crate::compiler::Compiler;
use crate::sample::Needs;

use super::form::SaveForm;

/// A listener of a plan.
#[derive(Debug, Clone)]
pub enum Listener {
    /// Writes the samples it hears into a file.
    File(Box<FileListener>),
    /// Sums up what it hears, a line now and then; those of one name sum up together.
    Summariser(Arc<str>),
    /// Shows something in `JMeter`'s window, or sends it somewhere; nothing of that happens here.
    Ignored,
}

/// A listener that writes a file.
#[derive(Debug, Clone)]
pub struct FileListener {
    /// The file; `~/` in front stands for the folder of the plan.
    pub(super) file: Template,
    pub(super) wanted: Wanted,
    /// Its own configuration, if it has one.
    pub(super) configuration: Option<Element>,
}

/// Which samples a listener wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    Successes,
    Errors,
}

impl Listener {
    /// The listener that an element stands for; `None` when the element is no listener.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let short = element.class.rsplit('.').next().unwrap_or_default();
        match short {
            "ResultCollector" | "CorrectedResultCollector" => {
                Some(Self::compile_collector(element, compiler))
            }
            "Summariser" => Some(Self::Summariser(element.name.as_str().into())),
            "BackendListener"
            | "MailerResultCollector"
            | "PerfMonCollector"
            | "TableVisualizer"
            | "LoadosophiaUploader"
            | "BlazeMeterUploader"
            | "DbMonCollector"
            | "JMXMonCollector" => Some(Self::Ignored),
            _ => None,
        }
    }

    /// A collector without a file only shows.
    fn compile_collector(element: &Element, compiler: &mut Compiler) -> Self {
        if element.text("filename").trim().is_empty() {
            return Self::Ignored;
        }
        let errors = element.is("ResultCollector.error_logging", false);
        let successes = element.is("ResultCollector.success_only_logging", false);
        Self::File(Box::new(FileListener {
            file: compiler.property(element, "filename"),
            wanted: match (errors, successes) {
                (true, false) => Wanted::Errors,
                (false, true) => Wanted::Successes,
                // With both ticked a sample of either kind is wanted by one of them.
                (false, false) | (true, true) => Wanted::All,
            },
            configuration: element.element("saveConfig").cloned(),
        }))
    }

    /// What it reads of the samples in its scope. `default` is the form that the properties ask for.
    pub fn needs(&self, default: &SaveForm) -> Needs {
        match self {
            Self::File(listener) => listener.form(default).needs(),
            Self::Summariser(_) | Self::Ignored => Needs::default(),
        }
    }
}

impl FileListener {
    pub(super) fn form(&self, default: &SaveForm) -> SaveForm {
        match &self.configuration {
            Some(configuration) => default.of_listener(configuration),
            None => default.clone(),
        }
    }
}

impl Wanted {
    pub(super) fn has(self, success: bool) -> bool {
        match self {
            Self::All => true,
            Self::Successes => success,
            Self::Errors => !success,
        }
    }
}
