//! Running one plan with `JMeter` or with the program, and what came of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{self, PROGRAM};
use crate::server::{Request, Server};

/// Who runs a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Apache `JMeter`.
    Real,
    /// The program under test.
    Ours,
}

/// What came of a run.
pub(crate) struct Outcome {
    /// The rows of the result file, the line of names first.
    pub(crate) rows: Vec<csv::StringRecord>,
    /// What the server was asked.
    pub(crate) requests: Vec<Request>,
    /// The port of the server; differs from run to run.
    pub(crate) port: u16,
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// What was written to the console.
    pub(crate) console: String,
}

impl Runner {
    /// The name of the folder with what it wrote.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Real => "jmeter",
            Self::Ours => "ours",
        }
    }

    /// The command without the options of a run.
    fn command(self) -> Command {
        let mut command = match self {
            Self::Real => java(),
            Self::Ours => Command::new(PROGRAM),
        };
        if self == Self::Ours {
            command.arg("jmeter");
        }
        command
    }

    /// Runs a plan against a server of its own.
    pub(crate) fn run(self, plan: &Path, options: &[&str]) -> Outcome {
        let server = Server::start();
        let port = server.address.port();
        let name = plan.file_stem().unwrap_or_default();
        let folder = scratch().join(name).join(self.name());
        let _none = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let results = folder.join("results.jtl");
        let output = self
            .command()
            .current_dir(&folder)
            .arg("-n")
            .arg("-t")
            .arg(plan)
            .arg("-l")
            .arg(&results)
            .arg("-j")
            .arg(folder.join("jmeter.log"))
            .arg(format!("-Jport={port}"))
            .args(options)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let console = harness::both(&output);
        std::fs::write(folder.join("console.txt"), &console).unwrap();
        let requests = server.log();
        std::fs::write(folder.join("requests.txt"), written(&requests)).unwrap();
        Outcome {
            rows: rows(&results),
            requests,
            port,
            code: output.status.code(),
            console,
        }
    }
}

/// Where what was written is left for who wants to look.
pub(crate) fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("jmeter")
}

/// Where the tests' `JMeter` is laid out.
pub(crate) fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-tools/jmeter")
}

/// Whether the real one can be run; says so if not, which with `CI=true` is a failure.
pub(crate) fn real_is_here() -> bool {
    let java = Command::new("java").arg("-version").output();
    let here = home().join("bin/ApacheJMeter.jar").is_file() && java.is_ok();
    if !here {
        harness::skip("no Apache JMeter or no Java; `make tools` installs them");
    }
    here
}

/// The real one with a quick start.
pub(crate) fn java() -> Command {
    let mut command = Command::new("java");
    command
        .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"])
        .arg(format!(
            "-Djava.util.prefs.userRoot={}",
            scratch().display()
        ))
        .arg("-jar")
        .arg(home().join("bin/ApacheJMeter.jar"));
    command
}

fn rows(file: &Path) -> Vec<csv::StringRecord> {
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(file);
    reader.map_or_else(
        |_| Vec::new(),
        |reader| reader.into_records().map_while(Result::ok).collect(),
    )
}

fn written(requests: &[Request]) -> String {
    let lines = requests.iter().map(|request| {
        format!(
            "{} {} {}\n  {:?}\n  {}\n",
            request.connection,
            request.method,
            request.target,
            request.headers,
            String::from_utf8_lossy(&request.body).escape_debug()
        )
    });
    lines.collect()
}
