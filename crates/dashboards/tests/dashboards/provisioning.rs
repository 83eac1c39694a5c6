//! The files that make Grafana find data sources and dashboards.

use serde_json::Value;

use crate::files;

fn yaml(path: &str) -> Value {
    let text = std::fs::read_to_string(files::folder().join("provisioning").join(path)).unwrap();
    // Grafana replaces `$NAME` by the environment, so that a lone one would vanish.
    let dollars = text.replace("$$", "");
    assert!(
        !dollars.contains('$'),
        "{path}: a dollar sign is not doubled"
    );
    let value: Value = serde_yaml_ng::from_str(&text).unwrap();
    assert_eq!(value["apiVersion"], 1, "{path}");
    value
}

#[test]
fn the_data_source_is_the_one_that_the_dashboards_ask_for_and_knows_the_scrape_interval() {
    let sources = yaml("datasources/prometheus.yaml");
    let sources = sources["datasources"].as_array().unwrap();
    let source = |kind: &str| {
        let mut of_kind = sources.iter().filter(|source| source["type"] == kind);
        let source = of_kind.next().unwrap();
        assert!(of_kind.next().is_none(), "one data source of {kind}");
        source
    };
    let prometheus = source("prometheus");
    assert_eq!(prometheus["isDefault"], true);
    for (path, dashboard) in files::parsed() {
        let variable = &dashboard["templating"]["list"][0];
        assert_eq!(variable["current"]["value"], prometheus["uid"], "{path}");
        assert_eq!(variable["current"]["text"], prometheus["name"], "{path}");
    }
    let options = &prometheus["jsonData"];
    assert_eq!(options["timeInterval"], "5s");
    assert_eq!(options["alertmanagerUid"], source("alertmanager")["uid"]);
    assert_eq!(
        source("alertmanager")["jsonData"]["implementation"],
        "prometheus"
    );
}

#[test]
fn every_language_has_a_folder_of_its_own() {
    let providers = yaml("dashboards/double11.yaml");
    let providers = providers["providers"].as_array().unwrap();
    let mut folders = Vec::new();
    for language in double11_dashboards::Language::ALL {
        let path = format!("/var/lib/grafana/dashboards/{}", language.folder());
        let provider = providers
            .iter()
            .find(|provider| provider["options"]["path"] == path.as_str())
            .unwrap_or_else(|| panic!("no provider for {path}"));
        assert_eq!(provider["type"], "file");
        assert_eq!(provider["allowUiUpdates"], false);
        folders.push(provider["folderUid"].as_str().unwrap().to_owned());
    }
    folders.dedup();
    assert_eq!(folders.len(), providers.len());
}

/// A `uid` is unique in a whole Grafana, a title within its folder.
#[test]
fn uids_and_titles_are_unique() {
    let mut uids = Vec::new();
    let mut titles = Vec::new();
    for (path, dashboard) in files::parsed() {
        let folder = path.split('/').next().unwrap().to_owned();
        uids.push(dashboard["uid"].as_str().unwrap().to_owned());
        titles.push((folder, dashboard["title"].as_str().unwrap().to_owned()));
    }
    for name in ["comparison", "business", "service", "dependencies"] {
        for suffix in ["en", "zh-tw"] {
            assert!(
                uids.contains(&format!("double11-{name}-{suffix}")),
                "{uids:?}"
            );
        }
    }
    let count = uids.len();
    uids.sort();
    uids.dedup();
    titles.sort();
    titles.dedup();
    assert_eq!((uids.len(), titles.len()), (count, count));
}
