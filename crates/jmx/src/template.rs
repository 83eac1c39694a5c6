//! Texts with `${variables}` and `${__functions(of, arguments)}`.
//!
//! A text is parsed once, when a plan is compiled, and rendered at each use by whoever runs the plan.
//! Nothing here knows what a function does.

/// A text with parts to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// The parts, in order; none for an empty text.
    pub parts: Vec<Part>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Stands for itself.
    Text(Box<str>),
    /// `${name}`: the value of a variable, or the text `${name}` itself where there is none.
    Variable(Box<str>),
    /// `${__name(arguments)}`.
    Call(Call),
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name, the two underscores included.
    pub name: Box<str>,
    /// The arguments; an empty pair of parentheses has one that is empty.
    pub arguments: Vec<Template>,
    /// Which call of the plan this is: functions that keep something between calls (`__counter`,
    /// `__StringFromFile`) keep it by this number.
    pub site: Site,
    /// The call as it is written, from `${` to `}`.
    pub source: Box<str>,
}

/// One place of a plan where a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site(pub u32);

/// Gives each call of a plan its number.
#[derive(Debug, Clone, Default)]
pub struct Sites(u32);

impl Sites {
    /// The next number.
    pub fn another(&mut self) -> Site {
        let site = Site(self.0);
        self.0 += 1;
        site
    }
}

impl Template {
    /// Reads a text. Nothing is refused: what is no variable and no call stands for itself, as in
    /// `JMeter`.
    pub fn parse(text: &str, sites: &mut Sites) -> Self {
        let _ = sites;
        let part = (!text.is_empty()).then(|| Part::Text(text.into()));
        Self {
            parts: part.into_iter().collect(),
        }
    }

    /// The text, when nothing in it is to be filled in.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}
