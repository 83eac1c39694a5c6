//! The chart library, of which the workspace has this one copy; see `vendor/uplot/VENDOR.md`. Every report
//! carries it with it, and the page of the dashboards uses it too.

/// uPlot as one script that defines the global `uPlot`.
pub const UPLOT_SCRIPT: &str = include_str!("../vendor/uplot/uPlot.iife.min.js");
/// Its style sheet.
pub const UPLOT_STYLE: &str = include_str!("../vendor/uplot/uPlot.min.css");
/// Its licence, which asks to be kept with every copy.
pub const UPLOT_LICENCE: &str = include_str!("../vendor/uplot/LICENSE");
/// Its version.
pub const UPLOT_VERSION: &str = "1.6.32";

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use ring::digest::{SHA256, digest};

    use super::*;

    const RECORD: &str = include_str!("../vendor/uplot/VENDOR.md");

    #[test]
    fn embedded_files_have_the_recorded_checksums() {
        let files = [
            ("uPlot.iife.min.js", UPLOT_SCRIPT),
            ("uPlot.min.css", UPLOT_STYLE),
            ("LICENSE", UPLOT_LICENCE),
        ];
        for (name, content) in files {
            let mut line = String::new();
            for byte in digest(&SHA256, content.as_bytes()).as_ref() {
                write!(line, "{byte:02x}").unwrap();
            }
            line.push_str("  ");
            line.push_str(name);
            assert!(
                RECORD.lines().any(|recorded| recorded == line),
                "VENDOR.md lacks `{line}`"
            );
        }
    }

    #[test]
    fn the_version_is_the_one_of_the_script() {
        assert!(UPLOT_SCRIPT.contains(&format!("(v{UPLOT_VERSION})")));
        assert!(RECORD.contains(&format!("| version | {UPLOT_VERSION} |")));
    }

    #[test]
    fn nothing_embedded_ends_its_element_early() {
        assert!(!UPLOT_SCRIPT.to_lowercase().contains("</script"));
        assert!(!UPLOT_STYLE.to_lowercase().contains("</style"));
    }
}
