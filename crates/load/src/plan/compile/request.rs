//! Compiling requests: method, templates, expected statuses, extraction.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use super::Compiler;
use crate::json::Pointer;
use crate::plan::file::{RefusalFile, RequestFile};
use crate::plan::template::{self, Cut, CutPiece, Encoding};
use crate::plan::{Data, Extraction, Piece, Refusal, Request, Source, Template};
use crate::transport::check_header_name;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Headers that a step cannot set although the target's headers may.
const OWN_HEADERS: [&str; 2] = ["host", "content-type"];

impl Compiler<'_> {
    pub(super) fn request(
        &mut self,
        file: &RequestFile,
        step: usize,
        parent: Option<usize>,
    ) -> Request {
        let method = file.method.get_ref();
        if !METHODS.contains(&method.as_str()) {
            let message = format!("the method is one of {}", METHODS.join(", "));
            self.problems.at(&file.method.span(), message);
        }
        let path = self.path(&file.path, parent);
        let body = file.body.as_ref().and_then(|body| self.body(body, parent));
        if let Some(body) = &file.body
            && matches!(method.as_str(), "GET" | "DELETE")
        {
            self.problems
                .at(&body.span(), format!("a {method} request has no body"));
        }
        let success = file.success.get_ref().clone();
        if success.is_empty() || !success.iter().all(|status| (200..600).contains(status)) {
            self.problems.at(
                &file.success.span(),
                "`success` names statuses from 200 to 599",
            );
        }
        let span = file.success.span();
        Request {
            method: method.clone(),
            path,
            body,
            headers: self.headers(&file.headers),
            success,
            expected_refusals: self.refusals(&file.expected_refusals, &span),
            write: file.write,
            idempotency_key: file.idempotency_key,
            extract: self.extractions(&file.extract, step),
        }
    }

    pub(super) fn refusals(&mut self, files: &[RefusalFile], span: &Range<usize>) -> Vec<Refusal> {
        let mut refusals = Vec::with_capacity(files.len());
        for file in files {
            if !(200..600).contains(&file.status) {
                self.problems
                    .at(span, "an expected refusal has a status from 200 to 599");
            }
            refusals.push(Refusal {
                status: file.status,
                code: file.code.clone(),
            });
        }
        refusals
    }

    fn headers(&mut self, files: &BTreeMap<String, Spanned<String>>) -> Vec<(String, String)> {
        for (name, value) in files {
            let own = OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str());
            let control = value
                .get_ref()
                .bytes()
                .any(|byte| byte < 0x20 || byte == 0x7f);
            if let Err(error) = check_header_name(name) {
                self.problems.at(&value.span(), error.to_string());
            } else if own || control {
                self.problems
                    .at(&value.span(), format!("the header `{name}` cannot be set"));
            }
        }
        files
            .iter()
            .map(|(name, value)| (name.clone(), value.get_ref().clone()))
            .collect()
    }

    fn extractions(
        &mut self,
        files: &BTreeMap<String, Spanned<String>>,
        step: usize,
    ) -> Vec<Extraction> {
        let mut extractions = Vec::with_capacity(files.len());
        for (name, pointer) in files {
            let span = pointer.span();
            let variable = self.declare(name, &span, Source::Answer { step });
            match Pointer::parse(pointer.get_ref()) {
                Ok(pointer) => {
                    extractions.push(Extraction {
                        name: name.clone(),
                        variable,
                        pointer,
                    });
                }
                Err(error) => self.problems.at(&span, error.to_string()),
            }
        }
        extractions
    }

    fn path(&mut self, path: &Spanned<String>, parent: Option<usize>) -> Template {
        let text = path.get_ref();
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if !text.starts_with('/') || !text.bytes().all(plain) {
            let rule = "a path starts with `/` and consists of printable ASCII characters but `#`";
            self.problems.at(&path.span(), rule);
        }
        let resolved = template::cut_path(text).and_then(|cut| self.resolve(&cut, parent));
        resolved.unwrap_or_else(|message| {
            self.problems.at(&path.span(), message);
            Template { pieces: Vec::new() }
        })
    }

    fn body(&mut self, body: &Spanned<String>, parent: Option<usize>) -> Option<Template> {
        let resolved = self.json_template(body.get_ref(), parent);
        resolved
            .map_err(|message| self.problems.at(&body.span(), message))
            .ok()
    }

    /// Cuts, checks and resolves the template of a JSON text.
    pub(super) fn json_template(
        &self,
        text: &str,
        parent: Option<usize>,
    ) -> Result<Template, String> {
        let cut = template::cut_body(text)?;
        template::check_body(&cut).map_err(|error| format!("the body is not JSON: {error}"))?;
        self.resolve(&cut, parent)
    }

    fn resolve(&self, cut: &Cut<'_>, parent: Option<usize>) -> Result<Template, String> {
        let mut pieces = Vec::with_capacity(cut.pieces.len());
        let mut in_string = false;
        for piece in &cut.pieces {
            match piece {
                CutPiece::Literal("") => {}
                CutPiece::Literal(text) if !cut.is_json => {
                    pieces.push(Piece::Literal(text.as_bytes().to_vec()));
                }
                CutPiece::Literal(text) => {
                    pieces.push(Piece::Literal(template::without_white_space(
                        text,
                        &mut in_string,
                    )));
                }
                CutPiece::Name(name, encoding) => {
                    let variable = self.variable(name, parent)?;
                    let repeats = matches!(
                        self.variables[variable].source,
                        Source::Data(Data::Repeat(_))
                    );
                    if repeats && *encoding != Encoding::JsonValue {
                        return Err(format!(
                            "`${{{name}}}` is an array and cannot stand in a text"
                        ));
                    }
                    pieces.push(Piece::Value {
                        variable,
                        encoding: *encoding,
                    });
                }
            }
        }
        Ok(Template { pieces })
    }

    /// The variable of a name, which must be certain to have a value when the step is made.
    fn variable(&self, name: &str, parent: Option<usize>) -> Result<usize, String> {
        let Some(&variable) = self.names.get(name) else {
            return Err(format!("there is no data and no extracted value `{name}`"));
        };
        if let Source::Answer { step } = self.variables[variable].source {
            let mut ancestor = parent;
            while let Some(index) = ancestor {
                if index == step {
                    return Ok(variable);
                }
                ancestor = self.steps[index].parent;
            }
            return Err(format!(
                "`{name}` comes from a step that may not have been made; nest this step within it"
            ));
        }
        Ok(variable)
    }
}
