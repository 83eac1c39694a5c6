//! `double11 rehearse`: the main job.

use double11_load::LoadError;
use double11_rehearsal::{
    Event, Observer, RehearsalError, RehearsalOptions, Schedule, ShopError, rehearse,
};
use double11_report::model::Outcome;
use double11_report::{Language, terminal};

use crate::arguments::Rehearse;
use crate::commands::load::stop_on_signals;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};
use crate::machine;
use crate::progress::ProgressLine;

pub(crate) fn run(arguments: Rehearse) -> CommandResult {
    let options = options(arguments)?;
    machine::raise_descriptor_limit();
    if !options.generator_cpus.is_empty() {
        machine::pin(&options.generator_cpus).map_err(Failure::environment)?;
    }
    let shown = Shown {
        line: ProgressLine::new(),
    };
    let result = rehearse(&options, &shown);
    shown.line.finish();
    let rehearsal = match result {
        Ok(rehearsal) => rehearsal,
        Err(RehearsalError::Interrupted { kept }) => {
            console::say(&format!(
                "interrupted; what was measured is in `{}`",
                kept.display()
            ));
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(explain(error)),
    };
    let layout = terminal::Layout {
        width: console::width(),
        colour: console::colour(),
        language: Language::English,
    };
    let mut table = Vec::new();
    terminal::write(&rehearsal.report, layout, &mut table).map_err(Failure::environment)?;
    console::data(&String::from_utf8_lossy(&table));
    console::say(&format!(
        "report: {}\nevery run: {}",
        rehearsal.page.display(),
        rehearsal.kept.display()
    ));
    Ok(match rehearsal.report.outcome {
        Outcome::Passed => Exit::Done,
        Outcome::Failed => Exit::Failed,
        Outcome::CannotJudge => Exit::CannotJudge,
    })
}

fn options(arguments: Rehearse) -> Result<RehearsalOptions, Failure> {
    if !arguments.quick {
        return Err(
            Failure::usage(anyhow::anyhow!("only the short form is there yet"))
                .hint("add `--quick`: one pair of runs in three minutes"),
        );
    }
    let [baseline, optimised] = arguments.variants.as_slice() else {
        return Err(
            Failure::usage(anyhow::anyhow!("`--variants` takes two variants"))
                .hint("write `--variants baseline,optimized`"),
        );
    };
    let &[first_port, second_port] = arguments.ports.as_slice() else {
        return Err(Failure::usage(anyhow::anyhow!("`--ports` takes two ports"))
            .hint("write `--ports 8080,8081`, or `--ports 0,0` for any"));
    };
    let cores = machine::cores();
    let (shop_cpus, generator_cpus) = match cores.as_slice() {
        [shop, generator, ..] => (vec![*shop], vec![*generator]),
        _ => (Vec::new(), Vec::new()),
    };
    let command = format!(
        "double11 rehearse --quick --seed {} --variants {baseline},{optimised}",
        arguments.seed
    );
    Ok(RehearsalOptions {
        program: std::env::current_exe().map_err(Failure::environment)?,
        out: arguments.out,
        seed: arguments.seed,
        variants: [baseline.to_string(), optimised.to_string()],
        ports: [first_port, second_port],
        products: arguments.products,
        schedule: Schedule::quick(),
        shop_cpus,
        generator_cpus,
        command,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_commit: option_env!("DOUBLE11_COMMIT").map(str::to_owned),
        stop: stop_on_signals()?,
    })
}

fn explain(error: RehearsalError) -> Failure {
    let hint = match &error {
        RehearsalError::Files(_)
        | RehearsalError::Write { .. }
        | RehearsalError::Load(LoadError::Write { .. } | LoadError::RunDirectory(_)) => {
            "name a folder with room that can be written: `--out DIR`"
        }
        RehearsalError::Shop(ShopError::Ended { .. }) => {
            "if a port is in use, choose others with `--ports A,B`; `0,0` are always free"
        }
        _ => "what was measured until then is kept under `runs/` in the output folder",
    };
    Failure::environment(error).hint(hint)
}

/// Shows on standard error what happens.
struct Shown {
    line: ProgressLine,
}

impl Observer for Shown {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Starting { variant } => {
                self.line
                    .say(&format!("{variant}: starting with a fresh store"));
            }
            Event::Ready {
                variant,
                target,
                after,
            } => {
                let seconds = after.as_secs_f64();
                self.line
                    .say(&format!("{variant}: open at {target} after {seconds:.1} s"));
            }
            Event::Progress {
                variant,
                phase,
                elapsed,
                planned,
                progress,
            } => {
                self.line.show(
                    &format!("{variant} {phase:<9}"),
                    (elapsed, planned),
                    &progress,
                );
            }
            Event::Settling { variant } => self.line.say(&format!("{variant}: settling")),
            Event::Auditing { variant } => self.line.say(&format!("{variant}: auditing")),
            Event::Audited { variant, passed } => {
                let verdict = if passed { "clean" } else { "FAILED" };
                self.line.say(&format!("{variant}: audit {verdict}"));
            }
            Event::Warning { text } => self.line.say(&format!("warning: {text}")),
        }
    }
}
