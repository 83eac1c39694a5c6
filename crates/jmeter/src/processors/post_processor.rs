//! Post-processors: what happens with a result before it is checked.

use double11_jmx::document::Element;

use super::boundary_extractor::BoundaryExtractor;
use super::debug_post_processor::DebugPostProcessor;
use super::jmes_path::JmesExtractor;
use super::json_extractor::{JsonExtractor, PluginExtractor};
use super::regex_extractor::RegexExtractor;
use super::xpath_extractor::XPathExtractor;
use crate::compiler::Compiler;
use crate::sample::{Needs, SampleResult};
use crate::user::User;

/// A post-processor of a plan.
#[derive(Debug)]
pub struct PostProcessor(Kind);

#[derive(Debug)]
enum Kind {
    Regex(RegexExtractor),
    Boundary(BoundaryExtractor),
    Json(JsonExtractor),
    PluginJson(PluginExtractor),
    Jmes(JmesExtractor),
    XPath(XPathExtractor),
    /// It was refused.
    Refused,
    Debug(DebugPostProcessor),
}

impl PostProcessor {
    /// Reads a post-processor; `None` when the element is none.
    pub fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let kind = match element.class.as_str() {
            "RegexExtractor" => Kind::Regex(RegexExtractor::compile(element, compiler)),
            "BoundaryExtractor" => Kind::Boundary(BoundaryExtractor::compile(element, compiler)),
            "JSONPostProcessor" => Kind::Json(JsonExtractor::compile(element, compiler)),
            "com.atlantbh.jmeter.plugins.jsonutils.jsonpathextractor.JSONPathExtractor" => {
                Kind::PluginJson(PluginExtractor::compile(element, compiler))
            }
            "XPathExtractor" | "XPath2Extractor" => {
                Kind::XPath(XPathExtractor::compile(element, compiler))
            }
            "JMESPathExtractor" => Kind::Jmes(JmesExtractor::compile(element, compiler)),
            "HtmlExtractor" => {
                let text = "CSS selectors are not followed yet; a Regular Expression or Boundary \
                            Extractor does the same";
                compiler.refuse(element, text);
                Kind::Refused
            }
            "kg.apc.jmeter.modifiers.FifoPutPostProcessor" => {
                compiler.refuse(element, "queues between users are not there yet");
                Kind::Refused
            }
            "DebugPostProcessor" => Kind::Debug(DebugPostProcessor::compile(element, compiler)),
            _ => return None,
        };
        Some(Self(kind))
    }

    /// What it reads of a result.
    pub fn needs(&self) -> Needs {
        match &self.0 {
            Kind::Regex(extractor) => extractor.needs(),
            Kind::Boundary(extractor) => extractor.needs(),
            Kind::Json(extractor) => extractor.needs(),
            Kind::PluginJson(extractor) => extractor.needs(),
            Kind::Jmes(extractor) => extractor.needs(),
            Kind::XPath(extractor) => extractor.needs(),
            Kind::Debug(_) | Kind::Refused => Needs::default(),
        }
    }

    /// Works on a result.
    pub fn process(&self, user: &mut User, sample: &mut SampleResult) {
        match &self.0 {
            Kind::Regex(extractor) => extractor.process(user, sample),
            Kind::Boundary(extractor) => extractor.process(user, sample),
            Kind::Json(extractor) => extractor.process(user, sample),
            Kind::PluginJson(extractor) => extractor.process(user, sample),
            Kind::Jmes(extractor) => extractor.process(user, sample),
            Kind::XPath(extractor) => extractor.process(user, sample),
            Kind::Refused => (),
            Kind::Debug(debug) => debug.process(user, sample),
        }
    }
}
