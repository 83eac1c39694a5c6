//! Options of a run that several generators make together.

use std::path::PathBuf;

use clap::Args;
use double11_load::shard::Shard;
use double11_load::threshold::Threshold;
use double11_units::UnixMicros;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Which part of a run `load` makes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shards")]
pub(crate) struct ShardArguments {
    /// Make one part of the run, such as 0/4 to 3/4: of the same shoppers at the same instants every
    /// fourth. All other options are of the whole run; `double11 merge` puts the parts together.
    #[arg(
        long,
        env = "DOUBLE11_SHARD",
        default_value = "0/1",
        hide_default_value = true,
        value_name = "I/N"
    )]
    pub(crate) shard: Shard,
    /// Begin at this instant, such as 2026-11-11T00:00:00Z, so that all parts begin together.
    #[arg(
        long,
        env = "DOUBLE11_START_AT",
        value_parser = parse_instant,
        value_name = "INSTANT"
    )]
    pub(crate) start_at: Option<UnixMicros>,
}

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The run directories of the shards, in any order.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) shards: Vec<PathBuf>,
    /// Where the merged run goes.
    #[arg(long, env = "DOUBLE11_OUT", default_value = "run", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write into a folder that is not empty.
    #[arg(long)]
    pub(crate) force: bool,
    /// Merge what is there when shards are missing; the result says so.
    #[arg(long)]
    pub(crate) partial: bool,
    /// Fail when this condition is met by the merged figures (repeatable; as in `double11 load`).
    #[arg(long, value_name = "EXPR")]
    pub(crate) fail_if: Vec<Threshold>,
}

/// Reads an instant with its offset from UTC.
fn parse_instant(text: &str) -> Result<UnixMicros, String> {
    let wrong = |_| format!("`{text}` is no instant; write `2026-11-11T00:00:00Z`");
    let instant = OffsetDateTime::parse(text, &Rfc3339).map_err(wrong)?;
    let micros = instant.unix_timestamp_nanos() / 1_000;
    i64::try_from(micros)
        .map(UnixMicros::new)
        .map_err(|_| format!("`{text}` is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_instants() {
        for (text, micros) in [
            ("1970-01-01T00:00:01Z", 1_000_000),
            ("1970-01-01T01:00:00.25+01:00", 250_000),
        ] {
            assert_eq!(parse_instant(text), Ok(UnixMicros::new(micros)));
        }
        for text in ["", "now", "2026-11-11", "2026-11-11T00:00:00", "17"] {
            assert!(parse_instant(text).is_err(), "{text}");
        }
    }
}
