//! How the runs are looked at on the dashboards, for the closing note of a rehearsal.

use std::path::Path;

use double11_rehearsal::{PrometheusSource, Rehearsal, RehearsalOptions, Side, Watched};

use crate::commands::quoted;

/// Where the page is to be served, so that its address can be told beforehand.
const ADDRESS: &str = "127.0.0.1:3000";
/// Where a Prometheus listens that is told nothing else.
const PROMETHEUS: &str = "http://127.0.0.1:9090";
/// The variants that the dashboards know, in the order of the sides.
const COMPARED: [&str; 2] = ["baseline", "optimized"];

/// Lines that say what to start and what to open; none where nothing was watched, or nothing of it is
/// left.
pub(super) fn of(options: &RehearsalOptions, rehearsal: &Rehearsal) -> Option<String> {
    let watched = rehearsal.watched?;
    if options.sides.each_ref().map(Side::name) != COMPARED {
        return None;
    }
    match options.prometheus.as_ref()? {
        PrometheusSource::Running { url, .. } => Some(lines(None, url, watched)),
        PrometheusSource::Spawn { keep_data, .. } => {
            let folder = rehearsal.kept.join("prometheus");
            keep_data.then(|| lines(Some(&folder), PROMETHEUS, watched))
        }
    }
}

fn lines(kept: Option<&Path>, prometheus: &str, watched: Watched) -> String {
    let file = |folder: &Path, name: &str| quoted(&folder.join(name).display().to_string());
    let start = kept.map_or_else(String::new, |folder| {
        format!(
            "\n  prometheus --config.file={} --storage.tsdb.path={} &",
            file(folder, "prometheus.yml"),
            file(folder, "data")
        )
    });
    let shift = match watched.shift_seconds {
        // Prometheus 2 refuses an offset of nothing.
        0 => "1ms".to_owned(),
        seconds => format!("{seconds}s"),
    };
    format!(
        "\non the dashboards:{start}\n  double11 dashboards --addr {ADDRESS} --prometheus {}\n  \
         http://{ADDRESS}/?from={}&to={}&refresh=&var-baseline_shift={shift}",
        quoted(prometheus),
        watched.from.millis(),
        watched.to.millis()
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use double11_rehearsal::Watched;
    use double11_units::UnixMicros;

    use super::lines;

    #[test]
    fn the_closing_note_leads_to_the_runs() {
        let watched = |shift_seconds| Watched {
            from: UnixMicros::new(1_794_355_200_000_000),
            to: UnixMicros::new(1_794_355_260_000_000),
            shift_seconds,
        };
        let place = "from=1794355200000&to=1794355260000&refresh=&var-baseline_shift=";
        let running = lines(None, "http://p:9090", watched(95));
        let expected = format!(
            "\non the dashboards:\n  double11 dashboards --addr 127.0.0.1:3000 --prometheus http://p:9090\n  \
             http://127.0.0.1:3000/?{place}95s"
        );
        assert_eq!(running, expected);
        let kept = lines(Some(Path::new("a b")), "http://127.0.0.1:9090", watched(0));
        let start =
            "\n  prometheus --config.file='a b/prometheus.yml' --storage.tsdb.path='a b/data' &\n";
        assert!(kept.contains(start), "{kept}");
        assert!(kept.ends_with("var-baseline_shift=1ms"), "{kept}");
        assert!(lines(None, "http://p:9090", watched(-7)).ends_with("=-7s"));
    }
}
