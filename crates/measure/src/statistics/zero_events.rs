//! What can be said of a share when no event was seen.

use super::CONFIDENCE_LEVEL;

/// The upper bound, at 95 %, of the chance of an event that none of `trials` independent trials
/// showed: 3 / n, at most 1. `None` without a trial.
///
/// Source: J. A. Hanley and A. Lippman-Hand, "If Nothing Goes Wrong, Is Everything All Right?",
/// JAMA 249 (1983), 1743–1745.
pub fn rule_of_three(trials: u64) -> Option<f64> {
    (trials > 0).then(|| (3.0 / trials as f64).min(1.0))
}

/// The exact bound at [`CONFIDENCE_LEVEL`] that [`rule_of_three`] approximates: 1 − 0.05^(1/n).
/// `None` without a trial.
///
/// Source: C. J. Clopper and E. S. Pearson, "The Use of Confidence or Fiducial Limits Illustrated in
/// the Case of the Binomial", Biometrika 26 (1934), 404–413, one-sided with no event.
pub fn upper_bound_without_events(trials: u64) -> Option<f64> {
    (trials > 0).then(|| -((1.0 - CONFIDENCE_LEVEL).ln() / trials as f64).exp_m1())
}
