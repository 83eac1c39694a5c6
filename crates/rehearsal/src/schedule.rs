//! The traffic of every run: which phases, and which of them is judged.

use std::time::Duration;

use double11_jmeter::measured_run::MeasuredPlan;
use double11_load::LoadModel;
use double11_load::plan::{Plan, Traffic};
use double11_load::schedule::{Phase, Ramp, Rate, Spread};

use crate::options::RehearsalOptions;

/// Requests per second of a normal day, as the requirements have it.
pub const NORMAL_PER_SECOND: f64 = 50.0;

/// Stem of the sample file of phases with normal behaviour.
const NORMAL_FILE: &str = "normal";
/// Stem of the sample file of phases with the behaviour of the peak.
const PEAK_FILE: &str = "peak";

/// The traffic of every run.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Whether shoppers come by the clock or wait for answers.
    pub model: LoadModel,
    /// The phases in order.
    pub phases: Vec<Phase>,
    /// Requests per second of a normal day, of which the others are multiples; `None` where the plan
    /// knows no normal day.
    pub normal_per_second: Option<f64>,
    /// The phase whose figures are judged.
    pub judged: String,
}

impl Schedule {
    /// Shoppers who come by the clock, the way independent shoppers do.
    pub const OPEN: LoadModel = LoadModel::Open {
        spread: Spread::Poisson,
    };

    /// 70 seconds a run: warm-up 5 s, normal 15 s, ten times that 20 s, twenty times that 30 s.
    pub fn plateaus(normal_per_second: f64) -> Self {
        let plateau = |name, seconds, multiple, peak| {
            let rate = Ramp::constant(normal_per_second * multiple);
            phase(name, seconds, rate, peak)
        };
        let mut phases = vec![
            plateau("warm_up", 5, 1.0, false),
            plateau("normal", 15, 1.0, false),
            plateau("peak_10x", 20, 10.0, true),
            plateau("peak_20x", 30, 20.0, true),
        ];
        unmeasured(&mut phases, "warm_up");
        Self::open(phases, normal_per_second, "peak_20x")
    }

    /// The requirements' own times: a rise of 300 s and a peak of 1,800 s, after five minutes of a
    /// normal day.
    ///
    /// Source: requirements 2.2 (ramp 300 s, 1,800 s).
    pub fn full(normal_per_second: f64) -> Self {
        let at = |multiple| normal_per_second * multiple;
        let rise = Ramp {
            from: at(1.0),
            to: at(20.0),
        };
        let mut phases = vec![
            phase("warm_up", 10, Ramp::constant(at(1.0)), false),
            phase("normal", 300, Ramp::constant(at(1.0)), false),
            phase("ramp", 300, rise, true),
            phase("peak_20x", 1_800, Ramp::constant(at(20.0)), true),
        ];
        unmeasured(&mut phases, "warm_up");
        Self::open(phases, normal_per_second, "peak_20x")
    }

    /// The phases of a plan's own profile. The measured phase with the highest rate (the first of
    /// several, else the first measured one) is judged. Which of its rates is that of a normal day, a
    /// profile does not say.
    pub fn of_profile(traffic: Traffic, plan: &Plan) -> Self {
        let Traffic { model, mut phases } = traffic;
        let rate = |phase: &Phase| {
            let requests = phase.rate?.requests(plan.requests_per_visit(phase.peak));
            Some(requests.mean())
        };
        let measured = || phases.iter().filter(|phase| phase.measured);
        let judged = measured()
            .reduce(|best, next| if rate(next) > rate(best) { next } else { best })
            .map_or_else(String::new, |phase| phase.name.clone());
        for phase in &mut phases {
            phase.samples_file = sample_file(phase);
        }
        Self {
            model,
            phases,
            normal_per_second: None,
            judged,
        }
    }

    /// The phases of a `JMeter` plan, whose users wait for answers unless they begin as arrivals come.
    pub fn of_jmeter(plan: &MeasuredPlan) -> Self {
        let users = plan.users();
        Self {
            model: if plan.has_arrivals() {
                Self::OPEN
            } else {
                LoadModel::Closed { users }
            },
            phases: plan.phases().to_vec(),
            normal_per_second: None,
            judged: plan.judged().to_owned(),
        }
    }

    fn open(phases: Vec<Phase>, normal_per_second: f64, judged: &str) -> Self {
        Self {
            model: Self::OPEN,
            phases,
            normal_per_second: Some(normal_per_second),
            judged: judged.to_owned(),
        }
    }

    /// The same with every phase shorter by this factor.
    #[must_use]
    pub fn compressed(mut self, factor: f64) -> Self {
        for phase in &mut self.phases {
            phase.duration = phase.duration.div_f64(factor);
        }
        self
    }

    /// The judged phase and what has to come before it: the traffic of a rung of the ladder.
    #[must_use]
    pub fn for_ladder(&self) -> Self {
        let mut shorter = self.clone();
        shorter
            .phases
            .retain(|phase| !phase.measured || phase.name == self.judged);
        shorter
    }

    /// Most connections that the load generator opens: every virtual user has one of its own.
    pub fn connections(&self) -> u32 {
        let users = match self.model {
            LoadModel::Closed { users } => u32::try_from(users).unwrap_or(u32::MAX),
            LoadModel::Open { .. } => 0,
        };
        users.max(RehearsalOptions::CONNECTIONS)
    }

    /// How long the phases take together.
    pub fn length(&self) -> Duration {
        self.phases.iter().map(|phase| phase.duration).sum()
    }

    /// The judged phase.
    pub fn judged_phase(&self) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == self.judged)
    }
}

fn phase(name: &str, seconds: u64, rate: Ramp, peak: bool) -> Phase {
    let mut phase = Phase {
        name: name.to_owned(),
        duration: Duration::from_secs(seconds),
        rate: Some(Rate::Requests(rate)),
        peak,
        measured: true,
        samples_file: None,
    };
    phase.samples_file = sample_file(&phase);
    phase
}

fn unmeasured(phases: &mut [Phase], name: &str) {
    for phase in phases.iter_mut().filter(|phase| phase.name == name) {
        phase.measured = false;
        phase.samples_file = None;
    }
}

fn sample_file(phase: &Phase) -> Option<String> {
    let stem = if phase.peak { PEAK_FILE } else { NORMAL_FILE };
    phase.measured.then(|| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_takes_seventy_seconds_and_judges_twenty_times_the_normal_rate() {
        let schedule = Schedule::plateaus(NORMAL_PER_SECOND);
        assert_eq!(schedule.length(), Duration::from_secs(70));
        let judged = schedule.judged_phase().unwrap();
        assert_eq!(judged.rate, Some(Rate::Requests(Ramp::constant(1_000.0))));
        assert!(judged.peak && judged.duration >= Duration::from_secs(30));
        let files: Vec<_> = schedule
            .phases
            .iter()
            .map(|phase| phase.samples_file.as_deref())
            .collect();
        assert_eq!(files, [None, Some("normal"), Some("peak"), Some("peak")]);
    }

    #[test]
    fn the_full_form_has_the_times_of_the_requirements() {
        let schedule = Schedule::full(NORMAL_PER_SECOND);
        let seconds = |name: &str| {
            let phase = schedule.phases.iter().find(|phase| phase.name == name);
            phase.unwrap().duration.as_secs()
        };
        assert_eq!((seconds("ramp"), seconds("peak_20x")), (300, 1_800));
    }

    #[test]
    fn a_ladder_keeps_the_warm_up_and_the_judged_phase() {
        let ladder = Schedule::plateaus(NORMAL_PER_SECOND).for_ladder();
        let names: Vec<_> = ladder.phases.iter().map(|phase| &phase.name).collect();
        assert_eq!(names, ["warm_up", "peak_20x"]);
    }

    #[test]
    fn of_a_profile_the_busiest_phase_is_judged() {
        let hour = |name: &str, rate, peak| Phase {
            name: name.to_owned(),
            duration: Duration::from_secs(10),
            rate: Some(Rate::Visits(Ramp::constant(rate))),
            peak,
            measured: true,
            samples_file: None,
        };
        let phases = vec![
            hour("hour_00", 20.0, true),
            hour("hour_01", 20.0, true),
            hour("hour_03", 1.0, false),
        ];
        let model = LoadModel::Open {
            spread: Spread::Even,
        };
        let funnel = Plan::built_in("funnel", &[]).unwrap();
        let schedule = Schedule::of_profile(Traffic { model, phases }, &funnel);
        assert_eq!(schedule.judged, "hour_00");
        assert_eq!(schedule.normal_per_second, None);
        assert_eq!(schedule.phases[2].samples_file.as_deref(), Some("normal"));
        let faster = schedule.compressed(10.0);
        assert_eq!(faster.length(), Duration::from_secs(3));
    }

    #[test]
    fn virtual_users_have_a_judged_phase_too() {
        let phase = Phase {
            name: "hour".to_owned(),
            duration: Duration::from_secs(10),
            rate: None,
            peak: true,
            measured: true,
            samples_file: None,
        };
        let traffic = Traffic {
            model: LoadModel::Closed { users: 5 },
            phases: vec![phase],
        };
        let plan = Plan::built_in("session", &[]).unwrap();
        let schedule = Schedule::of_profile(traffic, &plan);
        assert_eq!(
            (schedule.judged.as_str(), schedule.normal_per_second),
            ("hour", None)
        );
    }
}
