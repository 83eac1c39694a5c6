//! One request and its answer.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use double11_load::tasks::{self, Answer, Ask, Failure, FailureKind, Link};
use double11_load::transport::Expected;

use super::super::authorization;
use super::super::challenge::{Challenge, md5_of};
use super::super::connections::{self, Connections, Key};
use super::super::failure::{self, Exception};
use super::super::request::Body;
use super::super::response::{self, Head};
use super::super::settings::{CachedResource, ProxySettings};
use super::super::url::Url;
use super::super::witness::Exchange;
use super::identify::Answers;
use super::write::{Extras, Message, headers_text};
use super::{HttpSampler, Sampled, Target, is_redirect, timeout};
use crate::sample::{Code, SampleResult};
use crate::user::User;

/// A request that is ready to be sent.
pub(super) struct Begun<'t> {
    target: Target<'t>,
    result: SampleResult,
    key: Key,
    link: Link,
    sent: usize,
    /// The request as it was sent, where somebody looks at it.
    shown: Option<Vec<u8>>,
    ask: Ask,
    /// When it is given up, whatever the server does.
    cut_at: Option<Duration>,
}

/// A request that was written on a connection.
struct Written {
    key: Key,
    link: Link,
    /// How long it is.
    sent: usize,
    /// It, where somebody looks at it.
    shown: Option<Vec<u8>>,
}

/// A request and what came of it.
pub(super) struct Over<'t> {
    begun: Begun<'t>,
    outcome: Result<Answer, Failure>,
}

impl<'t> Begun<'t> {
    /// Sends the request and waits for the answer.
    pub(super) async fn run(mut self) -> Over<'t> {
        let exchange = self.link.exchange(self.ask);
        // What was due before the request began has cut another one.
        let now = tasks::clock().now();
        let outcome = match self.cut_at.filter(|at| *at > now) {
            Some(at) => cut_at(exchange, at).await,
            None => exchange.await,
        };
        Over {
            begun: self,
            outcome,
        }
    }
}

impl<'t> Over<'t> {
    pub(super) fn target(&self) -> Target<'t> {
        self.begun.target
    }
}

impl Sampled {
    fn of(result: SampleResult, target: Target<'_>, location: Option<String>) -> Self {
        Self {
            result,
            is_head: target.method == "HEAD",
            url: Arc::clone(target.url),
            location,
            challenge: None,
        }
    }
}

/// Waits for an exchange until an instant.
async fn cut_at(
    exchange: impl Future<Output = Result<Answer, Failure>>,
    at: Duration,
) -> Result<Answer, Failure> {
    let mut exchange = std::pin::pin!(exchange);
    let mut sleep = std::pin::pin!(tasks::sleep_until(at));
    std::future::poll_fn(|context| {
        if let Poll::Ready(outcome) = exchange.as_mut().poll(context) {
            return Poll::Ready(outcome);
        }
        match sleep.as_mut().poll(context) {
            Poll::Ready(Ok(())) => Poll::Ready(Err(Failure {
                kind: FailureKind::Stopped,
                connected_at: None,
                first_byte_at: None,
                // Nobody knows how far it came.
                was_sent: true,
            })),
            _ => Poll::Pending,
        }
    })
    .await
}

/// Waits for all of some futures; their answers in order.
pub(super) async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    std::future::poll_fn(|context| {
        let mut is_done = true;
        for (future, answer) in &mut waiting {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(ready) => *answer = Some(ready),
                    Poll::Pending => is_done = false,
                }
            }
        }
        if is_done {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    waiting
        .into_iter()
        .filter_map(|(_, answer)| answer)
        .collect()
}

/// Makes a sample one that brought no answer.
fn fail(result: &mut SampleResult, exception: Exception, failure: Option<&Failure>, user: &User) {
    result.end = user.run.clock.now();
    exception.fail(result);
    if let Some(connected) = failure.and_then(|failure| failure.connected_at) {
        result.connect = connected.saturating_sub(result.start);
    }
}

impl HttpSampler {
    /// Sends one request and waits for the answer; `None` when it is in the cache and that makes no
    /// sample.
    pub(super) async fn exchange(&self, user: &mut User, target: Target<'_>) -> Option<Sampled> {
        let first = match self.begin(user, target, Answers::default()).await {
            Ok(begun) => self.end(user, begun.run().await),
            Err(over) => return over,
        };
        Some(self.identify(user, target, first).await)
    }

    /// Prepares a request on a connection. What is over already comes as an error: a sample, or nothing
    /// for what is in the cache.
    pub(super) async fn begin<'t>(
        &self,
        user: &mut User,
        target: Target<'t>,
        answers: Answers,
    ) -> Result<Begun<'t>, Option<Sampled>> {
        let mut result = SampleResult {
            label: Arc::clone(target.label),
            start: user.run.clock.now(),
            url: Some(Arc::clone(&target.url.text)),
            ..SampleResult::default()
        };
        let state = self.scope.settings.connections;
        let mut extras = self.extras(user, target.url, answers);
        if let Some(cache) = &self.scope.cache
            && target.method == "GET"
        {
            if cache.holds(user, &target.url.text) {
                return Err(self.cached(user, target, result));
            }
            extras.validators = cache.validators(user, &target.url.text);
        }
        let mut body = std::mem::take(&mut user.state(state, Connections::default).body);
        let written = if target.is_following {
            Ok(false)
        } else {
            target.definition.write_body(target.method, user, &mut body)
        };
        let written = match written {
            Ok(has_body) => {
                let body = has_body.then_some(&body);
                self.prepare(user, (target, body), &extras, &mut result)
                    .await
            }
            Err(exception) => Err((exception, None)),
        };
        user.state(state, Connections::default).body = body;
        match written {
            Ok(written) => Ok(Begun {
                target,
                result,
                key: written.key,
                link: written.link,
                sent: written.sent,
                ask: self.ask(user, target.method, written.shown.is_some()),
                shown: written.shown,
                cut_at: user.cut_at,
            }),
            Err((exception, failure)) => {
                fail(&mut result, exception, failure.as_ref(), user);
                Err(Some(Sampled::of(result, target, None)))
            }
        }
    }

    /// Makes the sample of what came.
    pub(super) fn end(&self, user: &mut User, over: Over<'_>) -> Sampled {
        let Over { begun, outcome } = over;
        let Begun {
            target,
            mut result,
            key,
            link,
            sent,
            shown,
            ..
        } = begun;
        if let Some(request) = shown {
            self.show(user, (target, &request, result.start), &outcome);
        }
        match outcome {
            Ok(answer) => {
                result.sent_bytes = u64::try_from(sent).unwrap_or(u64::MAX);
                if self.keeps_alive {
                    let state = self.scope.settings.connections;
                    user.state(state, Connections::default).keep(key, link);
                }
                let (location, challenge) = self.take_answer(user, target, &mut result, answer);
                Sampled {
                    challenge,
                    ..Sampled::of(result, target, location)
                }
            }
            Err(failure) => {
                let state = self.scope.settings.connections;
                let own = user.state(state, Connections::default);
                let shown = own.shown(target.url.bare_host());
                let exception = failure::of_exchange(&failure, target.url, &shown);
                fail(&mut result, exception, Some(&failure), user);
                Sampled::of(result, target, None)
            }
        }
    }

    /// Shows a request that was sent, and what came of it, to who wanted to see it.
    fn show(
        &self,
        user: &User,
        (target, request, began): (Target<'_>, &[u8], Duration),
        outcome: &Result<Answer, Failure>,
    ) {
        let Some(witness) = &self.scope.settings.witness else {
            return;
        };
        let mut exchange = Exchange {
            label: target.label,
            method: target.method,
            path: &target.url.path,
            request,
            began,
            ended: user.run.clock.now(),
            status: None,
            body: &[],
        };
        match outcome {
            Ok(answer) => {
                let head = answer.head.as_deref().unwrap_or_default();
                let body = response::decoded(answer.body.clone(), Head(head));
                exchange.ended = answer.end;
                exchange.status = Some(answer.status);
                exchange.body = &body;
                witness.saw(exchange);
            }
            Err(failure) if failure.was_sent => witness.saw(exchange),
            Err(_) => {}
        }
    }

    fn extras(&self, user: &mut User, url: &Url, answers: Answers) -> Extras {
        let cookies = self.scope.cookies.as_ref();
        let manager = self.scope.authorization.as_ref();
        let first = || manager.and_then(|manager| manager.header(user, url));
        let authorization = answers.authorization.or_else(first);
        Extras {
            validators: Vec::new(),
            cookies: cookies.and_then(|cookies| cookies.header(user, url)),
            authorization,
            proxy_authorization: answers.proxy_authorization,
        }
    }

    /// Writes a request on a connection; how long it is.
    async fn prepare(
        &self,
        user: &mut User,
        (target, body): (Target<'_>, Option<&Body>),
        extras: &Extras,
        result: &mut SampleResult,
    ) -> Result<Written, (Exception, Option<Failure>)> {
        let proxy = self.proxy_for(target.url.bare_host(), user);
        let proxy = proxy.as_deref();
        let (key, mut link) = self.connection(user, target.url, proxy).await?;
        let needs = self.scope.needs;
        let witness = self.scope.settings.witness.as_ref();
        let is_wanted =
            witness.is_some_and(|one| one.wants(target.label, target.method, &target.url.path));
        let mut sent = 0;
        let mut shown = None;
        link.write(|out| {
            let message = Message {
                target,
                body,
                extras,
                proxy,
            };
            self.write(user, &message, out);
            sent = out.len();
            shown = is_wanted.then(|| out.clone());
            if needs.request {
                result.request_headers = headers_text(out);
            }
        });
        if needs.request {
            result.request = request_text(target, body, extras.cookies.as_deref());
        }
        Ok(Written {
            key,
            link,
            sent,
            shown,
        })
    }

    fn ask(&self, user: &mut User, method: &str, is_shown: bool) -> Ask {
        Ask {
            expected: Expected {
                keep_body: is_shown || self.scope.needs.body || self.resources.is_some(),
                keep_head: true,
                is_bodiless: method == "HEAD",
            },
            connect_timeout: timeout(&self.connect_timeout, user),
            response_timeout: timeout(&self.response_timeout, user),
        }
    }

    /// An idle connection, or a new one.
    async fn connection(
        &self,
        user: &mut User,
        url: &Url,
        proxy: Option<&ProxySettings>,
    ) -> Result<(Key, Link), (Exception, Option<Failure>)> {
        let state = self.scope.settings.connections;
        let through = proxy.map(|proxy| (proxy.host.clone(), proxy.port));
        let own = user.state(state, Connections::default);
        if let Some(found) = own.take(url, through.as_ref()) {
            return Ok(found);
        }
        let key = Key {
            is_tls: url.is_tls,
            host: url.bare_host().to_owned(),
            port: url.port_or_default(),
            proxy: through,
        };
        let (host, port) = match &key.proxy {
            Some((host, port)) => (host.as_str(), *port),
            None => (key.host.as_str(), key.port),
        };
        let host = match &self.scope.names {
            // A plan that is sent elsewhere must not name hosts of its own for there.
            Some(names) if self.scope.settings.target.is_none() => names.alias(user, host),
            _ => host.to_owned(),
        };
        let found = connections::addresses(user, state, &host).await;
        let found = found.map_err(|exception| (exception, None))?;
        let tls = if url.is_tls {
            let tls = user.state(state, Connections::default).tls(url.bare_host());
            Some(tls.map_err(|exception| (exception, None))?)
        } else {
            None
        };
        let Some(address) = found.first() else {
            let message = format!("{host}: Name or service not known");
            return Err((
                Exception::new("java.net.UnknownHostException", message),
                None,
            ));
        };
        let address = SocketAddr::new(*address, port);
        let is_direct = key.proxy.is_none();
        let link = connections::open(address, tls.as_ref().filter(|_| is_direct));
        let mut link = link.map_err(|error| failed(error.into(), url))?;
        if let (Some(tls), Some(proxy)) = (&tls, proxy) {
            self.tunnel(user, &mut link, url, proxy).await?;
            link.start_tls(tls)
                .map_err(|error| failed(error.into(), url))?;
        }
        Ok((key, link))
    }

    /// Asks a proxy for a way to the server.
    async fn tunnel(
        &self,
        user: &mut User,
        link: &mut Link,
        url: &Url,
        proxy: &ProxySettings,
    ) -> Result<(), (Exception, Option<Failure>)> {
        let place = format!("{}:{}", url.host, url.port_or_default());
        let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n");
        if let Some((name, password)) = &proxy.credentials {
            request.push_str("Proxy-Authorization: ");
            request.push_str(&authorization::basic(name, password));
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        link.write(|out| out.extend_from_slice(request.as_bytes()));
        let ask = Ask {
            expected: Expected {
                is_bodiless: true,
                ..Expected::default()
            },
            connect_timeout: timeout(&self.connect_timeout, user),
            response_timeout: timeout(&self.response_timeout, user),
        };
        let answer = link
            .exchange(ask)
            .await
            .map_err(|failure| failed(failure, url))?;
        if (200..300).contains(&answer.status) {
            return Ok(());
        }
        let text = format!("CONNECT refused by proxy: HTTP/1.1 {}", answer.status);
        let class = "org.apache.http.impl.execchain.TunnelRefusedException";
        Err((Exception::new(class, text), None))
    }

    /// Takes what an answer brought; where it redirects to, if it does.
    fn take_answer(
        &self,
        user: &mut User,
        target: Target<'_>,
        result: &mut SampleResult,
        mut answer: Answer,
    ) -> (Option<String>, Option<Challenge>) {
        let bytes = answer.head.take().unwrap_or_default();
        let head = Head(&bytes);
        result.end = answer.end;
        result.latency = answer.first_byte_at.saturating_sub(result.start);
        let connected = answer.connected_at;
        result.connect = connected
            .unwrap_or(result.start)
            .saturating_sub(result.start);
        response::fill(result, &answer, head);
        let needs = self.scope.needs;
        let needs_body = needs.body || self.resources.is_some();
        if needs_body || needs.response_headers {
            response::fill_content_type(result, head);
        }
        if needs_body {
            result.body = response::decoded(std::mem::take(&mut answer.body), head);
            if self.sums_bodies && !result.body.is_empty() {
                result.body = md5_of(&result.body).into_bytes();
            }
        }
        if needs.response_headers {
            result.response_headers = head.text();
        }
        if let Some(cookies) = &self.scope.cookies {
            let saves_variables = self.scope.settings.saves_cookies;
            cookies.take(user, target.url, head, saves_variables);
        }
        if let Some(cache) = &self.scope.cache {
            cache.take(user, target.method, (&target.url.text, answer.status), head);
        }
        if !is_redirect(&result.code, target.method) {
            return (None, self.challenge(answer.status, head));
        }
        let location = head.value("location");
        if location.is_none() {
            let (method, url) = (target.method, &target.url.text);
            let text = format!("Missing location header in redirect for {method} {url} HTTP/1.1");
            Exception::new("java.lang.IllegalArgumentException", text).fail(result);
            result.sent_bytes = 0;
        }
        (location.map(std::borrow::Cow::into_owned), None)
    }

    /// The sample of an answer that is in the cache.
    fn cached(&self, user: &User, target: Target<'_>, mut result: SampleResult) -> Option<Sampled> {
        let CachedResource::Sample(code, message) = &self.scope.settings.cached else {
            return None;
        };
        result.end = user.run.clock.now();
        result.code = match code.parse() {
            Ok(status) => Code::Status(status),
            Err(_) => Code::Text(code.clone().into()),
        };
        result.message = message.clone().into();
        result.success = true;
        Some(Sampled::of(result, target, None))
    }
}

fn failed(failure: Failure, url: &Url) -> (Exception, Option<Failure>) {
    (
        failure::of_exchange(&failure, url, url.bare_host()),
        Some(failure),
    )
}

/// What `JMeter` shows of a request.
fn request_text(target: Target<'_>, body: Option<&Body>, cookies: Option<&str>) -> String {
    let mut text = format!("{} {}\n", target.method, target.url.text);
    if !matches!(target.method, "HEAD" | "OPTIONS" | "TRACE") {
        text.extend(["\n", target.method, " data:\n"]);
        match body {
            Some(Body {
                shown: Some(shown), ..
            }) => text.push_str(shown),
            Some(body) => text.push_str(&String::from_utf8_lossy(&body.bytes)),
            None => {}
        }
        text.push('\n');
    }
    match cookies {
        Some(cookies) => {
            text.push_str("\nCookie Data:\n");
            text.push_str(cookies);
        }
        None => text.push_str("\n[no cookies]"),
    }
    text.push('\n');
    text
}
