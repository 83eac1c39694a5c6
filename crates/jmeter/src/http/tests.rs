//! Samples against small servers on loopback. What is expected was seen from `JMeter` 5.5.

mod identify;
mod pages;
mod server;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use double11_jmx::document::Element;
use double11_load::tasks::{Stop, Tasks};

use super::*;
use crate::compiler::Compiler;
use crate::run::Run;
use crate::sample::{Code, DataType, SampleResult};
use crate::user::User;
use server::Server;

/// What stands around a sampler.
#[derive(Default)]
struct Around {
    headers: Vec<Element>,
    cookies: Option<Element>,
    cache: Option<Element>,
    authorization: Option<Element>,
    properties: HashMap<String, String>,
    target: Option<String>,
}

fn sampler(server: &Server, name: &str, path: &str) -> Element {
    Element::new("HTTPSamplerProxy", name)
        .with("HTTPSampler.domain", "127.0.0.1")
        .with("HTTPSampler.port", &server.address.port().to_string())
        .with("HTTPSampler.path", path)
        .with("HTTPSampler.follow_redirects", "true")
        .with("HTTPSampler.use_keepalive", "true")
}

fn with_arguments(element: Element, arguments: &[(&str, &str, bool)]) -> Element {
    let arguments = arguments.iter().map(|(name, value, is_encoded)| {
        Element::new("HTTPArgument", name)
            .with("Argument.name", name)
            .with("Argument.value", value)
            .with("Argument.metadata", "=")
            .with("HTTPArgument.always_encode", &is_encoded.to_string())
    });
    let list =
        Element::new("Arguments", "").with_elements("Arguments.arguments", arguments.collect());
    let mut element = element;
    let list = double11_jmx::document::Property::Element(Box::new(list));
    element.properties.set("HTTPsampler.Arguments", list);
    element
}

fn raw(element: Element, method: &str, body: &str) -> Element {
    with_arguments(element, &[("", body, false)])
        .with("HTTPSampler.method", method)
        .with("HTTPSampler.postBodyRaw", "true")
}

fn header_manager(headers: &[(&str, &str)]) -> Element {
    let headers = headers.iter().map(|(name, value)| {
        Element::new("Header", "")
            .with("Header.name", name)
            .with("Header.value", value)
    });
    Element::new("HeaderManager", "").with_elements("HeaderManager.headers", headers.collect())
}

/// The samples of these samplers, one after the other, by one user.
fn samples(elements: &[Element], around: &Around) -> Vec<Option<SampleResult>> {
    let mut compiler = Compiler::default();
    let property = |name: &str| around.properties.get(name).cloned();
    let settings = HttpSettings::new(&property, around.target.as_deref(), &mut compiler).unwrap();
    let headers = around.headers.iter();
    let headers =
        headers.map(|element| Arc::new(HeaderManager::compile(element, &mut compiler).unwrap()));
    let headers = headers.collect();
    let scope = Scope {
        settings: Arc::new(settings),
        needs: Needs {
            body: true,
            response_headers: true,
            request: true,
        },
        headers,
        cookies: around
            .cookies
            .as_ref()
            .map(|element| Arc::new(CookieManager::compile(element, &mut compiler).unwrap())),
        cache: around
            .cache
            .as_ref()
            .map(|element| Arc::new(CacheManager::compile(element, &mut compiler).unwrap())),
        authorization: around
            .authorization
            .as_ref()
            .map(|element| Arc::new(AuthManager::compile(element, &mut compiler).unwrap())),
        names: None,
    };
    let samplers: Vec<_> = elements
        .iter()
        .map(|element| HttpSampler::compile(element, scope.clone(), &mut compiler).unwrap())
        .collect();
    assert_eq!(compiler.problems(), []);
    let run = Arc::new(Run::new(Path::new("/"), HashMap::new(), 7));
    let mut tasks = Tasks::new(run.clock, &Stop::default()).unwrap();
    let results = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&results);
    tasks.spawn(async move {
        let mut user = User::new(&run, "Group", 1, 1);
        for sampler in samplers {
            let result = sampler.sample(&mut user).await;
            all.lock().unwrap().push(result);
        }
    });
    tasks.run().unwrap();
    drop(tasks);
    Arc::try_unwrap(results).unwrap().into_inner().unwrap()
}

/// Sends one request and tells how the server saw it, without the lines that are always there.
fn sent(build: impl FnOnce(&Server) -> Element, around: &Around) -> String {
    let server = Server::start();
    let results = samples(&[build(&server)], around);
    assert_eq!(results.len(), 1);
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{results:?}");
    let agent = "User-Agent: double11/0.1.0 (for JMeter plans, Rust)\r\n";
    requests[0]
        .replace("Host: 127.0.0.1:PORT\r\n", "")
        .replace(agent, "")
        .replace("\r\n", "\n")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of requests")]
fn requests_are_sent_as_jmeter_sends_them() {
    let arguments = [("a", "x y", true), ("b", "\u{fc}&=+*~", true)];
    let none = Around::default();
    let check = |build: &dyn Fn(&Server) -> Element, expected: &str| {
        assert_eq!(sent(|server| build(server), &none), expected);
    };
    check(
        &|server| with_arguments(sampler(server, "s", "/p q?c=d e&f=\u{fc}"), &arguments[..1]),
        "GET /p%20q?c=d%20e&f=%C3%BC&a=x+y HTTP/1.1\nConnection: keep-alive\n\n",
    );
    check(
        &|server| {
            sampler(server, "s", "//a//b/../c?x=1#f").with("HTTPSampler.use_keepalive", "false")
        },
        "GET /a/b/../c?x=1 HTTP/1.1\nConnection: close\n\n",
    );
    check(
        &|server| {
            let arguments = [
                arguments[0],
                arguments[1],
                ("c d", "p%20q", false),
                ("", "noname", true),
            ];
            with_arguments(sampler(server, "s", "/f"), &arguments)
                .with("HTTPSampler.method", "POST")
        },
        "POST /f HTTP/1.1\nConnection: keep-alive\nContent-Length: 35\n\
         Content-Type: application/x-www-form-urlencoded; charset=UTF-8\n\n\
         a=x+y&b=%C3%BC%26%3D%2B*%7E&c+d=p+q",
    );
    check(
        &|server| raw(sampler(server, "s", "/r"), "POST", "h\u{e9}llo"),
        "POST /r HTTP/1.1\nConnection: keep-alive\nContent-Length: 5\nContent-Type: text/plain\n\nh\u{e9}llo",
    );
    check(
        &|server| {
            raw(sampler(server, "s", "/r"), "PUT", "\u{e9}")
                .with("HTTPSampler.contentEncoding", "UTF-8")
        },
        "PUT /r HTTP/1.1\nConnection: keep-alive\nContent-Length: 2\n\
         Content-Type: text/plain; charset=UTF-8\n\n\u{c3}\u{a9}",
    );
    check(
        &|server| sampler(server, "s", "/e").with("HTTPSampler.method", "POST"),
        "POST /e HTTP/1.1\nConnection: keep-alive\nContent-Length: 0\n\
         Content-Type: application/x-www-form-urlencoded; charset=UTF-8\n\n",
    );
    check(
        &|server| {
            with_arguments(sampler(server, "s", "/d"), &arguments[..1])
                .with("HTTPSampler.method", "DELETE")
        },
        "DELETE /d?a=x+y HTTP/1.1\nConnection: keep-alive\nContent-Length: 5\n\
         Content-Type: application/x-www-form-urlencoded; charset=UTF-8\n\na=x+y",
    );
    check(
        &|server| {
            with_arguments(sampler(server, "s", "/h"), &arguments[..1])
                .with("HTTPSampler.method", "HEAD")
        },
        "HEAD /h HTTP/1.1\nConnection: keep-alive\n\n",
    );
    check(
        &|server| {
            with_arguments(sampler(server, "s", "/o"), &arguments[..1])
                .with("HTTPSampler.method", "OPTIONS")
        },
        "OPTIONS /o?a=x+y HTTP/1.1\nConnection: keep-alive\n\n",
    );
    check(
        &|server| {
            with_arguments(
                sampler(server, "s", "/v"),
                &[("", "v1 x", true), ("", "v2", false)],
            )
            .with("HTTPSampler.method", "POST")
        },
        "POST /v HTTP/1.1\nConnection: keep-alive\nContent-Length: 6\nContent-Type: text/plain\n\nv1+xv2",
    );
}

#[test]
fn headers_merge_and_the_nearest_wins() {
    let around = Around {
        headers: vec![
            header_manager(&[
                ("X-A", "1"),
                ("x-a", "2"),
                ("Host", "other:99"),
                ("Content-Length", "5"),
            ]),
            header_manager(&[("X-a", "far"), ("X-B", "\u{e9}\n"), ("User-Agent", "me")]),
        ],
        ..Around::default()
    };
    let expected = "GET / HTTP/1.1\nConnection: keep-alive\nX-A: 1\nx-a: 2\nHost: other:99\n\
                    X-B: \u{e9} \nUser-Agent: me\n\n";
    assert_eq!(sent(|server| sampler(server, "s", "/"), &around), expected);
}

#[test]
fn forms_of_several_parts_carry_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("up.txt");
    std::fs::write(&path, "file content").unwrap();
    let build = |server: &Server| {
        let file = Element::new("HTTPFileArg", "")
            .with("File.path", path.to_str().unwrap())
            .with("File.paramname", "f")
            .with("File.mimetype", "text/x");
        let files =
            Element::new("HTTPFileArgs", "").with_elements("HTTPFileArgs.files", vec![file]);
        let mut element = with_arguments(sampler(server, "s", "/m"), &[("a", "x y", true)]);
        let files = double11_jmx::document::Property::Element(Box::new(files));
        element.properties.set("HTTPsampler.Files", files);
        element.with("HTTPSampler.method", "POST")
    };
    let text = sent(build, &Around::default());
    let boundary = text
        .split("boundary=")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let shown = text.replace(boundary, "B");
    let (head, body) = shown.split_once("\n\n").unwrap();
    assert!(
        head.contains("Content-Type: multipart/form-data; boundary=B"),
        "{head}"
    );
    assert_eq!(
        body,
        "--B\nContent-Disposition: form-data; name=\"a\"\nContent-Type: text/plain; charset=US-ASCII\n\
         Content-Transfer-Encoding: 8bit\n\nx y\n--B\n\
         Content-Disposition: form-data; name=\"f\"; filename=\"up.txt\"\nContent-Type: text/x\n\
         Content-Transfer-Encoding: binary\n\nfile content\n--B--\n"
    );
}

fn one(build: impl FnOnce(&Server) -> Element) -> SampleResult {
    let server = Server::start();
    let mut results = samples(&[build(&server)], &Around::default());
    results.pop().unwrap().unwrap()
}

fn code(result: &SampleResult) -> String {
    match &result.code {
        Code::Status(status) => status.to_string(),
        Code::Text(text) => text.to_string(),
    }
}

#[test]
fn a_sample_tells_what_came() {
    let result = one(|server| sampler(server, "s", "/404"));
    assert_eq!(
        (code(&result).as_str(), &*result.message, result.success),
        ("404", "Not Found", false)
    );
    assert_eq!((&*result.label, result.data_type), ("s", DataType::Text));
    assert_eq!(
        (result.bytes, result.header_bytes, result.body_bytes),
        (90, 86, 4)
    );
    assert_eq!(
        (result.content_type.as_str(), result.encoding.as_str()),
        ("text/plain", "utf-8")
    );
    assert_eq!(result.body, b"none");
    assert!(
        result
            .response_headers
            .starts_with("HTTP/1.1 404 Not Found\nContent-Type: ")
    );
    assert!(
        result
            .request_headers
            .starts_with("Connection: keep-alive\nHost: 127.0.0.1:")
    );
    assert!(
        result
            .request
            .ends_with("\n\nGET data:\n\n\n[no cookies]\n"),
        "{}",
        result.request
    );
    assert!(result.connect > std::time::Duration::ZERO && result.latency >= result.connect);
    assert!(result.end.saturating_sub(result.start) >= result.latency && result.sent_bytes > 100);
    let result = one(|server| sampler(server, "s", "/gzip"));
    assert_eq!(result.body, b"hello");
    assert_eq!(result.body_bytes, 25);
}

#[test]
fn redirects_become_parts_of_one_sample() {
    let result = one(|server| raw(sampler(server, "go", "/redirect"), "POST", "x"));
    let labels: Vec<_> = result
        .sub_results
        .iter()
        .map(|part| (&*part.label, code(part)))
        .collect();
    assert_eq!(
        labels,
        [("go-0", "302".to_owned()), ("go-1", "200".to_owned())]
    );
    assert_eq!(
        (&*result.label, code(&result).as_str(), &*result.message),
        ("go", "200", "OK")
    );
    assert!(result.url.as_ref().unwrap().ends_with("/final?x=1"));
    let sum = |of: fn(&SampleResult) -> u64| result.sub_results.iter().map(of).sum::<u64>();
    assert_eq!(result.bytes, sum(|part| part.bytes));
    assert_eq!(result.sent_bytes, sum(|part| part.sent_bytes));
    assert_eq!(result.body, b"hello");
    assert!(result.sub_results[1].request.starts_with("GET "));

    let result = one(|server| {
        sampler(server, "go", "/redirect").with("HTTPSampler.follow_redirects", "false")
    });
    assert_eq!((code(&result).as_str(), result.success), ("302", true));
    let result = one(|server| {
        let element =
            sampler(server, "go", "/redirect").with("HTTPSampler.follow_redirects", "false");
        element.with("HTTPSampler.auto_redirects", "true")
    });
    assert_eq!(
        (code(&result).as_str(), result.sub_results.len()),
        ("200", 0)
    );
    assert!(result.url.unwrap().ends_with("/final?x=1"));
    let result = one(|server| raw(sampler(server, "go", "/307"), "POST", "x"));
    assert_eq!(code(&result), "307");
    let result = one(|server| sampler(server, "go", "/loop"));
    assert_eq!(code(&result), "Non HTTP response code: java.io.IOException");
    assert_eq!(
        result.message,
        "Non HTTP response message: Exceeded maximum number of redirects: 20"
    );
    assert_eq!(result.sub_results.len(), 22);
    let result = one(|server| sampler(server, "go", "/nowhere"));
    assert_eq!(
        code(&result),
        "Non HTTP response code: java.lang.IllegalArgumentException"
    );
}

#[test]
fn failures_have_the_names_that_jmeter_gives_them() {
    let check = |build: &dyn Fn(&Server) -> Element, class: &str, message: &str| {
        let server = Server::start();
        let port = server.address.port().to_string();
        let result = samples(&[build(&server)], &Around::default())
            .remove(0)
            .unwrap();
        assert_eq!(code(&result), format!("Non HTTP response code: {class}"));
        let message = format!(
            "Non HTTP response message: {}",
            message.replace("PORT", &port)
        );
        assert_eq!(result.message, message);
        assert_eq!(
            (result.success, result.data_type, result.sent_bytes),
            (false, DataType::Text, 0)
        );
        assert!(result.url.is_some());
    };
    check(
        &|server| sampler(server, "s", "/").with("HTTPSampler.port", "1"),
        "org.apache.http.conn.HttpHostConnectException",
        "Connect to 127.0.0.1:1 [/127.0.0.1] failed: Connection refused",
    );
    check(
        &|server| sampler(server, "s", "/close"),
        "org.apache.http.NoHttpResponseException",
        "127.0.0.1:PORT failed to respond",
    );
    check(
        &|server| sampler(server, "s", "/").with("HTTPSampler.domain", "no-such-host.invalid"),
        "java.net.UnknownHostException",
        "no-such-host.invalid: Name or service not known",
    );
    check(
        &|server| sampler(server, "s", "/x|y"),
        "java.net.URISyntaxException",
        "Illegal character in path at index 24: http://127.0.0.1:PORT/x|y",
    );
    check(
        &|server| sampler(server, "s", "/").with("HTTPSampler.port", "99999"),
        "java.lang.IllegalArgumentException",
        "port out of range:99999",
    );
}

#[test]
fn cookies_are_kept_and_sent() {
    let server = Server::start();
    let given = Element::new("Cookie", "u")
        .with("Cookie.value", "v w")
        .with("Cookie.domain", "127.0.0.1");
    let manager =
        Element::new("CookieManager", "").with_elements("CookieManager.cookies", vec![given]);
    let around = Around {
        cookies: Some(manager),
        ..Around::default()
    };
    let results = samples(
        &[
            sampler(&server, "s", "/cookie"),
            sampler(&server, "s", "/x"),
        ],
        &around,
    );
    let requests = server.requests();
    assert!(
        requests[0].contains("\r\nCookie: u=\"v w\"\r\n"),
        "{}",
        requests[0]
    );
    assert!(
        requests[1].contains("\r\nCookie: u=\"v w\"; a=b; c=\"d e\"\r\n"),
        "{}",
        requests[1]
    );
    let result = results[1].as_ref().unwrap();
    assert!(
        result
            .request
            .ends_with("Cookie Data:\nu=\"v w\"; a=b; c=\"d e\"\n")
    );
    assert!(!result.request_headers.contains("Cookie"));
    assert_eq!(
        result.connect,
        std::time::Duration::ZERO,
        "the connection is used again"
    );
}

#[test]
fn the_cache_spares_requests_or_makes_them_conditional() {
    let server = Server::start();
    let manager = Element::new("CacheManager", "").with("useExpires", "true");
    let mut around = Around {
        cache: Some(manager),
        ..Around::default()
    };
    let elements = ["/age", "/age", "/tag", "/tag"].map(|path| sampler(&server, "s", path));
    let results = samples(&elements, &around);
    let codes: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().map(code))
        .collect();
    let expected = [Some("200"), None, Some("200"), Some("304")];
    assert_eq!(codes, expected.map(|code| code.map(str::to_owned)));
    let mode = (
        "cache_manager.cached_resource_mode".to_owned(),
        "RETURN_200_CACHE".to_owned(),
    );
    around.properties.extend([mode]);
    let results = samples(&elements[..2], &around);
    let result = results[1].as_ref().unwrap();
    assert_eq!(
        (code(result).as_str(), &*result.message, result.bytes),
        ("200", "(ex cache)", 0)
    );
}

#[test]
fn passwords_go_with_the_first_request_and_to_their_servers_only() {
    let entry = |url: &str| {
        let entry = Element::new("Authorization", "").with("Authorization.url", url);
        let entry = entry
            .with("Authorization.username", "us")
            .with("Authorization.password", "pw");
        let manager =
            Element::new("AuthManager", "").with_elements("AuthManager.auth_list", vec![entry]);
        Around {
            authorization: Some(manager),
            ..Around::default()
        }
    };
    let text = sent(
        |server| sampler(server, "s", "/a"),
        &entry("http://127.0.0.1"),
    );
    assert!(text.contains("\nAuthorization: Basic dXM6cHc=\n"), "{text}");
    let text = sent(
        |server| sampler(server, "s", "/a"),
        &entry("http://127.0.0.2"),
    );
    assert!(!text.contains("Authorization"), "{text}");
}

#[test]
fn every_request_can_be_sent_to_another_target() {
    let server = Server::start();
    let element = sampler(&server, "s", "/a?b=c")
        .with("HTTPSampler.domain", "production.example")
        .with("HTTPSampler.port", "")
        .with("HTTPSampler.protocol", "https");
    // Neither the plan's proxy nor its Host header leads back to where the plan was made for.
    let element = element
        .with("HTTPSampler.proxyHost", "127.0.0.1")
        .with("HTTPSampler.proxyPort", "1");
    let mut around = Around {
        headers: vec![header_manager(&[("Host", "production.example")])],
        target: Some(format!("http://{}", server.address)),
        ..Around::default()
    };
    let results = samples(std::slice::from_ref(&element), &around);
    assert_eq!(results[0].as_ref().map(code).as_deref(), Some("200"));
    around.headers.clear();
    let keep = ("double11.target.keep_host".to_owned(), "true".to_owned());
    around.properties.extend([keep]);
    samples(&[element], &around);
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /a?b=c HTTP/1.1\r\n"));
    assert!(requests[0].contains("\r\nHost: 127.0.0.1:PORT\r\n"));
    assert!(requests[1].contains("\r\nHost: production.example\r\n"));
}
