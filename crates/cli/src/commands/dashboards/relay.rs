//! Passes questions of the page on to one Prometheus: fixed target, fixed paths, known parameters,
//! limits on sizes, times and numbers. Nothing that changes Prometheus can be asked.

use std::time::Duration;

use hyper::Uri;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::commands::no_answer;

/// Questions that are with Prometheus at a time; its own default is 20.
pub(super) const AT_A_TIME: usize = 8;
/// Longest wait for an answer, and for a turn to ask.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Longest wait for the first answer, when the program starts.
const CHECK_LIMIT: Duration = Duration::from_secs(5);
/// Largest answer that is passed on.
const ANSWER_BYTES_MAX: u64 = 32 << 20;
/// What the page calls a Prometheus that does not answer.
const UNREACHABLE: &str = "unreachable";

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// Prometheus behind TLS.
    #[error("`--prometheus {address}` asks for TLS, which this command does not speak")]
    Encrypted { address: String },
    /// A password in the address would stand in the list of processes and on the page.
    #[error("`--prometheus` holds a user or a password, which this command does not send")]
    Credentials,
    /// No address.
    #[error("`--prometheus {address}` is no address of a Prometheus")]
    Malformed { address: String },
}

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("Prometheus at {address} does not answer: {problem}")]
pub(super) struct Silent {
    address: String,
    problem: String,
}

/// What the page may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Values of an expression at a moment.
    Query,
    /// Values of an expression over a span.
    QueryRange,
    /// Values of this label.
    LabelValues(String),
}

impl Question {
    /// The question behind a path below `/api/v1/`.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "query" => Some(Self::Query),
            "query_range" => Some(Self::QueryRange),
            _ => {
                let label = path.strip_prefix("label/")?.strip_suffix("/values")?;
                // Source: Prometheus' data model, names of labels.
                let is_name = !label.is_empty()
                    && !label.starts_with(|c: char| c.is_ascii_digit())
                    && label
                        .bytes()
                        .all(|c| c.is_ascii_alphanumeric() || c == b'_');
                is_name.then(|| Self::LabelValues(label.to_owned()))
            }
        }
    }

    fn path(&self) -> String {
        match self {
            Self::Query => "query".to_owned(),
            Self::QueryRange => "query_range".to_owned(),
            Self::LabelValues(label) => format!("label/{label}/values"),
        }
    }

    const fn parameters(&self) -> &'static [&'static str] {
        match self {
            Self::Query => &["query", "time"],
            Self::QueryRange => &["query", "start", "end", "step"],
            Self::LabelValues(_) => &["start", "end", "match[]"],
        }
    }

    /// The first parameter that does not belong to the question.
    pub(super) fn unknown<'a>(&self, parameters: &'a [(String, String)]) -> Option<&'a str> {
        let mut names = parameters.iter().map(|(name, _)| name.as_str());
        names.find(|name| !self.parameters().contains(name))
    }
}

/// What the page gets.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) json: Vec<u8>,
}

impl Answer {
    /// A refusal in the form of Prometheus' own.
    pub(super) fn refusal(status: u16, kind: &str, problem: &str) -> Self {
        let body = json!({"status": "error", "errorType": kind, "error": problem});
        Self {
            status,
            json: body.to_string().into_bytes(),
        }
    }
}

/// The way to one Prometheus.
#[derive(Debug)]
pub(super) struct Relay {
    agent: ureq::Agent,
    /// Without a slash at its end.
    address: String,
    turns: Semaphore,
}

impl Relay {
    pub(super) fn new(address: &str) -> Result<Self, Unusable> {
        let address = address.trim_end_matches('/');
        let malformed = || Unusable::Malformed {
            address: address.to_owned(),
        };
        let uri: Uri = address.parse().map_err(|_| malformed())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(Unusable::Encrypted {
                    address: address.to_owned(),
                });
            }
            _ => return Err(malformed()),
        }
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') {
            return Err(Unusable::Credentials);
        }
        if authority.host().is_empty() || uri.query().is_some() {
            return Err(malformed());
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_LIMIT))
            .timeout_connect(Some(CHECK_LIMIT))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            address: address.to_owned(),
            turns: Semaphore::new(AT_A_TIME),
        })
    }

    /// Where Prometheus is.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Asks the smallest question that only a Prometheus answers.
    pub(super) fn check(&self) -> Result<(), Silent> {
        let answer = self.ask(&Question::Query, &[("query".into(), "vector(1)".into())]);
        if answer.status == 200 {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(&answer.json).unwrap_or_default();
        Err(Silent {
            address: self.address.clone(),
            problem: body["error"].as_str().unwrap_or("no reason").to_owned(),
        })
    }

    /// Passes a question on and waits for its answer, on a thread that may block.
    pub(super) async fn pass_on(
        self: std::sync::Arc<Self>,
        question: Question,
        parameters: Vec<(String, String)>,
    ) -> Answer {
        let turn = tokio::time::timeout(ANSWER_LIMIT, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Answer::refusal(503, UNREACHABLE, "too many questions at a time");
        };
        let relay = std::sync::Arc::clone(&self);
        let asked = tokio::task::spawn_blocking(move || relay.ask(&question, &parameters));
        asked
            .await
            .unwrap_or_else(|_| Answer::refusal(503, UNREACHABLE, "the program is ending"))
    }

    fn ask(&self, question: &Question, parameters: &[(String, String)]) -> Answer {
        let address = format!("{}/api/v1/{}", self.address, question.path());
        let pairs = parameters.iter().map(|(name, value)| (name, value));
        let sent = match question {
            Question::LabelValues(_) => self.agent.get(&address).query_pairs(pairs).call(),
            Question::Query | Question::QueryRange => self.agent.post(&address).send_form(pairs),
        };
        let mut answer = match sent {
            Ok(answer) => answer,
            Err(error) => return Answer::refusal(502, UNREACHABLE, &no_answer::in_words(&error)),
        };
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        match body.read_to_vec() {
            Ok(json) if is_of_prometheus(&json) => Answer { status, json },
            Ok(_) => {
                let problem = format!("status {status}, and not in the words of a Prometheus");
                Answer::refusal(502, UNREACHABLE, &problem)
            }
            Err(ureq::Error::BodyExceedsLimit(_)) => Answer::refusal(
                502,
                "too_large",
                "the answer is larger than 32 MiB; choose a shorter span of time",
            ),
            Err(error) => Answer::refusal(502, UNREACHABLE, &no_answer::in_words(&error)),
        }
    }
}

/// Whether an answer is JSON of the form that Prometheus gives; the whole of it is not parsed.
fn is_of_prometheus(json: &[u8]) -> bool {
    let head = json.trim_ascii_start();
    head.starts_with(br#"{"status":""#) && json.trim_ascii_end().ends_with(b"}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reading_paths_are_questions() {
        let check = |path, expected| assert_eq!(Question::of(path), expected, "{path}");
        check("query", Some(Question::Query));
        check("query_range", Some(Question::QueryRange));
        check(
            "label/instance/values",
            Some(Question::LabelValues("instance".to_owned())),
        );
        for path in [
            "",
            "query/",
            "admin/tsdb/delete_series",
            "status/config",
            "targets",
            "write",
            "label//values",
            "label/../values",
            "label/a%2Fb/values",
            "label/1a/values",
            "label/instance/values/more",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn parameters_belong_to_their_question() {
        let pair = |name: &str| vec![(name.to_owned(), "1".to_owned())];
        assert_eq!(Question::Query.unknown(&pair("time")), None);
        assert_eq!(Question::Query.unknown(&pair("step")), Some("step"));
        assert_eq!(Question::QueryRange.unknown(&pair("step")), None);
        assert_eq!(
            Question::QueryRange.unknown(&pair("timeout")),
            Some("timeout")
        );
        let label = Question::LabelValues("job".to_owned());
        assert_eq!(label.unknown(&pair("match[]")), None);
        assert_eq!(label.unknown(&pair("query")), Some("query"));
    }

    #[test]
    fn addresses_are_plain_and_without_secrets() {
        for address in [
            "http://localhost:9090",
            "http://127.0.0.1:9090/",
            "http://prometheus/behind/a/path",
            "http://[::1]:9090",
        ] {
            let relay = Relay::new(address).unwrap();
            assert_eq!(relay.address(), address.trim_end_matches('/'));
        }
        let refused = |address: &str| Relay::new(address).unwrap_err().to_string();
        assert!(refused("https://prometheus").contains("TLS"));
        let secret = refused("http://user:geheim@prometheus");
        assert!(!secret.contains("geheim"), "{secret}");
        for address in [
            "",
            "localhost:9090",
            "/metrics",
            "ftp://host",
            "http://h/?a=b",
        ] {
            assert!(refused(address).contains("no address"), "{address}");
        }
    }

    #[test]
    fn what_is_no_prometheus_is_told_apart() {
        assert!(is_of_prometheus(br#"{"status":"success","data":[]}"#));
        assert!(!is_of_prometheus(b"<html>"));
        assert!(!is_of_prometheus(br#"{"message":"hello"}"#));
    }
}
