//! What a page loads by itself, as parts of the page's sample.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use regex::Regex;

use super::super::embedded;
use super::super::failure::Exception;
use super::super::url::Url;
use super::exchange::{Begun, all};
use super::identify::Answers;
use super::{HttpSampler, Sampled, Target, take_from, without_body};
use crate::compiler::Compiler;
use crate::sample::{Code, DataType, PartThread, SampleResult};
use crate::user::User;

/// How deep frames may be nested.
const DEPTH_MAX: u32 = 5;

/// Which resources of a page are loaded.
#[derive(Debug)]
pub(super) struct Resources {
    allowed: Filter,
    excluded: Filter,
    /// How many at once.
    at_once: usize,
}

/// A pattern that a whole address matches.
#[derive(Debug)]
enum Filter {
    None,
    Fixed(Regex),
    /// Something in it is to be filled in.
    Rendered(Template),
}

impl Filter {
    fn compile(element: &Element, property: &str, compiler: &mut Compiler) -> Self {
        let template = compiler.property(element, property);
        match template.literal() {
            Some("") => Self::None,
            Some(text) => {
                if let Some(pattern) = pattern(text) {
                    return Self::Fixed(pattern);
                }
                let what = format!("`{text}` (`{property}`) is no pattern that is supported");
                compiler.refuse(element, what);
                Self::None
            }
            None => Self::Rendered(template),
        }
    }

    /// Whether an address matches; nothing when there is no pattern.
    fn matches(&self, user: &mut User, url: &Url) -> Option<bool> {
        match self {
            Self::None => None,
            Self::Fixed(pattern) => Some(pattern.is_match(&url.text)),
            Self::Rendered(text) => Some(pattern(&user.render(text))?.is_match(&url.text)),
        }
    }
}

fn pattern(text: &str) -> Option<Regex> {
    (!text.is_empty())
        .then(|| Regex::new(&format!("^(?:{text})$")).ok())
        .flatten()
}

impl Resources {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        if !element.is("HTTPSampler.image_parser", false) {
            return None;
        }
        let at_once = if element.is("HTTPSampler.concurrentDwn", false) {
            element
                .text("HTTPSampler.concurrentPool")
                .trim()
                .parse()
                .unwrap_or(6)
        } else {
            1
        };
        Some(Self {
            allowed: Filter::compile(element, "HTTPSampler.embedded_url_re", compiler),
            excluded: Filter::compile(element, "HTTPSampler.embedded_url_exclude_re", compiler),
            at_once: at_once.clamp(1, 100),
        })
    }

    /// Whether an answer may be a page with resources.
    pub(super) fn may_be_in(result: &SampleResult) -> bool {
        result.success && result.data_type == DataType::Text && !result.body.is_empty()
    }
}

impl HttpSampler {
    /// Loads the resources of a page; the page becomes the first part of its own sample.
    pub(super) fn with_resources<'a>(
        &'a self,
        user: &'a mut User,
        page: Sampled,
        depth: u32,
    ) -> Pin<Box<dyn Future<Output = Sampled> + 'a>> {
        Box::pin(async move {
            let Some(resources) = &self.resources else {
                return page;
            };
            if !Resources::may_be_in(&page.result) {
                return page;
            }
            let mut page = page;
            if depth > DEPTH_MAX {
                let mut failed = page.result.clone();
                Exception::new(
                    "java.lang.Exception",
                    "Maximum frame/iframe nesting depth exceeded.",
                )
                .fail(&mut failed);
                page.result.add_part(failed);
                return page;
            }
            let mut urls = embedded::addresses(
                &page.result.content_type,
                &page.result.body,
                page.url.origin(),
            );
            if urls.is_empty() {
                return page;
            }
            urls.retain(|url| {
                resources.allowed.matches(user, url).unwrap_or(true)
                    && !resources.excluded.matches(user, url).unwrap_or(false)
            });
            let mut total = without_body(&page.result);
            take_from(&mut total, &page.result);
            total.add_raw_part(page.result);
            for group in urls.chunks(resources.at_once) {
                let group = group.iter().map(|url| self.moved(Arc::new(url.clone())));
                let group: Vec<Arc<Url>> = group.collect();
                let loaded = self.load(user, &group, &total.label).await;
                for (sampled, number) in loaded.into_iter().zip(1..) {
                    let mut sampled = self.complete(user, sampled, depth + 1).await;
                    if resources.at_once > 1 {
                        downloaded(&mut sampled.result, number);
                    }
                    let is_fine = total.success && sampled.result.success;
                    total.add_part(sampled.result);
                    if !self.scope.settings.ignores_failed_resources {
                        total.success = is_fine;
                        if !is_fine {
                            total.message = failures(&total).into();
                        }
                    }
                }
            }
            page.result = total;
            page
        })
    }

    /// Asks for some resources at once.
    async fn load(&self, user: &mut User, urls: &[Arc<Url>], label: &Arc<str>) -> Vec<Sampled> {
        let mut sampled = Vec::new();
        if let [url] = urls {
            let target = Target {
                definition: &self.definition,
                url,
                method: "GET",
                is_following: false,
                label,
            };
            sampled.extend(self.exchange(user, target).await);
            return sampled;
        }
        let mut begun = Vec::new();
        for url in urls {
            let target = Target {
                definition: &self.definition,
                url,
                method: "GET",
                is_following: false,
                label,
            };
            match self.begin(user, target, Answers::default()).await {
                Ok(exchange) => begun.push(exchange),
                Err(None) => {}
                Err(Some(over)) => sampled.push(over),
            }
        }
        let exchanges = begun.into_iter().map(Begun::run).collect();
        for over in all(exchanges).await {
            let target = over.target();
            let first = self.end(user, over);
            sampled.push(self.identify(user, target, first).await);
        }
        sampled
    }
}

/// The parts of something that was loaded beside others belong to the thread that has loaded it.
fn downloaded(result: &mut SampleResult, number: usize) {
    for part in &mut result.sub_results {
        if part.thread == PartThread::User {
            part.thread = PartThread::Download(number);
        }
        downloaded(part, number);
    }
}

/// What the message of a page says whose resources failed.
fn failures(total: &SampleResult) -> String {
    let mut text = "Embedded resource download error:".to_owned();
    for part in total.sub_results.iter().filter(|part| !part.success) {
        let code = match &part.code {
            Code::Status(status) => status.to_string(),
            Code::Text(text) => text.to_string(),
        };
        let url = part.url.as_deref().unwrap_or("null");
        // Writing to a string cannot fail.
        write!(text, "{url} code:{code} message:{}, ", part.message).unwrap_or_default();
    }
    text
}
