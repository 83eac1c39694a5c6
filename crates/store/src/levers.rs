//! The optimisations that separate the variants, and the variants as sets of them.

use std::fmt;
use std::str::FromStr;

/// One switch that separates the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lever {
    /// Pooled connections and prepared statements instead of a connection per request.
    Pool,
    /// Secondary indexes instead of primary keys only.
    Indexes,
    /// A random id in range instead of `ORDER BY RANDOM()`.
    RandomId,
    /// An immutable catalogue snapshot in memory instead of SQL per read.
    CatalogCache,
    /// An inverted index with Chinese word segmentation instead of a `LIKE` scan.
    SearchIndex,
    /// Cart reads from memory instead of SQL; writes stay as durable.
    CartCache,
    /// Many writes in one transaction instead of one transaction per write.
    GroupCommit,
    /// A concurrency limit that sheds by class instead of accepting everything.
    Admission,
}

impl Lever {
    /// Every lever, in the order of the ladder.
    pub const ALL: [Self; 8] = [
        Self::Pool,
        Self::Indexes,
        Self::RandomId,
        Self::CatalogCache,
        Self::SearchIndex,
        Self::CartCache,
        Self::GroupCommit,
        Self::Admission,
    ];

    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Indexes => "indexes",
            Self::RandomId => "random-id",
            Self::CatalogCache => "catalog-cache",
            Self::SearchIndex => "search-index",
            Self::CartCache => "cart-cache",
            Self::GroupCommit => "group-commit",
            Self::Admission => "admission",
        }
    }
}

impl fmt::Display for Lever {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The text names none of the known values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not one of {known}")]
pub struct UnknownName {
    /// What was given.
    pub given: String,
    /// The names that exist.
    pub known: String,
}

impl FromStr for Lever {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|lever| lever.name() == text)
            .ok_or_else(|| UnknownName {
                given: text.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// Which shop is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// The honest straightforward shop: no lever.
    Baseline,
    /// The shop of a competent engineer without a new architecture.
    Tuned,
    /// Every lever.
    Optimized,
}

impl Variant {
    /// Every variant, from the plainest on.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Tuned, Self::Optimized];

    /// The name on the command line, in metrics and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Tuned => "tuned",
            Self::Optimized => "optimized",
        }
    }

    /// The levers of this variant.
    pub fn levers(self) -> Levers {
        match self {
            Self::Baseline => Levers::NONE,
            Self::Tuned => [Lever::Pool, Lever::Indexes, Lever::RandomId]
                .into_iter()
                .collect(),
            Self::Optimized => Lever::ALL.into_iter().collect(),
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Variant {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|variant| variant.name() == text)
            .ok_or_else(|| UnknownName {
                given: text.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// A set of levers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Levers(u16);

impl Levers {
    /// No lever: the baseline.
    pub const NONE: Self = Self(0);

    /// This set with one more lever.
    #[must_use]
    pub const fn with(self, lever: Lever) -> Self {
        Self(self.0 | (1 << lever as u16))
    }

    /// This set with one lever less.
    #[must_use]
    pub const fn without(self, lever: Lever) -> Self {
        Self(self.0 & !(1 << lever as u16))
    }

    /// Whether the lever is in the set.
    pub const fn has(self, lever: Lever) -> bool {
        self.0 & (1 << lever as u16) != 0
    }

    /// The levers of the set, in the order of the ladder.
    pub fn iter(self) -> impl Iterator<Item = Lever> {
        Lever::ALL.into_iter().filter(move |lever| self.has(*lever))
    }
}

impl FromIterator<Lever> for Levers {
    fn from_iter<I: IntoIterator<Item = Lever>>(levers: I) -> Self {
        levers.into_iter().fold(Self::NONE, Self::with)
    }
}

/// How stock is moved. Only the audit's own test uses anything but [`StockPolicy::Guarded`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StockPolicy {
    /// One guarded update inside the transaction that stores the order.
    #[default]
    Guarded,
    /// Deliberately wrong: read the stock without a lock, then write back what was computed from it.
    ReadThenWrite,
}

#[cfg(test)]
mod tests {
    use super::{Lever, Levers, Variant};

    #[test]
    fn sets_of_levers() {
        assert_eq!(Variant::Baseline.levers().iter().count(), 0);
        assert_eq!(Variant::Optimized.levers().iter().count(), Lever::ALL.len());
        let mixed = Levers::NONE.with(Lever::SearchIndex).with(Lever::Pool);
        assert_eq!(
            mixed.iter().collect::<Vec<_>>(),
            [Lever::Pool, Lever::SearchIndex]
        );
        assert!(!mixed.without(Lever::Pool).has(Lever::Pool));
        assert!("poool".parse::<Lever>().is_err());
    }
}
