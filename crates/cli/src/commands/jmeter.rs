//! `double11 jmeter`: plans of Apache JMeter.

mod dashboard;
mod gates;
mod plan;
mod run;
mod run_log;
mod settings;

pub(crate) use plan::unreadable;

use crate::arguments::Jmeter;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

use double11_jmeter::properties::JMETER_VERSION;

pub(crate) fn run(arguments: &Jmeter) -> CommandResult {
    refuse_what_is_not_there(arguments)?;
    if arguments.version {
        console::data(&format!(
            "Double11 {}, which runs plans of Apache JMeter up to {JMETER_VERSION}\n",
            env!("CARGO_PKG_VERSION")
        ));
        return Ok(Exit::Done);
    }
    if let Some(results) = &arguments.report_only {
        return dashboard::of_file(arguments, results);
    }
    if let Some(plan) = &arguments.ours.check {
        return plan::check(arguments, plan);
    }
    if !arguments.non_gui {
        return Err(no_window());
    }
    match &arguments.test_file {
        Some(plan) => run::run(arguments, plan),
        None => {
            Err(Failure::usage(anyhow::anyhow!("there is no plan to run"))
                .hint("name one with `-t`"))
        }
    }
}

/// What `JMeter` has and this does not, with what there is instead.
fn refuse_what_is_not_there(arguments: &Jmeter) -> Result<(), Failure> {
    let refused = &arguments.refused;
    let refuse = |flag: &str, why: &str, hint: &str| {
        Err(Failure::usage(anyhow::anyhow!("`{flag}` is not supported: {why}")).hint(hint))
    };
    if refused.run_remote || refused.remote_start.is_some() || refused.remote_exit {
        return refuse(
            "-r, -R and -X",
            "there are no remote servers of JMeter here",
            "one machine makes several times the load; for more, start shards with a property each, \
             such as `-Jshard=1`, as jobs of Kubernetes, and put their result files together",
        );
    }
    if refused.server {
        return refuse(
            "-s",
            "there is no server mode",
            "run the plan itself with `-n -t PLAN`",
        );
    }
    if refused.log_configuration.is_some() {
        return refuse(
            "-i",
            "there is no Log4j",
            "name the log with `-j FILE` and its level with `-L LEVEL`",
        );
    }
    if refused.home.is_some() {
        return refuse(
            "-d",
            "there is no JMeter home",
            "name property files with `-p` and `-q`",
        );
    }
    Ok(())
}

fn no_window() -> Failure {
    Failure::usage(anyhow::anyhow!("there is no window to open")).hint(
        "run a plan with `double11 jmeter -n -t plan.jmx -l out.jtl`; edit it in JMeter itself",
    )
}
