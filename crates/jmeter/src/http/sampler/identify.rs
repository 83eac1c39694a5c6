//! Asking once more when a server or a proxy wants to know who asks.

use std::time::Duration;

use super::super::authorization::client_nonce;
use super::super::challenge::{Asked, Challenge, Credentials};
use super::super::request::Body;
use super::super::response::Head;
use super::{HttpSampler, Sampled, Target};
use crate::user::User;

/// What goes with a request that is sent again.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    pub(super) authorization: Option<String>,
    pub(super) proxy_authorization: Option<String>,
}

impl HttpSampler {
    /// What an answer wants to know, if this can be told at all.
    pub(super) fn challenge(&self, status: u16, head: Head<'_>) -> Option<Challenge> {
        let (of_proxy, name) = match status {
            401 if self.scope.authorization.is_some() => (false, &b"www-authenticate"[..]),
            407 => (true, &b"proxy-authenticate"[..]),
            _ => return None,
        };
        let headers = head.headers();
        let values = headers.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let values: Vec<String> = values
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect();
        Challenge::read(of_proxy, values.iter().map(String::as_str))
    }

    /// Answers challenges: one of a proxy, and one of the server. The sample becomes that of the last
    /// request, begun with the first.
    pub(super) async fn identify(
        &self,
        user: &mut User,
        target: Target<'_>,
        first: Sampled,
    ) -> Sampled {
        let mut answers = Answers::default();
        let mut last = first;
        while let Some(challenge) = last.challenge.take() {
            if !self.answer(user, target, &challenge, &mut answers) {
                break;
            }
            let next = match self.begin(user, target, answers.clone()).await {
                Ok(begun) => self.end(user, begun.run().await),
                Err(Some(over)) => over,
                Err(None) => break,
            };
            last = joined(&last, next);
        }
        last
    }

    /// Answers a challenge, unless there is no answer or one was given already.
    fn answer(
        &self,
        user: &mut User,
        target: Target<'_>,
        challenge: &Challenge,
        answers: &mut Answers,
    ) -> bool {
        let given = if challenge.of_proxy {
            &answers.proxy_authorization
        } else {
            &answers.authorization
        };
        if given.is_some() {
            return false;
        }
        let mut body = Body::default();
        let mut has_body = false;
        if challenge.wants_body() && !target.is_following {
            let written = target.definition.write_body(target.method, user, &mut body);
            has_body = written.unwrap_or(false);
        }
        let mut address = Vec::new();
        target.url.write_target(&mut address);
        let address = String::from_utf8_lossy(&address);
        let asked = Asked {
            method: target.method,
            target: &address,
            body: has_body.then_some(body.bytes.as_slice()),
            tried_basic: false,
        };
        if challenge.of_proxy {
            answers.proxy_authorization = self.answer_to_proxy(user, target, challenge, asked);
            answers.proxy_authorization.is_some()
        } else {
            let manager = self.scope.authorization.as_ref();
            let answer =
                manager.and_then(|manager| manager.answer(user, target.url, challenge, asked));
            answers.authorization = answer;
            answers.authorization.is_some()
        }
    }

    fn answer_to_proxy(
        &self,
        user: &mut User,
        target: Target<'_>,
        challenge: &Challenge,
        asked: Asked<'_>,
    ) -> Option<String> {
        let nonce = client_nonce(user);
        let proxy = self.proxy_for(target.url.bare_host(), user)?;
        let (name, password) = proxy.credentials.as_ref()?;
        let credentials = Credentials {
            user: name,
            password,
            realm: "",
        };
        challenge.answer(credentials, asked, &nonce)
    }
}

/// The sample of the second request, begun with the first.
fn joined(first: &Sampled, mut second: Sampled) -> Sampled {
    let result = &mut second.result;
    let gap: Duration = result.start.saturating_sub(first.result.start);
    if !result.latency.is_zero() {
        result.latency += gap;
    }
    result.connect = first.result.connect;
    result.start = first.result.start;
    second
}
