//! The bytes of a request.

use super::super::encode::Charset;
use super::super::request::Body;
use super::super::settings::ProxySettings;
use super::super::url::{Url, split_port};
use super::{HttpSampler, Target};
use crate::user::User;

/// The name that requests give their client. It is as long as that of `JMeter`'s client, so that sizes
/// are the same.
const AGENT: &str = "double11/0.1.0 (for JMeter plans, Rust)";

/// What goes into a request besides what the plan says.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// `If-Modified-Since` and `If-None-Match`.
    pub(super) validators: Vec<(&'static str, String)>,
    pub(super) cookies: Option<String>,
    pub(super) authorization: Option<String>,
    /// What a proxy is told that has asked.
    pub(super) proxy_authorization: Option<String>,
}

/// A request to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) target: Target<'a>,
    pub(super) body: Option<&'a Body>,
    pub(super) extras: &'a Extras,
    pub(super) proxy: Option<&'a ProxySettings>,
}

impl HttpSampler {
    /// Writes a whole request.
    pub(super) fn write(&self, user: &mut User, message: &Message<'_>, out: &mut Vec<u8>) {
        let Message {
            target,
            body,
            extras,
            proxy,
        } = *message;
        let url = target.url;
        out.extend_from_slice(target.method.as_bytes());
        out.push(b' ');
        // A proxy is told the whole address; over TLS it only passes bytes on.
        let of_proxy = proxy.filter(|_| !url.is_tls);
        if of_proxy.is_some() {
            out.extend_from_slice(b"http://");
            out.extend_from_slice(url.authority().as_bytes());
        }
        url.write_target(out);
        out.extend_from_slice(if self.keeps_alive {
            b" HTTP/1.1\r\nConnection: keep-alive\r\n"
        } else {
            b" HTTP/1.1\r\nConnection: close\r\n"
        });
        let is_type_forced = body.is_some_and(|body| body.is_type_forced);
        let left_out = LeftOut {
            content_type: is_type_forced,
            cookies: extras.cookies.is_some(),
        };
        let given = self.write_headers(user, url, left_out, out);
        for (name, value) in &extras.validators {
            write_header(name, value, out);
        }
        if let Some(cookies) = &extras.cookies {
            write_header("Cookie", cookies, out);
        }
        if let Some(authorization) = extras
            .authorization
            .as_ref()
            .filter(|_| !given.authorization)
        {
            write_header("Authorization", authorization, out);
        }
        if of_proxy.is_some() {
            write_header("Proxy-Connection", "Keep-Alive", out);
            if let Some(authorization) = &extras.proxy_authorization {
                write_header("Proxy-Authorization", authorization, out);
            }
        }
        if let Some(body) = body {
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(itoa::Buffer::new().format(body.bytes.len()).as_bytes());
            out.extend_from_slice(b"\r\n");
            if let Some(content_type) = body.content_type.as_ref().filter(|_| !given.content_type) {
                write_header("Content-Type", content_type, out);
            }
        }
        if !given.host {
            out.extend_from_slice(b"Host: ");
            match (&url.told_host, url.port) {
                (Some(host), _) => out.extend_from_slice(host.as_bytes()),
                (None, None) => out.extend_from_slice(url.host.as_bytes()),
                (None, Some(_)) => out.extend_from_slice(url.authority().as_bytes()),
            }
            out.extend_from_slice(b"\r\n");
        }
        if !given.agent {
            write_header("User-Agent", AGENT, out);
        }
        out.extend_from_slice(b"\r\n");
        if let Some(body) = body {
            out.extend_from_slice(&body.bytes);
        }
    }

    /// Writes the headers of the managers and tells which that matter are among them.
    fn write_headers(
        &self,
        user: &mut User,
        url: &Url,
        left_out: LeftOut,
        out: &mut Vec<u8>,
    ) -> Given {
        let mut given = Given::default();
        for (name, value) in &self.headers {
            let name = user.render(name);
            let value = user.render(value);
            if name.eq_ignore_ascii_case("content-length") {
                continue;
            }
            if left_out.cookies && name.eq_ignore_ascii_case("cookie") {
                continue;
            }
            let settings = &self.scope.settings;
            if settings.target.is_some()
                && !settings.keeps_host
                && name.eq_ignore_ascii_case("host")
            {
                // A target that routes by name must not take the plan's host for its own.
                continue;
            }
            if name.eq_ignore_ascii_case("content-type") {
                if left_out.content_type {
                    continue;
                }
                // One without a value counts as none.
                given.content_type |= !value.is_empty();
            }
            given.agent |= name.eq_ignore_ascii_case("user-agent");
            given.authorization |= name.eq_ignore_ascii_case("authorization");
            if name.eq_ignore_ascii_case("host") {
                given.host = true;
                write_header(&name, &host_value(&value, url), out);
            } else {
                write_header(&name, &value, out);
            }
        }
        given
    }
}

/// Headers of the managers that are left out, since the request has its own.
#[derive(Debug, Clone, Copy)]
struct LeftOut {
    content_type: bool,
    cookies: bool,
}

/// Which headers the managers give.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for one header")]
struct Given {
    host: bool,
    agent: bool,
    content_type: bool,
    authorization: bool,
}

/// A header `Host` as it is sent: with the port of the address unless it states one, and without the
/// usual port.
fn host_value(value: &str, url: &Url) -> String {
    let (host, port) = split_port(value);
    let port = match port.and_then(|port| port.parse::<u16>().ok()) {
        Some(port) => Some(port),
        None => url.port,
    };
    let usual = if url.is_tls { 443 } else { 80 };
    match port.filter(|port| *port != usual) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Writes one header; characters that cannot stand in one become `?`, ends of lines become spaces.
fn write_header(name: &str, value: &str, out: &mut Vec<u8>) {
    for (text, end) in [(name, &b": "[..]), (value, &b"\r\n"[..])] {
        let start = out.len();
        Charset::Latin1.encode(text, out);
        for byte in out.iter_mut().skip(start) {
            if matches!(byte, b'\r' | b'\n' | 0) {
                *byte = b' ';
            }
        }
        out.extend_from_slice(end);
    }
}

/// The headers of a request as listeners see them: a line each, without cookies.
pub(super) fn headers_text(request: &[u8]) -> String {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n");
    let head = request
        .get(..end.unwrap_or(request.len()))
        .unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let mut text = String::new();
    for line in head.split("\r\n").skip(1) {
        if !line
            .get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case("cookie:"))
        {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
