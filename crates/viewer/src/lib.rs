//! A page that draws Grafana's dashboards where there is no Grafana, and says that it is none.
//!
//! [`index`] is the page, [`assets`] are the files that it asks for, [`Settings`] is what it is told:
//! the dashboards in Grafana's classic JSON, and how they are to be shown at first. The page asks its
//! own server for data, under Prometheus' paths below `api/v1/`; whoever serves it passes that on.
//!
//! Deliberately absent: any server, any clock, and any dashboard of its own. The scripts in `page/`
//! are plain files in a fixed order, without a step that builds them, so that the page can join them
//! to one file that needs no server.

use std::collections::BTreeMap;

use double11_report::vendor;
use serde::Serialize;
use serde_json::Value;

/// What the browser may do on the page: nothing that another host would take part in.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Where the names of the assets go.
const PLACE: &str = "<!-- assets -->\n";

/// A file that the page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its path below the page's own.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub body: &'static str,
}

macro_rules! script {
    ($name:literal) => {
        Asset {
            path: concat!("page/", $name, ".js"),
            content_type: SCRIPT,
            body: include_str!(concat!("page/", $name, ".js")),
        }
    };
}

/// Scripts stand in the order in which they run: each uses only those before it.
const ASSETS: [Asset; 27] = [
    Asset {
        path: "page/uplot.css",
        content_type: STYLE,
        body: vendor::UPLOT_STYLE,
    },
    Asset {
        path: "page/page.css",
        content_type: STYLE,
        body: include_str!("page/page.css"),
    },
    script!("theme"),
    Asset {
        path: "page/uplot.js",
        content_type: SCRIPT,
        body: vendor::UPLOT_SCRIPT,
    },
    script!("words"),
    script!("time"),
    script!("interpolate"),
    script!("units"),
    script!("frames"),
    script!("colours"),
    script!("query"),
    script!("panel"),
    script!("elements"),
    script!("marks"),
    script!("chart"),
    script!("draw_lines"),
    script!("draw_heatmap"),
    script!("draw_single"),
    script!("table"),
    script!("draw_other"),
    script!("variables"),
    script!("runs"),
    script!("about"),
    script!("board"),
    script!("save"),
    script!("controls"),
    script!("app"),
];

/// The files that the page asks for, in the order of the page.
pub fn assets() -> impl Iterator<Item = &'static Asset> {
    ASSETS.iter()
}

/// The page itself.
pub fn index() -> String {
    let names: String = assets()
        .map(|asset| {
            if asset.content_type == STYLE {
                format!("<link rel=\"stylesheet\" href=\"{}\">\n", asset.path)
            } else {
                format!("<script src=\"{}\" defer></script>\n", asset.path)
            }
        })
        .collect();
    PAGE.replace(PLACE, &names)
}

/// What the page asks for first: `settings.json` beside it.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// The language in which the page opens, one of the keys of `dashboards`.
    pub language: String,
    /// The Prometheus whose data are shown, for the reader's eyes.
    pub prometheus: String,
    /// How often Prometheus scrapes, such as `5s`: what Grafana calls `timeInterval` of a data source.
    pub scrape_interval: String,
    /// Where the span of time begins at first, such as `now-15m`; none leaves it to the dashboard.
    pub from: Option<String>,
    /// Where it ends at first.
    pub to: Option<String>,
    /// Dashboards in Grafana's classic JSON, by the tag of their language.
    pub dashboards: BTreeMap<String, Vec<Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_asset_once() {
        let page = index();
        assert!(!page.contains(PLACE.trim()), "{page}");
        for asset in assets() {
            let name = format!("\"{}\"", asset.path);
            assert_eq!(page.matches(&name).count(), 1, "{name} in {page}");
        }
    }

    #[test]
    fn every_script_of_the_folder_is_an_asset() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/page");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("page/{name}");
            assert!(
                name == "index.html" || assets().any(|asset| asset.path == path),
                "{name}"
            );
        }
    }

    #[test]
    fn nothing_breaks_the_policy_or_ends_its_element_early() {
        for asset in assets() {
            let text = asset.body.to_lowercase();
            assert!(!text.contains("</script"), "{}", asset.path);
            assert!(!text.contains("</style"), "{}", asset.path);
            assert!(!text.contains("@import"), "{}", asset.path);
        }
        assert!(!index().contains("style="), "the policy forbids it");
        assert!(!index().contains("http"), "nothing comes from elsewhere");
    }
}
