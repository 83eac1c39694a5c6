//! What a sampler sends: address, headers and body, filled in for one user.

use std::borrow::Cow;
use std::sync::Arc;

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::encode::{Charset, decode_form, encode_form};
use super::failure::Exception;
use super::multipart::{self, Part};
use super::url::Url;
use crate::compiler::Compiler;
use crate::user::User;

/// What Java takes for protocols.
const PROTOCOLS: [&str; 6] = ["http", "https", "ftp", "file", "jar", "mailto"];

const FORM: &str = "application/x-www-form-urlencoded";

/// The request of a sampler, not filled in.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) protocol: Template,
    pub(super) domain: Template,
    port: Template,
    pub(super) path: Template,
    pub(super) method: Template,
    encoding: Template,
    pub(super) arguments: Vec<Argument>,
    files: Vec<FileArgument>,
    is_raw: bool,
    is_multipart: bool,
    is_browser_compatible: bool,
    /// The address, when nothing in it is to be filled in.
    fixed: Option<Result<Arc<Url>, Exception>>,
}

#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) name: Template,
    pub(super) value: Template,
    pub(super) content_type: Template,
    /// Whether it is to be encoded; otherwise it is encoded already.
    pub(super) is_encoded: bool,
    /// What stands between name and value in a query.
    pub(super) equals: String,
}

#[derive(Debug, Clone)]
struct FileArgument {
    path: Template,
    name: Template,
    content_type: Template,
}

/// The body of a request.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// What `Content-Type` says unless a header manager does.
    pub(super) content_type: Option<Cow<'static, str>>,
    /// Whether that holds even against a header manager.
    pub(super) is_type_forced: bool,
    /// What listeners see instead of files.
    pub(super) shown: Option<String>,
}

impl Definition {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let list = element.element("HTTPsampler.Arguments");
        let arguments = list
            .into_iter()
            .flat_map(|list| list.elements("Arguments.arguments"));
        let arguments = arguments.map(|argument| Argument {
            name: compiler.property(argument, "Argument.name"),
            value: compiler.property(argument, "Argument.value"),
            content_type: compiler
                .template(argument.text_or("HTTPArgument.content_type", "text/plain")),
            is_encoded: argument.is("HTTPArgument.always_encode", false),
            equals: argument.text("Argument.metadata").to_owned(),
        });
        let arguments = arguments.collect();
        let list = element.element("HTTPsampler.Files");
        let files = list
            .into_iter()
            .flat_map(|list| list.elements("HTTPFileArgs.files"));
        let files = files.map(|file| FileArgument {
            path: compiler.property(file, "File.path"),
            name: compiler.property(file, "File.paramname"),
            content_type: compiler.property(file, "File.mimetype"),
        });
        let files = files.collect();
        let encoding = compiler.property(element, "HTTPSampler.contentEncoding");
        if let Some(name) = encoding.literal()
            && !name.trim().is_empty()
            && Charset::named(name).is_none()
        {
            compiler.refuse(
                element,
                format!("the content encoding `{name}` is not supported; UTF-8, ISO-8859-1 and US-ASCII are"),
            );
        }
        Self {
            protocol: compiler.property(element, "HTTPSampler.protocol"),
            domain: compiler.property(element, "HTTPSampler.domain"),
            port: compiler.property(element, "HTTPSampler.port"),
            path: compiler.property(element, "HTTPSampler.path"),
            method: compiler.template(element.text_or("HTTPSampler.method", "GET")),
            encoding,
            arguments,
            files,
            is_raw: element.is("HTTPSampler.postBodyRaw", false),
            is_multipart: element.is("HTTPSampler.DO_MULTIPART_POST", false),
            is_browser_compatible: element.is("HTTPSampler.BROWSER_COMPATIBLE_MULTIPART", false),
            fixed: None,
        }
    }

    /// A copy to be changed.
    pub(super) fn draft(&self) -> Self {
        Self {
            fixed: None,
            ..self.clone()
        }
    }

    /// Works out the address once, if it is always the same.
    pub(super) fn fix(&mut self) {
        let arguments = self
            .arguments
            .iter()
            .flat_map(|argument| [&argument.name, &argument.value]);
        let parts = [
            &self.protocol,
            &self.domain,
            &self.port,
            &self.path,
            &self.method,
            &self.encoding,
        ];
        let is_fixed = parts
            .into_iter()
            .chain(arguments)
            .all(|part| part.literal().is_some());
        if is_fixed {
            let literal = |template: &Template| template.literal().unwrap_or_default().to_owned();
            let method = literal(&self.method);
            let url = self.address(&method, &mut |template| literal(template).into());
            self.fixed = Some(url.map(Arc::new));
        }
    }

    /// The address for a user.
    pub(super) fn url(&self, method: &str, user: &mut User) -> Result<Arc<Url>, Exception> {
        match &self.fixed {
            Some(Ok(url)) => Ok(Arc::clone(url)),
            Some(Err(exception)) => Err(exception.clone()),
            None => {
                let url = self.address(method, &mut |template| {
                    user.render(template).into_owned().into()
                });
                url.map(Arc::new)
            }
        }
    }

    fn address(
        &self,
        method: &str,
        render: &mut dyn FnMut(&Template) -> Box<str>,
    ) -> Result<Url, Exception> {
        let path = render(&self.path).replace(' ', "%20");
        if path.starts_with("http://") || path.starts_with("https://") {
            bracketed(&path)?;
            return Url::parse(&path);
        }
        let protocol = render(&self.protocol);
        let protocol = if protocol.is_empty() {
            "http"
        } else {
            &protocol
        };
        if !PROTOCOLS.contains(&protocol.to_ascii_lowercase().as_str()) {
            return Err(Exception::malformed(format!(
                "unknown protocol: {protocol}"
            )));
        }
        let port = render(&self.port).trim().parse::<u32>().ok();
        let is_default = match protocol.to_ascii_lowercase().as_str() {
            "http" => port == Some(80),
            "https" => port == Some(443),
            _ => false,
        };
        let mut text = format!("{protocol}://{}", render(&self.domain));
        if let Some(port) = port.filter(|_| !is_default) {
            text.push(':');
            text.push_str(itoa::Buffer::new().format(port));
        }
        if !path.starts_with('/') {
            text.push('/');
        }
        text.push_str(&path);
        if matches!(method, "GET" | "DELETE" | "OPTIONS") {
            let query = self.query(render)?;
            if !query.is_empty() {
                text.push(if path.contains('?') { '&' } else { '?' });
                text.push_str(&query);
            }
        }
        Url::parse(&text)
    }

    fn query(&self, render: &mut dyn FnMut(&Template) -> Box<str>) -> Result<String, Exception> {
        if self.arguments.is_empty() {
            return Ok(String::new());
        }
        let charset = charset(&render(&self.encoding))?.unwrap_or(Charset::Utf8);
        let mut query = Vec::new();
        for argument in &self.arguments {
            let name = render(&argument.name);
            if name.is_empty() {
                continue;
            }
            if !query.is_empty() {
                query.push(b'&');
            }
            let value = render(&argument.value);
            if argument.is_encoded {
                encode_form(&name, Charset::Utf8, &mut query);
                query.extend_from_slice(argument.equals.as_bytes());
                encode_form(&value, charset, &mut query);
            } else {
                query.extend_from_slice(name.as_bytes());
                query.extend_from_slice(argument.equals.as_bytes());
                query.extend_from_slice(value.as_bytes());
            }
        }
        Ok(String::from_utf8(query).unwrap_or_default())
    }

    /// Writes the body of a request with this method; `false` when there is none.
    pub(super) fn write_body(
        &self,
        method: &str,
        user: &mut User,
        body: &mut Body,
    ) -> Result<bool, Exception> {
        body.bytes.clear();
        body.content_type = None;
        body.is_type_forced = false;
        body.shown = None;
        if matches!(method, "HEAD" | "OPTIONS" | "TRACE") {
            return Ok(false);
        }
        let sends_values = self.sends_values(user);
        let sends_file = self.sends_file(user);
        if method == "GET" && !sends_values && !(self.arguments.is_empty() && sends_file) {
            return Ok(false);
        }
        let charset = charset(&user.render(&self.encoding))?;
        let has_files = !self.files.is_empty()
            && self
                .files
                .iter()
                .all(|file| !user.render(&file.path).is_empty());
        if self.is_multipart || (has_files && !sends_file) {
            self.write_multipart(charset.unwrap_or(Charset::Ascii), user, body)?;
        } else if self.arguments.is_empty() && sends_file {
            self.write_file(user, body)?;
        } else if sends_values {
            self.write_values(charset, user, body);
        } else {
            self.write_form(charset.unwrap_or(Charset::Utf8), user, body)?;
        }
        Ok(true)
    }

    /// Whether the values of the arguments are the body.
    fn sends_values(&self, user: &mut User) -> bool {
        self.is_raw
            || (!self.arguments.is_empty()
                && self
                    .arguments
                    .iter()
                    .all(|argument| user.render(&argument.name).is_empty()))
    }

    /// Whether a file is the body.
    fn sends_file(&self, user: &mut User) -> bool {
        match self.files.as_slice() {
            [file] => !user.render(&file.path).is_empty() && user.render(&file.name).is_empty(),
            _ => false,
        }
    }

    fn write_values(&self, charset: Option<Charset>, user: &mut User, body: &mut Body) {
        for argument in &self.arguments {
            let value = user.render(&argument.value);
            if argument.is_encoded {
                encode_form(&value, charset.unwrap_or(Charset::Utf8), &mut body.bytes);
            } else {
                charset
                    .unwrap_or(Charset::Latin1)
                    .encode(&value, &mut body.bytes);
            }
        }
        let of_file = self
            .files
            .first()
            .map(|file| user.render(&file.content_type).into_owned());
        body.content_type = Some(
            match (of_file.filter(|of_file| !of_file.is_empty()), charset) {
                (Some(of_file), _) => of_file.into(),
                (None, None) => "text/plain".into(),
                (None, Some(charset)) => format!("text/plain; charset={}", charset.name()).into(),
            },
        );
    }

    fn write_form(
        &self,
        charset: Charset,
        user: &mut User,
        body: &mut Body,
    ) -> Result<(), Exception> {
        for argument in &self.arguments {
            let mut name = user.render(&argument.name);
            if name.trim().is_empty() {
                continue;
            }
            let mut value = user.render(&argument.value);
            if !argument.is_encoded {
                let decode = |text: &str| {
                    let decoded = decode_form(text, charset).map(Cow::Owned);
                    decoded
                        .map_err(|text| Exception::new("java.lang.IllegalArgumentException", text))
                };
                name = decode(&name)?;
                value = decode(&value)?;
            }
            if !body.bytes.is_empty() {
                body.bytes.push(b'&');
            }
            encode_form(&name, charset, &mut body.bytes);
            body.bytes.push(b'=');
            encode_form(&value, charset, &mut body.bytes);
        }
        body.content_type = Some(match charset {
            Charset::Utf8 => "application/x-www-form-urlencoded; charset=UTF-8".into(),
            other => format!("{FORM}; charset={}", other.name()).into(),
        });
        Ok(())
    }

    fn write_file(&self, user: &mut User, body: &mut Body) -> Result<(), Exception> {
        let Some(file) = self.files.first() else {
            return Ok(());
        };
        let path = user.render(&file.path);
        body.bytes = read(&path, user)?;
        let content_type = user.render(&file.content_type).into_owned();
        body.content_type = (!content_type.is_empty()).then_some(content_type.into());
        body.shown = Some(multipart::OMITTED.to_owned());
        Ok(())
    }

    fn write_multipart(
        &self,
        charset: Charset,
        user: &mut User,
        body: &mut Body,
    ) -> Result<(), Exception> {
        let mut parts = Vec::new();
        for argument in &self.arguments {
            let name = user.render(&argument.name).into_owned();
            if name.trim().is_empty() {
                continue;
            }
            let content_type = user.render(&argument.content_type);
            let content_type = if content_type.contains(';') {
                content_type.into_owned()
            } else {
                format!("{content_type}; charset={}", charset.name())
            };
            let mut bytes = Vec::new();
            charset.encode(&user.render(&argument.value), &mut bytes);
            parts.push(Part {
                name,
                file: None,
                content_type,
                bytes,
            });
        }
        for file in &self.files {
            let path = user.render(&file.path).into_owned();
            let content_type = user.render(&file.content_type).into_owned();
            if content_type.is_empty() {
                return Err(Exception::new(
                    "org.apache.http.ParseException",
                    "Invalid content type: ",
                ));
            }
            let bytes = read(&path, user)?;
            let name = user.render(&file.name).into_owned();
            let file = path.rsplit('/').next().unwrap_or(&path).to_owned();
            parts.push(Part {
                name,
                file: Some(file),
                content_type,
                bytes,
            });
        }
        let boundary = multipart::boundary(&mut user.random);
        let form = multipart::Form {
            parts,
            boundary,
            charset,
            is_lax: self.is_browser_compatible,
        };
        form.write(false, &mut body.bytes);
        if form.parts.iter().any(|part| part.file.is_some()) {
            let mut shown = Vec::new();
            form.write(true, &mut shown);
            body.shown = Some(String::from_utf8_lossy(&shown).into_owned());
        }
        let boundary = &form.boundary;
        body.content_type = Some(format!("multipart/form-data; boundary={boundary}").into());
        body.is_type_forced = true;
        Ok(())
    }
}

fn read(path: &str, user: &User) -> Result<Vec<u8>, Exception> {
    let file = user.run.file(path);
    std::fs::read(&file).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "No such file or directory",
            std::io::ErrorKind::PermissionDenied => "Permission denied",
            _ => "Input/output error",
        };
        let message = format!("{} ({why})", file.display());
        Exception::new("java.io.FileNotFoundException", message)
    })
}

/// The character set of this name; nothing for an empty name.
fn charset(name: &str) -> Result<Option<Charset>, Exception> {
    if name.trim().is_empty() {
        return Ok(None);
    }
    let found = Charset::named(name);
    let unknown = || Exception::new("java.nio.charset.UnsupportedCharsetException", name);
    found.map(Some).ok_or_else(unknown)
}

/// Complains as `java.net.URL` does of an address whose host begins with a bracket.
fn bracketed(text: &str) -> Result<(), Exception> {
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    let end = authority.find(['/', '?', '#']);
    let authority = authority.split_at(end.unwrap_or(authority.len())).0;
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.starts_with('[') && host.find(']').is_none_or(|end| end < 3) {
        let text = format!("Invalid authority field: {authority}");
        return Err(Exception::malformed(text));
    }
    Ok(())
}
