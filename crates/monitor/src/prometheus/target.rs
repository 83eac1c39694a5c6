//! Which target of a Prometheus was the one of a run, and when it was scraped.

use std::time::Duration;

use double11_units::UnixMicros;

use super::{Prometheus, PrometheusError, SELECTOR_DEFAULT, Span};
use crate::cross_check::Reason;
use crate::exposition::Labels;
use crate::matrix::{Point, Selector};

/// How far before a run, and after it, scrapes are looked for.
const AROUND: Duration = Duration::from_mins(3);

/// How far Prometheus looks back for a target that it knows, where it has nothing of a run.
const EVER: &str = "15d";

/// The spacing of two scrapes, in intervals, beyond which one is missing between them.
const GAP: f64 = 1.5;

/// How far the clock of Prometheus may be from ours.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Matchers without braces.
    pub(super) selector: &'a str,
    /// The target of the run, such as `http://127.0.0.1:8080/x`, where it is known.
    pub(super) target: Option<&'a str>,
    /// From the first request to the last answer.
    pub(super) run: Span,
}

/// A target as it was scraped around a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    /// Matchers of exactly this target, without braces.
    pub(super) matchers: String,
    /// Its scrapes with whether they succeeded (`up`), in order of time.
    pub(super) scrapes: Vec<Point>,
    /// The time between two scrapes.
    pub(super) interval: Duration,
}

/// Finds the target, unless something speaks against believing what Prometheus says of it.
pub(super) fn find(
    prometheus: &Prometheus,
    wanted: Wanted<'_>,
) -> Result<Result<Target, Reason>, PrometheusError> {
    let (ahead_s, uncertain_s) = prometheus.clock_ahead()?;
    if ahead_s.abs() > CLOCK_TOLERANCE.as_secs_f64() + uncertain_s {
        return Ok(Err(Reason::OtherClock { ahead_s }));
    }
    let selector = wanted.selector;
    let up = format!("__name__=\"up\",{selector}");
    let around = Span {
        from: minus(wanted.run.from, AROUND),
        to: wanted.run.to.plus(AROUND),
    };
    let found = prometheus.samples(&up, around)?;
    let all: Vec<Candidate<'_>> = found.select(Selector::new("up", &[])).collect();
    if all.is_empty() {
        let ever = format!("count(count_over_time({{{up}}}[{EVER}]))");
        let known = prometheus.number(&ever, None)?;
        return Ok(Err(match known {
            Some(count) if count > 0.0 => Reason::NoOverlap,
            _ => nothing_scraped(selector.to_owned()),
        }));
    }
    let chosen = choose(&all, wanted).and_then(|(labels, points)| {
        if !touches(points, wanted.run) {
            return Err(Reason::NoOverlap);
        }
        Ok(Target {
            matchers: matchers(labels),
            scrapes: points.to_vec(),
            interval: interval(points),
        })
    });
    Ok(chosen)
}

/// A target by its labels, with whether its scrapes succeeded.
type Candidate<'m> = (&'m Labels, &'m [Point]);

fn nothing_scraped(selector: String) -> Reason {
    Reason::NothingScraped { selector }
}

/// Whether the time from the first to the last scrape and that of the run overlap. A short run may lie
/// between two scrapes.
fn touches(points: &[Point], run: Span) -> bool {
    let ends = points.first().zip(points.last());
    ends.is_some_and(|(first, last)| first.at <= run.to && run.from <= last.at)
}

fn covers(span: Span, at: UnixMicros) -> bool {
    span.from <= at && at <= span.to
}

/// The one target that is meant: by its whole address, else by its port. Where several have the port,
/// the one that was scraped during the run, and that answered. Where no address is known, or the
/// caller named labels of his own, also the only one that answered; a target of another address is never
/// taken for the shop only because there is no better.
fn choose<'m>(all: &[Candidate<'m>], wanted: Wanted<'_>) -> Result<Candidate<'m>, Reason> {
    let authority = wanted.target.map(authority).unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    let instance = |labels: &Labels| labels.get("instance").cloned().unwrap_or_default();
    let has_port = |labels: &Labels| {
        let instance = instance(labels);
        instance.rsplit_once(':').map(|(_, port)| port) == port && port.is_some()
    };
    let answered = |points: &[Point]| {
        let mut within = points.iter().filter(|point| covers(wanted.run, point.at));
        within.any(|point| point.value > 0.0)
    };
    let keep = |wanted: &dyn Fn(&Labels, &[Point]) -> bool| -> Vec<Candidate<'m>> {
        let kept = all.iter().filter(|(labels, points)| wanted(labels, points));
        kept.copied().collect()
    };
    let mut ways = vec![
        keep(&|labels, _| instance(labels) == authority),
        keep(&|labels, _| has_port(labels)),
        keep(&|labels, points| has_port(labels) && touches(points, wanted.run)),
        keep(&|labels, points| has_port(labels) && answered(points)),
    ];
    let at_port = ways.iter().any(|way| !way.is_empty());
    let by_labels = wanted.target.is_none() || wanted.selector != SELECTOR_DEFAULT;
    if by_labels && !at_port {
        ways.extend([keep(&|_, points| answered(points)), all.to_vec()]);
    }
    if let Some([one]) = ways.iter().map(Vec::as_slice).find(|way| way.len() == 1) {
        return Ok(*one);
    }
    if !by_labels && !at_port {
        let selector = format!(
            "{},instance=~\".*:{}\"",
            wanted.selector,
            port.unwrap_or_default()
        );
        return Err(nothing_scraped(selector));
    }
    let targets = all.iter().map(|(labels, _)| instance(labels)).collect();
    Err(Reason::SeveralTargets { targets })
}

/// Host and port of a URL; a port is added where it follows from the scheme.
fn authority(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end).unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match (has_port, scheme) {
        (true, _) => host.to_owned(),
        (false, "https") => format!("{host}:443"),
        (false, _) => format!("{host}:80"),
    }
}

/// Matchers of exactly the target that has these labels.
fn matchers(labels: &Labels) -> String {
    let identity = labels.iter().filter(|(name, _)| *name != "__name__");
    let all: Vec<String> = identity
        .map(|(name, value)| format!("{name}={}", quoted(value)))
        .collect();
    all.join(",")
}

/// A text as `PromQL` writes it.
pub(super) fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// The median spacing of the scrapes.
fn interval(points: &[Point]) -> Duration {
    let mut spacings: Vec<Duration> = points
        .windows(2)
        .map(|pair| pair[1].at.since(pair[0].at))
        .collect();
    spacings.sort_unstable();
    spacings
        .get(spacings.len() / 2)
        .copied()
        .unwrap_or_default()
}

fn minus(at: UnixMicros, span: Duration) -> UnixMicros {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    UnixMicros::new(at.get().saturating_sub(micros))
}

impl Target {
    /// The scrapes within a span.
    pub(super) fn within(&self, span: Span) -> &[Point] {
        let start = self.scrapes.partition_point(|point| point.at < span.from);
        let end = self.scrapes.partition_point(|point| point.at <= span.to);
        self.scrapes.get(start..end).unwrap_or_default()
    }

    /// How many scrapes there should be between two of them, both included, and how many of those are
    /// missing or failed.
    pub(super) fn expected_and_missing(&self, span: Span) -> (u64, u64) {
        let scrapes = self.within(span);
        let interval = self.interval.as_secs_f64();
        if interval <= 0.0 {
            return (scrapes.len() as u64, 0);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of intervals; a float cast saturates"
        )]
        let lost: u64 = scrapes
            .windows(2)
            .map(|pair| pair[1].at.since(pair[0].at).as_secs_f64() / interval)
            .filter(|intervals| *intervals > GAP)
            .map(|intervals| intervals.round() as u64 - 1)
            .sum();
        let failed = scrapes.iter().filter(|point| point.value < 1.0).count() as u64;
        (scrapes.len() as u64 + lost, lost + failed)
    }

    /// [`Reason::ScrapeGap`] if any scrape is missing or failed.
    pub(super) fn without_gap(&self, span: Span) -> Result<(), Reason> {
        match self.expected_and_missing(span) {
            (_, 0) => Ok(()),
            (expected, missing) => Err(Reason::ScrapeGap { missing, expected }),
        }
    }

    /// The last successful scrape at or before an instant, and the one before that.
    pub(super) fn before(&self, at: UnixMicros) -> (Option<UnixMicros>, Option<UnixMicros>) {
        let mut good = self.good().rev().filter(|scrape| *scrape <= at);
        (good.next(), good.next())
    }

    /// The first successful scrape at or after an instant, and the one after that.
    pub(super) fn after(&self, at: UnixMicros) -> (Option<UnixMicros>, Option<UnixMicros>) {
        let mut good = self.good().filter(|scrape| *scrape >= at);
        (good.next(), good.next())
    }

    fn good(&self) -> impl DoubleEndedIterator<Item = UnixMicros> {
        self.scrapes
            .iter()
            .filter(|point| point.value > 0.0)
            .map(|point| point.at)
    }
}

#[cfg(test)]
mod tests {
    use super::{SELECTOR_DEFAULT, Target, Wanted, authority, choose, interval, quoted, touches};
    use crate::cross_check::Reason;
    use crate::exposition::Labels;
    use crate::matrix::Point;
    use crate::prometheus::Span;
    use double11_units::UnixMicros;
    use std::time::Duration;

    fn at(seconds: i64) -> UnixMicros {
        UnixMicros::new(seconds * 1_000_000)
    }

    fn points(scrapes: &[(i64, f64)]) -> Vec<Point> {
        let point = |&(seconds, value): &(i64, f64)| Point {
            at: at(seconds),
            value,
        };
        scrapes.iter().map(point).collect()
    }

    fn target(scrapes: &[(i64, f64)]) -> Target {
        let scrapes = points(scrapes);
        Target {
            matchers: String::new(),
            interval: interval(&scrapes),
            scrapes,
        }
    }

    #[test]
    fn addresses_have_ports() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://shop.example/api?x=1", "shop.example:80"),
            ("https://u:p@shop.example", "shop.example:443"),
            ("https://[::1]:8443/", "[::1]:8443"),
            ("http://[::1]/", "[::1]:80"),
        ] {
            assert_eq!(authority(url), expected, "{url}");
        }
    }

    #[test]
    fn a_missing_scrape_is_a_gap_and_a_failed_one_too() {
        let all = Span {
            from: at(0),
            to: at(60),
        };
        let counted = |scrapes: &[(i64, f64)]| target(scrapes).expected_and_missing(all);
        assert_eq!(counted(&[(0, 1.0), (5, 1.0), (10, 1.0), (15, 1.0)]), (4, 0));
        assert_eq!(counted(&[(0, 1.0), (5, 1.0), (15, 1.0), (20, 1.0)]), (5, 1));
        assert_eq!(counted(&[(0, 1.0), (5, 0.0), (10, 1.0), (15, 1.0)]), (4, 1));
        let gaps = target(&[(0, 1.0), (5, 1.0), (10, 1.0), (30, 0.0), (35, 1.0)]);
        assert_eq!(gaps.expected_and_missing(all), (8, 4));
        let (missing, expected) = (4, 8);
        let gap = Reason::ScrapeGap { missing, expected };
        assert_eq!(gaps.without_gap(all), Err(gap));
        let before = Span {
            from: at(0),
            to: at(10),
        };
        assert_eq!(gaps.without_gap(before), Ok(()));
        assert_eq!(gaps.before(at(34)), (Some(at(10)), Some(at(5))));
        assert_eq!(gaps.after(at(11)), (Some(at(35)), None));
        assert_eq!(gaps.interval, Duration::from_secs(5));
    }

    #[test]
    fn the_target_of_the_run_is_found_by_address_or_port_or_because_it_is_the_only_one() {
        let labels = |instance: &str| Labels::from([("instance".to_owned(), instance.to_owned())]);
        let names = ["localhost:8080", "localhost:8081", "10.0.0.1:8081"].map(labels);
        let (up, down) = (points(&[(0, 1.0)]), points(&[(0, 0.0)]));
        let all = |states: [&'static str; 3]| -> Vec<bool> {
            states.iter().map(|state| *state == "up").collect()
        };
        let chosen = |states: [&'static str; 3], selector: &str, target: Option<&str>| {
            let states = all(states);
            let given: Vec<_> = names
                .iter()
                .zip(&states)
                .map(|(labels, is_up)| (labels, if *is_up { &up[..] } else { &down[..] }))
                .collect();
            let run = Span {
                from: at(0),
                to: at(9),
            };
            let wanted = Wanted {
                selector,
                target,
                run,
            };
            choose(&given, wanted).map(|(labels, _)| labels["instance"].clone())
        };
        let ok = |instance: &str| Ok(instance.to_owned());
        let everywhere = ["up", "up", "up"];
        let (job, own) = (SELECTOR_DEFAULT, "job=\"mine\"");
        let by_port = chosen(everywhere, job, Some("http://127.0.0.1:8080"));
        assert_eq!(by_port, ok("localhost:8080"));
        let by_address = chosen(everywhere, job, Some("http://localhost:8081/"));
        assert_eq!(by_address, ok("localhost:8081"));
        let shop = Some("http://127.0.0.1:8081");
        let one_answers = chosen(["up", "up", "down"], job, shop);
        assert_eq!(one_answers, ok("localhost:8081"));
        assert!(matches!(
            chosen(everywhere, job, shop),
            Err(Reason::SeveralTargets { targets }) if targets.len() == 3
        ));
        // Without an address, or by labels of the caller's own, the only one that answers is meant.
        let only = ["down", "down", "up"];
        let other = Some("http://127.0.0.1:9");
        assert_eq!(chosen(only, job, None), ok("10.0.0.1:8081"));
        assert_eq!(chosen(only, own, other), ok("10.0.0.1:8081"));
        assert!(matches!(
            chosen(only, job, other),
            Err(Reason::NothingScraped { selector }) if selector.ends_with("instance=~\".*:9\"")
        ));
    }

    #[test]
    fn a_run_between_two_scrapes_overlaps_and_one_before_or_after_them_does_not() {
        let scrapes = points(&[(0, 1.0), (5, 1.0)]);
        let overlaps = |from, to| {
            let (from, to) = (at(from), at(to));
            touches(&scrapes, Span { from, to })
        };
        assert!(overlaps(2, 3) && overlaps(4, 9) && overlaps(-3, 0));
        assert!(!overlaps(6, 9) && !overlaps(-3, -1));
        assert!(!touches(
            &[],
            Span {
                from: at(0),
                to: at(9)
            }
        ));
    }

    #[test]
    fn texts_are_quoted() {
        assert_eq!(quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c\\nd\"");
    }
}
