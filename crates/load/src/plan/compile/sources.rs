//! Compiling sources of data.

use std::ops::Range;

use rand_distr::Zipf;

use super::Compiler;
use crate::plan::file::{Amount, DataFile, PlanFile, WeightedFile};
use crate::plan::{Data, Piece, Repeat, Source, built_in};

/// Whole numbers above this are not exact in the files' number type.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// Items of an array at most.
const ITEMS_MAX: u32 = 1_000;

impl Compiler<'_> {
    /// Gives every source its index first, because arrays name other sources.
    pub(super) fn declare_data(&mut self, file: &PlanFile) {
        for (name, data) in &file.data {
            let placeholder = match data.get_ref() {
                DataFile::Repeat { .. } => Data::Repeat(Repeat::default()),
                _ => Data::Uuid,
            };
            self.declare(name, &data.span(), Source::Data(placeholder));
        }
    }

    /// Compiles the sources: arrays last, since their items are made of the others.
    pub(super) fn compile_data(&mut self, file: &PlanFile) {
        let is_repeat = |data: &DataFile| matches!(data, DataFile::Repeat { .. });
        for repeats in [false, true] {
            for (name, data) in &file.data {
                if is_repeat(data.get_ref()) != repeats {
                    continue;
                }
                let compiled = self.data(data.get_ref(), &data.span());
                if let (Ok(compiled), Some(&index)) = (compiled, self.names.get(name)) {
                    self.variables[index].source = Source::Data(compiled);
                }
            }
        }
    }

    /// Compiles one source; the problem of an unusable one is already noted.
    fn data(&mut self, file: &DataFile, span: &Range<usize>) -> Result<Data, ()> {
        match file {
            DataFile::Uniform { min, max } => {
                let (min, max) = (self.whole(min, span)?, self.whole(max, span)?);
                if min > max {
                    return self.reject(span, "`min` is above `max`");
                }
                Ok(Data::Uniform { min, max })
            }
            DataFile::Zipf { exponent, max } => {
                let max = self.whole(max, span)?;
                Ok(Data::Zipf {
                    law: self.law(max, *exponent, span)?,
                })
            }
            DataFile::List {
                values,
                built_in,
                exponent,
            } => self.list(values, built_in.as_deref(), *exponent, span),
            DataFile::Choice { values } => self.choice(values, span),
            DataFile::Uuid {} => Ok(Data::Uuid),
            DataFile::Repeat {
                min,
                max,
                distinct,
                template,
            } => {
                if min > max || *max == 0 || *max > ITEMS_MAX {
                    return self.reject(span, "an array needs `min` ≤ `max`, and 1 ≤ `max` ≤ 1000");
                }
                let (min, max) = (u64::from(*min), u64::from(*max));
                self.repeat(min..=max, distinct.as_deref(), template, span)
            }
        }
    }

    fn reject<T>(&mut self, span: &Range<usize>, message: impl Into<String>) -> Result<T, ()> {
        self.problems.at(span, message);
        Err(())
    }

    fn whole(&mut self, amount: &Amount, span: &Range<usize>) -> Result<u64, ()> {
        let value = self.amount(amount, span).ok_or(())?;
        if !(0.0..=WHOLE_MAX).contains(&value) || value.fract() > 0.0 {
            return self.reject(span, format!("{value} is not a whole number from 0"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be whole and in range"
        )]
        Ok(value as u64)
    }

    fn law(&mut self, ranks: u64, exponent: f64, span: &Range<usize>) -> Result<Zipf<f64>, ()> {
        if !exponent.is_finite() {
            return self.reject(span, "`exponent` is a number from 0");
        }
        Zipf::new(ranks as f64, exponent).or_else(|error| self.reject(span, error.to_string()))
    }

    fn list(
        &mut self,
        values: &[String],
        built_in: Option<&str>,
        exponent: Option<f64>,
        span: &Range<usize>,
    ) -> Result<Data, ()> {
        let values = match (built_in, values) {
            (Some(name), []) => match built_in::list(name) {
                Some(values) => values,
                None => return self.reject(span, format!("there is no built-in list `{name}`")),
            },
            (None, [_, ..]) => values.to_vec(),
            _ => return self.reject(span, "a list has either `values` or `built_in`"),
        };
        let ranks = u64::try_from(values.len()).unwrap_or(u64::MAX);
        let law = match exponent {
            Some(exponent) => Some(self.law(ranks, exponent, span)?),
            None => None,
        };
        Ok(Data::List { values, law })
    }

    fn choice(&mut self, files: &[WeightedFile], span: &Range<usize>) -> Result<Data, ()> {
        let mut values = Vec::with_capacity(files.len());
        let mut sum = 0.0;
        for file in files {
            if !(file.weight.is_finite() && file.weight >= 0.0) {
                return self.reject(span, "the weight of a choice is a number from 0");
            }
            sum += file.weight;
            values.push((sum, file.value.clone()));
        }
        if sum <= 0.0 {
            return self.reject(span, "a choice needs a weight above 0");
        }
        Ok(Data::Choice { values })
    }

    fn repeat(
        &mut self,
        items: std::ops::RangeInclusive<u64>,
        distinct: Option<&str>,
        template: &str,
        span: &Range<usize>,
    ) -> Result<Data, ()> {
        let item = match self.json_template(template, None) {
            Ok(item) => item,
            Err(message) => return self.reject(span, message),
        };
        let mut variables = Vec::new();
        for piece in &item.pieces {
            if let Piece::Value { variable, .. } = piece
                && !variables.contains(variable)
            {
                variables.push(*variable);
            }
        }
        if variables.iter().any(|&index| {
            matches!(
                self.variables[index].source,
                Source::Data(Data::Repeat(_)) | Source::Shopper
            )
        }) {
            return self.reject(span, "the items of an array are made of drawn values only");
        }
        let distinct = match distinct {
            None => None,
            Some(name) => match self
                .names
                .get(name)
                .filter(|index| variables.contains(*index))
            {
                Some(index) => Some(*index),
                None => {
                    return self
                        .reject(span, format!("the template has no `{name}` to be distinct"));
                }
            },
        };
        let (min, max) = (*items.start(), *items.end());
        Ok(Data::Repeat(Repeat {
            min,
            max,
            distinct,
            item,
            variables,
        }))
    }
}
