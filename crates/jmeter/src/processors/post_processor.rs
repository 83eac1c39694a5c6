//! Post-processors: what happens with a result before it is checked.

use double11_jmx::document::Element;

use super::boundary_extractor::BoundaryExtractor;
use super::debug_post_processor::DebugPostProcessor;
use super::fifo::FifoPut;
use super::html_extractor::HtmlExtractor;
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
    Html(HtmlExtractor),
    Put(FifoPut),
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
            "HtmlExtractor" => Kind::Html(HtmlExtractor::compile(element, compiler)),
            "kg.apc.jmeter.modifiers.FifoPutPostProcessor" => {
                Kind::Put(FifoPut::compile(element, compiler))
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
            Kind::Html(extractor) => extractor.needs(),
            Kind::Debug(_) | Kind::Put(_) => Needs::default(),
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
            Kind::Html(extractor) => extractor.process(user, sample),
            Kind::Put(put) => put.process(user),
            Kind::Debug(debug) => debug.process(user, sample),
        }
    }
}
