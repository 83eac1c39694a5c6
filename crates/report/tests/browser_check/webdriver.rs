//! The few WebDriver commands that the checks need, over HTTP on the loopback interface.

use std::fmt::Write;
use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::View;

/// Why there is no session.
#[derive(Debug)]
pub(crate) enum StartError {
    /// A program is not installed.
    Missing(String),
    /// It is installed and does not work.
    Broken(String),
}

/// One browser, driven by one chromedriver.
#[derive(Debug)]
pub(crate) struct Session {
    driver: Driver,
    address: String,
    agent: ureq::Agent,
    // Chromium writes into it until the session ends.
    _profile: TempDir,
}

/// Largest answer that is read: a picture of a long page as Base64.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

impl Session {
    pub(crate) fn start() -> Result<Self, StartError> {
        let driver = Driver::start()?;
        let profile = tempfile::tempdir().map_err(|error| StartError::Broken(error.to_string()))?;
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(90)))
            .build()
            .into();
        let server = format!("http://127.0.0.1:{}", driver.port);
        let capabilities = capabilities(&profile);
        let answer =
            post(&agent, &format!("{server}/session"), &capabilities).map_err(|error| {
                if error.contains("cannot find Chrome binary") {
                    StartError::Missing("Chromium is not installed".to_owned())
                } else {
                    StartError::Broken(format!("chromedriver opens no session: {error}"))
                }
            })?;
        let id = answer["sessionId"].as_str().unwrap_or_default();
        let address = format!("{server}/session/{id}");
        Ok(Self {
            driver,
            address,
            agent,
            _profile: profile,
        })
    }

    /// Sets the size of the view and the colour scheme for the pages that are opened next.
    pub(crate) fn look(&mut self, view: View) {
        let size = json!({
            "width": view.width, "height": 900, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if view.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &media);
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) fn open(&mut self, address: &str) {
        self.command("url", &json!({ "url": address }));
    }

    /// Runs a script that calls back with a list of texts.
    pub(crate) fn run(&mut self, script: &str, arguments: &Value) -> Vec<String> {
        let answer = self.command(
            "execute/async",
            &json!({ "script": script, "args": arguments }),
        );
        let texts = answer
            .as_array()
            .expect("the script calls back with a list");
        texts
            .iter()
            .map(|text| text.as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Errors on the console since the last call, exceptions that nobody caught among them.
    pub(crate) fn console_errors(&mut self) -> Vec<String> {
        let entries = self.command("se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("a log is a list");
        entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Shows pages for `screen` or for `print`, until told otherwise.
    pub(crate) fn medium(&mut self, medium: &str) {
        let dark = json!({"name": "prefers-color-scheme", "value": "dark"});
        let media = json!({"media": medium, "features": [dark]});
        self.devtools("Emulation.setEmulatedMedia", &media);
    }

    /// The whole page as PNG.
    pub(crate) fn picture(&mut self) -> Vec<u8> {
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.devtools("Page.captureScreenshot", &whole);
        decode_base64(answer["data"].as_str().expect("a picture comes as Base64"))
    }

    /// A command of the browser's own protocol.
    pub(crate) fn devtools(&mut self, command: &str, parameters: &Value) -> Value {
        self.command(
            "goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    fn command(&mut self, path: &str, body: &Value) -> Value {
        post(&self.agent, &format!("{}/{path}", self.address), body)
            .unwrap_or_else(|error| panic!("WebDriver command {path}: {error}"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Ending the session ends Chromium; the driver is ended in any case.
        if let Err(error) = self.agent.delete(&self.address).call() {
            complain(&format!("the browser did not end in order: {error}"));
        }
        self.driver.end();
    }
}

#[derive(Debug)]
struct Driver {
    process: Child,
    port: u16,
    // Kept open, because a driver that cannot write its log would end.
    _log: BufReader<ChildStdout>,
}

impl Driver {
    fn start() -> Result<Self, StartError> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    StartError::Missing("chromedriver is not installed".to_owned())
                }
                _ => StartError::Broken(format!("chromedriver cannot be started: {error}")),
            })?;
        let mut log = BufReader::new(process.stdout.take().expect("the output is piped"));
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let length = log.read_line(&mut line).unwrap_or(0);
            if length == 0 {
                let ended = process.wait();
                let text = format!("chromedriver ended ({ended:?}) and said: {said}");
                return Err(StartError::Broken(text));
            }
            let port = line
                .split_once("started successfully on port ")
                .and_then(|(_, port)| port.trim().trim_end_matches('.').parse().ok());
            if let Some(port) = port {
                return Ok(Self {
                    process,
                    port,
                    _log: log,
                });
            }
            writeln!(said, "{}", line.trim_end()).expect("a text takes every line");
        }
    }

    fn end(&mut self) {
        if let Err(error) = self
            .process
            .kill()
            .and_then(|()| self.process.wait().map(drop))
        {
            complain(&format!("chromedriver did not end: {error}"));
        }
    }
}

/// Tells of a fault while cleaning up, where a panic could hide the test's own.
fn complain(what: &str) {
    drop(std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("{what}\n").as_bytes(),
    ));
}

fn capabilities(profile: &TempDir) -> Value {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ];
    let mut arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    json!({
        "capabilities": {
            "alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": { "args": arguments },
                "goog:loggingPrefs": { "browser": "ALL" },
                "timeouts": { "script": 60_000, "pageLoad": 60_000 },
            }
        }
    })
}

/// Sends a command and returns the `value` of its answer; an error is told in words.
fn post(agent: &ureq::Agent, address: &str, body: &Value) -> Result<Value, String> {
    let mut answer = agent
        .post(address)
        .send_json(body)
        .map_err(|error| error.to_string())?;
    let mut answer: Value = answer
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_json()
        .map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    match value.get("error").and_then(Value::as_str) {
        Some(error) => Err(format!("{error}: {}", value["message"])),
        None => Ok(value),
    }
}

// Source: RFC 4648 section 4.
pub(crate) fn decode_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut length) = (0_u32, 0_u32);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("the letter {letter} is not Base64"),
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        length += 6;
        if length >= 8 {
            length -= 8;
            bytes.push(u8::try_from(bits >> length & 0xFF).expect("eight bits are a byte"));
        }
    }
    bytes
}
