//! The page in a real browser: at the width of a phone, a laptop and a large screen, in light and in
//! dark, and the checker itself against pages with planted faults.
//!
//! `DOUBLE11_REPORT=FILE` opens another report than the sample, `DOUBLE11_PICTURES=FOLDER` keeps a
//! picture of every view.

#[path = "browser_check/check.rs"]
mod browser_check;
#[path = "sample/sample.rs"]
mod sample;
#[path = "browser_check/steer.rs"]
mod steer;

use std::fs;
use std::path::{Path, PathBuf};

use browser_check::{Browser, View};
use double11_report::model::{AuditStatus, FindingKind, ImprovementReport, Severity};
use double11_report::{Language, conclude, html, picture};

fn write_page(report: &ImprovementReport, folder: &Path) -> PathBuf {
    write_page_in(report, Language::English, folder)
}

fn write_page_in(report: &ImprovementReport, language: Language, folder: &Path) -> PathBuf {
    let file = folder.join("improvement_report.html");
    let mut page = Vec::new();
    html::write(report, language, &mut page).expect("memory takes every page");
    fs::write(&file, page).expect("the folder can be written");
    file
}

#[test]
fn the_report_is_sound_in_every_view() {
    let folder = tempfile::tempdir().unwrap();
    let page = from_environment("DOUBLE11_REPORT")
        .unwrap_or_else(|| write_page(&sample::report(), folder.path()));
    let pictures = from_environment("DOUBLE11_PICTURES");
    browser_check::assert_page_is_sound(&page, pictures.as_deref());
}

/// Each language with all that a long rehearsal shows; `DOUBLE11_PICTURES` keeps them in folders
/// of their own.
#[test]
fn the_long_report_is_sound_in_both_languages() {
    for language in Language::ALL {
        let folder = tempfile::tempdir().unwrap();
        let page = write_page_in(&sample::full(), language, folder.path());
        let pictures = from_environment("DOUBLE11_PICTURES");
        let pictures = pictures.map(|folder| folder.join(language.name()));
        if let Some(folder) = &pictures {
            fs::create_dir_all(folder).unwrap();
            fs::copy(&page, folder.join("page.html")).unwrap();
        }
        browser_check::assert_page_is_sound(&page, pictures.as_deref());
    }
}

#[test]
fn long_words_failures_and_gaps_do_not_break_the_page() {
    let mut report = sample::report();
    report.run.command = format!(
        "double11 rehearse --out {}",
        "a-very-long-folder-name/".repeat(9)
    );
    report.findings[0].severity = Severity::Failure;
    report.findings[0].what = FindingKind::Other {
        text: "unbreakable".repeat(20),
    };
    let audit = report.variants[1].audit.as_mut().unwrap();
    audit.passed = false;
    audit.checks[1].status = AuditStatus::Failed;
    audit.checks[1]
        .findings
        .push("order 0123456789abcdef is acknowledged and missing".repeat(3));
    report.variants[0].name = "http://baseline-shop.internal.example:8080/with/a/path".to_owned();
    report.variants[0].heatmap = None;
    report.variants[1].generator = None;
    for point in &mut report.variants[1].seconds {
        point.memory_bytes = None;
        if point.second % 3 == 0 {
            point.p99_ms = None;
        }
    }
    conclude(&mut report);
    let folder = tempfile::tempdir().unwrap();
    let page = write_page(&report, folder.path());
    browser_check::assert_page_is_sound(&page, None);
}

const SOUND: &str = "<h1>Heading</h1><section><h2>Part</h2><p>Some text that is long enough to \
                     stand for itself.</p></section>";

/// A fault planted into a sound page, and the kind by which it has to be reported.
const PLANTED: [(&str, &str); 13] = [
    (
        "overlap",
        "<p style='position:relative;top:-2.2em'>Text that climbs onto the line above it.</p>",
    ),
    (
        "overlap",
        "<div style='position:relative'><span>Left words</span>\
         <span style='position:absolute;left:20px;top:0'>Other words</span></div>",
    ),
    (
        "clipped",
        "<div style='width:90px;overflow:hidden;white-space:nowrap'><span>A line that is cut off at \
         its right end</span></div>",
    ),
    (
        "clipped",
        "<div style='height:12px;overflow:hidden'><p>one</p><p>two</p></div>",
    ),
    (
        "spilled",
        "<div style='width:60px;border:1px solid'>Donaudampfschifffahrtsgesellschaft</div>",
    ),
    ("blank", "<canvas width=300 height=100></canvas>"),
    (
        "blank",
        "<canvas width=300 height=100></canvas><script>\
         document.querySelector('canvas').getContext('2d').fillRect(0,0,9,300)</script>",
    ),
    ("blank", "<div class='chart' id='never-drawn'></div>"),
    (
        "silent",
        "<div class='chart'><div class='u-over'></div><canvas width=99 height=99></canvas>\
         <p class='u-legend'><span class='u-value'>–</span></p></div><script>\
         let c=document.querySelector('canvas').getContext('2d');c.fillStyle='red';\
         c.fillRect(0,0,99,99)</script>",
    ),
    ("console", "<script>console.error('planted')</script>"),
    ("console", "<script>planted.exception()</script>"),
    ("empty", "<section><h2>Nothing below</h2></section>"),
    (
        "contrast",
        "<p style='color:#aaa'>Pale words on a white page.</p>",
    ),
];

#[test]
fn the_checker_finds_planted_faults() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let mut problems = |body: &str| {
        let page = format!("<!DOCTYPE html><meta charset=utf-8><title>t</title>{SOUND}{body}");
        fs::write(&file, page).unwrap();
        browser.problems(
            &file,
            View {
                width: 390,
                dark: false,
            },
        )
    };
    assert_eq!(problems(""), Vec::<String>::new());
    let wide = problems("<div style='width:500px;height:5px'></div>");
    assert!(
        wide.iter().all(|problem| problem.starts_with("sideways: ")),
        "{wide:?}"
    );
    assert_eq!(wide.len(), 1, "{wide:?}");
    let scrolling = problems(
        "<div style='overflow-x:auto'><div style='width:900px'>Wide words in a box of their own \
         that scrolls.</div></div>",
    );
    assert_eq!(scrolling, Vec::<String>::new());
    if let Some(axe) = browser_check::axe() {
        problems("<p id=last>Some more text.</p>");
        let found = browser.barriers(&axe);
        assert!(
            found.iter().any(|found| found.contains("html-has-lang")),
            "a page without a language passes: {found:?}"
        );
    }
    let mut problems = |body: &str| {
        let page = format!("<!DOCTYPE html><meta charset=utf-8><title>t</title>{SOUND}{body}");
        fs::write(&file, page).unwrap();
        browser.problems(
            &file,
            View {
                width: 390,
                dark: false,
            },
        )
    };
    for (kind, body) in PLANTED {
        let found = problems(body);
        let expected = format!("{kind}: ");
        assert!(
            !found.is_empty() && found.iter().all(|problem| problem.starts_with(&expected)),
            "planted {body}\nexpected {kind}, found {found:?}"
        );
    }
    assert_eq!(
        problems(""),
        Vec::<String>::new(),
        "an earlier page's faults are not blamed on it"
    );
}

/// What a reader does with a chart: enlarge a stretch, show all again, open its values.
#[test]
fn charts_can_be_enlarged_and_read_without_a_mouse() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = write_page(&sample::full(), folder.path());
    let view = View {
        width: 1280,
        dark: false,
    };
    browser.show(&page, view);
    let found = browser.run(include_str!("browser_check/use_charts.js"));
    assert_eq!(found, Vec::<String>::new());
}

/// The picture in a browser: nothing overlaps, nothing is cut off.
#[test]
fn the_summary_picture_is_sound() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut long = sample::full();
    long.variants[0].name = "http://baseline-shop.internal.example:8080/path".to_owned();
    conclude(&mut long);
    for (index, (report, language)) in [
        (sample::full(), Language::English),
        (sample::full(), Language::TraditionalChinese),
        (long, Language::English),
    ]
    .iter()
    .enumerate()
    {
        let mut svg = Vec::new();
        picture::write(report, *language, &mut svg).unwrap();
        let file = folder.path().join("summary.svg");
        fs::write(&file, &svg).unwrap();
        for dark in [false, true] {
            browser.show(&file, View { width: 1200, dark });
            let found = browser.run(include_str!("browser_check/picture_checks.js"));
            assert_eq!(found, Vec::<String>::new(), "{language:?}");
            if let Some(folder) = from_environment("DOUBLE11_PICTURES") {
                browser.picture(&folder.join(format!("summary-{index}-{dark}.png")));
            }
        }
    }
}

/// Takes pictures of a finished page, section by section, for the documents:
///
/// ```text
/// DOUBLE11_REPORT=$PWD/results/improvement_report.html DOUBLE11_PICTURES=$PWD/docs/pictures \
///     cargo test --release -p double11-report --test browser -- --ignored take_pictures
/// ```
#[test]
#[ignore = "takes pictures of a given report"]
fn take_pictures() {
    let page = from_environment("DOUBLE11_REPORT").expect("DOUBLE11_REPORT names a page");
    let folder = from_environment("DOUBLE11_PICTURES").expect("DOUBLE11_PICTURES names a folder");
    let mut browser = Browser::start().expect("a browser is installed");
    for (width, dark, suffix) in [
        (1280, false, ""),
        (1280, true, "-dark"),
        (390, false, "-phone"),
    ] {
        browser.show(&page, View { width, dark });
        let sections = browser.run(
            "arguments[0]([...document.querySelectorAll('main > section')].map((at) => at.id));",
        );
        for section in sections {
            let file = folder.join(format!("report-{section}{suffix}.png"));
            browser.picture_of(&format!("#{section}"), &file);
        }
        browser.picture(&folder.join(format!("report{suffix}.png")));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own switches come from the environment"
)]
fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var(name).ok().map(PathBuf::from)
}
