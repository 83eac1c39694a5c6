//! Proof by simulation: how often the verdicts are wrong, and how often they find what is there.
//!
//! Runs are drawn with a known true ratio and log-normal noise from run to run, and go through the
//! same functions as measured ones. The seeds are fixed, so that a result is one for good. With
//! `--nocapture` the tests print the table of `docs/STATISTICS.md`.

use rand::{Rng, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use rand_pcg::Pcg64Mcg;

use super::*;

const SIMULATIONS: u32 = 10_000;
const PAIRS: usize = 6;
const METRICS: usize = 3;

/// Throughput, a percentile of response time, CPU time per request.
const DIRECTIONS: [Direction; METRICS] = [
    Direction::HigherIsBetter,
    Direction::LowerIsBetter,
    Direction::LowerIsBetter,
];

/// How the simulated runs come about.
#[derive(Debug, Clone, Copy)]
struct World {
    /// The true ratio optimised ÷ baseline of each metric.
    ratios: [f64; METRICS],
    /// Standard deviation of the logarithm of a run's figure.
    noise: f64,
    /// Correlation of the noise of two metrics of one run, 0–1.
    correlation: f64,
}

impl World {
    fn figure(&self, truth: f64, shared: f64, rng: &mut impl Rng) -> Observation {
        let own: f64 = StandardNormal.sample(rng);
        let deviate = self.correlation.sqrt() * shared + (1.0 - self.correlation).sqrt() * own;
        Observation::exact(truth * (self.noise * deviate).exp())
    }

    /// One rehearsal: the family of metrics as it would be measured.
    fn rehearse(&self, rng: &mut impl Rng) -> [Comparison; METRICS] {
        let mut pairs: [Vec<Pair>; METRICS] = Default::default();
        for _ in 0..PAIRS {
            let baseline: f64 = StandardNormal.sample(rng);
            let optimized: f64 = StandardNormal.sample(rng);
            for (metric, ratio) in pairs.iter_mut().zip(self.ratios) {
                metric.push(Pair {
                    baseline: self.figure(100.0, baseline, rng),
                    optimized: self.figure(100.0 * ratio, optimized, rng),
                });
            }
        }
        std::array::from_fn(|metric| Comparison {
            direction: DIRECTIONS[metric],
            ratio: paired_log_ratio(&pairs[metric], CONFIDENCE_LEVEL),
        })
    }

    /// Rehearses [`SIMULATIONS`] times and returns the share for which `counts` holds.
    fn share(&self, seed: u64, counts: impl Fn(&[Comparison; METRICS]) -> bool) -> f64 {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let hits = (0..SIMULATIONS)
            .filter(|_| counts(&self.rehearse(&mut rng)))
            .count();
        hits as f64 / f64::from(SIMULATIONS)
    }
}

fn standard_error(share: f64) -> f64 {
    (share * (1.0 - share) / f64::from(SIMULATIONS)).sqrt()
}

fn any_claim(family: &[Comparison; METRICS]) -> bool {
    judge(family)
        .iter()
        .any(|judgement| !matches!(judgement.verdict, Verdict::NotShown(_)))
}

/// What a careless reader would do: a t test at 5 % on each metric by itself.
fn any_plain_claim(family: &[Comparison; METRICS]) -> bool {
    family
        .iter()
        .any(|comparison| comparison.ratio.unwrap().inference.unwrap().p_value < SIGNIFICANCE_LEVEL)
}

#[test]
fn the_same_shop_twice_is_hardly_ever_told_apart() {
    let limit = SIGNIFICANCE_LEVEL + 3.0 * standard_error(SIGNIFICANCE_LEVEL);
    println!("noise per run | correlation | false claims | with a plain t test on each");
    let mut seed = 0;
    for noise in [0.02, 0.05, 0.10, 0.30] {
        for correlation in [0.0, 0.9] {
            seed += 1;
            let world = World {
                ratios: [1.0; METRICS],
                noise,
                correlation,
            };
            let judged = world.share(seed, any_claim);
            let plain = world.share(seed, any_plain_claim);
            println!(
                "{:.0} % | {correlation} | {:.2} % | {:.2} %",
                noise * 100.0,
                judged * 100.0,
                plain * 100.0
            );
            assert!(
                judged <= limit,
                "noise {noise}, correlation {correlation}: {judged} above {limit}"
            );
            assert!(
                plain > limit,
                "the plain test must fail this check, or the check shows nothing: {plain}"
            );
        }
    }
}

#[test]
fn an_effect_of_ten_per_cent_is_found_in_six_pairs() {
    println!("true ratios | correlation | found on the metric that is found least often");
    for ratios in [[1.1, 1.0 / 1.1, 1.0 / 1.1], [1.0 / 1.1, 1.1, 1.1]] {
        for correlation in [0.0, 0.9] {
            let world = World {
                ratios,
                noise: 0.02,
                correlation,
            };
            let expected = if ratios[0] > 1.0 {
                Verdict::Better
            } else {
                Verdict::Worse
            };
            let found: Vec<f64> = (0..METRICS)
                .map(|metric| world.share(22, |family| judge(family)[metric].verdict == expected))
                .collect();
            let least = found.iter().copied().fold(1.0, f64::min);
            println!("{:.3} | {correlation} | {:.2} %", ratios[0], least * 100.0);
            assert!(
                least >= 0.9,
                "{ratios:?}, correlation {correlation}: {found:?}"
            );
            let reversed = world.share(22, |family| {
                judge(family).iter().any(|judgement| {
                    judgement.verdict != expected
                        && !matches!(judgement.verdict, Verdict::NotShown(_))
                })
            });
            assert!(
                reversed <= 0.0,
                "{reversed} of the claims are the wrong way"
            );
        }
    }
}

/// One metric changed and two did not: the harder case, because Holm's step helps the one least.
#[test]
fn an_effect_on_one_metric_alone_is_found_and_the_others_stay_silent() {
    for (metric, direction) in DIRECTIONS.into_iter().enumerate() {
        for ratio in [1.1, 1.0 / 1.1] {
            let mut ratios = [1.0; METRICS];
            ratios[metric] = ratio;
            let world = World {
                ratios,
                noise: 0.02,
                correlation: 0.0,
            };
            let good = (ratio > 1.0) == (direction == Direction::HigherIsBetter);
            let expected = if good {
                Verdict::Better
            } else {
                Verdict::Worse
            };
            let found = world.share(33, |family| judge(family)[metric].verdict == expected);
            assert!(found >= 0.9, "metric {metric}, ratio {ratio}: {found}");
            let others = world.share(33, |family| {
                judge(family).iter().enumerate().any(|(index, judgement)| {
                    index != metric && !matches!(judgement.verdict, Verdict::NotShown(_))
                })
            });
            let limit = SIGNIFICANCE_LEVEL + 3.0 * standard_error(SIGNIFICANCE_LEVEL);
            assert!(others <= limit, "metric {metric}, ratio {ratio}: {others}");
        }
    }
}

/// What six pairs can and cannot show, for `docs/STATISTICS.md`.
#[test]
fn the_noisier_the_runs_the_larger_an_effect_must_be_to_be_found() {
    println!("true effect | found with noise per run of 2 %, 5 %, 10 %");
    for ratio in [1.05, 1.1, 1.2, 1.5, 2.0] {
        let found = [0.02, 0.05, 0.10].map(|noise| {
            let world = World {
                ratios: [ratio; METRICS],
                noise,
                correlation: 0.0,
            };
            world.share(55, |family| judge(family)[0].verdict == Verdict::Better)
        });
        let [quiet, middling, noisy] = found;
        println!(
            "{:.0} % | {:.0} %, {:.0} %, {:.0} %",
            (ratio - 1.0) * 100.0,
            quiet * 100.0,
            middling * 100.0,
            noisy * 100.0
        );
        let slack = 3.0 * standard_error(0.5);
        assert!(
            quiet + slack >= middling && middling + slack >= noisy,
            "{ratio}: {found:?}"
        );
    }
}

#[test]
fn an_interval_covers_the_truth_as_often_as_it_says() {
    println!("true ratio | noise per run | intervals that hold it");
    for (seed, ratio, noise) in [
        (44, 1.0, 0.02),
        (45, 1.1, 0.05),
        (46, 0.3, 0.10),
        (47, 20.0, 0.30),
    ] {
        let world = World {
            ratios: [ratio; METRICS],
            noise,
            correlation: 0.0,
        };
        let covered = world.share(seed, |family| {
            let interval = family[0].ratio.unwrap().inference.unwrap().interval;
            (interval.low..=interval.high).contains(&ratio)
        });
        println!(
            "{ratio} | {:.0} % | {:.2} %",
            noise * 100.0,
            covered * 100.0
        );
        assert!(
            (covered - CONFIDENCE_LEVEL).abs() <= 3.0 * standard_error(CONFIDENCE_LEVEL),
            "ratio {ratio}, noise {noise}: {covered}"
        );
    }
}
