//! Texts of expressions as tokens.

use super::{Language, Unsupported, unsupported};

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// In characters, from 1.
    pub(super) at: usize,
    /// Whether it is the first on its line.
    pub(super) first: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Digits with their point, exponent and suffix.
    Number(String),
    Text(String),
    Name(String),
    /// Something that is filled in when the plan runs.
    Filled,
    Sign(&'static str),
    End,
}

/// Stands for what is filled in later; no text of a plan can hold it, XML has no such character.
pub(super) const FILLED: char = '\u{1}';

/// Longer signs come before those that they begin with.
const SIGNS: &[&str] = &[
    "===", "!==", "==~", "<=>", ">>>", "**=", "==", "!=", "<=", ">=", "&&", "||", "?.", "?:", "??",
    "=~", "!~", "=^", "=$", "++", "--", "+=", "-=", "*=", "/=", "%=", "->", "=>", "..", "<<", ">>",
    "**", "+", "-", "*", "/", "%", "<", ">", "=", "!", "?", ":", "(", ")", "[", "]", "{", "}", ".",
    ",", ";", "&", "|", "^", "~", "@",
];

pub(super) fn tokens(text: &str, language: Language) -> Result<Vec<Token>, Unsupported> {
    let mut lexer = Lexer {
        characters: text.chars().collect(),
        at: 0,
        language,
    };
    let mut tokens = Vec::new();
    loop {
        let first = lexer.skip_spaces()? || tokens.is_empty();
        let at = lexer.at + 1;
        let kind = lexer.token()?;
        let end = kind == Kind::End;
        tokens.push(Token { kind, at, first });
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    language: Language,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn starts_with(&self, sign: &str) -> bool {
        sign.chars()
            .enumerate()
            .all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    /// Spaces and comments; tells whether a line ended in them.
    fn skip_spaces(&mut self) -> Result<bool, Unsupported> {
        let mut line_ended = false;
        while let Some(next) = self.peek(0) {
            if next.is_whitespace() {
                line_ended |= next == '\n';
                self.at += 1;
            } else if self.starts_with("//") {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if self.starts_with("/*") {
                let start = self.at;
                self.at += 2;
                while !self.starts_with("*/") {
                    if self.peek(0).is_none() {
                        return Err(unsupported("a comment without end", start + 1));
                    }
                    self.at += 1;
                }
                self.at += 2;
            } else {
                break;
            }
        }
        Ok(line_ended)
    }

    fn token(&mut self) -> Result<Kind, Unsupported> {
        let Some(next) = self.peek(0) else {
            return Ok(Kind::End);
        };
        if next == '\'' || next == '"' {
            return self.text(next);
        }
        if is_name(next) {
            return Ok(self.word());
        }
        let found = SIGNS.iter().find(|sign| self.starts_with(sign));
        let Some(sign) = found else {
            return Err(unsupported(&format!("`{next}`"), self.at + 1));
        };
        self.at += sign.len();
        Ok(Kind::Sign(sign))
    }

    fn text(&mut self, quote: char) -> Result<Kind, Unsupported> {
        let start = self.at + 1;
        if self.starts_with("\"\"\"") || self.starts_with("'''") {
            return Err(unsupported("a text in three quotes", start));
        }
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(next) = self.peek(0) else {
                return Err(unsupported("a text without end", start));
            };
            self.at += 1;
            match next {
                '\n' => return Err(unsupported("a text over several lines", start)),
                '\\' => {
                    let escaped = self.escape(start)?;
                    text.extend(escaped);
                }
                '$' if quote == '"' && self.language == Language::Groovy => {
                    if self
                        .peek(0)
                        .is_some_and(|c| c == '{' || c.is_alphabetic() || c == '_')
                    {
                        return Err(unsupported("a text with `$` in it", self.at));
                    }
                    text.push('$');
                }
                _ if next == quote => return Ok(Kind::Text(text)),
                _ => text.push(next),
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<Option<char>, Unsupported> {
        let Some(next) = self.peek(0) else {
            return Err(unsupported("a text without end", start));
        };
        self.at += 1;
        Ok(Some(match next {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let digits: String = (0..4).filter_map(|ahead| self.peek(ahead)).collect();
                let number = u32::from_str_radix(&digits, 16).ok();
                let Some(character) = number.and_then(char::from_u32) else {
                    return Err(unsupported("an escape", self.at));
                };
                self.at += 4;
                character
            }
            '\n' => return Ok(None),
            '0'..='9' | 'x' => return Err(unsupported("an escape", self.at)),
            other => other,
        }))
    }

    /// A name, a number, or either with something to be filled in.
    fn word(&mut self) -> Kind {
        let mut word = String::new();
        let number = self.peek(0).is_some_and(|c| c.is_ascii_digit());
        while let Some(next) = self.peek(0) {
            let point = next == '.' && number && self.peek(1).is_some_and(|c| c.is_ascii_digit());
            let power = word.ends_with(['e', 'E']) && matches!(next, '+' | '-');
            let power = power && number && !word.starts_with("0x");
            if !is_name(next) && !point && !power {
                break;
            }
            word.push(next);
            self.at += 1;
        }
        if word.contains(FILLED) {
            Kind::Filled
        } else if number {
            Kind::Number(word)
        } else {
            Kind::Name(word)
        }
    }
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | FILLED)
}
