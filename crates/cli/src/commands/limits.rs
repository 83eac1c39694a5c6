//! `--cpu-limit` and `--memory-limit`: a shop held to a part of the machine without a cluster.
//!
//! A control group holds it wherever one can be made. Else whole processors are pinned, which is the
//! same for a whole limit, and everything else is refused: a limit that does not hold would be worse
//! than none.

use std::path::Path;

use double11_limits::{Group, Held, LimitError, Limits, Sites, Way};

use crate::exit::Failure;
use crate::machine;

/// What to do where no group can be made.
const WITHOUT_GROUPS: &str = "run it as root, or below a group of your own (`systemd-run --user --scope double11 …`); \
     in a container the runtime limits it: `docker run --cpus 0.5 --memory 512m`";

/// This process, held to its limits.
#[derive(Debug)]
pub(crate) struct Limited {
    /// The limits and what holds them.
    pub(crate) held: Held,
    group: Option<Group>,
}

impl Limited {
    /// Leaves the control group and removes it, at the end.
    pub(crate) fn release(self) {
        if let Some(group) = self.group {
            // What stays is removed by the next one that limits itself here.
            group.leave(std::process::id()).ok();
        }
    }
}

/// Holds this very process to its limits, before it does anything else.
pub(crate) fn hold(limits: Limits, purpose: &str) -> Result<Limited, Failure> {
    let cores = machine::cores();
    check(limits, cores.len())?;
    match joined(limits, purpose) {
        Ok(group) => Ok(Limited {
            held: Held {
                limits,
                way: Way::Groups(group.version()),
            },
            group: Some(group),
        }),
        Err(error) => {
            let count = whole_cores(limits, error)?;
            let kept: Vec<usize> = cores.into_iter().take(count).collect();
            machine::pin(&kept).map_err(Failure::environment)?;
            Ok(Limited {
                held: Held {
                    limits,
                    way: Way::Pinned(count),
                },
                group: None,
            })
        }
    }
}

/// What would hold a process of ours to these limits, tried on a group that is removed at once.
pub(crate) fn rehearsed(limits: Limits) -> Result<Held, Failure> {
    check(limits, machine::cores().len())?;
    let tried = sites(limits)
        .and_then(|sites| sites.make(std::process::id(), "probe"))
        .and_then(|group| group.remove().map(|()| group.version()));
    let way = match tried {
        Ok(version) => Way::Groups(version),
        Err(error) => Way::Pinned(whole_cores(limits, error)?),
    };
    Ok(Held { limits, way })
}

fn sites(limits: Limits) -> Result<Sites, LimitError> {
    let sites = Sites::find(Path::new("/"), limits)?;
    sites.sweep();
    Ok(sites)
}

/// A group with this process in it.
fn joined(limits: Limits, purpose: &str) -> Result<Group, LimitError> {
    let group = sites(limits)?.make(std::process::id(), purpose)?;
    match group.join(std::process::id()) {
        Ok(()) => Ok(group),
        Err(error) => {
            // It may have joined in one tree and not in the other; why is what counts.
            group.leave(std::process::id()).ok();
            Err(error)
        }
    }
}

/// Refuses more processors than there are: a report would name a limit that was never reached.
fn check(limits: Limits, cores: usize) -> Result<(), Failure> {
    let Some(limit) = limits.cpu.filter(|limit| limit.rounded_up() > cores) else {
        return Ok(());
    };
    Err(Failure::usage(anyhow::anyhow!(
        "`--cpu-limit {limit}` is more than there is"
    ))
    .hint(format!("processors that this process may use: {cores}")))
}

/// Processors to keep to where no group can be made, if that is as good.
fn whole_cores(limits: Limits, why: LimitError) -> Result<usize, Failure> {
    let refused = |what: String| Failure::environment(anyhow::Error::new(why).context(what));
    match (limits.memory, limits.cpu) {
        (Some(memory), _) => {
            let what = format!("`--memory-limit {memory}` needs a control group");
            Err(refused(what).hint(WITHOUT_GROUPS))
        }
        (None, Some(cpu)) => cpu.whole().ok_or_else(|| {
            let what = format!("`--cpu-limit {cpu}` is no whole number and needs a control group");
            let whole = cpu.rounded_up();
            refused(what).hint(format!("{WITHOUT_GROUPS}; or `--cpu-limit {whole}`"))
        }),
        (None, None) => Err(refused("nothing is limited".to_owned())),
    }
}
