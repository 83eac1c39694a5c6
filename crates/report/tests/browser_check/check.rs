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

pub(crate) mod webdriver;

/// One way to look at a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) width: u32,
    pub(crate) dark: bool,
}

/// The width of a sheet of A4 between its margins of 14 mm, at 96 pixels an inch.
const SHEET: View = View {
    width: 688,
    dark: true,
};

/// Where `scripts/install-test-tools.sh` puts axe-core, from the folder of any crate.
const AXE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/test-tools/node_modules/axe-core/axe.min.js"
);

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
    let axe = axe();
    let mut problems = Vec::new();
    for view in VIEWS {
        let mut found = browser.problems(page, view);
        if let Some(axe) = &axe {
            found.extend(browser.barriers(axe));
        }
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
    let printed = browser.problems_on_paper(page);
    problems.extend(
        printed
            .into_iter()
            .map(|problem| format!("paper: {problem}")),
    );
    if let Some(folder) = pictures {
        browser.picture(&folder.join("report-paper.png"));
    }
    browser.session.medium("screen");
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
    pub(crate) session: Session,
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

    /// What is wrong with the page when it is printed, of the same kinds, as far as a print can have
    /// them. The reader's screen is dark, the paper is not.
    pub(crate) fn problems_on_paper(&mut self, page: &Path) -> Vec<String> {
        self.session.look(SHEET);
        self.session.medium("print");
        self.session.open("about:blank");
        let page = page.canonicalize().expect("the page exists");
        self.session.open(&format!("file://{}", page.display()));
        let script = format!(
            "dispatchEvent(new Event('beforeprint'));\n{}",
            include_str!("page_checks.js")
        );
        self.session.run(&script, &serde_json::json!([SHEET.width]))
    }

    /// What keeps readers out of the open page, each as `barrier: rule: element`, by axe-core's rules
    /// for WCAG 2.1 levels A and AA and its best practices. Everything that folds is opened first.
    pub(crate) fn barriers(&mut self, axe: &str) -> Vec<String> {
        let script = format!("{axe}\n{}", include_str!("axe_run.js"));
        self.session.run(&script, &serde_json::json!([]))
    }

    /// Writes a picture of the whole open page as PNG; makes its folder.
    pub(crate) fn picture(&mut self, file: &Path) {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).expect("the folder of the pictures can be made");
        }
        std::fs::write(file, self.session.picture()).expect("the picture can be written");
    }
}

/// The accessibility checker, where it is installed.
pub(crate) fn axe() -> Option<String> {
    let text = std::fs::read_to_string(AXE).ok();
    if text.is_none() {
        let what = "axe-core is not installed, run scripts/install-test-tools.sh";
        assert!(!is_ci(), "{what}; with CI=true that is a failure");
        writeln!(stderr(), "skipped: accessibility, {what}").expect("the terminal can be written");
    }
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "only the environment says whether this is CI"
)]
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
