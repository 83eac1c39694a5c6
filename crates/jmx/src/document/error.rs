//! Why a file is no plan, and where.

use std::fmt;

use thiserror::Error;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The character of the line, from 1.
    pub column: u32,
}

/// How large a plan may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of the file.
    pub bytes: usize,
    /// The most levels of elements within each other, as the file nests them.
    pub depth: usize,
    /// The most elements of the file, properties included.
    pub elements: usize,
}

/// Why a file is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Git keeps the file elsewhere, and only its pointer was checked out.
    #[error(
        "line 1, column 1: this is a pointer of Git LFS, not the plan itself; `git lfs pull` fetches it"
    )]
    Pointer,
    /// It has more bytes than the limit.
    #[error("the file has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        limit: usize,
    },
    /// It is not UTF-8, and declares no other encoding.
    #[error("{at}: the file is not UTF-8 from here on")]
    NotUtf8 {
        /// Where the first wrong byte is.
        at: Place,
    },
    /// It declares an encoding that is not known.
    #[error(
        "line 1, column 1: the encoding `{encoding}` is not supported; UTF-8, UTF-16, ISO-8859-1 are"
    )]
    Encoding {
        /// The encoding.
        encoding: String,
    },
    /// It is not well-formed XML.
    #[error("{at}: not well-formed XML: {reason}")]
    Xml {
        /// Where it was noticed.
        at: Place,
        /// What is wrong.
        reason: String,
    },
    /// It declares a document type, with which entities could be defined.
    #[error("{at}: a document type is declared; entities are not expanded, and plans need none")]
    DocumentType {
        /// Where.
        at: Place,
    },
    /// It uses an entity that XML does not define.
    #[error("{at}: the entity `&{name};` is not defined; entities are not expanded")]
    Entity {
        /// Where.
        at: Place,
        /// Its name.
        name: String,
    },
    /// Elements stand within each other more levels deep than the limit.
    #[error("{at}: elements stand within each other more than {limit} levels deep")]
    TooDeep {
        /// Where.
        at: Place,
        /// The limit.
        limit: usize,
    },
    /// There are more elements than the limit.
    #[error("{at}: the file has more than {limit} elements")]
    TooMany {
        /// Where.
        at: Place,
        /// The limit.
        limit: usize,
    },
    /// Something follows the end of the plan.
    #[error(
        "{at}: something follows the end of the plan that began on line {first}; \
         two files may have been joined"
    )]
    SecondRoot {
        /// Where.
        at: Place,
        /// The line that the first root begins on.
        first: u32,
    },
    /// It is XML, but no plan.
    #[error("{at}: the root is `{root}`, where a plan has `jmeterTestPlan`")]
    NotAPlan {
        /// Where.
        at: Place,
        /// The name of the root.
        root: String,
    },
    /// It has no element `TestPlan`.
    #[error("{at}: there is no `TestPlan` in it")]
    NoTestPlan {
        /// Where the plan begins.
        at: Place,
    },
}

impl Limits {
    /// Ten times what the largest plans that were ever seen have.
    pub const STANDARD: Self = Self {
        bytes: 64 << 20,
        depth: 200,
        elements: 1_000_000,
    };
}

impl ReadError {
    /// The line that is meant; the first for what is wrong with the file as a whole.
    pub fn line(&self) -> u32 {
        match self {
            Self::Empty | Self::Pointer | Self::TooLarge { .. } | Self::Encoding { .. } => 1,
            Self::NotUtf8 { at }
            | Self::Xml { at, .. }
            | Self::DocumentType { at }
            | Self::Entity { at, .. }
            | Self::TooDeep { at, .. }
            | Self::TooMany { at, .. }
            | Self::SecondRoot { at, .. }
            | Self::NotAPlan { at, .. }
            | Self::NoTestPlan { at } => at.line,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}
