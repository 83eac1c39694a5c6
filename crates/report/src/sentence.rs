//! The one-sentence claim in the pattern of requirements 7.3.
//!
//! It states what was measured, side by side, and leaves out every clause whose figure is missing. It
//! says “better” or “worse” only where all pairs of runs together show it, and never that something
//! is guaranteed.

use crate::assess;
use crate::figures::Figures;
use crate::format;
use crate::model::{
    Bound, Comparison, ComparisonReason, ComparisonVerdict, ImprovementReport, Metric, PhaseReport,
    TimeBasis,
};
use crate::texts::{Language, Texts, fill};

/// The claim in a language, from the figures of the judged phase, the comparison of all pairs, the
/// audits and the generator's health. The table of improvements has to be there already.
pub fn claim(report: &ImprovementReport, language: Language) -> String {
    let texts = language.texts();
    let (Some(baseline), Some(optimised)) = (report.baseline(), report.optimised()) else {
        return texts.claim_nothing.to_owned();
    };
    let figures = Figures::of(report, optimised);
    let throughput = |figures: &Figures<'_>| {
        let figure = figures.figure(Metric::Throughput)?;
        Some(format::rate(figure.value))
    };
    let Some((phase, tps)) = figures.plan().zip(throughput(&figures)) else {
        return texts.claim_nothing.to_owned();
    };
    let mut opening = opening(texts, phase, &optimised.name, &tps);
    if let Some(tps) = throughput(&Figures::of(report, baseline)) {
        opening.push_str(&fill(
            texts.claim_against,
            &[("baseline", &baseline.name), ("tps", &tps)],
        ));
    }
    match figures.runs() {
        0 => {}
        1 => opening.push_str(texts.claim_one_run),
        runs => opening.push_str(&fill(texts.claim_runs, &[("runs", &runs.to_string())])),
    }
    let mut clauses: Vec<String> = [
        Metric::ResponseTimeP95,
        Metric::Availability,
        Metric::ErrorRate,
    ]
    .into_iter()
    .filter_map(|metric| clause(report, metric, texts))
    .collect();
    if assess::every_audit_passed(report) {
        clauses.push(texts.claim_audit.to_owned());
    }
    let mut sentence = join(opening, &clauses, texts);
    // A claim that the next sentence takes back would still be quoted.
    if let Some(comparison) = &report.comparison
        && !assess::is_reserved(report)
    {
        let name = |metric| texts.metric_by(metric, report.method.time_basis);
        sentence.push_str(&shown(comparison, &optimised.name, texts, name));
    }
    let reservations = [
        (assess::audit_failed(report), texts.claim_audit_failed),
        (assess::generator_limited(report), texts.claim_limited),
        (!report.incomparable.is_empty(), texts.claim_incomparable),
    ];
    sentence.extend(
        reservations
            .into_iter()
            .filter_map(|(holds, words)| holds.then_some(words)),
    );
    sentence
}

/// In what all pairs together show a difference and, where there are enough of them to show one, in
/// what they do not.
fn shown(
    comparison: &Comparison,
    optimised: &str,
    texts: &Texts,
    name: impl Fn(Metric) -> &'static str,
) -> String {
    let metrics = |verdict| {
        let names: Vec<&str> = comparison
            .metrics
            .iter()
            .filter(|compared| compared.verdict == verdict)
            .filter(|compared| {
                // Of these nothing is said, not even that no difference was shown.
                let (missing, reserved) =
                    (ComparisonReason::MissingFigures, ComparisonReason::Reserved);
                compared.reason != missing && compared.reason != reserved
            })
            .map(|compared| name(compared.metric))
            .collect();
        (!names.is_empty()).then(|| names.join(texts.list_separator))
    };
    let mut words = String::new();
    let better = metrics(ComparisonVerdict::Better);
    if let Some(better) = &better {
        words.push_str(&fill(
            texts.claim_better,
            &[
                ("pairs", &comparison.pairs.to_string()),
                ("optimised", optimised),
                ("metrics", better),
                ("level", &format::percent_short(comparison.confidence_level)),
            ],
        ));
    }
    if let Some(worse) = metrics(ComparisonVerdict::Worse) {
        words.push_str(&fill(
            texts.claim_worse,
            &[("metrics", &worse), ("optimised", optimised)],
        ));
    }
    if comparison.pairs >= comparison.pairs_needed
        && let Some(others) = metrics(ComparisonVerdict::NotShown)
    {
        words.push_str(&fill(texts.claim_not_shown, &[("metrics", &others)]));
    }
    words
}

fn opening(texts: &Texts, phase: &PhaseReport, optimised: &str, tps: &str) -> String {
    let duration = texts.seconds(phase.duration_s);
    let offered = phase.offered_per_second.map(format::rate);
    // Only more than the normal traffic is a peak.
    let multiple = phase.traffic_multiple.filter(|multiple| *multiple > 1.0);
    let multiple = multiple.map(format::plain);
    let mut values = vec![
        ("duration", duration.as_str()),
        ("tps", tps),
        ("optimised", optimised),
        ("phase", &phase.name),
    ];
    let template = match (&offered, &multiple) {
        (Some(offered), Some(multiple)) => {
            values.extend([
                ("offered", offered.as_str()),
                ("multiple", multiple.as_str()),
            ]);
            texts.claim_peak
        }
        (Some(offered), None) => {
            values.push(("offered", offered.as_str()));
            texts.claim_offered
        }
        (None, _) => texts.claim_plain,
    };
    fill(template, &values)
}

fn clause(report: &ImprovementReport, metric: Metric, texts: &Texts) -> Option<String> {
    let row = report.improvement.iter().find(|row| row.metric == metric)?;
    let optimised = row.optimised?;
    let shown = |figure: crate::model::Figure| match figure.windows {
        Some((good, total)) => fill(
            texts.of_limit,
            &[
                ("value", &format::count(good)),
                ("limit", &format::count(total)),
            ],
        ),
        None => format::figure(Some(figure), texts),
    };
    let both = |template, alone: Option<&str>| match (row.baseline, alone) {
        (Some(baseline), _) => Some(fill(
            template,
            &[
                ("optimised", &shown(optimised)),
                ("baseline", &shown(baseline)),
            ],
        )),
        (None, Some(alone)) => Some(fill(alone, &[("optimised", &shown(optimised))])),
        (None, None) => None,
    };
    match metric {
        // A percentile of which only a limit is known is no achievement to state.
        Metric::ResponseTimeP95 if optimised.bound == Bound::AtLeast => None,
        // Without planned starts it is no response time, and a claim needs its figure's own name.
        Metric::ResponseTimeP95 if report.method.time_basis == TimeBasis::ServiceTimeOnly => None,
        Metric::ResponseTimeP95 => both(texts.claim_p95, Some(texts.claim_p95_alone)),
        Metric::Availability => both(texts.claim_availability, None),
        Metric::ErrorRate => both(texts.claim_error_rate, Some(texts.claim_error_rate_alone)),
        _ => None,
    }
}

fn join(opening: String, clauses: &[String], texts: &Texts) -> String {
    let mut sentence = opening;
    if let Some((last, before)) = clauses.split_last() {
        sentence.push_str(texts.claim_semicolon);
        sentence.push_str(&before.join(texts.claim_comma));
        if !before.is_empty() {
            sentence.push_str(texts.claim_and_last);
        }
        sentence.push_str(last);
    }
    sentence.push_str(texts.claim_stop);
    sentence
}

#[cfg(test)]
mod tests {
    use crate::model::{
        ComparisonReason, ComparisonVerdict, ImprovementReport, Metric, Outcome, TimeBasis,
    };
    use crate::{conclude, sample};

    fn check(change: impl FnOnce(&mut ImprovementReport), expected: &str) {
        let mut report = sample::report();
        change(&mut report);
        conclude(&mut report);
        assert_eq!(report.sentence, expected);
    }

    #[test]
    fn it_states_the_figures_side_by_side() {
        check(
            |_| {},
            "In a simulated Double 11 peak (20 times the normal traffic, 1,000 requests per second \
             offered for 30 s), optimized handled 999 TPS (baseline: 184) (one run of each); its P95 \
             response time was 4.61 ms against ≥ 5,000 ms, 30 of 30 of its one-second windows were \
             good against 1 of 30, its error rate was 0% against 81.6%, and the audit found every \
             acknowledged order and nothing oversold.",
        );
    }

    #[test]
    fn it_leaves_out_what_was_not_measured() {
        check(
            |report| {
                for variant in &mut report.variants {
                    variant.audit = None;
                    for phase in &mut variant.phases {
                        phase.traffic_multiple = None;
                        phase.verdict_p95_ms = None;
                        phase.availability = None;
                    }
                }
            },
            "With 1,000 requests per second offered for 30 s, optimized handled 999 TPS \
             (baseline: 184) (one run of each); its error rate was 0% against 81.6%.",
        );
    }

    #[test]
    fn only_more_than_the_normal_traffic_is_a_peak() {
        check(
            |report| {
                for variant in &mut report.variants {
                    variant.audit = None;
                    for phase in &mut variant.phases {
                        phase.traffic_multiple = Some(1.0);
                        phase.verdict_p95_ms = None;
                        phase.availability = None;
                    }
                }
            },
            "With 1,000 requests per second offered for 30 s, optimized handled 999 TPS \
             (baseline: 184) (one run of each); its error rate was 0% against 81.6%.",
        );
    }

    #[test]
    fn what_enough_pairs_do_not_show_is_said_with_its_name() {
        let sentence = |pairs| {
            let mut report = sample::full();
            report.method.time_basis = TimeBasis::ServiceTimeOnly;
            let comparison = report.comparison.as_mut().unwrap();
            comparison.pairs = pairs;
            for compared in &mut comparison.metrics {
                if compared.metric == Metric::ResponseTimeP95 {
                    compared.verdict = ComparisonVerdict::NotShown;
                    compared.reason = ComparisonReason::NotSignificant;
                }
            }
            conclude(&mut report);
            report.sentence
        };
        let words = "No difference was shown in P95 service time.";
        assert!(sentence(6).contains(words), "{}", sentence(6));
        assert!(!sentence(4).contains("No difference was shown"));
    }

    #[test]
    fn a_failed_audit_takes_the_claim_back() {
        let mut report = sample::report();
        report.variants[1].audit.as_mut().unwrap().passed = false;
        conclude(&mut report);
        assert!(
            report
                .sentence
                .ends_with("The audit failed, so none of this counts.")
        );
        assert!(!report.sentence.contains("found every acknowledged order"));
        assert_eq!(report.outcome, Outcome::Failed);
    }

    #[test]
    fn without_the_judged_phase_nothing_is_claimed() {
        check(
            |report| report.method.judged_phase = "no such phase".to_owned(),
            "Nothing can be claimed: the figures of the judged phase are missing.",
        );
    }
}
