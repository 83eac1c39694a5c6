//! The shipped configuration, changed for one rehearsal.

use std::path::Path;

/// The shipped configuration and its rules by their names.
const SHIPPED: &str = include_str!("../../../../deploy/prometheus/prometheus.yml");
pub(super) const RULES: [(&str, &str); 2] = [
    (
        "ecommerce_alerts.yml",
        include_str!("../../../../deploy/prometheus/ecommerce_alerts.yml"),
    ),
    (
        "ecommerce_rules.yml",
        include_str!("../../../../deploy/prometheus/ecommerce_rules.yml"),
    ),
];

/// The job of the shops.
const JOB: &str = "ecommerce-app";

/// The shipped configuration with the shops' targets read from a file, so that only the one that runs
/// is scraped. Jobs of other servers are left out, and so is the Alertmanager: a rehearsal must not
/// call anybody out of bed.
///
/// Where certificate authorities are named they are the ones that an https shop is checked by.
pub(super) fn configuration(targets: &Path, authorities: Option<&Path>) -> String {
    changed(SHIPPED, targets, authorities)
}

fn changed(shipped: &str, targets: &Path, authorities: Option<&Path>) -> String {
    let mut text = String::new();
    let (mut section, mut is_our_job, mut in_targets) = ("", true, false);
    for line in shipped.lines() {
        let content = line.trim_start();
        let depth = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if depth == 0 {
            (section, is_our_job, in_targets) = (content, true, false);
        } else if let Some(job) = content.strip_prefix("- job_name:") {
            (is_our_job, in_targets) = (job.trim() == JOB, false);
        } else if section.starts_with("scrape_configs") && depth <= 4 {
            in_targets = content.starts_with("static_configs:");
            if in_targets && is_our_job {
                text.push_str(&read_from(targets));
                text.push_str(&authorities.map(trusting).unwrap_or_default());
            }
        }
        if is_our_job && !in_targets && !section.starts_with("alerting:") {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn read_from(targets: &Path) -> String {
    let quoted = quoted(targets);
    format!("    file_sd_configs:\n      - files: [{quoted}]\n        refresh_interval: 1s\n")
}

fn trusting(authorities: &Path) -> String {
    format!("    tls_config:\n      ca_file: {}\n", quoted(authorities))
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{RULES, changed, configuration};

    #[test]
    fn only_the_shops_are_scraped_and_nobody_is_called() {
        let text = configuration(Path::new("/tmp/it's/targets.json"), None);
        for absent in [
            "static_configs",
            "alert",
            "redis",
            "mysql",
            "localhost",
            "tls_config",
        ] {
            let found: Vec<&str> = text
                .lines()
                .filter(|line| line.contains(absent) && !line.contains("ecommerce_alerts.yml"))
                .collect();
            assert_eq!(found, Vec::<&str>::new(), "{absent}");
        }
        for present in [
            "  - job_name: ecommerce-app\n",
            "    scrape_interval: 5s\n",
            "    metrics_path: /actuator/prometheus\n",
            "      - files: ['/tmp/it''s/targets.json']\n",
        ] {
            assert!(text.contains(present), "{present} in {text}");
        }
        for (name, _) in RULES {
            assert!(text.contains(&format!("  - {name}\n")), "{name} in {text}");
        }
    }

    #[test]
    fn another_order_of_parts_makes_no_difference() {
        let shipped = "scrape_configs:\n  - job_name: other\n    static_configs:\n      - targets: [a]\n  \
                       - job_name: ecommerce-app\n    static_configs:\n      - targets: [b]\n        labels:\n          \
                       variant: x\n    scrape_timeout: 4s\nalerting:\n  alertmanagers:\n    - static_configs: []\n\
                       global:\n  scrape_interval: 15s\n";
        let expected = "scrape_configs:\n  - job_name: ecommerce-app\n    file_sd_configs:\n      - files: ['t']\n        \
                        refresh_interval: 1s\n    scrape_timeout: 4s\nglobal:\n  scrape_interval: 15s\n";
        assert_eq!(changed(shipped, Path::new("t"), None), expected);
    }

    #[test]
    fn the_authorities_of_an_https_shop_are_trusted() {
        let text = configuration(Path::new("t"), Some(Path::new("/tmp/it's/a.pem")));
        let wanted =
            "        refresh_interval: 1s\n    tls_config:\n      ca_file: '/tmp/it''s/a.pem'\n";
        assert!(text.contains(wanted), "{text}");
    }
}
