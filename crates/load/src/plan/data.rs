//! Sources of data: what is drawn when a template names them.

use rand_distr::Zipf;

use super::Template;
use crate::random::Stream;

/// A source of data.
#[derive(Debug, Clone)]
pub enum Data {
    /// A whole number of a range, each equally likely.
    Uniform {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// A whole number from 1 up, drawn by Zipf's law.
    Zipf {
        /// The law, which knows its number of ranks.
        law: Zipf<f64>,
    },
    /// A text of a list.
    List {
        /// The texts, the most frequent first.
        values: Vec<String>,
        /// By rank when given, else each equally likely.
        law: Option<Zipf<f64>>,
    },
    /// A text drawn by weight.
    Choice {
        /// The texts, each with the sum of the weights up to and including its own.
        values: Vec<(f64, String)>,
    },
    /// A UUID of version 7: time from the planned instant, the rest from the shopper's stream.
    Uuid,
    /// A JSON array of items.
    Repeat(Repeat),
}

/// A JSON array of items that are rendered from one template.
#[derive(Debug, Clone, Default)]
pub struct Repeat {
    /// Items at least.
    pub min: u64,
    /// Items at most.
    pub max: u64,
    /// The variable whose value differs from item to item.
    pub distinct: Option<usize>,
    /// One item.
    pub item: Template,
    /// Variables that the item names; each is drawn anew for every item.
    pub variables: Vec<usize>,
}

/// What kind of text a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A JSON number.
    Number,
    /// Plain text.
    Text,
    /// JSON as it stands.
    Json,
}

impl Data {
    /// Appends a value to `text`. Arrays are the journey's work, because they need a template.
    pub(crate) fn draw(&self, stream: &mut Stream, unix_millis: u64, text: &mut Vec<u8>) -> Kind {
        match self {
            Self::Uniform { min, max } => number(stream.between(*min, *max), text),
            Self::Zipf { law } => number(stream.rank(law), text),
            Self::List { values, law } => {
                let count = values.len();
                let last = u64::try_from(count).unwrap_or(u64::MAX).saturating_sub(1);
                let index = match law {
                    Some(law) => stream.rank(law) - 1,
                    None => stream.between(0, last),
                };
                let index = usize::try_from(index.min(last)).unwrap_or(0);
                plain(values.get(index), text)
            }
            Self::Choice { values } => {
                let total = values.last().map_or(0.0, |(sum, _)| *sum);
                let drawn = stream.unit() * total;
                let chosen = values
                    .iter()
                    .find(|(sum, _)| drawn < *sum)
                    .or(values.last());
                plain(chosen.map(|(_, value)| value), text)
            }
            Self::Uuid => {
                text.extend_from_slice(&uuid(stream, unix_millis));
                Kind::Text
            }
            Self::Repeat(_) => Kind::Json,
        }
    }
}

/// A UUID of version 7 in its hyphenated form.
///
/// Source: RFC 9562 section 5.7.
pub(crate) fn uuid(stream: &mut Stream, unix_millis: u64) -> [u8; 36] {
    let id = uuid::Builder::from_unix_timestamp_millis(unix_millis, &stream.bytes()).into_uuid();
    let mut text = [0; 36];
    id.hyphenated().encode_lower(&mut text);
    text
}

fn number(value: u64, text: &mut Vec<u8>) -> Kind {
    text.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    Kind::Number
}

fn plain(value: Option<&String>, text: &mut Vec<u8>) -> Kind {
    text.extend_from_slice(value.map_or("", String::as_str).as_bytes());
    Kind::Text
}
