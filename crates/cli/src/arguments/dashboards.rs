//! The options of `dashboards`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use double11_report::Language;

use super::Auth;
use crate::machine::parse_duration;

#[derive(Debug, Args)]
pub(crate) struct Dashboards {
    /// The Prometheus whose data are drawn.
    #[arg(
        long,
        env = "DOUBLE11_PROMETHEUS",
        default_value = "http://localhost:9090",
        value_name = "URL"
    )]
    pub(crate) prometheus: String,
    /// Where the page is served; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub(crate) addr: SocketAddr,
    /// Who may look at a page that is served beyond loopback, where it must be said: none for
    /// everybody.
    #[arg(
        long,
        hide_possible_values = true,
        value_name = "WHO",
        help_heading = "Access"
    )]
    pub(crate) auth: Option<Auth>,
    /// Language in which the page opens: en or zh-TW.
    #[arg(
        long,
        env = "DOUBLE11_LANG",
        default_value = "en",
        value_name = "LANGUAGE",
        help_heading = "What is shown first"
    )]
    pub(crate) lang: Language,
    /// Where the span of time begins at first: now-15m, 2026-11-11T00:00:00Z or milliseconds.
    #[arg(
        long,
        value_parser = parse_moment,
        value_name = "TIME",
        help_heading = "What is shown first"
    )]
    pub(crate) from: Option<String>,
    /// Where it ends at first, in the same forms.
    #[arg(
        long,
        value_parser = parse_moment,
        requires = "from",
        value_name = "TIME",
        help_heading = "What is shown first"
    )]
    pub(crate) to: Option<String>,
    /// How often Prometheus scrapes the shop; decides the window of every rate.
    #[arg(long, value_parser = parse_duration, default_value = "5s", value_name = "TIME")]
    pub(crate) scrape_interval: Duration,
    /// Draw this dashboard of Grafana instead of the shop's own (repeatable).
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
}

/// A moment as the page reads it; the text is kept, because `now` moves on.
fn parse_moment(text: &str) -> Result<String, String> {
    let is_relative = || {
        let steps = text.strip_prefix("now")?;
        let Some(steps) = steps.strip_prefix('-') else {
            return steps.is_empty().then_some(());
        };
        let digits = steps.find(|c: char| !c.is_ascii_digit())?;
        let unit = steps.get(digits..)?;
        (digits > 0 && ["s", "m", "h", "d", "w"].contains(&unit)).then_some(())
    };
    let is_unix = (12..=14).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_stamp = || {
        time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).is_ok()
    };
    if is_unix || is_relative().is_some() || is_stamp() {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is no time; write `now-15m`, `2026-11-11T00:00:00Z` or milliseconds since 1970"
    ))
}

#[cfg(test)]
mod tests {
    use super::parse_moment;

    #[test]
    fn reads_moments() {
        for text in [
            "now",
            "now-15m",
            "now-90s",
            "now-7d",
            "1794355200000",
            "2026-11-11T00:00:00Z",
            "2026-11-11T08:00:00+08:00",
        ] {
            assert_eq!(parse_moment(text).as_deref(), Ok(text));
        }
        for text in [
            "", "now-", "now-m", "now-1x", "now15m", "now+1h", "17", "2026", "soon",
        ] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }
}
