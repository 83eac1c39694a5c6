//! The command line as clap reads it. Each option may also come from the environment
//! (`DOUBLE11_…`); the command line wins.

mod compare;
mod dashboards;
mod end_with_parent;
mod gateway;
mod healthcheck;
mod help;
mod jmeter;
mod limits;
mod load;
mod plan;
mod rehearse;
mod serve;
mod shard;
mod stores;
mod validate;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use double11_report::Language;
use double11_units::scale::Scale;

use crate::console::ColourChoice;
use crate::machine::parse_duration;
pub(crate) use compare::Compare;
pub(crate) use dashboards::Dashboards;
pub(crate) use end_with_parent::EndWithParent;
pub(crate) use gateway::{Gateway, GatewayArguments, SecretArguments};

pub(crate) use healthcheck::Healthcheck;
pub(crate) use help::parse;
pub(crate) use jmeter::Jmeter;
pub(crate) use limits::ResourceArguments;
pub(crate) use load::{Load, MAX_IN_FLIGHT_DEFAULT};
pub(crate) use plan::{CheckPlan, Plan, PlanAction};
pub(crate) use rehearse::{Rehearse, RehearsedPrometheus, RehearsedShops, RehearsedTraffic};
pub(crate) use serve::{Auth, Serve};
pub(crate) use shard::{Merge, ShardArguments};
pub(crate) use stores::{Migrate, Scratch, ScratchAction};
pub(crate) use validate::Validate;

/// Rehearses a Double 11 sale: a shop, its shoppers, and a verdict one can believe.
#[derive(Debug, Parser)]
#[command(
    name = "double11",
    version,
    about,
    max_term_width = 100,
    styles = help::STYLES,
    after_help = help::FIRST_TRY
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What to log on standard error: error, warn, info, debug, trace, or a filter by module.
    #[arg(
        long,
        global = true,
        env = "DOUBLE11_LOG",
        default_value = "warn",
        value_name = "FILTER",
        help_heading = "Everywhere"
    )]
    pub(crate) log: String,
    /// When to use colours: always, never, or auto, on a terminal unless `NO_COLOR` is set.
    #[arg(
        long,
        global = true,
        default_value = "auto",
        value_name = "WHEN",
        hide_possible_values = true,
        help_heading = "Everywhere"
    )]
    pub(crate) color: ColourChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job: measure both shops under the same traffic, audit them, write the report.
    #[command(after_help = "\
Examples:
  double11 rehearse --quick            # one pair of runs, three minutes
  double11 rehearse                    # six pairs and a verdict, 20 minutes
  double11 rehearse --quick --levers   # and what each optimisation adds
  double11 rehearse --variants baseline,baseline --out same   # only chance
  double11 rehearse --lang zh-TW --out results-zh
  double11 rehearse --quick --prometheus spawn   # and what Prometheus saw
  double11 rehearse --quick --cpu-limit 0.5 --memory-limit 1Gi
  double11 rehearse --quick --store mysql://root@127.0.0.1:3306 \\
    --cache redis://127.0.0.1:6379     # on databases of its own, dropped again
  double11 rehearse --plan my-shop.toml --baseline http://127.0.0.1:9001 \\
    --optimized http://127.0.0.1:9002 --pairs 5")]
    Rehearse(Box<Rehearse>),
    /// Run a shop.
    #[command(after_help = "\
Examples:
  double11 serve                       # the optimised shop on 127.0.0.1:8080
  double11 serve --variant baseline --addr 127.0.0.1:8081 --store sqlite:b.db
  double11 serve --variant baseline --enable search-index --disable pool
  double11 serve --cpu-limit 0.5 --memory-limit 512Mi
  curl http://127.0.0.1:8080/api/products/random")]
    Serve(Box<Serve>),
    /// Ask whether a shop is ready, as the health check of a container does.
    #[command(after_help = "\
Examples:
  double11 healthcheck                 # the shop of this machine
  double11 healthcheck http://shop:8080 --timeout 1s

Exit codes: 0 ready, 3 not ready or not reachable, and one line says why.
In a Dockerfile: HEALTHCHECK CMD [\"/double11\", \"healthcheck\"]")]
    Healthcheck(Healthcheck),
    /// Run the sandbox gateway, which takes the money, as a service of its own.
    #[command(after_help = "\
Examples:
  double11 gateway                     # on 127.0.0.1:8090
  double11 gateway --ledger pay.ledger --latency 20ms --decline 0.02
  double11 gateway --gateway-secret-file secret.txt --no-answer 0.01 \\
    --callbacks http://127.0.0.1:8080/api/payments/callbacks/http \\
    --duplicate-callbacks 0.1 --late-callbacks 0.05
  double11 serve --gateway http://127.0.0.1:8090 \\
    --gateway-secret-file secret.txt   # a shop for which it takes money

What becomes of an attempt depends on the seed and its id alone. Everything is
in the ledger before it is answered, so that a killed gateway knows it when it
is started again; callbacks that waited are lost then, and the shop asks.")]
    Gateway(Box<Gateway>),
    /// Storm a shop with shoppers and write down what happened.
    #[command(after_help = "\
Examples:
  double11 serve &                     # a shop to storm
  double11 load funnel --target http://127.0.0.1:8080 --rate 100 --out run1
  double11 load orders --target http://127.0.0.1:8080 --users 64 --out run2
  double11 load funnel --target http://127.0.0.1:8080 --rate 1000 --ramp 10s \\
    --duration 60s --peak --out run3
  double11 load day --target http://127.0.0.1:8080 --time-scale 720 --out day
  double11 load session --target http://127.0.0.1:8080 --hour 12 \\
    --fail-if 'p95>50ms' --out noon
  double11 load my-shop.toml --target https://shop.example \\
    --ca-cert ca.pem -H 'Authorization: Bearer x'
  double11 load funnel --base-users 100 --peak   # sends nothing: the step table

--fail-if takes METRIC[(STEP)] COMPARISON NUMBER[UNIT], at which the run fails:
  p50 p90 p95 p99 p99.9 mean max   response time in us, ms or s: 'p95>50ms',
                                   'p99(checkout)>100ms'; a failed request
                                   counts as at least the time-out
  error_rate availability          in per cent: 'availability<99.9%'
  tps orders payments              per second: 'tps<500'
  attempted failed dropped late    counts: 'dropped>0'
Comparisons are > >= < <=. Figures are those of the measured phases together. If
a condition holds the exit code is 1; if the load engine was the bottleneck
nothing can be judged: 4.")]
    Load(Box<Load>),
    /// Put the parts of a run that several generators made together into one.
    #[command(after_help = "\
Examples:
  double11 load funnel --target http://127.0.0.1:8080 --rate 800 \\
    --start-at 2026-11-11T00:00:00Z --shard 0/2 --out part-0
  double11 load funnel --target http://127.0.0.1:8080 --rate 800 \\
    --start-at 2026-11-11T00:00:00Z --shard 1/2 --out part-1
  double11 merge part-0 part-1 --out whole --fail-if 'p95>50ms'

The figures are exactly those of one generator: counts and histograms are added
up, samples and client ledger merged by time. `compare`, `validate` and `audit`
take the merged folder as any other. Refused are parts of different runs, a part
that is there twice or is missing, and parts that began further apart than 1 s
and a tenth of the shortest phase. Thresholds are judged here, not by the parts.")]
    Merge(Merge),
    /// Run a plan of Apache JMeter, check one, or draw the dashboard of a result file.
    #[command(
        disable_version_flag = true,
        after_help = "\
Examples:
  double11 jmeter -n -t plan.jmx -l out.jtl
  double11 jmeter -n -t plan.jmx -l out.jtl -e -o report -Jusers=100
  double11 jmeter --check plan.jmx     # what of it runs here
  double11 jmeter -n -t production.jmx -l out.jtl \\
    --target http://127.0.0.1:8080     # the same requests, sent elsewhere
  double11 jmeter -n -t plan.jmx -l out.jtl \\
    --fail-if 'p95(Checkout)>500ms' --fail-if 'error_rate>1%'
  double11 jmeter -g out.jtl -o report # of JMeter's own files too

Properties: the built-in ones or those of -p, then the files `user.properties`
and `system.properties` of the folder this is started in, if they are there,
then -q, -S, -D, -J and -G in their order.

--fail-if takes METRIC[(LABEL)] COMPARISON NUMBER[UNIT] as in `double11 load`,
of the elapsed times of samples, failed ones too: any percentile, mean, max,
error_rate, tps, attempted, failed. Transactions count under their own label
only.

Exit codes: 0 the plan ran, samples that failed or not; 1 a --fail-if held;
2 wrong usage, or a plan that cannot be run as it says; 3 the environment
failed."
    )]
    Jmeter(Box<Jmeter>),
    /// Compare two finished runs: run directories, or JTL files of any tool, JMeter's included.
    #[command(after_help = "\
Examples:
  double11 compare --baseline before.jtl --optimized after.jtl
  double11 compare --baseline run1 --optimized run2 --phase steady \\
    --lang zh-TW --output report.html")]
    Compare(Compare),
    /// List the built-in plans, print one to copy and change, or check a plan file.
    #[command(after_help = "\
Examples:
  double11 plan list
  double11 plan show funnel > my-shop.toml
  double11 plan check my-shop.toml")]
    Plan(Plan),
    /// Check a shop's store against what its clients were told.
    #[command(after_help = "\
Examples:
  double11 audit --store sqlite:double11.db --unsettled
  double11 audit --store sqlite:double11.db --ledger run1/client-ledger.jsonl")]
    Audit(Audit),
    /// Make a store with the catalogue of a CSV file.
    #[command(after_help = "\
Examples:
  double11 import --store sqlite:mine.db catalogue.csv
  double11 serve --store sqlite:mine.db

The first line names the columns, in any order:
  product_id,name,name_en,category,price,stock
  1,無線耳機,Wireless earphones,數碼,199.00,500
Ids are 1, 2, 3 and so on. Nothing is stored unless every line is right.")]
    Import(Import),
    /// Take in more pieces of a product; of a file while no shop has it open.
    #[command(after_help = "\
Examples:
  double11 restock --store sqlite:double11.db 7 500")]
    Restock(Restock),
    /// Make or upgrade the tables of a store on a server.
    #[command(after_help = "\
Examples:
  double11 migrate --store mysql://shop@127.0.0.1:3306/double11
  double11 serve --store mysql://shop@127.0.0.1:3306/double11 \\
    --cache redis://127.0.0.1:6379 --gateway http://127.0.0.1:8090

The password may be in DOUBLE11_STORE_PASSWORD. Shops of this version and of the
one before may run meanwhile.")]
    Migrate(Migrate),
    /// What a rehearsal has on servers.
    #[command(hide = true)]
    Scratch(Scratch),
    /// Become another program, which ends when this one's parent does.
    #[command(hide = true)]
    EndWithParent(EndWithParent),
    /// Compare a run's own figures with those that the shop, or a Prometheus, counted meanwhile.
    #[command(after_help = "\
Examples:
  double11 validate --run run1         # by the scrapes kept with the run
  double11 validate --run run1 --prometheus http://127.0.0.1:9090
  double11 validate --jtl test.jtl --prometheus http://127.0.0.1:9090 \\
    --selector 'job=\"ecommerce-app\",variant=\"optimized\"'
  double11 validate --run run1 --json

Exit codes: 0 the figures agree, 1 they differ, 3 Prometheus cannot be reached,
4 cannot say, with the reason: scrapes are missing, the shop restarted, the
clocks differ, run and Prometheus do not overlap.")]
    Validate(Validate),
    /// Draw the shop's Grafana dashboards on a page of its own, for machines without Grafana.
    #[command(after_help = "\
Examples:
  double11 dashboards                  # Prometheus on http://localhost:9090
  double11 dashboards --prometheus http://127.0.0.1:9091 --lang zh-TW
  double11 dashboards --from now-3h    # a run of the last hours
  double11 dashboards --addr 127.0.0.1:3000 --from 2026-11-11T00:00:00Z \\
    --to 2026-11-11T01:00:00Z
  double11 dashboards --file my-dashboard.json

The page is not Grafana: it reads the same files and draws them more plainly.
Open the address that is printed; Ctrl-C ends it. Only queries are passed on to
Prometheus, never anything that changes it.")]
    Dashboards(Dashboards),
    /// Print what the records of Double 11 become at a scale of 1:N.
    #[command(after_help = "\
Examples:
  double11 scale 1:10000")]
    Scale(ScaleArguments),
    /// Print the script that completes this program's commands and options in a shell.
    #[command(after_help = "\
Examples:
  double11 completions bash >> ~/.bash_completion
  double11 completions zsh > \"${fpath[1]}/_double11\"
  double11 completions fish > ~/.config/fish/completions/double11.fish")]
    Completions(Completions),
    /// Print a page of the manual, or write all of them into a folder.
    #[command(after_help = "\
Examples:
  double11 man | man -l -              # read it at once
  double11 man load | man -l -         # the page of one command
  double11 man --out ~/.local/share/man/man1")]
    Man(Man),
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command whose page to print; without it the page of the program.
    #[arg(conflicts_with = "out")]
    pub(crate) command: Option<String>,
    /// Write all pages into this folder, which is made if it is missing.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// How a report is written.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Language of the page, the table and the picture: en or zh-TW.
    #[arg(
        long,
        env = "DOUBLE11_LANG",
        default_value = "en",
        value_name = "LANGUAGE"
    )]
    pub(crate) lang: Language,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The store to audit: `sqlite:FILE`, or `mysql://USER@HOST:PORT/DATABASE` with the password in
    /// `DOUBLE11_STORE_PASSWORD`.
    #[arg(
        long,
        env = "DOUBLE11_STORE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) store: String,
    /// What a load run wrote down of its writes (repeatable).
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Vec<PathBuf>,
    /// What the gateway wrote down; without it the file beside the store, if there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) gateway_ledger: Option<PathBuf>,
    /// The ledgers hold every write that this store was ever sent.
    #[arg(long)]
    pub(crate) complete: bool,
    /// Payments or refunds that are still in process are no fault.
    #[arg(long)]
    pub(crate) unsettled: bool,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) kept: KeptArguments,
}

/// The password of a store on a server, apart from its URL. There is no option for it: what is on a
/// command line is seen by everybody on the machine and repeated in reports.
#[expect(
    clippy::disallowed_methods,
    reason = "this module reads what is configured by the environment"
)]
pub(crate) fn store_password() -> Option<String> {
    std::env::var("DOUBLE11_STORE_PASSWORD").ok()
}

/// For how long a shop keeps what it may delete.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Retention")]
pub(crate) struct KeptArguments {
    /// How long an idempotency key is kept, such as 24h; at least as long as clients retry.
    #[arg(
        long,
        value_parser = parse_duration,
        default_value = "24h",
        value_name = "TIME"
    )]
    pub(crate) keep_keys: Duration,
    /// How long a cart is kept after its last change, such as 168h.
    #[arg(
        long,
        value_parser = parse_duration,
        default_value = "168h",
        value_name = "TIME"
    )]
    pub(crate) keep_carts: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The store to make.
    #[arg(
        long,
        env = "DOUBLE11_STORE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) store: String,
    /// The catalogue.
    #[arg(value_name = "CATALOGUE.csv")]
    pub(crate) catalogue: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restock {
    /// The store that takes them in.
    #[arg(
        long,
        env = "DOUBLE11_STORE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) store: String,
    /// The product's id.
    pub(crate) product: i64,
    /// How many pieces came in.
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pieces: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ScaleArguments {
    /// The scale, such as 1:10000.
    pub(crate) scale: Scale,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }

    #[test]
    fn only_the_step_table_needs_no_target() {
        let parse = |words: &[&str]| {
            let all = ["double11", "load", "funnel"].iter().chain(words);
            super::Arguments::try_parse_from(all).is_ok()
        };
        assert!(parse(&["--base-users", "100", "--peak"]));
        assert!(parse(&["--target", "http://127.0.0.1:1", "--rate", "5"]));
        assert!(!parse(&["--rate", "5"]));
    }
}
