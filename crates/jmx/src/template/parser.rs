//! The grammar of texts, character by character as `JMeter` reads them.

use crate::registry;

use super::{Call, DEPTH_MAX, Part, Sites, Template, TemplateError};

/// Reads one text with all that stands in it.
pub(super) struct Parser<'s> {
    sites: &'s mut Sites,
    /// How many bytes may still be searched for the end of what looks like a call of a function that
    /// nobody knows. Where it is used up such a text is a variable, so that the work stays linear.
    search_left: usize,
}

/// A text and how far it is read.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

/// What `${` turned out to begin.
enum Reference {
    /// A call or a variable.
    Part(Part),
    /// The text ended first; what stood between, without escapes.
    Unterminated(String),
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.text.get(self.at..)?.chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn since(&self, start: usize) -> &str {
        self.text.get(start..self.at).unwrap_or_default()
    }
}

impl<'s> Parser<'s> {
    /// For a text of so many bytes.
    pub(super) fn new(sites: &'s mut Sites, bytes: usize) -> Self {
        Self {
            sites,
            search_left: bytes.saturating_mul(8),
        }
    }

    /// Reads a text; `depth` levels of arguments may follow.
    pub(super) fn compile(&mut self, text: &str, depth: usize) -> Result<Template, TemplateError> {
        let mut reader = Reader { text, at: 0 };
        let mut template = Template::default();
        let mut buffer = String::new();
        let mut previous = ' ';
        while let Some(current) = reader.next() {
            match current {
                '\\' => {
                    // At the end of the text a backslash stands for itself.
                    let escaped = reader.next().unwrap_or('\\');
                    if !matches!(escaped, '$' | ',' | '\\') {
                        buffer.push('\\');
                    }
                    buffer.push(escaped);
                    previous = ' ';
                }
                '{' if previous == '$' => {
                    buffer.pop();
                    match self.reference(&mut reader, depth)? {
                        Reference::Part(part) => {
                            push_text(&mut template, &mut buffer);
                            template.parts.push(part);
                        }
                        Reference::Unterminated(rest) => buffer.push_str(&rest),
                    }
                    previous = ' ';
                }
                other => {
                    buffer.push(other);
                    previous = other;
                }
            }
        }
        push_text(&mut template, &mut buffer);
        Ok(template)
    }

    /// Reads on after `${`.
    fn reference(
        &mut self,
        reader: &mut Reader<'_>,
        depth: usize,
    ) -> Result<Reference, TemplateError> {
        let start = reader.at.saturating_sub("${".len());
        let mut buffer = String::new();
        let mut previous = ' ';
        while let Some(current) = reader.next() {
            match current {
                '\\' => {
                    buffer.push(reader.next().unwrap_or('\\'));
                    previous = ' ';
                }
                '(' if previous != ' ' => match self.call(reader, &buffer, start, depth)? {
                    Some(call) => return Ok(Reference::Part(Part::Call(call))),
                    None => buffer.push('('),
                },
                '}' => return Ok(Reference::Part(self.closed(reader, start, buffer))),
                other => {
                    buffer.push(other);
                    previous = other;
                }
            }
        }
        Ok(Reference::Unterminated(buffer))
    }

    /// What `${buffer}` is: a call without arguments, or a variable.
    fn closed(&mut self, reader: &Reader<'_>, start: usize, buffer: String) -> Part {
        if registry::function(&buffer).is_none() {
            return Part::Variable(buffer.into());
        }
        Part::Call(Call {
            name: buffer.into(),
            arguments: Vec::new(),
            site: self.sites.another(),
            source: reader.since(start).into(),
        })
    }

    /// Reads on after `${name(`. Nothing, with nothing read, where this is no call.
    ///
    /// A name that begins with `__` is one of a function that nobody knows if the rest has the form
    /// of a call; whoever renders it shows it as it is written, as `JMeter` does.
    fn call(
        &mut self,
        reader: &mut Reader<'_>,
        written: &str,
        start: usize,
        depth: usize,
    ) -> Result<Option<Call>, TemplateError> {
        let name = written.trim_matches(|character: char| character <= ' ');
        let known = registry::function(name).is_some();
        if !known && (self.search_left == 0 || !names_a_function(name)) {
            return Ok(None);
        }
        let opened = reader.at;
        let arguments = arguments(reader);
        let complete = first_after_space(reader) == Some('}');
        if !known {
            self.search_left = self.search_left.saturating_sub(reader.at - opened);
        }
        if !complete && !known {
            reader.at = opened;
            return Ok(None);
        }
        if !complete {
            let before = reader.text.get(..start).unwrap_or_default();
            return Err(TemplateError::Unclosed {
                name: name.to_owned(),
                at: before.chars().count() + 1,
            });
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(TemplateError::TooDeep { limit: DEPTH_MAX });
        };
        let site = self.sites.another();
        let arguments = arguments.iter().map(|text| self.compile(text, depth));
        Ok(Some(Call {
            name: name.into(),
            arguments: arguments.collect::<Result<_, _>>()?,
            site,
            source: reader.since(start).into(),
        }))
    }
}

/// Whether an unterminated `${` stands in the text with something before it, so that `JMeter` takes
/// the text for one in which something is filled in.
pub(super) fn is_split(text: &str) -> bool {
    let mut reader = Reader { text, at: 0 };
    let mut previous = ' ';
    let mut before = 0_usize;
    while let Some(current) = reader.next() {
        match current {
            '\\' => {
                reader.next();
                before += 1;
                previous = ' ';
            }
            '{' if previous == '$' => return before > 1,
            other => {
                before += 1;
                previous = other;
            }
        }
    }
    false
}

fn push_text(template: &mut Template, buffer: &mut String) {
    if !buffer.is_empty() {
        let text = std::mem::take(buffer).into_boxed_str();
        template.parts.push(Part::Text(text));
    }
}

/// Whether this could be the name of a function.
fn names_a_function(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.starts_with("__") && name.chars().all(is_letter)
}

/// The next character that is no space; tabs and line breaks are none here.
fn first_after_space(reader: &mut Reader<'_>) -> Option<char> {
    loop {
        let next = reader.next()?;
        if !next.is_whitespace() || next.is_control() {
            return Some(next);
        }
    }
}

/// Reads arguments after `(`, up to the `)` that closes them or the end of the text.
fn arguments(reader: &mut Reader<'_>) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut buffer = String::new();
    let mut previous = ' ';
    let mut braces = 0_usize;
    let mut parentheses = 0_usize;
    while let Some(current) = reader.next() {
        match current {
            '\\' => {
                buffer.push('\\');
                buffer.push(reader.next().unwrap_or('\\'));
                previous = ' ';
                continue;
            }
            ',' if braces == 0 => {
                arguments.push(std::mem::take(&mut buffer));
                continue;
            }
            ')' if braces == 0 && parentheses == 0 => {
                if !buffer.is_empty() || !arguments.is_empty() {
                    arguments.push(buffer);
                }
                return arguments;
            }
            '{' if previous == '$' => braces += 1,
            '}' if braces > 0 => braces -= 1,
            ')' if braces == 0 => parentheses -= 1,
            '(' if braces == 0 => parentheses += 1,
            _ => {}
        }
        buffer.push(current);
        previous = current;
    }
    arguments.push(buffer);
    arguments
}
