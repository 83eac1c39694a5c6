//! Figures of one round, and what they have to reach.

use serde::{Deserialize, Serialize};

/// What a figure has to reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

impl Target {
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// Where a figure stands in a plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The name of the curve, such as `overload: good answers`.
    pub(crate) curve: String,
    /// How far to the right.
    pub(crate) x: f64,
}

/// One figure of one round.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) target: Option<Target>,
    /// Why it was not measured, where it was not.
    pub(crate) value: Result<f64, String>,
    /// What has to be known beside it.
    pub(crate) note: Option<String>,
    pub(crate) place: Option<Place>,
    /// Whether only the JSON shows it.
    pub(crate) is_detail: bool,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        // A quotient of nothing is no figure.
        let value = if value.is_finite() {
            Ok(value)
        } else {
            Err("nothing to divide by".to_owned())
        };
        Self {
            name: name.into(),
            unit,
            target: None,
            value,
            note: None,
            place: None,
            is_detail: false,
        }
    }

    /// A figure that needs samples, in a unit; without them it says so.
    pub(crate) fn sampled(name: impl Into<String>, unit: &'static str, value: Option<f64>) -> Self {
        value
            .map_or_else(
                || Self {
                    value: Err("there was no sample".to_owned()),
                    ..Self::new("", unit, 0.0)
                },
                |value| Self::new("", unit, value),
            )
            .named(name)
    }

    pub(crate) fn missing(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            value: Err(why.into()),
            ..Self::new(name, "", 0.0)
        }
    }

    fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    pub(crate) fn at_least(mut self, least: f64) -> Self {
        self.target = Some(Target::AtLeast(least));
        self
    }

    pub(crate) fn at_most(mut self, most: f64) -> Self {
        self.target = Some(Target::AtMost(most));
        self
    }

    /// Adds what has to be known beside the figure.
    pub(crate) fn noted(mut self, note: Option<String>) -> Self {
        self.note = match (self.note, note) {
            (Some(one), Some(other)) if one != other => Some(format!("{one}; {other}")),
            (one, other) => one.or(other),
        };
        self
    }

    /// Puts it on a curve of a plot.
    pub(crate) fn at(mut self, curve: &str, x: f64) -> Self {
        self.place = Some(Place {
            curve: curve.to_owned(),
            x,
        });
        self
    }

    /// Keeps it out of the table.
    pub(crate) fn detail(mut self) -> Self {
        self.is_detail = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_says_why() {
        assert!(Figure::new("a", "x", f64::NAN).value.is_err());
        assert!(Figure::new("a", "x", f64::INFINITY).value.is_err());
        let none = Figure::sampled("P99", "ms", None);
        assert_eq!((none.name.as_str(), none.unit), ("P99", "ms"));
        assert_eq!(none.value, Err("there was no sample".to_owned()));
        let two = Figure::new("a", "", 1.0)
            .noted(Some("one".to_owned()))
            .noted(None)
            .noted(Some("two".to_owned()));
        assert_eq!(two.note.as_deref(), Some("one; two"));
    }
}
