//! The form of the alerts, and that each leads to a page that says what to do.

use std::collections::BTreeSet;

use crate::shipped::{alerts, text};

const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

/// What must be watched, whatever else is.
const WATCHED: [&str; 19] = [
    "AutoscalerAtMaximum",
    "AvailabilityBudgetBurn",
    "LatencyBudgetBurn",
    "MySqlConnectionsNearLimit",
    "MySqlDown",
    "OrderErrorRatioHigh",
    "PaymentErrorRatioHigh",
    "ProductsOversold",
    "QuotaNearlyFull",
    "RedisClientsNearLimit",
    "RedisDown",
    "RequestLatencyHigh",
    "RequestSuccessRatioLow",
    "RequestsShed",
    "SaleTpsLow",
    "ShopAbsent",
    "ShopDown",
    "TargetDown",
    "Watchdog",
];

#[test]
fn everything_that_must_be_watched_is() {
    let names: BTreeSet<String> = alerts().into_iter().map(|alert| alert.name).collect();
    assert_eq!(names, WATCHED.map(str::to_owned).into());
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_it_means() {
    for alert in alerts() {
        let mut letters = alert.name.chars();
        assert!(letters.next().unwrap().is_ascii_uppercase(), "{alert:?}");
        assert!(letters.all(|letter| letter.is_ascii_alphanumeric()));
        assert!(SEVERITIES.contains(&alert.severity()), "{alert:?}");
        for annotation in ["summary", "description"] {
            let text = alert.annotation(annotation);
            assert!(text.chars().any(is_chinese), "{text}");
            assert!(text.chars().any(|letter| letter.is_ascii_alphabetic()));
        }
    }
}

/// Each alert has a section of its own, and no section is left over.
#[test]
fn every_alert_leads_to_its_section_and_back() {
    let page = text("docs/ALERTS.md");
    let headings: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let names: BTreeSet<String> = alerts().iter().map(|alert| alert.name.clone()).collect();
    assert_eq!(headings, names.iter().map(String::as_str).collect());
    for alert in alerts() {
        let address = alert.annotation("runbook_url");
        let expected = format!("docs/ALERTS.md#{}", alert.name.to_lowercase());
        assert_eq!(address, expected);
        let section = page
            .split(&format!("\n## {}\n", alert.name))
            .nth(1)
            .unwrap();
        let section = section.split("\n## ").next().unwrap();
        for part in ["**Means.**", "**Look at.**", "**Do.**"] {
            assert!(section.contains(part), "{}: {part}", alert.name);
        }
    }
}

/// Links within the page: an anchor is the heading in lower case.
#[test]
fn links_within_the_page_lead_somewhere() {
    let page = text("docs/ALERTS.md");
    let anchors: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(str::to_lowercase)
        .collect();
    let links = page.split("](#").skip(1);
    let mut count = 0;
    for link in links {
        let anchor = link.split(')').next().unwrap();
        assert!(anchors.contains(anchor), "{anchor}");
        count += 1;
    }
    assert!(count > 5);
}

/// The requirements' words; and not the requirements' mistake of watching the series before the
/// optimisation.
#[test]
fn the_alert_of_the_requirements_has_its_words() {
    let alert = alerts()
        .into_iter()
        .find(|alert| alert.name == "SaleTpsLow")
        .unwrap();
    assert_eq!(alert.annotation("title"), "TPS 性能告警");
    assert_eq!(alert.annotation("message"), "TPS 低於 500，請檢查系統狀態");
    assert!(alert.expression.contains("< 500"));
    assert!(alert.expression.contains(r#"variant!="baseline""#));
    assert!(alert.expression.contains("ecommerce_sale_active"));
}

fn is_chinese(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}
