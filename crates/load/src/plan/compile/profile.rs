//! Compiling load profiles.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::{Compiler, NAME_RULE, is_name};
use crate::plan::file::{PhaseFile, ProfileFile, SpreadFile};
use crate::plan::profile::{Base, HOURS, Profile, ProfilePhase, Shape};
use crate::schedule::{Ramp, Spread};

const RATE_MAX: f64 = 10_000_000.0;
const USERS_MAX: u32 = 1_000_000;
const FACTOR_MAX: f64 = 1_000_000.0;
const TIME_SCALE_MAX: f64 = 1_000_000.0;
const PHASE_SECONDS_MAX: f64 = 604_800.0;
const PHASES_MAX: usize = 1_000;

impl Compiler<'_> {
    /// Compiles the profile; `None` when it cannot be used, with the problems noted.
    pub(super) fn profile(&mut self, file: &ProfileFile, span: &Range<usize>) -> Option<Profile> {
        let base = self.base(file, span);
        let time_scale = file.time_scale.as_ref().map_or(1.0, |scale| {
            let accepted = |scale: f64| scale > 0.0 && scale <= TIME_SCALE_MAX;
            self.number(
                scale,
                accepted,
                "`time_scale` is above 0 and at most 1,000,000",
            )
        });
        if let (Some(spread), Some(Base::Users(_))) = (&file.spread, base) {
            self.problems
                .at(&spread.span(), "virtual users do not arrive: drop `spread`");
        }
        let spread = match file.spread.as_ref().map(Spanned::get_ref) {
            Some(SpreadFile::Even) => Spread::Even,
            Some(SpreadFile::Poisson) | None => Spread::Poisson,
        };
        let shape = self.shape(file, span, base);
        Some(Profile {
            base: base?,
            spread,
            time_scale,
            shape: shape?,
        })
    }

    fn base(&mut self, file: &ProfileFile, span: &Range<usize>) -> Option<Base> {
        let accepted = |rate: f64| rate > 0.0 && rate <= RATE_MAX;
        let rule = "a rate is above 0 and at most 10,000,000 per second";
        let (visits, requests) = (&file.visits_per_second, &file.requests_per_second);
        match (visits, requests, &file.users) {
            (Some(visits), None, None) => Some(Base::Visits(self.number(visits, accepted, rule))),
            (None, Some(requests), None) => {
                Some(Base::Requests(self.number(requests, accepted, rule)))
            }
            (None, None, Some(users)) => {
                if !(1..=USERS_MAX).contains(users.get_ref()) {
                    let rule = "there are from 1 to 1,000,000 virtual users";
                    self.problems.at(&users.span(), rule);
                }
                Some(Base::Users(*users.get_ref()))
            }
            _ => {
                self.problems.at(
                    span,
                    "a profile has one of `visits_per_second`, `requests_per_second` and `users`",
                );
                None
            }
        }
    }

    fn number(&mut self, given: &Spanned<f64>, accepted: impl Fn(f64) -> bool, rule: &str) -> f64 {
        if !accepted(*given.get_ref()) {
            self.problems.at(&given.span(), rule);
        }
        *given.get_ref()
    }

    fn shape(
        &mut self,
        file: &ProfileFile,
        span: &Range<usize>,
        base: Option<Base>,
    ) -> Option<Shape> {
        match (&file.hours, file.phase.as_slice()) {
            (Some(hours), []) => self.hours(file, hours, base),
            (None, [_, ..]) => {
                let misplaced = [
                    file.peak_above.as_ref().map(Spanned::span),
                    file.hour.as_ref().map(Spanned::span),
                ];
                for span in misplaced.iter().flatten() {
                    self.problems
                        .at(span, "this needs `hours`, the multipliers of a day");
                }
                Some(Shape::Phases(self.phases(&file.phase, base)))
            }
            _ => {
                let rule = "a profile has either `hours` or at least one `[[profile.phase]]`";
                self.problems.at(span, rule);
                None
            }
        }
    }

    fn hours(
        &mut self,
        file: &ProfileFile,
        hours: &Spanned<Vec<f64>>,
        base: Option<Base>,
    ) -> Option<Shape> {
        let accepted = |factor: f64| (0.0..=FACTOR_MAX).contains(&factor);
        let multipliers = <[f64; HOURS]>::try_from(hours.get_ref().as_slice()).ok();
        let usable = multipliers.is_some_and(|multipliers| {
            multipliers.into_iter().all(accepted) && multipliers.iter().any(|m| *m > 0.0)
        });
        if !usable {
            let rule = "`hours` are 24 multipliers from 0 to 1,000,000, and not all 0";
            self.problems.at(&hours.span(), rule);
        }
        let peak_above = file.peak_above.as_ref().map(|above| {
            self.number(
                above,
                accepted,
                "`peak_above` is a multiplier from 0 to 1,000,000",
            )
        });
        let mut hour = None;
        if let Some(given) = &file.hour {
            hour = usize::try_from(*given.get_ref())
                .ok()
                .filter(|hour| *hour < HOURS);
            if hour.is_none() {
                self.problems.at(&given.span(), "an hour is from 0 to 23");
            }
        } else if let (Some(Base::Users(_)), Some(users)) = (base, &file.users) {
            let message = "the number of virtual users is the same throughout a run and cannot follow \
                           a day: name one `hour`, or give `visits_per_second`";
            self.problems.at(&users.span(), message);
        }
        Some(Shape::Hours {
            multipliers: multipliers?,
            peak_above,
            hour,
        })
    }

    fn phases(&mut self, files: &[PhaseFile], base: Option<Base>) -> Vec<ProfilePhase> {
        let mut phases: Vec<ProfilePhase> = Vec::with_capacity(files.len());
        for file in files {
            let name = file.name.get_ref();
            if !is_name(name) {
                self.problems.at(&file.name.span(), NAME_RULE);
            }
            if phases.iter().any(|phase| phase.name == *name) {
                self.problems
                    .at(&file.name.span(), format!("there are two phases `{name}`"));
            }
            if phases.len() == PHASES_MAX {
                self.problems
                    .at(&file.name.span(), "a profile has at most 1,000 phases");
                break;
            }
            let accepted = |seconds: f64| seconds > 0.0 && seconds <= PHASE_SECONDS_MAX;
            let rule = "a phase lasts longer than 0 s and at most 604,800 s";
            let seconds = self.number(&file.duration_s, accepted, rule);
            let factor = self.factor(file, base);
            phases.push(ProfilePhase {
                name: name.clone(),
                duration: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
                factor,
                peak: file.peak,
                measured: file.measured,
            });
        }
        phases
    }

    /// The factor of a phase, or its two ends.
    fn factor(&mut self, file: &PhaseFile, base: Option<Base>) -> Ramp {
        let given = [&file.factor, &file.from, &file.to];
        if let (Some(Base::Users(_)), Some(first)) = (base, given.into_iter().flatten().next()) {
            let message = "the number of virtual users is the same throughout a run; a phase of them \
                           has no factor";
            self.problems.at(&first.span(), message);
        }
        let accepted = |factor: f64| (0.0..=FACTOR_MAX).contains(&factor);
        let rule = "a factor is from 0 to 1,000,000";
        match (&file.factor, &file.from, &file.to) {
            (None, None, None) => Ramp::constant(1.0),
            (Some(factor), None, None) => Ramp::constant(self.number(factor, accepted, rule)),
            (None, Some(from), Some(to)) => Ramp {
                from: self.number(from, accepted, rule),
                to: self.number(to, accepted, rule),
            },
            _ => {
                let rule = "a phase has either `factor`, or `from` and `to`";
                self.problems.at(&file.name.span(), rule);
                Ramp::constant(1.0)
            }
        }
    }
}
