use std::sync::Arc;

use super::*;
use crate::shard::Shard;

const SEED: u64 = 20_261_111;

fn curve(pieces: &[(u64, f64, f64)]) -> Arc<RateCurve> {
    Arc::new(RateCurve::new(pieces.iter().map(|&(seconds, from, to)| {
        (Duration::from_secs(seconds), Ramp { from, to })
    })))
}

/// Arrivals in each phase.
fn counts(curve: &Arc<RateCurve>, seed: u64, spread: Spread) -> Vec<f64> {
    let mut counts = vec![0.0; 8];
    for arrival in Arrivals::all(Arc::clone(curve), seed, spread) {
        counts[usize::from(arrival.phase.0)] += 1.0;
    }
    counts
}

#[test]
fn poisson_counts_of_every_phase_are_within_three_standard_errors() {
    let curve = curve(&[
        (10, 50.0, 50.0),
        (20, 50.0, 1_000.0),
        (30, 1_000.0, 1_000.0),
        (5, 0.0, 0.0),
    ]);
    for seed in [1, 2, SEED] {
        let counts = counts(&curve, seed, Spread::Poisson);
        for (count, expected) in counts.iter().zip([500.0, 10_500.0, 30_000.0, 0.0]) {
            let error = (count - expected).abs();
            assert!(
                error <= 3.0 * f64::sqrt(expected),
                "{count} for {expected}, seed {seed}"
            );
        }
    }
}

#[test]
fn poisson_gaps_are_exponential() {
    let curve = curve(&[(1_000, 100.0, 100.0)]);
    let at: Vec<f64> = Arrivals::all(curve, SEED, Spread::Poisson)
        .map(|arrival| arrival.at.as_secs_f64())
        .collect();
    let mut gaps: Vec<f64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let count = gaps.len() as f64;
    // Kolmogorov–Smirnov distance to the exponential law with mean 10 ms; 1.95 is exceeded once in
    // a thousand.
    let distance = gaps
        .iter()
        .enumerate()
        .map(|(index, gap)| (1.0 - (-gap * 100.0).exp() - index as f64 / count).abs())
        .fold(0.0, f64::max);
    assert!(
        distance * count.sqrt() < 1.95,
        "distance {distance} over {count} gaps"
    );
}

#[test]
fn even_counts_are_exact_and_gaps_equal() {
    let curve = curve(&[(10, 100.0, 100.0), (10, 50.0, 150.0), (10, 33.3, 33.3)]);
    assert_eq!(
        counts(&curve, SEED, Spread::Even)[..3],
        [1_000.0, 1_000.0, 333.0]
    );
    let at: Vec<Duration> = Arrivals::all(curve, SEED, Spread::Even)
        .map(|arrival| arrival.at)
        .collect();
    assert_eq!(at[0], Duration::from_millis(5));
    for pair in at[..1_000].windows(2) {
        let gap = pair[1].as_secs_f64() - pair[0].as_secs_f64();
        assert!((gap - 0.01).abs() < 1e-6, "{gap}");
    }
}

#[test]
fn a_ramp_follows_its_integral() {
    // From 0 to 200 a second over 10 s: t² · 10 arrivals are expected by t.
    let curve = curve(&[(10, 0.0, 200.0)]);
    for arrival in Arrivals::all(curve, SEED, Spread::Even) {
        let expected = (arrival.shopper as f64 + 0.5) / 10.0;
        assert!(
            (arrival.at.as_secs_f64() - expected.sqrt()).abs() < 1e-6,
            "{arrival:?}"
        );
    }
    let falling = self::curve(&[(10, 200.0, 0.0)]);
    let last = Arrivals::all(falling, SEED, Spread::Even).last().unwrap();
    assert_eq!(last.shopper, 999);
    assert!(
        (last.at.as_secs_f64() - (10.0 - f64::sqrt(0.05))).abs() < 1e-6,
        "{last:?}"
    );
}

#[test]
fn threads_share_the_same_arrivals() {
    let curve = curve(&[(5, 10.0, 400.0), (5, 0.0, 0.0), (5, 300.0, 300.0)]);
    for spread in [Spread::Poisson, Spread::Even] {
        let all: Vec<Arrival> = Arrivals::all(Arc::clone(&curve), SEED, spread).collect();
        assert!(all.is_sorted_by_key(|arrival| arrival.at));
        for threads in [2, 3, 7] {
            let mut merged: Vec<Arrival> = (0..threads)
                .flat_map(|thread| {
                    let own = Shard::WHOLE.thread(thread, threads);
                    Arrivals::of(Arc::clone(&curve), SEED, spread, own)
                        .inspect(move |arrival| assert_eq!(arrival.shopper % threads, thread))
                })
                .collect();
            merged.sort_by_key(|arrival| arrival.shopper);
            assert_eq!(merged, all);
        }
        let other: Vec<Arrival> = Arrivals::all(Arc::clone(&curve), SEED + 1, spread).collect();
        assert_eq!(
            other == all,
            spread == Spread::Even,
            "only chance depends on the seed"
        );
    }
}

#[test]
fn shards_share_the_same_arrivals() {
    let curve = curve(&[(3, 10.0, 200.0), (2, 0.0, 0.0), (3, 100.0, 100.0)]);
    for seed in 1..=40 {
        for spread in [Spread::Poisson, Spread::Even] {
            let all: Vec<Arrival> = Arrivals::all(Arc::clone(&curve), seed, spread).collect();
            for count in 1..=7 {
                let shards = (0..count).map(|index| Shard::new(index, count).unwrap());
                let threads = shards.flat_map(|shard| (0..2).map(move |at| shard.thread(at, 2)));
                let mut merged: Vec<Arrival> = threads
                    .flat_map(|own| Arrivals::of(Arc::clone(&curve), seed, spread, own))
                    .collect();
                merged.sort_by_key(|arrival| arrival.shopper);
                assert_eq!(merged, all, "seed {seed}, {count} shards");
            }
        }
    }
}

#[test]
fn an_instant_belongs_to_the_phase_that_begins_with_it() {
    let phase = |seconds| Phase {
        name: String::new(),
        duration: Duration::from_secs(seconds),
        rate: None,
        peak: false,
        measured: true,
        samples_file: None,
    };
    let clock = PhaseClock::new(&[phase(5), phase(10)]);
    assert_eq!(clock.end(), Duration::from_secs(15));
    for (seconds, expected) in [(0, 0), (4, 0), (5, 1), (14, 1), (15, 1), (99, 1)] {
        assert_eq!(
            clock.phase_at(Duration::from_secs(seconds)),
            PhaseId(expected)
        );
    }
}

#[test]
fn requests_are_converted_by_the_requests_of_a_visit() {
    let ramp = Rate::Requests(Ramp::constant(1_000.0)).visits(2.77);
    assert!((ramp.from - 361.01).abs() < 0.01);
    let ramp = Rate::Visits(Ramp::constant(7.0)).visits(2.77);
    assert!((ramp.to - 7.0).abs() < 1e-12);
}
