//! The dashboards, one a file, and what all of them share.

mod business;
mod comparison;
mod dependencies;
mod service;

use crate::Language;
use crate::grid::Grid;
use crate::model::{
    Annotation, AnnotationTarget, Current, Dashboard, DataSource, Link, List, TimeRange, Variable,
    VariableType,
};

pub(crate) use business::business;
pub(crate) use comparison::comparison;
pub(crate) use dependencies::dependencies;
pub(crate) use service::service;

/// Grafana's classic model as of its version 13.
const SCHEMA_VERSION: u32 = 42;

/// Prometheus 2 refuses an offset of nothing, so "not moved" is the shortest one that it takes.
const NOT_MOVED: &str = "1ms";

/// The head of a dashboard.
struct Head {
    /// The middle of its `uid`.
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Whether it shows one variant, which the reader chooses, or both.
    both_variants: bool,
}

fn dashboard(language: Language, head: &Head, grid: Grid) -> Dashboard {
    let tag = format!("double11-{}", language.suffix());
    let description = if head.both_variants {
        shifted(language)
    } else {
        variant(language)
    };
    Dashboard {
        id: None,
        uid: format!("double11-{}-{}", head.name, language.suffix()),
        title: head.title.to_owned(),
        description: head.description.to_owned(),
        tags: vec!["double11".to_owned(), tag.clone()],
        schema_version: SCHEMA_VERSION,
        editable: false,
        graph_tooltip: 1,
        timezone: "browser",
        refresh: "10s",
        time: TimeRange {
            from: "now-15m",
            to: "now",
        },
        annotations: List {
            list: annotations(language, head.both_variants),
        },
        templating: List {
            list: vec![
                data_source(language),
                job(language),
                instance(language),
                description,
            ],
        },
        links: vec![Link {
            kind: "dashboards",
            title: language.pick("Dashboards", "儀表板").to_owned(),
            tags: vec![tag],
            as_dropdown: false,
            icon: "external link",
            include_vars: false,
            keep_time: true,
            target_blank: false,
            tooltip: "",
        }],
        panels: grid.finish(),
    }
}

fn chosen(text: &str, value: &str) -> Current {
    Current {
        text: text.to_owned(),
        value: value.to_owned(),
    }
}

fn data_source(language: Language) -> Variable {
    let description = language.pick(
        "The Prometheus that scrapes the shops.",
        "抓取商店指標的 Prometheus。",
    );
    Variable {
        name: "datasource",
        label: language.pick("Data source", "資料來源").to_owned(),
        description: description.to_owned(),
        kind: VariableType::DataSource("prometheus"),
        current: chosen("Prometheus", "prometheus"),
    }
}

/// A variable whose values Prometheus knows, in both languages.
struct Queried {
    name: &'static str,
    label: (&'static str, &'static str),
    description: (&'static str, &'static str),
    query: &'static str,
    /// What is chosen at first; none for everything, of which several may then be chosen.
    first: Option<&'static str>,
}

impl Queried {
    fn variable(self, language: Language) -> Variable {
        Variable {
            name: self.name,
            label: language.pick(self.label.0, self.label.1).to_owned(),
            description: language
                .pick(self.description.0, self.description.1)
                .to_owned(),
            kind: VariableType::Query {
                query: self.query,
                multi: self.first.is_none(),
            },
            current: self
                .first
                .map_or_else(|| chosen("All", "$__all"), |first| chosen(first, first)),
        }
    }
}

fn job(language: Language) -> Variable {
    Queried {
        name: "job",
        label: ("Job", "工作"),
        description: (
            "The job of Prometheus that scrapes the shops.",
            "抓取商店的 Prometheus 工作。",
        ),
        query: "label_values(ecommerce_build_info, job)",
        first: None,
    }
    .variable(language)
}

fn instance(language: Language) -> Variable {
    Queried {
        name: "instance",
        label: ("Instance", "執行個體"),
        description: (
            "The shop's processes; all of them are added up.",
            "商店的執行個體；選取的全部加總。",
        ),
        query: r#"label_values(ecommerce_build_info{job=~"$job"}, instance)"#,
        first: None,
    }
    .variable(language)
}

fn variant(language: Language) -> Variable {
    Queried {
        name: "variant",
        label: ("Variant", "變體"),
        description: (
            "The variant of the shop that is shown. Two are never mixed in one figure.",
            "要顯示的商店變體；兩個變體的數字不會混在一起。",
        ),
        query: r#"label_values(ecommerce_build_info{job=~"$job"}, variant)"#,
        first: Some("optimized"),
    }
    .variable(language)
}

fn shifted(language: Language) -> Variable {
    let description = language.pick(
        "How much earlier the baseline ran, such as 20m; negative if it ran later. Its run is then \
         drawn on the time axis of the optimised variant. 1ms means not moved.",
        "優化前的商店比優化後的早多久執行，例如 20m；較晚執行則填負值。其曲線會移到優化後的時間軸上。\
         1ms 表示不移動。",
    );
    Variable {
        name: "baseline_shift",
        label: language
            .pick("Baseline ran earlier by", "優化前提早")
            .to_owned(),
        description: description.to_owned(),
        kind: VariableType::TextBox,
        current: chosen(NOT_MOVED, NOT_MOVED),
    }
}

fn annotations(language: Language, both_variants: bool) -> Vec<Annotation> {
    // An exporter that a place does not have is down for ever (`TargetDown`), and says nothing of the shop.
    let mut annotations = vec![annotation(
        language.pick("Alerts firing", "觸發中的告警"),
        "red",
        r#"ALERTS{alertstate="firing",alertname!~"TargetDown|Watchdog"}"#.to_owned(),
        "{{alertname}} {{variant}}",
    )];
    let started = |selector: &str| {
        // A process is young in the samples of its first 15 seconds, whatever the axis it is drawn on.
        format!("timestamp({selector}) - {selector} < 15")
    };
    let start = |variant: &str, offset: &str| {
        started(&format!(
            r#"process_start_time_seconds{{job=~"$job",instance=~"$instance",variant="{variant}"}}{offset}"#
        ))
    };
    if both_variants {
        annotations.push(annotation(
            language.pick("Start of the run before", "優化前開始執行"),
            "orange",
            start("baseline", " offset $baseline_shift"),
            "{{variant}}",
        ));
        annotations.push(annotation(
            language.pick("Start of the run after", "優化後開始執行"),
            "blue",
            start("optimized", ""),
            "{{variant}}",
        ));
    } else {
        annotations.push(annotation(
            language.pick("Start of a run", "開始執行"),
            "blue",
            start("$variant", ""),
            "{{variant}} {{instance}}",
        ));
    }
    annotations
}

fn annotation(
    name: &str,
    icon_color: &'static str,
    expr: String,
    legend_format: &'static str,
) -> Annotation {
    Annotation {
        name: name.to_owned(),
        datasource: DataSource::CHOSEN,
        enable: true,
        icon_color,
        target: AnnotationTarget {
            expr,
            interval: "5s",
            legend_format,
            ref_id: "Anno",
        },
    }
}
