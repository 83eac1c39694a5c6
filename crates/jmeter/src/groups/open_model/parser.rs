//! Reads the schedules of open model thread groups.
//!
//! `rate(5/sec)`, `random_arrivals(1 min 30 s)`, `even_arrivals(2 h)` and `pause(10 ms)`, with comments
//! as in C. A number by itself means so many arrivals within a second, and an hour for them to end.
//!
//! Source: `JMeter` 5.5, `scheduleTokenizer.kt` and `scheduleParser.kt`.

/// A step of a schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    /// So many arrivals a second from here on.
    Rate(f64),
    /// Arrivals for so many seconds.
    Arrivals(Spread, f64),
}

/// How arrivals lie in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    Even,
    Random,
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'t> {
    Name(&'t str),
    Number(f64),
    Sign(char),
}

impl Step {
    /// How long it takes.
    pub(super) fn seconds(&self) -> f64 {
        match self {
            Self::Rate(_) => 0.0,
            Self::Arrivals(_, seconds) => *seconds,
        }
    }
}

/// The steps of a schedule.
///
/// # Errors
/// What is wrong with the text, and where.
pub(super) fn steps(text: &str) -> Result<Vec<Step>, String> {
    if let Ok(count) = text.parse::<i32>() {
        let rate = f64::from(count);
        return Ok(vec![
            Step::Rate(rate),
            Step::Arrivals(Spread::Even, 1.0),
            Step::Rate(rate),
            Step::Rate(0.0),
            Step::Arrivals(Spread::Even, 3_600.0),
        ]);
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        last_rate: 0.0,
    };
    let mut steps = Vec::new();
    while parser.at < parser.tokens.len() {
        parser.step(&mut steps)?;
    }
    Ok(steps)
}

struct Parser<'t> {
    /// With the character that each begins at, from 1.
    tokens: Vec<(usize, Token<'t>)>,
    at: usize,
    last_rate: f64,
}

impl<'t> Parser<'t> {
    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        let name = match self.peek() {
            Some(Token::Name(name)) => name.to_ascii_lowercase(),
            _ => String::new(),
        };
        match name.as_str() {
            "rate" => {
                self.at += 1;
                self.last_rate = self.within(Self::rate)?;
                steps.push(Step::Rate(self.last_rate));
            }
            "random_arrivals" | "even_arrivals" => {
                self.at += 1;
                let spread = if name == "random_arrivals" {
                    Spread::Random
                } else {
                    Spread::Even
                };
                steps.push(Step::Arrivals(spread, self.within(Self::duration)?));
            }
            "pause" => {
                self.at += 1;
                let pause = Step::Arrivals(Spread::Even, self.within(Self::duration)?);
                let (none, rate) = (Step::Rate(0.0), Step::Rate(self.last_rate));
                if self.last_rate > 0.0 {
                    steps.extend([rate, none, pause, none, rate]);
                } else {
                    steps.extend([pause, rate]);
                }
            }
            _ => return self.wrong("`rate`, `random_arrivals`, `even_arrivals` or `pause`"),
        }
        Ok(())
    }

    /// What stands in parentheses.
    fn within(&mut self, read: fn(&mut Self) -> Result<f64, String>) -> Result<f64, String> {
        self.sign('(')?;
        let value = read(self)?;
        self.sign(')')?;
        Ok(value)
    }

    /// Arrivals a second.
    fn rate(&mut self) -> Result<f64, String> {
        let number = self.number()?;
        if number <= 0.0 && self.peek() == Some(&Token::Sign(')')) {
            return Ok(0.0);
        }
        match self.peek() {
            Some(Token::Sign('/')) => self.at += 1,
            Some(Token::Name(name)) if name.eq_ignore_ascii_case("per") => self.at += 1,
            _ => return self.wrong("`/` or `per`"),
        }
        Ok(number / self.unit()?)
    }

    /// Seconds.
    fn duration(&mut self) -> Result<f64, String> {
        let mut seconds = 0.0;
        loop {
            let number = self.number()?;
            if number <= 0.0 && self.peek() == Some(&Token::Sign(')')) {
                return Ok(seconds);
            }
            seconds += number * self.unit()?;
            if !matches!(self.peek(), Some(Token::Number(_))) {
                return Ok(seconds);
            }
        }
    }

    /// The seconds of a unit.
    fn unit(&mut self) -> Result<f64, String> {
        let Some(Token::Name(name)) = self.peek() else {
            return self.wrong("a unit of time");
        };
        let name = name.to_ascii_lowercase();
        let seconds = match name.as_str() {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ if name.starts_with("sec") => 1.0,
            _ if name.starts_with("min") => 60.0,
            _ if name.starts_with("hour") => 3_600.0,
            _ if name.starts_with("day") => 86_400.0,
            _ => return self.wrong("a unit of time: `ms`, `sec`, `min`, `hour` or `day`"),
        };
        self.at += 1;
        Ok(seconds)
    }

    fn number(&mut self) -> Result<f64, String> {
        let Some(Token::Number(number)) = self.peek() else {
            return self.wrong("a number");
        };
        let number = *number;
        self.at += 1;
        Ok(number)
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        if self.peek() != Some(&Token::Sign(sign)) {
            return self.wrong(&format!("`{sign}`"));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<&Token<'t>> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn wrong<T>(&self, expected: &str) -> Result<T, String> {
        Err(match self.tokens.get(self.at) {
            Some((at, _)) => format!("{expected} is expected at character {at}"),
            None => format!("{expected} is expected at its end"),
        })
    }
}

/// Takes a text apart.
fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = text.split_at(text.len() - rest.len()).0;
        let at = before.chars().count() + 1;
        let after = rest.split_at(first.len_utf8()).1;
        rest = if first.is_whitespace() {
            after
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.split_once("*/");
            end.ok_or_else(|| format!("`*/` is missing after character {at}"))?
                .1
        } else if let Some(comment) = rest.strip_prefix("//") {
            comment
                .find(['\n', '\r'])
                .map_or("", |end| comment.split_at(end).1)
        } else if matches!(first, '(' | ')' | '/') {
            tokens.push((at, Token::Sign(first)));
            after
        } else if first.is_ascii_digit() || first == '.' {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
            let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
            let number = digits.parse();
            let number =
                number.map_err(|_| format!("`{digits}` at character {at} is no number"))?;
            tokens.push((at, Token::Number(number)));
            after
        } else if first.is_ascii_alphabetic() {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
            tokens.push((at, Token::Name(name)));
            after
        } else {
            return Err(format!("`{first}` at character {at} is not expected"));
        };
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read() {
        use Spread::{Even, Random};
        use Step::{Arrivals, Rate};
        for (text, expected) in [
            (
                "rate(5/sec) random_arrivals(1 min 30 s)",
                &[Rate(5.0), Arrivals(Random, 90.0)][..],
            ),
            (
                "RATE(60 per minute)Even_Arrivals(.5h)//end",
                &[Rate(1.0), Arrivals(Even, 1_800.0)],
            ),
            (
                "/* slow */ rate(0) pause(2s) rate(1/d)",
                &[
                    Rate(0.0),
                    Arrivals(Even, 2.0),
                    Rate(0.0),
                    Rate(1.0 / 86_400.0),
                ],
            ),
            (
                "rate(2/s) pause(0)",
                &[
                    Rate(2.0),
                    Rate(2.0),
                    Rate(0.0),
                    Arrivals(Even, 0.0),
                    Rate(0.0),
                    Rate(2.0),
                ],
            ),
        ] {
            assert_eq!(steps(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, expected) in [
            ("rate 5", "`(` is expected at character 6"),
            ("rate(5", "`/` or `per` is expected at its end"),
            ("rate(5/y)", "at character 8"),
            ("arrivals(1 s)", "at character 1"),
            ("rate(5/s) !", "`!` at character 11"),
            ("even_arrivals(1.2.3 s)", "`1.2.3` at character 15"),
            ("/* open", "`*/` is missing after character 1"),
        ] {
            let error = steps(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
