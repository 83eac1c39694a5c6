//! The options of `jmeter`: `JMeter`'s own, and a few of ours.

use std::path::PathBuf;

use clap::Args;
use double11_load::threshold::Threshold;

use crate::arguments::ReportArguments;

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a command line of flags, as JMeter has it"
)]
pub(crate) struct Jmeter {
    /// Run without a window, the only way there is here.
    #[arg(short = 'n', long = "nongui")]
    pub(crate) non_gui: bool,
    /// The plan to run, a `.jmx` file.
    #[arg(short = 't', long = "testfile", value_name = "PLAN")]
    pub(crate) test_file: Option<PathBuf>,
    /// The result file (JTL); one that exists is appended to.
    #[arg(short = 'l', long = "logfile", value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
    /// The log of the run.
    #[arg(
        short = 'j',
        long = "jmeterlogfile",
        value_name = "FILE",
        default_value = "jmeter.log",
        help_heading = "Log of the run"
    )]
    pub(crate) run_log: PathBuf,
    /// Set a property, for example `-Jusers=100` (repeatable); without a value it is removed.
    #[arg(
        short = 'J',
        long = "jmeterproperty",
        value_name = "NAME=VALUE",
        help_heading = "Properties"
    )]
    pub(crate) property: Vec<String>,
    /// Set a property for all machines; there is one, so the same as `-J`. Without a value the name is
    /// that of a property file (repeatable).
    #[arg(
        short = 'G',
        long = "globalproperty",
        value_name = "NAME=VALUE",
        help_heading = "Properties"
    )]
    pub(crate) global_property: Vec<String>,
    /// Set a system property of Java, such as `-Dhttp.proxyHost=…` (repeatable).
    #[arg(
        short = 'D',
        long = "systemproperty",
        value_name = "NAME=VALUE",
        help_heading = "Properties"
    )]
    pub(crate) system_property: Vec<String>,
    /// A property file to read instead of the built-in `jmeter.properties`.
    #[arg(
        short = 'p',
        long = "propfile",
        value_name = "FILE",
        help_heading = "Properties"
    )]
    pub(crate) property_file: Option<PathBuf>,
    /// A property file to read as well (repeatable).
    #[arg(
        short = 'q',
        long = "addprop",
        value_name = "FILE",
        help_heading = "Properties"
    )]
    pub(crate) more_properties: Vec<PathBuf>,
    /// A file of system properties (repeatable).
    #[arg(
        short = 'S',
        long = "systemPropertyFile",
        value_name = "FILE",
        help_heading = "Properties"
    )]
    pub(crate) system_property_file: Vec<PathBuf>,
    /// Write the dashboard after the run, into the folder of `-o`.
    #[arg(
        short = 'e',
        long = "reportatendofloadtests",
        help_heading = "Dashboard"
    )]
    pub(crate) report_at_end: bool,
    /// Run nothing; write the dashboard of a result file, ours or JMeter's, CSV or XML.
    #[arg(
        short = 'g',
        long = "reportonly",
        value_name = "FILE",
        conflicts_with_all = ["non_gui", "log_file", "test_file", "run_remote", "remote_start"],
        help_heading = "Dashboard"
    )]
    pub(crate) report_only: Option<PathBuf>,
    /// The folder of the dashboard; it must be empty or missing.
    #[arg(
        short = 'o',
        long = "reportoutputfolder",
        value_name = "DIR",
        default_value = "report-output",
        help_heading = "Dashboard"
    )]
    pub(crate) report_folder: PathBuf,
    /// Replace result files and a dashboard that exist.
    #[arg(short = 'f', long = "forceDeleteResultFile")]
    pub(crate) force: bool,
    /// The proxy to go through.
    #[arg(
        short = 'H',
        long = "proxyHost",
        value_name = "HOST",
        requires = "proxy_port",
        help_heading = "Proxy"
    )]
    pub(crate) proxy_host: Option<String>,
    /// The port of that proxy
    #[arg(
        short = 'P',
        long = "proxyPort",
        value_name = "PORT",
        requires = "proxy_host",
        help_heading = "Proxy"
    )]
    pub(crate) proxy_port: Option<u16>,
    /// Hosts that are asked without it, such as `*.example.org|localhost`.
    #[arg(
        short = 'N',
        long = "nonProxyHosts",
        value_name = "HOSTS",
        help_heading = "Proxy"
    )]
    pub(crate) non_proxy_hosts: Option<String>,
    /// How the proxy is spoken to: http or https.
    #[arg(
        short = 'E',
        long = "proxyScheme",
        value_name = "SCHEME",
        help_heading = "Proxy"
    )]
    pub(crate) proxy_scheme: Option<String>,
    /// The user name for the proxy.
    #[arg(
        short = 'u',
        long = "username",
        value_name = "NAME",
        help_heading = "Proxy"
    )]
    pub(crate) proxy_user: Option<String>,
    /// The password for the proxy.
    #[arg(
        short = 'a',
        long = "password",
        value_name = "PASSWORD",
        help_heading = "Proxy"
    )]
    pub(crate) proxy_password: Option<String>,
    /// What to write into the log of the run: `-L DEBUG`, or `-L category=DEBUG` (the level counts,
    /// the category does not).
    #[arg(
        short = 'L',
        long = "loglevel",
        value_name = "[CATEGORY=]LEVEL",
        help_heading = "Log of the run"
    )]
    pub(crate) log_level: Vec<String>,
    /// Print which JMeter this is compatible with.
    #[arg(short = 'v', long = "version")]
    pub(crate) version: bool,
    #[command(flatten)]
    pub(crate) ours: Ours,
    #[command(flatten)]
    pub(crate) refused: Refused,
}

/// What `JMeter` does not have.
#[derive(Debug, Args)]
#[command(next_help_heading = "Double11's own")]
pub(crate) struct Ours {
    /// Run nothing; say what of a plan runs here, is ignored, or is not supported, with lines.
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["non_gui", "test_file", "report_only"])]
    pub(crate) check: Option<PathBuf>,
    /// Print what `--check` found as JSON.
    #[arg(long, requires = "check")]
    pub(crate) json: bool,
    /// Leave out what is not supported instead of refusing the plan.
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Send every HTTP request here instead of where the plan says, such as `http://127.0.0.1:8080`.
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<String>,
    /// Worker threads; without it one per core, 8 at most. Users are spread over them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Decides the random choices of plans; without it each run has others.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Exit with 1 when this condition is met, such as `p95>500ms` (repeatable; the form is below).
    #[arg(long, value_name = "EXPR")]
    pub(crate) fail_if: Vec<Threshold>,
    #[command(flatten)]
    pub(crate) report: ReportArguments,
}

/// What is known in order to say why it is refused.
#[derive(Debug, Args)]
pub(crate) struct Refused {
    #[arg(short = 'r', long = "runremote", hide = true)]
    pub(crate) run_remote: bool,
    #[arg(short = 'R', long = "remotestart", hide = true, value_name = "HOSTS")]
    pub(crate) remote_start: Option<String>,
    #[arg(short = 'X', long = "remoteexit", hide = true)]
    pub(crate) remote_exit: bool,
    #[arg(short = 's', long = "server", hide = true)]
    pub(crate) server: bool,
    #[arg(short = 'i', long = "jmeterlogconf", hide = true, value_name = "FILE")]
    pub(crate) log_configuration: Option<PathBuf>,
    #[arg(short = 'd', long = "homedir", hide = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
}
