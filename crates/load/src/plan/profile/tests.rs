use std::sync::Arc;

use super::*;
use crate::plan::{BUILT_IN_NAMES, Plan, built_in_text};
use crate::schedule::{Arrivals, PhaseClock, RateCurve};

const JOURNEY: &str = r#"
[[step]]
name = "get"
weight = 1
peak_factor = 1
[step.request]
method = "GET"
path = "/"
success = [200]
[[step]]
name = "buy"
weight = 0.25
peak_factor = 2
[step.request]
method = "GET"
path = "/buy"
success = [200]
"#;

fn plan(profile: &str) -> Plan {
    let text = format!("format = 1\nname = \"probe\"\n{profile}\n{JOURNEY}");
    Plan::parse("probe.toml", &text, &[]).unwrap()
}

fn overridden(
    plan: &Plan,
    change: impl FnOnce(&mut ProfileOverrides),
) -> Result<Traffic, ProfileError> {
    let mut overrides = ProfileOverrides::default();
    change(&mut overrides);
    plan.clone().with_overrides(overrides).traffic()
}

/// Name, seconds and rate of every phase.
fn shape(traffic: &Traffic) -> Vec<(&str, f64, Option<Rate>)> {
    let phases = traffic.phases.iter();
    phases
        .map(|phase| {
            (
                phase.name.as_str(),
                phase.duration.as_secs_f64(),
                phase.rate,
            )
        })
        .collect()
}

fn visits(from: f64, to: f64) -> Rate {
    Rate::Visits(Ramp { from, to })
}

fn requests(from: f64, to: f64) -> Rate {
    Rate::Requests(Ramp { from, to })
}

#[test]
fn the_day_is_planned_as_exactly_20_to_5_to_1() {
    let day = Plan::built_in("day", &[]).unwrap();
    let traffic = day.traffic().unwrap();
    assert_eq!(
        traffic.model,
        LoadModel::Open {
            spread: Spread::Poisson
        }
    );
    let multiplier = |hour: usize| match hour {
        0..=2 => 20.0,
        9..=11 | 19..=22 => 5.0,
        _ => 1.0,
    };
    assert_eq!(traffic.phases.len(), 24);
    for (hour, phase) in traffic.phases.iter().enumerate() {
        let expected = 18.0 * multiplier(hour);
        assert_eq!(phase.rate, Some(visits(expected, expected)), "{hour}");
        assert_eq!(phase.peak, hour <= 2, "{hour}");
        assert!(phase.measured);
        assert_eq!(phase.name, format!("hour_{hour:02}"));
        assert_eq!(phase.duration, Duration::from_millis(7_500));
    }
    // Spread evenly, the arrivals of every hour are the planned ones to the last.
    let curve = RateCurve::new(traffic.phases.iter().map(|phase| {
        let rate = phase
            .rate
            .unwrap()
            .visits(day.requests_per_visit(phase.peak));
        (phase.duration, rate)
    }));
    let mut counts = [0_u32; 24];
    for arrival in Arrivals::all(Arc::new(curve), 7, Spread::Even) {
        counts[usize::from(arrival.phase.0)] += 1;
    }
    for (hour, count) in counts.iter().enumerate() {
        assert!(
            (f64::from(*count) - 135.0 * multiplier(hour)).abs() < 0.5,
            "{hour}: {count}"
        );
    }
}

#[test]
fn another_base_keeps_the_proportions_of_the_day() {
    let day = Plan::built_in("day", &[]).unwrap();
    for rate in [50.0, 7.3, 1_000.0] {
        let traffic = overridden(&day, |overrides| overrides.rate = Some(rate)).unwrap();
        let at = |hour: usize| match traffic.phases[hour].rate {
            Some(Rate::Visits(ramp)) => ramp.from,
            other => panic!("multipliers are of visits, not {other:?}"),
        };
        assert!(
            (at(5) * 2.30 - rate).abs() < 1e-9,
            "{rate} requests/s in a quiet hour"
        );
        assert!((at(0) / at(5) - 20.0).abs() < 1e-12 && (at(9) / at(5) - 5.0).abs() < 1e-12);
    }
}

#[test]
fn an_hour_of_the_session_is_50_users_times_its_multiplier() {
    let session = Plan::built_in("session", &[]).unwrap();
    for (hour, users, peak) in [
        (None, 1_000, true),
        (Some(2), 1_000, true),
        (Some(10), 250, false),
        (Some(23), 50, false),
    ] {
        let traffic = overridden(&session, |overrides| overrides.hour = hour).unwrap();
        assert_eq!(traffic.model, LoadModel::Closed { users }, "{hour:?}");
        let name = format!("hour_{:02}", hour.unwrap_or(0));
        assert_eq!(shape(&traffic), [(name.as_str(), 60.0, None)]);
        assert_eq!(traffic.phases[0].peak, peak, "{hour:?}");
    }
    let open = overridden(&session, |overrides| {
        (overrides.rate, overrides.hour) = (Some(30.0), Some(9));
    });
    let open = open.unwrap();
    let per_second = 5.0 * 30.0 / session.requests_per_visit(false);
    assert_eq!(
        shape(&open),
        [("hour_09", 60.0, Some(visits(per_second, per_second)))]
    );
    let few = overridden(&session, |overrides| overrides.users = Some(3)).unwrap();
    assert_eq!(few.model, LoadModel::Closed { users: 60 });
}

#[test]
fn phases_have_factors_and_overrides_change_their_base_and_length() {
    let plan = plan(
        "[profile]\nrequests_per_second = 50\nspread = \"even\"\ntime_scale = 2\n\
         [[profile.phase]]\nname = \"warm_up\"\nduration_s = 10\nmeasured = false\n\
         [[profile.phase]]\nname = \"up\"\nduration_s = 20\nfrom = 1\nto = 20\n\
         [[profile.phase]]\nname = \"peak_20x\"\nduration_s = 30\nfactor = 20\npeak = true",
    );
    let traffic = plan.traffic().unwrap();
    assert_eq!(
        traffic.model,
        LoadModel::Open {
            spread: Spread::Even
        }
    );
    let expected = [
        ("warm_up", 5.0, Some(requests(50.0, 50.0))),
        ("up", 10.0, Some(requests(50.0, 1_000.0))),
        ("peak_20x", 15.0, Some(requests(1_000.0, 1_000.0))),
    ];
    assert_eq!(shape(&traffic), expected);
    let flags: Vec<_> = traffic
        .phases
        .iter()
        .map(|phase| (phase.peak, phase.measured))
        .collect();
    assert_eq!(flags, [(false, false), (false, true), (true, true)]);
    let shorter = overridden(&plan, |overrides| {
        overrides.duration = Some(Duration::from_secs(6));
        overrides.rate = Some(5.0);
        overrides.ramp = Some(Duration::from_secs(3));
    });
    let shorter = shorter.unwrap();
    let expected = [
        ("ramp", 3.0, Some(requests(0.0, 5.0))),
        ("warm_up", 1.0, Some(requests(5.0, 5.0))),
        ("up", 2.0, Some(requests(5.0, 100.0))),
        ("peak_20x", 3.0, Some(requests(100.0, 100.0))),
    ];
    assert_eq!(shape(&shorter), expected);
    assert!(!shorter.phases[0].measured);
    let scaled = overridden(&plan, |overrides| overrides.time_scale = Some(10.0)).unwrap();
    assert_eq!(
        PhaseClock::new(&scaled.phases).end(),
        Duration::from_secs(6)
    );
}

proptest::proptest! {
    #[test]
    fn a_duration_is_that_of_the_whole_and_changes_no_proportion(millis in 100_u64..10_000_000) {
        let duration = Duration::from_millis(millis);
        for name in ["day", "flash-sale"] {
            let plan = Plan::built_in(name, &[]).unwrap();
            let (before, after) = (
                plan.traffic().unwrap(),
                overridden(&plan, |overrides| overrides.duration = Some(duration)).unwrap(),
            );
            let whole = |traffic: &Traffic| PhaseClock::new(&traffic.phases).end().as_secs_f64();
            assert!((whole(&after) - duration.as_secs_f64()).abs() < 1e-6);
            for (old, new) in before.phases.iter().zip(&after.phases) {
                assert_eq!((&old.name, old.rate, old.peak), (&new.name, new.rate, new.peak));
                let share = old.duration.as_secs_f64() / whole(&before);
                assert!((new.duration.as_secs_f64() - share * whole(&after)).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn a_plan_without_a_profile_is_run_as_the_caller_says() {
    let funnel = Plan::built_in("funnel", &[]).unwrap();
    assert_eq!(funnel.traffic(), Err(ProfileError::NoPace));
    let open = overridden(&funnel, |overrides| {
        (overrides.rate, overrides.peak) = (Some(100.0), true);
    });
    let open = open.unwrap();
    assert_eq!(
        shape(&open),
        [("steady", 30.0, Some(requests(100.0, 100.0)))]
    );
    assert!(open.phases[0].peak && open.phases[0].measured);
    let closed = overridden(&funnel, |overrides| {
        overrides.users = Some(64);
        overrides.duration = Some(Duration::from_millis(1_234));
    });
    let closed = closed.unwrap();
    assert_eq!(closed.model, LoadModel::Closed { users: 64 });
    assert_eq!(closed.phases[0].duration, Duration::from_millis(1_234));
}

#[test]
fn overrides_that_do_not_go_together_are_refused_by_name() {
    type Change = fn(&mut ProfileOverrides);
    let cases: &[(&str, Change, &str, &str)] = &[
        ("funnel", |o| o.hour = Some(1), "", "no load profile"),
        (
            "funnel",
            |o| (o.rate, o.hour) = (Some(1.0), Some(1)),
            "hour",
            "no hours",
        ),
        (
            "funnel",
            |o| (o.rate, o.time_scale) = (Some(1.0), Some(2.0)),
            "time-scale",
            "no profile",
        ),
        (
            "funnel",
            |o| (o.rate, o.users) = (Some(1.0), Some(2)),
            "users",
            "not together",
        ),
        ("funnel", |o| o.rate = Some(f64::NAN), "rate", "a number"),
        ("funnel", |o| o.users = Some(0), "users", "at least 1"),
        (
            "funnel",
            |o| (o.users, o.ramp) = (Some(2), Some(Duration::from_secs(1))),
            "ramp",
            "no rate",
        ),
        ("day", |o| o.peak = true, "peak", "profile says"),
        ("day", |o| o.hour = Some(24), "hour", "from 0 to 23"),
        ("day", |o| o.users = Some(10), "users", "pick one hour"),
        ("day", |o| o.time_scale = Some(0.0), "time-scale", "above 0"),
        (
            "day",
            |o| (o.time_scale, o.duration) = (Some(2.0), Some(Duration::from_secs(1))),
            "time-scale",
            "not together",
        ),
        (
            "day",
            |o| o.duration = Some(Duration::ZERO),
            "duration",
            "longer than 0",
        ),
        ("flash-sale", |o| o.users = Some(10), "users", "factors"),
        ("flash-sale", |o| o.hour = Some(1), "hour", "no hours"),
    ];
    for (name, change, option, words) in cases {
        let plan = Plan::built_in(name, &[]).unwrap();
        let error = overridden(&plan, change).unwrap_err();
        let named = match &error {
            ProfileError::NoPace => "",
            ProfileError::Option { option, .. } => option,
        };
        assert_eq!(named, *option, "{name}: {error}");
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
    // A length that no run can have is the engine's to refuse, not a panic.
    let endless = overridden(&Plan::built_in("day", &[]).unwrap(), |o| {
        o.time_scale = Some(1e-300);
    });
    assert_eq!(endless.unwrap().phases[0].duration, Duration::MAX);
}

#[test]
fn profiles_are_told_in_words() {
    let words = |name: &str| {
        let plan = Plan::built_in(name, &[]).unwrap();
        plan.profile().map(ToString::to_string)
    };
    assert_eq!(words("funnel"), None);
    assert_eq!(words("orders"), None);
    assert_eq!(
        words("day").unwrap(),
        "18 visits/s x the hour's multiplier, a day in 180 s"
    );
    assert_eq!(
        words("session").unwrap(),
        "50 virtual users x 20, the multiplier of hour 0, in 60 s"
    );
    assert_eq!(
        words("flash-sale").unwrap(),
        "600 visits/s through before, opening, rush, rest in 35 s"
    );
}

/// The text that `plan show` prints is the plan: same hash, same traffic, same journey.
#[test]
fn a_built_in_plan_and_its_text_are_the_same() {
    for name in BUILT_IN_NAMES {
        let built_in = Plan::built_in(name, &[]).unwrap();
        let copy = Plan::parse("x.toml", built_in_text(name).unwrap(), &[]).unwrap();
        assert_eq!(copy.hash(), built_in.hash());
        let paced = |plan: &Plan| {
            overridden(plan, |overrides| {
                overrides.rate = Some(40.0);
                overrides.duration = Some(Duration::from_secs(2));
            })
        };
        assert_eq!(paced(&copy), paced(&built_in));
        let text = built_in_text(name).unwrap();
        let tenfold = text.replace("visits_per_second = ", "visits_per_second = 1");
        if tenfold != text {
            let other = Plan::parse("x.toml", &tenfold, &[]).unwrap();
            assert_ne!(
                other.hash(),
                built_in.hash(),
                "the profile is part of the hash"
            );
        }
    }
}
