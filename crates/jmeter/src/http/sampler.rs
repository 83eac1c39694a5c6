//! `HTTPSamplerProxy`: one request, the redirects after it, and how they become one sample.

mod exchange;
mod identify;
mod resources;
mod write;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use double11_jmx::document::{Element, Properties, Property};
use double11_jmx::template::Template;

use super::challenge::Challenge;
use super::failure::Exception;
use super::request::Definition;
use super::settings::ProxySettings;
use super::url::Url;
use super::{Scope, headers};
use crate::compiler::Compiler;
use crate::sample::{Code, SampleResult};
use crate::user::User;
use resources::Resources;

/// An HTTP request of a plan.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own"
)]
pub struct HttpSampler {
    scope: Scope,
    name: Template,
    /// The name, when nothing in it is to be filled in.
    fixed_name: Option<Arc<str>>,
    /// Whether the name is filled in before the address, which then may hold it.
    is_named_first: bool,
    pub(super) definition: Definition,
    headers: Vec<(Template, Template)>,
    follows_redirects: bool,
    follows_silently: bool,
    keeps_alive: bool,
    /// Whether the MD5 sum of a body stands for it.
    sums_bodies: bool,
    connect_timeout: Template,
    response_timeout: Template,
    proxy: Option<Proxy>,
    /// What of a page is loaded with it, if anything is.
    resources: Option<Resources>,
}

/// The proxy of one sampler.
#[derive(Debug)]
struct Proxy {
    host: Template,
    port: Template,
    user: Template,
    password: Template,
}

/// One request to be sent.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    /// What the body is made of.
    definition: &'a Definition,
    url: &'a Arc<Url>,
    method: &'a str,
    /// Whether a redirect led here.
    is_following: bool,
    /// The name of the sample.
    label: &'a Arc<str>,
}

/// What came of one request.
#[derive(Debug)]
struct Sampled {
    result: SampleResult,
    /// Whether only the head was asked for.
    is_head: bool,
    /// The address that was asked.
    url: Arc<Url>,
    /// Where it redirects to.
    location: Option<String>,
    /// What it wants to know of who asks.
    challenge: Option<Challenge>,
}

impl HttpSampler {
    /// Compiles an `HTTPSamplerProxy` whose empty properties have been filled from the defaults in
    /// scope; `None` for another class.
    pub fn compile(element: &Element, scope: Scope, compiler: &mut Compiler) -> Option<Self> {
        if !matches!(
            element.class.as_str(),
            "HTTPSamplerProxy" | "HTTPSampler" | "HTTPSampler2"
        ) {
            return None;
        }
        if !matches!(element.text("HTTPSampler.ipSource"), "" | "false") {
            let text = "a source address (`HTTPSampler.ipSource`) is not supported";
            compiler.refuse(element, text);
        }
        let name = compiler.template(&element.name);
        let mut definition = Definition::compile(element, compiler);
        definition.fix();
        let proxy = !element.text("HTTPSampler.proxyHost").is_empty();
        let proxy = proxy.then(|| Proxy {
            host: compiler.property(element, "HTTPSampler.proxyHost"),
            port: compiler.property(element, "HTTPSampler.proxyPort"),
            user: compiler.property(element, "HTTPSampler.proxyUser"),
            password: compiler.property(element, "HTTPSampler.proxyPass"),
        });
        Some(Self {
            fixed_name: name.literal().map(Arc::from),
            is_named_first: has_text(&element.properties, "__samplerName"),
            name,
            definition,
            headers: headers::merged(&scope.headers),
            follows_redirects: element.is("HTTPSampler.follow_redirects", true),
            follows_silently: element.is("HTTPSampler.auto_redirects", false),
            keeps_alive: element.is("HTTPSampler.use_keepalive", true),
            sums_bodies: element.is("HTTPSampler.md5", false),
            connect_timeout: compiler.property(element, "HTTPSampler.connect_timeout"),
            response_timeout: compiler.property(element, "HTTPSampler.response_timeout"),
            proxy,
            resources: Resources::compile(element, compiler),
            scope,
        })
    }

    /// Sends the request and waits for its answer, redirects included. `None` when the answer is in the
    /// user's cache, of which `JMeter` makes no sample unless a property says otherwise: nothing is
    /// recorded then and no post-processor or assertion runs.
    pub async fn sample(&self, user: &mut User) -> Option<SampleResult> {
        let named = self.is_named_first.then(|| self.label(user));
        let draft = user.draft.take();
        let definition = draft.as_ref().map_or(&self.definition, |draft| &draft.0);
        let method = user.render(&definition.method);
        let url = match definition.url(&method, user) {
            Ok(url) => Ok(self.moved(url)),
            Err(exception) => Err(exception),
        };
        let label = named.unwrap_or_else(|| self.label(user));
        let url = match url {
            Ok(url) => url,
            Err(exception) => return Some(refused(label, exception, user)),
        };
        let target = Target {
            definition,
            url: &url,
            method: &method,
            is_following: false,
            label: &label,
        };
        let sampled = self.exchange(user, target).await?;
        Some(self.complete(user, sampled, 0).await.result)
    }

    /// The name, filled in.
    fn label(&self, user: &mut User) -> Arc<str> {
        if let Some(name) = &self.fixed_name {
            return Arc::clone(name);
        }
        let label: Arc<str> = user.render(&self.name).into();
        user.sampler = Arc::clone(&label);
        label
    }

    /// Follows redirects and loads what a page loads by itself.
    async fn complete(&self, user: &mut User, sampled: Sampled, depth: u32) -> Sampled {
        let mut sampled = sampled;
        if sampled.location.is_some() {
            if self.follows_silently {
                sampled = self.follow_silently(user, sampled).await;
            } else if self.follows_redirects {
                // Its resources are loaded within the chain.
                return self.follow(user, sampled, depth).await;
            }
        }
        if self.resources.is_some() {
            sampled = self.with_resources(user, sampled, depth).await;
        }
        sampled
    }

    /// Follows redirects as the client beneath would: only the last answer counts.
    async fn follow_silently(&self, user: &mut User, first: Sampled) -> Sampled {
        let (start, label) = (first.result.start, Arc::clone(&first.result.label));
        let mut last = first;
        let redirects_max = self.scope.settings.redirects_max;
        for count in 0.. {
            let Some(to) = last.location.take() else {
                break;
            };
            let next = match self.redirected(&last.url, &to) {
                Ok(next) if count < redirects_max => next,
                Ok(_) => {
                    let text = format!("Maximum redirects ({redirects_max}) exceeded");
                    let class = "org.apache.http.client.ClientProtocolException";
                    Exception::new(class, text).fail(&mut last.result);
                    break;
                }
                Err(exception) => {
                    exception.fail(&mut last.result);
                    break;
                }
            };
            let method = if last.is_head { "HEAD" } else { "GET" };
            let target = Target {
                definition: &self.definition,
                url: &next,
                method,
                is_following: true,
                label: &label,
            };
            match self.exchange(user, target).await {
                Some(sampled) => last = sampled,
                None => break,
            }
        }
        let gap = last.result.start.saturating_sub(start);
        last.result.latency += gap;
        last.result.start = start;
        last
    }

    /// The address at the target that every request goes to, if there is one.
    fn moved(&self, url: Arc<Url>) -> Arc<Url> {
        match &self.scope.settings.target {
            Some(target) => {
                let keeps_host = self.scope.settings.keeps_host;
                Arc::new(url.moved_to(target, keeps_host))
            }
            None => url,
        }
    }

    /// Where a redirect leads to, on the plan's own servers even while another one is asked.
    fn redirected(&self, from: &Url, to: &str) -> Result<Arc<Url>, Exception> {
        let origin = from.origin();
        let next = origin.join(&to.replace(' ', "%20"))?;
        let next = match &self.scope.settings.target {
            Some(target) if next.is_of(target) => next.at(origin),
            _ => next,
        };
        Ok(self.moved(Arc::new(next)))
    }

    /// Follows redirects; each answer becomes a part of one sample, which says what the last one says.
    async fn follow(&self, user: &mut User, first: Sampled, depth: u32) -> Sampled {
        let Sampled {
            result,
            is_head,
            mut url,
            mut location,
            ..
        } = first;
        let label = Arc::clone(&result.label);
        let mut total = without_body(&result);
        take_from(&mut total, &result);
        total.add_raw_part(result);
        let redirects_max = self.scope.settings.redirects_max;
        let mut count = 0;
        while let Some(to) = location.take() {
            if count == redirects_max {
                let text = format!("Exceeded maximum number of redirects: {redirects_max}");
                let exception = Exception::new("java.io.IOException", text);
                let mut failed = total.sub_results.last().cloned().unwrap_or_default();
                fail_keeping_size(&mut failed, exception);
                take_from(&mut total, &failed);
                total.add_part(failed);
                break;
            }
            count += 1;
            let next = match self.redirected(&url, &to) {
                Ok(next) => next,
                Err(exception) => {
                    if let Some(mut last) = total.sub_results.pop() {
                        fail_keeping_size(&mut last, exception);
                        take_from(&mut total, &last);
                        total.sub_results.push(last);
                    }
                    break;
                }
            };
            let target = Target {
                definition: &self.definition,
                url: &next,
                method: if is_head { "HEAD" } else { "GET" },
                is_following: true,
                label: &label,
            };
            // What is in the cache ends the chain.
            let Some(mut sampled) = self.exchange(user, target).await else {
                break;
            };
            location = sampled.location.take();
            if location.is_none() && self.resources.is_some() {
                sampled = self.with_resources(user, sampled, depth).await;
            }
            url = sampled.url;
            take_from(&mut total, &sampled.result);
            if sampled.result.sub_results.is_empty() {
                total.add_part(sampled.result);
            } else {
                let parts = sampled.result.sub_results.into_iter();
                parts.for_each(|part| total.add_part(part));
            }
        }
        Sampled {
            result: total,
            is_head,
            url,
            location: None,
            challenge: None,
        }
    }

    /// The proxy for a host.
    fn proxy_for(&self, host: &str, user: &mut User) -> Option<Cow<'_, ProxySettings>> {
        // A plan that is sent elsewhere must not get to its own proxy.
        let own = self.proxy.as_ref();
        if let Some(proxy) = own.filter(|_| self.scope.settings.target.is_none()) {
            let host = user.render(&proxy.host).into_owned();
            let port = user.render(&proxy.port).trim().parse::<u16>().unwrap_or(80);
            if !host.is_empty() {
                let name = user.render(&proxy.user).into_owned();
                let password = user.render(&proxy.password).into_owned();
                return Some(Cow::Owned(ProxySettings {
                    host,
                    port,
                    credentials: (!name.is_empty()).then_some((name, password)),
                    direct: Vec::new(),
                }));
            }
        }
        let proxy = self.scope.settings.proxy.as_ref()?;
        proxy.serves(host).then_some(Cow::Borrowed(proxy))
    }
}

/// Whether a text stands in any property.
fn has_text(properties: &Properties, text: &str) -> bool {
    fn holds(property: &Property, text: &str) -> bool {
        match property {
            Property::Text(own) => own.contains(text),
            Property::List(items) => items.iter().any(|(_, item)| holds(item, text)),
            Property::Element(inner) => has_text(&inner.properties, text),
        }
    }
    properties.iter().any(|(_, property)| holds(property, text))
}

/// A time-out in milliseconds; none when it is missing, zero or no number.
fn timeout(template: &Template, user: &mut User) -> Option<Duration> {
    if template.is_empty() {
        return None;
    }
    let millis = user.render(template).trim().parse::<u64>().ok()?;
    (millis > 0).then_some(Duration::from_millis(millis))
}

/// A sample whose request could not be made.
fn refused(label: Arc<str>, exception: Exception, user: &User) -> SampleResult {
    let now = user.run.clock.now();
    let mut result = SampleResult {
        // JMeter forgets the name where Java cannot even make an address of the text.
        label: if exception.is_malformed {
            "".into()
        } else {
            label
        },
        start: now,
        end: now,
        url: exception.url.as_deref().map(Arc::from),
        ..SampleResult::default()
    };
    exception.fail(&mut result);
    result
}

/// Turns a sample that has an answer into a failed one, whose sizes stay.
fn fail_keeping_size(result: &mut SampleResult, exception: Exception) {
    let (bytes, header_bytes, body_bytes) = (result.bytes, result.header_bytes, result.body_bytes);
    let data_type = result.data_type;
    exception.fail(result);
    (result.bytes, result.header_bytes, result.body_bytes) = (bytes, header_bytes, body_bytes);
    result.data_type = data_type;
}

/// A copy to be the sample that others become part of.
fn without_body(result: &SampleResult) -> SampleResult {
    SampleResult {
        label: Arc::clone(&result.label),
        start: result.start,
        end: result.end,
        latency: result.latency,
        connect: result.connect,
        code: result.code.clone(),
        message: result.message.clone(),
        success: result.success,
        data_type: result.data_type,
        bytes: result.bytes,
        header_bytes: result.header_bytes,
        body_bytes: result.body_bytes,
        sent_bytes: result.sent_bytes,
        url: result.url.clone(),
        ..SampleResult::default()
    }
}

/// Takes over what another sample says of request and answer, but for times and sizes.
fn take_from(total: &mut SampleResult, last: &SampleResult) {
    total.url.clone_from(&last.url);
    total.request.clone_from(&last.request);
    total.request_headers.clone_from(&last.request_headers);
    total.response_headers.clone_from(&last.response_headers);
    total.body.clone_from(&last.body);
    total.code.clone_from(&last.code);
    total.message.clone_from(&last.message);
    total.success = last.success;
    total.data_type = last.data_type;
    total.content_type.clone_from(&last.content_type);
    total.encoding.clone_from(&last.encoding);
}

/// Whether an answer is a redirect that is followed.
fn is_redirect(code: &Code, method: &str) -> bool {
    match code {
        Code::Status(301 | 302 | 303 | 308) => true,
        Code::Status(307) => matches!(method, "GET" | "HEAD"),
        _ => false,
    }
}
