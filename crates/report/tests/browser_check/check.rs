//! Opens a page in headless Chromium and says what a reader would find wrong with it.
//!
//! Include it where a report is tested, in this crate or another one:
//!
//! ```text
//! #[path = "../../report/tests/browser_check/check.rs"]
//! mod browser_check;
//! ```
//!
//! and call [`assert_page_is_sound`]. The including crate needs `serde_json`, `tempfile` and `ureq`
//! among its dev-dependencies. It is a shared file and not a feature of the crate, so that the
//! crate itself starts no process and opens no connection.
//!
//! Chromium and chromedriver have to be installed. Without them [`Browser::start`] says so and
//! returns `None`; with `CI=true` it panics instead, because there a missing tool is a failure.

#![expect(
    clippy::panic,
    reason = "a check that cannot run or fails ends its test"
)]

use std::io::{Write, stderr};
use std::path::Path;

use webdriver::{Session, StartError};

mod webdriver;

/// One way to look at a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) width: u32,
    pub(crate) dark: bool,
}

/// Phone, laptop and large screen, by day and by night.
pub(crate) const VIEWS: [View; 6] = [
    View {
        width: 390,
        dark: false,
    },
    View {
        width: 390,
        dark: true,
    },
    View {
        width: 1280,
        dark: false,
    },
    View {
        width: 1280,
        dark: true,
    },
    View {
        width: 1920,
        dark: false,
    },
    View {
        width: 1920,
        dark: true,
    },
];

/// Panics with every problem of the page in any of [`VIEWS`]; writes a picture of each view into
/// `pictures` where that is given. Returns false when no browser is installed.
pub(crate) fn assert_page_is_sound(page: &Path, pictures: Option<&Path>) -> bool {
    let Some(mut browser) = Browser::start() else {
        return false;
    };
    let mut problems = Vec::new();
    for view in VIEWS {
        let found = browser.problems(page, view);
        problems.extend(
            found
                .into_iter()
                .map(|problem| format!("{view:?}: {problem}")),
        );
        if let Some(folder) = pictures {
            let scheme = if view.dark { "dark" } else { "light" };
            browser.picture(&folder.join(format!("report-{}-{scheme}.png", view.width)));
        }
    }
    assert!(
        problems.is_empty(),
        "{}:\n{}",
        page.display(),
        problems.join("\n")
    );
    true
}

/// A running headless browser; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Browser {
    session: Session,
}

impl Browser {
    /// Starts chromedriver and, through it, Chromium with a new empty profile.
    pub(crate) fn start() -> Option<Self> {
        match Session::start() {
            Ok(session) => Some(Self { session }),
            Err(StartError::Missing(what)) => {
                assert!(!is_ci(), "{what}, and with CI=true that is a failure");
                // Not by `println`: the test harness would hide it from whoever runs the tests.
                writeln!(stderr(), "skipped: {what}").expect("the terminal can be written");
                None
            }
            Err(StartError::Broken(what)) => panic!("{what}"),
        }
    }

    /// What is wrong with the page in this view, each as `kind: detail`. Kinds: `console`,
    /// `sideways`, `spilled`, `clipped`, `overlap`, `blank`, `empty`, `contrast`, `request`,
    /// `silent` (a chart that tells no value when it is pointed at).
    pub(crate) fn problems(&mut self, page: &Path, view: View) -> Vec<String> {
        self.session.look(view);
        // What an earlier page has said must not be blamed on this one.
        self.session.open("about:blank");
        self.session.console_errors();
        let page = page.canonicalize().expect("the page exists");
        self.session.open(&format!("file://{}", page.display()));
        let mut problems = self.session.run(
            include_str!("page_checks.js"),
            &serde_json::json!([view.width]),
        );
        problems.extend(
            self.session
                .console_errors()
                .into_iter()
                .map(|error| format!("console: {error}")),
        );
        problems
    }

    /// Writes a picture of the whole open page as PNG; makes its folder.
    pub(crate) fn picture(&mut self, file: &Path) {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).expect("the folder of the pictures can be made");
        }
        std::fs::write(file, self.session.picture()).expect("the picture can be written");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "only the environment says whether this is CI"
)]
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
