//! A shop as a child process.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use double11_limits::{Group, Held, Sites, Way};
use rustix::process::{Pid, Signal, kill_process};

use crate::clock;
use crate::store::FreshStore;

/// How long a shop may take to seed its store and to answer.
const READY_LIMIT: Duration = Duration::from_mins(2);
/// How long a shop may take to drain and end: it gives three parts its drain deadline of 10 s one after
/// the other.
const STOP_LIMIT: Duration = Duration::from_secs(45);
/// How often the removal of a group is tried, and the pause between.
const REMOVALS_MAX: u32 = 50;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);
/// What the shop prints on standard output when it takes requests; the address follows.
const READY_LINE: &str = "listening on ";

/// Why there is no shop.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The program could not be started.
    #[error("the shop `{variant}` could not be started")]
    Spawn {
        /// The variant.
        variant: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended before it took requests.
    #[error("the shop `{variant}` ended before it was ready: {last_words}")]
    Ended {
        /// The variant.
        variant: String,
        /// The last line of its log.
        last_words: String,
    },
    /// The kernel killed it because it wanted more memory than its limit.
    #[error("the shop `{variant}` ran out of memory: the kernel killed it at its limit of {limit}")]
    OutOfMemory {
        /// The variant.
        variant: String,
        /// The limit.
        limit: String,
    },
    /// It is in no control group, although its limits need one.
    #[error("the shop `{variant}` is not held to its limits: it has no control group")]
    NotLimited {
        /// The variant.
        variant: String,
    },
    /// It ended during the traffic.
    #[error("the shop `{variant}` ended during the run ({how}): {last_words}")]
    EndedEarly {
        /// The variant.
        variant: String,
        /// Its exit status, or the signal that ended it.
        how: String,
        /// The last line of its log.
        last_words: String,
    },
    /// It failed while stopping.
    #[error("the shop `{variant}` did not stop cleanly: {last_words}")]
    Stop {
        /// The variant.
        variant: String,
        /// The last line of its log.
        last_words: String,
    },
}

/// How a shop is started.
#[derive(Debug)]
pub(crate) struct ShopSpec<'spec> {
    pub(crate) program: &'spec Path,
    pub(crate) variant: &'spec str,
    /// Levers to turn on besides those of the variant.
    pub(crate) enable: &'spec [String],
    pub(crate) store: &'spec FreshStore,
    pub(crate) log: &'spec Path,
    pub(crate) port: u16,
    pub(crate) products: u32,
    /// Pieces of each product; `None` when the catalogue decides.
    pub(crate) stock: Option<u32>,
    pub(crate) seed: u64,
    pub(crate) payment_window: Duration,
    pub(crate) cpus: &'spec [usize],
    pub(crate) limits: Option<Held>,
}

/// A running shop. Killed when dropped, so that no rehearsal leaves one behind.
#[derive(Debug)]
pub(crate) struct Shop {
    child: Child,
    variant: String,
    log: PathBuf,
    limits: Option<Held>,
    /// What holds it to its limits, where control groups do.
    group: Option<Group>,
    /// Where it listens, such as `http://127.0.0.1:8080`.
    pub(crate) target: String,
    /// How long it took to be ready.
    pub(crate) ready_after: Duration,
}

impl Shop {
    /// Starts a shop and waits until it takes requests.
    pub(crate) fn start(spec: &ShopSpec<'_>) -> Result<Self, ShopError> {
        let failed = |source| ShopError::Spawn {
            variant: spec.variant.to_owned(),
            source,
        };
        let started = clock::steady();
        let log = File::create(spec.log).map_err(failed)?;
        let mut child = command(spec)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let output = child.stdout.take();
        let mut shop = Self {
            child,
            variant: spec.variant.to_owned(),
            log: spec.log.to_owned(),
            limits: spec.limits,
            group: None,
            target: String::new(),
            ready_after: Duration::ZERO,
        };
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        // The thread ends when the shop says its line or closes its output.
        std::thread::spawn(move || {
            let lines = output
                .into_iter()
                .flat_map(|output| BufReader::new(output).lines());
            let address = lines
                .map_while(Result::ok)
                .find_map(|line| line.strip_prefix(READY_LINE).map(str::to_owned));
            drop(sender.send(address));
        });
        if let Ok(Some(target)) = receiver.recv_timeout(READY_LIMIT) {
            shop.target = target;
            shop.ready_after = started.elapsed();
            shop.group = shop.find_group();
            let way = spec.limits.map(|held| held.way);
            if shop.group.is_none() && matches!(way, Some(Way::Groups(_))) {
                return Err(ShopError::NotLimited {
                    variant: shop.variant.clone(),
                });
            }
            return Ok(shop);
        }
        shop.kill();
        shop.group = shop.find_group();
        Err(shop.out_of_memory().unwrap_or_else(|| ShopError::Ended {
            variant: shop.variant.clone(),
            last_words: shop.last_words(),
        }))
    }

    /// The control group that the shop made for itself and joined before it did anything else.
    fn find_group(&self) -> Option<Group> {
        let limits = self.limits?.limits;
        let sites = Sites::find(Path::new("/"), limits).ok()?;
        sites.group_of(self.child.id())
    }

    /// The control group that holds it to its limits.
    pub(crate) const fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// What to say where the kernel killed the shop for want of memory.
    fn out_of_memory(&self) -> Option<ShopError> {
        let memory = self.group.as_ref()?.memory()?;
        let limit = self.limits?.limits.memory?;
        (memory.oom_kills > 0).then(|| ShopError::OutOfMemory {
            variant: self.variant.clone(),
            limit: limit.to_string(),
        })
    }

    /// Whether the shop still runs.
    ///
    /// # Errors
    /// How it ended, where it did.
    pub(crate) fn check_alive(&mut self) -> Result<(), ShopError> {
        let Ok(Some(status)) = self.child.try_wait() else {
            return Ok(());
        };
        Err(self
            .out_of_memory()
            .unwrap_or_else(|| ShopError::EndedEarly {
                variant: self.variant.clone(),
                how: status.to_string(),
                last_words: self.last_words(),
            }))
    }

    /// The id of its process.
    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the shop to drain and end, and waits for it. Tells whether it did so in time; if not it is
    /// killed, which its store has to bear.
    pub(crate) fn stop(mut self) -> Result<bool, ShopError> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // The process may have ended by itself; its status tells.
            kill_process(pid, Signal::TERM).ok();
        }
        let asked = clock::steady();
        while asked.elapsed() < STOP_LIMIT {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(true),
                Ok(Some(_)) | Err(_) => {
                    self.kill();
                    return Err(self.out_of_memory().unwrap_or_else(|| ShopError::Stop {
                        variant: self.variant.clone(),
                        last_words: self.last_words(),
                    }));
                }
                Ok(None) => clock::pause(Duration::from_millis(10)),
            }
        }
        self.kill();
        Ok(false)
    }

    fn kill(&mut self) -> Option<ExitStatus> {
        // An error means that the process has already ended.
        drop(self.child.kill());
        self.child.wait().ok()
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let error = text.lines().rev().find(|line| line.starts_with("error: "));
        let last = error.or_else(|| text.lines().rev().find(|line| !line.trim().is_empty()));
        last.unwrap_or("it said nothing").to_owned()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
        if let Some(group) = &self.group {
            remove(group);
        }
    }
}

/// Removes the group of a shop that has ended. A shop that ended in good order has done so itself; of
/// one that was killed the kernel may count threads for a moment longer.
fn remove(group: &Group) {
    for _ in 0..REMOVALS_MAX {
        if group.remove().is_ok() {
            return;
        }
        clock::pause(REMOVAL_PAUSE);
    }
}

fn command(spec: &ShopSpec<'_>) -> Command {
    let mut command = Command::new(spec.program);
    command
        .args([
            "serve",
            "--sale",
            "--end-with-parent",
            "--variant",
            spec.variant,
        ])
        .args(["--addr", &format!("127.0.0.1:{}", spec.port)])
        .args(["--products", &spec.products.to_string()])
        .args(["--seed", &spec.seed.to_string()])
        .args([
            "--payment-window",
            &format!("{}ms", spec.payment_window.as_millis()),
        ]);
    spec.store.hand_to(&mut command);
    if let Some(pieces) = spec.stock {
        command.args(["--stock", &pieces.to_string()]);
    }
    for lever in spec.enable {
        command.args(["--enable", lever]);
    }
    if let Some(held) = spec.limits {
        let (cpu, memory) = (held.limits.cpu, held.limits.memory);
        let cpu = cpu.map(|cpu| ["--cpu-limit".to_owned(), cpu.to_string()]);
        let memory = memory.map(|memory| ["--memory-limit".to_owned(), memory.to_string()]);
        command.args(cpu.into_iter().chain(memory).flatten());
    }
    if !spec.cpus.is_empty() {
        let cpus: Vec<String> = spec.cpus.iter().map(usize::to_string).collect();
        command.args(["--cpus", &cpus.join(",")]);
    }
    command
}
