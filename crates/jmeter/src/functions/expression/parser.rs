//! Tokens as a tree. Operators bind as in C, which all these languages took over.

use super::classes::Class;
use super::lexer::{Kind, Token};
use super::value::Value;
use super::{Language, Unsupported, decimal::Decimal, methods, unsupported};

/// A node of the tree.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Literal(Value),
    /// Something that is filled in when the plan runs: only in texts that are checked.
    Filled,
    Name(String),
    Class(Class),
    List(Vec<Self>),
    Unary(Unary, Box<Self>),
    Binary(&'static str, Box<Self>, Box<Self>),
    /// `&&`, `||` and Groovy's `?:`.
    Logic(Logic, Box<Self>, Box<Self>),
    Conditional(Box<(Self, Self, Self)>),
    Member(Box<Self>, String, bool),
    Index(Box<Self>, Box<Self>),
    Method(Box<Self>, String, Vec<Self>, bool),
    Function(String, Vec<Self>),
    New(Class, Vec<Self>),
    Assign(String, Box<Self>),
    Sequence(Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
    TypeOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logic {
    And,
    Or,
    Elvis,
}

/// Deeper expressions are refused, so that no text exhausts the stack.
const DEPTH_MAX: usize = 64;

/// What binds as loosely as the others of its line, from loose to tight.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &[
        "==", "!=", "===", "!==", "==~", "=~", "!~", "=^", "=$", "<=>",
    ],
    &["<", ">", "<=", ">="],
    &["+", "-"],
    &["*", "/", "%"],
];

/// What JEXL has words for.
const WORDS: &[(&str, &str)] = &[
    ("or", "||"),
    ("and", "&&"),
    ("eq", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("gt", ">"),
    ("le", "<="),
    ("ge", ">="),
    ("div", "/"),
    ("mod", "%"),
];

pub(super) struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    language: Language,
}

type Parsed = Result<Node, Unsupported>;

impl Parser {
    pub(super) fn new(tokens: Vec<Token>, language: Language) -> Self {
        Self {
            tokens,
            at: 0,
            depth: 0,
            language,
        }
    }

    pub(super) fn program(&mut self) -> Parsed {
        let mut statements = Vec::new();
        loop {
            while self.takes(";") {}
            if self.kind() == &Kind::End {
                break;
            }
            let returns = self.takes_word("return");
            statements.push(self.statement()?);
            let ended = self.kind() == &Kind::End || self.sign() == Some(";") || self.token().first;
            if !ended || (returns && !self.only_ends_follow()) {
                return Err(self.unexpected());
            }
        }
        Ok(match statements.len() {
            1 => statements.swap_remove(0),
            _ => Node::Sequence(statements),
        })
    }

    fn only_ends_follow(&self) -> bool {
        let rest = self.tokens.iter().skip(self.at);
        rest.into_iter()
            .all(|token| matches!(token.kind, Kind::Sign(";") | Kind::End))
    }

    fn statement(&mut self) -> Parsed {
        let declared = match self.language {
            Language::JavaScript => &["var", "let", "const"][..],
            Language::Groovy => &[
                "def", "int", "long", "double", "boolean", "String", "Integer", "Long",
            ],
            Language::Jexl2 | Language::Jexl3 => &["var"],
        };
        let is_declaration = self.word().is_some_and(|word| declared.contains(&word))
            && matches!(self.ahead(1), Kind::Name(_));
        if is_declaration {
            self.at += 1;
        }
        if let (Kind::Name(name), Kind::Sign("=")) = (self.kind(), self.ahead(1)) {
            let name = name.clone();
            self.at += 2;
            let value = self.statement()?;
            return Ok(Node::Assign(name, Box::new(value)));
        }
        if is_declaration {
            return Err(self.unexpected());
        }
        self.expression()
    }

    fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(unsupported(
                "an expression that is too deep",
                self.token().at,
            ));
        }
        let parsed = self.conditional();
        self.depth -= 1;
        parsed
    }

    fn conditional(&mut self) -> Parsed {
        let condition = self.level(0)?;
        if self.takes("?") {
            let yes = self.expression()?;
            self.expect(":")?;
            let no = self.expression()?;
            return Ok(Node::Conditional(Box::new((condition, yes, no))));
        }
        let elvis = self.language != Language::JavaScript && self.takes("?:");
        if elvis {
            let otherwise = self.expression()?;
            return Ok(Node::Logic(
                Logic::Elvis,
                Box::new(condition),
                Box::new(otherwise),
            ));
        }
        Ok(condition)
    }

    fn level(&mut self, level: usize) -> Parsed {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            self.at += 1;
            let right = self.level(level + 1)?;
            let (left_box, right) = (Box::new(left), Box::new(right));
            left = match operator {
                "||" => Node::Logic(Logic::Or, left_box, right),
                "&&" => Node::Logic(Logic::And, left_box, right),
                _ => Node::Binary(operator, left_box, right),
            };
            if depth_of_left(&left) > DEPTH_MAX * 4 {
                return Err(unsupported(
                    "an expression that is too long",
                    self.token().at,
                ));
            }
        }
        Ok(left)
    }

    /// The operator that comes next if it is one of these and of the language.
    fn operator(&self, operators: &[&'static str]) -> Option<&'static str> {
        let next = match self.kind() {
            Kind::Sign(sign) => sign,
            Kind::Name(name) if self.language.is_jexl() => {
                let word = WORDS.iter().find(|(word, _)| word == name);
                word.map(|(_, sign)| *sign)?
            }
            _ => return None,
        };
        let of_language = match next {
            "===" | "!==" => self.language == Language::JavaScript,
            "==~" | "<=>" => self.language == Language::Groovy,
            "=~" | "!~" => self.language.is_jexl(),
            "=^" | "=$" => self.language == Language::Jexl3,
            _ => true,
        };
        (of_language && operators.contains(&next)).then_some(next)
    }

    fn unary(&mut self) -> Parsed {
        let operator = match self.kind() {
            Kind::Sign("!") => Some(Unary::Not),
            Kind::Sign("-") => Some(Unary::Minus),
            Kind::Sign("+") if self.language == Language::JavaScript => Some(Unary::Plus),
            Kind::Name(name) if name == "not" && self.language.is_jexl() => Some(Unary::Not),
            Kind::Name(name) if name == "typeof" && self.language == Language::JavaScript => {
                Some(Unary::TypeOf)
            }
            _ => None,
        };
        let Some(operator) = operator else {
            return self.postfix();
        };
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(unsupported(
                "an expression that is too deep",
                self.token().at,
            ));
        }
        let operand = self.unary()?;
        self.depth -= 1;
        Ok(Node::Unary(operator, Box::new(operand)))
    }

    fn postfix(&mut self) -> Parsed {
        let mut node = self.primary()?;
        let mut length = 0;
        loop {
            length += 1;
            if length > DEPTH_MAX {
                return Err(unsupported("a chain that is too long", self.token().at));
            }
            let safe = self.sign() == Some("?.")
                && matches!(self.language, Language::Groovy | Language::Jexl3);
            if safe || self.sign() == Some(".") {
                self.at += 1;
                let at = self.token().at;
                let name = self.name()?;
                node = if self.sign() == Some("(") {
                    let arguments = self.arguments()?;
                    methods::check(&node, &name, self.language, at)?;
                    Node::Method(Box::new(node), name, arguments, safe)
                } else {
                    methods::check_member(&node, &name, self.language, at)?;
                    Node::Member(Box::new(node), name, safe)
                };
            } else if self.sign() == Some("[") {
                if self.language == Language::Jexl2 && !matches!(node, Node::Name(_)) {
                    return Err(self.unexpected());
                }
                self.at += 1;
                let index = self.expression()?;
                self.expect("]")?;
                node = Node::Index(Box::new(node), Box::new(index));
            } else {
                return Ok(node);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let token = self.token().clone();
        match token.kind {
            Kind::Number(text) => {
                self.at += 1;
                let number = number(&text, self.language);
                number
                    .map(Node::Literal)
                    .ok_or_else(|| unsupported(&format!("the number `{text}`"), token.at))
            }
            Kind::Text(text) => {
                self.at += 1;
                Ok(Node::Literal(Value::text(&text)))
            }
            Kind::Filled => {
                self.at += 1;
                Ok(Node::Filled)
            }
            Kind::Sign("(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Sign("[") => {
                self.at += 1;
                self.items("]").map(Node::List)
            }
            Kind::Name(name) => self.named(&name, token.at),
            Kind::Sign(_) | Kind::End => Err(self.unexpected()),
        }
    }

    fn named(&mut self, name: &str, at: usize) -> Parsed {
        self.at += 1;
        match name {
            "true" => return Ok(Node::Literal(Value::Boolean(true))),
            "false" => return Ok(Node::Literal(Value::Boolean(false))),
            "null" => return Ok(Node::Literal(Value::Null)),
            "undefined" if self.language == Language::JavaScript => {
                return Ok(Node::Literal(Value::Undefined));
            }
            "new" => return self.creation(at),
            _ => {}
        }
        if let Some((class, parts)) = self.class_at(self.at - 1) {
            self.at += parts - 1;
            return Ok(Node::Class(class));
        }
        if methods::is_reserved(name, self.language) {
            return Err(unsupported(&format!("`{name}`"), at));
        }
        if self.sign() == Some("(") {
            methods::check_function(name, self.language, at)?;
            return Ok(Node::Function(name.to_owned(), self.arguments()?));
        }
        Ok(Node::Name(name.to_owned()))
    }

    /// The class whose name begins at a token, and the tokens of the name.
    fn class_at(&self, start: usize) -> Option<(Class, usize)> {
        let mut path = String::new();
        let mut found = None;
        for (index, token) in self.tokens.iter().skip(start).take(16).enumerate() {
            match &token.kind {
                Kind::Name(name) if index % 2 == 0 => path.push_str(name),
                Kind::Sign(".") if index % 2 == 1 => path.push('.'),
                _ => break,
            }
            if let Some(class) = Class::of(&path, self.language) {
                found = Some((class, index + 1));
            }
        }
        found
    }

    fn creation(&mut self, at: usize) -> Parsed {
        let found = self.class_at(self.at);
        let Some((class, parts)) = found.filter(|(class, _)| class.can_be_made()) else {
            return Err(unsupported("`new` of this class", at));
        };
        self.at += parts;
        let arguments = self.arguments()?;
        Ok(Node::New(class, arguments))
    }

    fn arguments(&mut self) -> Result<Vec<Node>, Unsupported> {
        self.expect("(")?;
        self.items(")")
    }

    fn items(&mut self, end: &str) -> Result<Vec<Node>, Unsupported> {
        let mut items = Vec::new();
        if self.takes(end) {
            return Ok(items);
        }
        loop {
            items.push(self.expression()?);
            if self.takes(end) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    fn token(&self) -> &Token {
        // The last token is the end, which nobody takes.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> &Kind {
        &self.token().kind
    }

    fn ahead(&self, tokens: usize) -> &Kind {
        let found = self.tokens.get(self.at + tokens);
        found.map_or(&Kind::End, |token| &token.kind)
    }

    fn sign(&self) -> Option<&'static str> {
        match self.kind() {
            Kind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    fn word(&self) -> Option<&str> {
        match self.kind() {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let takes = self.sign() == Some(sign);
        self.at += usize::from(takes);
        takes
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let takes = self.word() == Some(word);
        self.at += usize::from(takes);
        takes
    }

    fn expect(&mut self, sign: &str) -> Result<(), Unsupported> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn name(&mut self) -> Result<String, Unsupported> {
        match self.kind().clone() {
            Kind::Name(name) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn unexpected(&self) -> Unsupported {
        let what = match self.kind() {
            Kind::Number(text) | Kind::Name(text) => format!("`{text}` here"),
            Kind::Text(text) => format!("the text \"{text}\" here"),
            Kind::Filled => "a variable here".to_owned(),
            Kind::Sign(sign) => format!("`{sign}` here"),
            Kind::End => "an expression that ends here".to_owned(),
        };
        unsupported(&what, self.token().at)
    }
}

/// Left operands within left operands: what a long sum is.
fn depth_of_left(node: &Node) -> usize {
    let mut depth = 0;
    let mut node = node;
    while let Node::Binary(_, left, _) | Node::Logic(_, left, _) = node {
        node = left;
        depth += 1;
    }
    depth
}

/// A number as the language reads it; `None` for what is not in the subset.
fn number(text: &str, language: Language) -> Option<Value> {
    let lower = text.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        let number = i64::from_str_radix(digits, 16).ok()?;
        return Some(whole(number, language));
    }
    if language == Language::JavaScript {
        let octal = lower.len() > 1 && lower.starts_with('0') && !lower.starts_with("0.");
        if octal && lower.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
            return i64::from_str_radix(&lower, 8)
                .ok()
                .map(|number| whole(number, language));
        }
        return lower.parse().ok().map(Value::Double);
    }
    if let Some(digits) = lower.strip_suffix('l') {
        return digits.parse().ok().map(Value::Long);
    }
    if let Some(digits) = lower.strip_suffix(['d', 'f']) {
        return digits.parse().ok().map(Value::Double);
    }
    if let Some(digits) = lower.strip_suffix('i') {
        return digits.parse().ok().map(Value::Integer);
    }
    if !lower.contains(['.', 'e']) {
        // As in Java, a zero in front means octal.
        if lower.len() > 1 && lower.starts_with('0') {
            return i64::from_str_radix(&lower, 8)
                .ok()
                .map(|number| whole(number, language));
        }
        return lower.parse().ok().map(|number| whole(number, language));
    }
    match language {
        Language::Groovy => Decimal::parse(&lower).map(Value::Decimal),
        Language::Jexl2 if lower.contains('e') => None,
        _ => lower.parse().ok().map(Value::Double),
    }
}

fn whole(number: i64, language: Language) -> Value {
    match i32::try_from(number) {
        _ if language == Language::JavaScript => Value::Double(number as f64),
        Ok(number) => Value::Integer(number),
        Err(_) => Value::Long(number),
    }
}
