//! The classes of Java that expressions may name.

use super::Language;

/// A class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Math,
    Integer,
    Long,
    Double,
    Boolean,
    Text,
    Number,
    System,
    Uuid,
    Random,
    ThreadLocalRandom,
    Date,
    ContextService,
    RandomText,
}

const CLASSES: &[(&str, Class)] = &[
    ("java.lang.Math", Class::Math),
    ("java.lang.Integer", Class::Integer),
    ("java.lang.Long", Class::Long),
    ("java.lang.Double", Class::Double),
    ("java.lang.Boolean", Class::Boolean),
    ("java.lang.String", Class::Text),
    ("java.lang.System", Class::System),
    ("java.util.UUID", Class::Uuid),
    ("java.util.Random", Class::Random),
    ("java.util.Date", Class::Date),
    (
        "java.util.concurrent.ThreadLocalRandom",
        Class::ThreadLocalRandom,
    ),
    (
        "org.apache.jmeter.threads.JMeterContextService",
        Class::ContextService,
    ),
    (
        "org.apache.commons.lang3.RandomStringUtils",
        Class::RandomText,
    ),
];

impl Class {
    /// The class of this name. Groovy imports `java.lang` and `java.util`; JavaScript has a few of its
    /// own and reaches Java's by their whole names; JEXL has none.
    pub(super) fn of(path: &str, language: Language) -> Option<Self> {
        let whole = |path: &str| {
            let found = CLASSES.iter().find(|(name, _)| *name == path);
            found.map(|(_, class)| *class)
        };
        match language {
            Language::Jexl2 | Language::Jexl3 => None,
            Language::JavaScript => match path {
                "Math" => Some(Self::Math),
                "Date" => Some(Self::Date),
                "Number" => Some(Self::Number),
                _ => whole(path.strip_prefix("Packages.").unwrap_or(path)),
            },
            Language::Groovy => whole(path).or_else(|| {
                let imported = !path.contains('.');
                let packages = ["java.lang.", "java.util."];
                let mut names = packages.iter().map(|package| format!("{package}{path}"));
                names.find_map(|name| whole(&name)).filter(|_| imported)
            }),
        }
    }

    /// Whether `new` makes one.
    pub(super) fn can_be_made(self) -> bool {
        matches!(self, Self::Random | Self::Date)
    }
}
