use double11_measure::jtl::{Dashboard, DashboardOptions, Limits};

use super::*;

fn page_of(rows: &str, options: DashboardOptions) -> String {
    page_in(Language::English, rows, options)
}

fn page_in(language: Language, rows: &str, options: DashboardOptions) -> String {
    let file = format!(
        "timeStamp,elapsed,label,responseCode,responseMessage,success,failureMessage,allThreads\n{rows}"
    );
    let dashboard = Dashboard::read(file.as_bytes(), options, Limits::default()).unwrap();
    let about = DashboardAbout {
        file: "out.jtl".to_owned(),
        started_at: "now".to_owned(),
        version: "0".to_owned(),
    };
    let mut page = Vec::new();
    write_dashboard(&dashboard, &about, language, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

#[test]
fn the_page_says_what_jmeters_window_left_out() {
    let rows = "0,100,a,200,OK,true,,1\n1,300,a,200,OK,true,,1\n2,500,a,200,OK,true,,1\n";
    let whole = page_of(rows, DashboardOptions::default());
    assert!(!whole.contains("left out 1 samples"));
    let window = DashboardOptions {
        window: Some(2),
        ..DashboardOptions::default()
    };
    let page = page_of(rows, window);
    assert!(page.contains("window left out 1 samples"), "{page}");
    assert!(
        page.contains("<b>300</b><span class=\"sub\">400</span>"),
        "median of all beside that of two"
    );
}

#[test]
fn what_a_server_says_cannot_become_part_of_the_page() {
    let page = page_of(
        "0,1,<script>x</script>,500,</script><b>no,false,,1\n",
        DashboardOptions::default(),
    );
    assert!(!page.contains("<script>x"));
    assert!(page.contains("&lt;script&gt;x"));
    assert!(page.contains("500/&lt;/script&gt;"));
}

#[test]
fn a_file_without_samples_has_a_page() {
    let page = page_of("", DashboardOptions::default());
    assert!(page.contains("No sample failed."));
    assert!(!page.contains("chart-samples"));
    assert!(!page.contains("NaN"));
}

#[test]
fn a_page_in_chinese_has_no_english_words_of_its_own() {
    let rows = "0,100,a,200,OK,true,,1\n1000,300,a,500,No,false,,2\n";
    let options = DashboardOptions::default;
    let page = page_in(Language::TraditionalChinese, rows, options());
    assert!(page.contains("<html lang=\"zh-Hant-TW\">"));
    let (_, body) = page.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script").unwrap();
    let english = page_of(rows, options());
    for word in ["Samples", "Failed", "Total", "Label", "Median", "Errors"] {
        assert!(!body.contains(word), "{word}");
        assert!(english.contains(word), "{word}");
    }
    assert!(body.contains("合計") && body.contains("占失敗"));
}
