//! SPDX licence expressions, as far as published packages use them.
//!
//! Source: SPDX specification 2.3, annex D; the older `A/B` of cargo means `A OR B`.

/// Whether the licences in `allowed` suffice for `expression`. `None` when it cannot be read.
///
/// `WITH` belongs to the licence before it: `Apache-2.0 WITH LLVM-exception` is a name of its own.
pub fn is_satisfied(expression: &str, allowed: &[String]) -> Option<bool> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader {
        words: &words,
        position: 0,
        allowed,
    };
    let satisfied = reader.any_of()?;
    (reader.position == words.len()).then_some(satisfied)
}

struct Reader<'a> {
    words: &'a [&'a str],
    position: usize,
    allowed: &'a [String],
}

impl<'a> Reader<'a> {
    fn any_of(&mut self) -> Option<bool> {
        let mut satisfied = self.all_of()?;
        while self.take("OR") {
            satisfied |= self.all_of()?;
        }
        Some(satisfied)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Some(satisfied)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let satisfied = self.any_of()?;
            return self.take(")").then_some(satisfied);
        }
        let licence = self.name()?;
        if !self.take("WITH") {
            return Some(self.is_allowed(licence));
        }
        let exception = self.name()?;
        Some(self.is_allowed(&format!("{licence} WITH {exception}")))
    }

    fn name(&mut self) -> Option<&'a str> {
        let word = *self.words.get(self.position)?;
        let is_name = !matches!(word, "(" | ")" | "AND" | "OR" | "WITH");
        self.position += 1;
        is_name.then_some(word)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.get(self.position) == Some(&word);
        self.position += usize::from(found);
        found
    }

    fn is_allowed(&self, licence: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == licence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let allowed = ["MIT", "ISC", "Unicode-3.0"].map(str::to_owned);
        let rows = [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT OR Apache-2.0", Some(true)),
            ("Apache-2.0/MIT", Some(true)),
            ("Apache-2.0 / MIT", Some(true)),
            ("Apache-2.0 AND ISC", Some(false)),
            ("MIT AND ISC", Some(true)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("(GPL-2.0 OR Apache-2.0) AND MIT", Some(false)),
            ("GPL-2.0 AND MIT OR ISC", Some(true)),
            ("MIT WITH LLVM-exception", Some(false)),
            ("MIT WITH LLVM-exception OR ISC", Some(true)),
            ("", None),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT ISC", None),
            ("AND MIT", None),
        ];
        for (expression, expected) in rows {
            assert_eq!(
                is_satisfied(expression, &allowed),
                expected,
                "{expression:?}"
            );
        }
    }
}
