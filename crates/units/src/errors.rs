//! Errors in the words that a person reads.

use std::error::Error;

/// An error with its causes in one line, the nearest first, with `: ` between them.
#[must_use]
pub fn in_one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Because(&'static str, Option<Box<Self>>);

    impl fmt::Display for Because {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl Error for Because {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn causes_follow_in_the_same_line() {
        let first = Because("the disk is full", None);
        assert_eq!(in_one_line(&first), "the disk is full");
        let second = Because("cannot write", Some(Box::new(first)));
        let third = Because("no report", Some(Box::new(second)));
        assert_eq!(
            in_one_line(&third),
            "no report: cannot write: the disk is full"
        );
    }
}
