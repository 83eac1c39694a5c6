//! The health of several generators as one: that of the one that fared worst.

use std::collections::BTreeMap;

use crate::health::{GeneratorHealth, HealthSecond};
use crate::shard::Shard;

/// The generators of shards as one. Shares and lags are those of the worst of them, since one generator
/// at its limit spoils the whole; threads and waiting are added up.
pub(super) fn merged<'a>(
    parts: impl Iterator<Item = (Shard, &'a GeneratorHealth)>,
) -> GeneratorHealth {
    let mut parts = parts.map(|(shard, health)| with_shard(shard, health));
    let Some(first) = parts.next() else {
        return nothing();
    };
    parts.fold(first, worse)
}

/// The same with its reasons naming the shard.
fn with_shard(shard: Shard, health: &GeneratorHealth) -> GeneratorHealth {
    let mut health = health.clone();
    if !shard.is_whole() {
        for reason in &mut health.reasons {
            *reason = format!("shard {shard}: {reason}");
        }
    }
    health
}

fn worse(mut sum: GeneratorHealth, other: GeneratorHealth) -> GeneratorHealth {
    let GeneratorHealth {
        generator_limited,
        reasons,
        threads,
        processors,
        processor_share_mean,
        processor_share_max,
        worker_share_mean,
        seconds_over_processor_limit,
        lag_p99_ms,
        lag_p99_worst_second_ms,
        lag_max_ms,
        seconds_over_lag_limit,
        descriptors_max,
        descriptors_limit,
        blocked_ms,
        seconds,
    } = other;
    sum.generator_limited |= generator_limited;
    sum.reasons.extend(reasons);
    sum.threads += threads;
    sum.processors = sum.processors.max(processors);
    sum.processor_share_mean = larger(sum.processor_share_mean, processor_share_mean);
    sum.processor_share_max = larger(sum.processor_share_max, processor_share_max);
    sum.worker_share_mean = larger(sum.worker_share_mean, worker_share_mean);
    sum.seconds_over_processor_limit = sum
        .seconds_over_processor_limit
        .max(seconds_over_processor_limit);
    sum.lag_p99_ms = larger(sum.lag_p99_ms, lag_p99_ms);
    sum.lag_p99_worst_second_ms = larger(sum.lag_p99_worst_second_ms, lag_p99_worst_second_ms);
    sum.lag_max_ms = larger(sum.lag_max_ms, lag_max_ms);
    sum.seconds_over_lag_limit = sum.seconds_over_lag_limit.max(seconds_over_lag_limit);
    sum.descriptors_max = sum.descriptors_max.max(descriptors_max);
    sum.descriptors_limit = match (sum.descriptors_limit, descriptors_limit) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    sum.blocked_ms += blocked_ms;
    let mut by_second: BTreeMap<u64, HealthSecond> = BTreeMap::new();
    for second in sum.seconds.into_iter().chain(seconds) {
        by_second
            .entry(second.second)
            .and_modify(|worst| {
                worst.lag_p99_ms = larger(worst.lag_p99_ms, second.lag_p99_ms);
                worst.worker_share = worst.worker_share.max(second.worker_share);
                worst.processor_share = larger(worst.processor_share, second.processor_share);
            })
            .or_insert(second);
    }
    sum.seconds = by_second.into_values().collect();
    sum
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).max_by(f64::total_cmp)
}

/// No generator at all.
fn nothing() -> GeneratorHealth {
    GeneratorHealth {
        generator_limited: false,
        reasons: Vec::new(),
        threads: 0,
        processors: 0,
        processor_share_mean: None,
        processor_share_max: None,
        worker_share_mean: None,
        seconds_over_processor_limit: 0,
        lag_p99_ms: None,
        lag_p99_worst_second_ms: None,
        lag_max_ms: None,
        seconds_over_lag_limit: 0,
        descriptors_max: 0,
        descriptors_limit: None,
        blocked_ms: 0.0,
        seconds: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(limited: bool, lag_ms: f64, seconds: &[(u64, f64)]) -> GeneratorHealth {
        let second = |&(second, worker_share): &(u64, f64)| HealthSecond {
            second,
            lag_p99_ms: None,
            worker_share,
            processor_share: Some(worker_share / 2.0),
        };
        GeneratorHealth {
            generator_limited: limited,
            reasons: limited.then(|| "late".to_owned()).into_iter().collect(),
            threads: 2,
            lag_p99_ms: Some(lag_ms),
            descriptors_limit: Some(10),
            seconds: seconds.iter().map(second).collect(),
            ..nothing()
        }
    }

    #[test]
    fn one_generator_at_its_limit_marks_the_run() {
        let shard = |index| Shard::new(index, 2).unwrap();
        let well = health(false, 1.0, &[(0, 0.2), (1, 0.3)]);
        let ill = health(true, 30.0, &[(1, 0.9), (2, 0.8)]);
        let both = merged([(shard(0), &well), (shard(1), &ill)].into_iter());
        assert!(both.generator_limited);
        assert_eq!(both.reasons, ["shard 1/2: late"]);
        assert_eq!((both.threads, both.lag_p99_ms), (4, Some(30.0)));
        assert_eq!(both.descriptors_limit, Some(10));
        let shares = both.seconds.iter();
        let shares: Vec<(u64, f64)> = shares.map(|one| (one.second, one.worker_share)).collect();
        assert_eq!(shares, [(0, 0.2), (1, 0.9), (2, 0.8)]);
        assert_eq!(merged([(Shard::WHOLE, &ill)].into_iter()), ill);
    }
}
