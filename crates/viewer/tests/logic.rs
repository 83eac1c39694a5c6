//! What the page decides, in the browser that its readers use: which queries are sent, and what is made
//! of the answers.

#[expect(
    dead_code,
    reason = "looking for faults of a whole page is what the program's own tests do"
)]
#[path = "../../report/tests/browser_check/check.rs"]
mod browser_check;

use browser_check::{Browser, View};
use double11_viewer::assets;

/// The page with its scripts inside, but for the one that starts it.
fn page_without_its_start() -> String {
    let head = "<!DOCTYPE html><meta charset=utf-8><title>t</title><div id=app></div>";
    let scripts = assets()
        .filter(|asset| asset.content_type.starts_with("text/javascript"))
        .filter(|script| script.path != "page/app.js")
        .map(|script| format!("<script>{}</script>", script.body));
    std::iter::once(head.to_owned()).chain(scripts).collect()
}

#[test]
fn what_is_asked_and_shown_is_what_grafana_would() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, page_without_its_start()).unwrap();
    browser.session.look(View {
        width: 1280,
        dark: false,
    });
    browser.session.open(&format!("file://{}", file.display()));
    let checks = include_str!("page/logic_checks.js");
    let found = browser.session.run(checks, &serde_json::json!([]));
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(browser.session.console_errors(), Vec::<String>::new());
}
