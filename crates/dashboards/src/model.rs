//! Grafana's classic dashboard JSON, schema version 42, as far as these dashboards use it.
//!
//! Source: `Dashboard` and the panels' `Options` in the package `@grafana/schema` 13.2.3, against whose
//! types a test checks what is written here. Fields that Grafana would fill with a default are left
//! out, unless its types demand them.

mod field;
mod options;
mod panel;
mod variable;

use serde::Serialize;

pub use field::{
    Color, ColorMode, CustomField, FieldConfig, FieldDefaults, LineStyle, Mapping, Matcher,
    Override, Property, ScaleDistribution, StackingMode, Step, Thresholds, ThresholdsStyle,
};
pub use options::{
    BarShape, Calculation, CellOptions, Effects, Exemplars, FilterValues, GaugeOptions,
    HeatmapColor, HeatmapLegend, HeatmapOptions, HeatmapTooltip, Legend, LegendMode, Options,
    Placement, Reduce, RowsFrame, StatOptions, TableOptions, TimeSeriesOptions, Tooltip, YAxis,
};
pub use panel::{Element, Format, GridPosition, Panel, PanelType, Row, Target, Transformation};
pub use variable::{Current, Variable, VariableType};

/// A dashboard.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// What the database of a Grafana calls it; always null in a file.
    pub id: Option<u32>,
    /// The name by which links and alerts find it, at most 40 characters.
    pub uid: String,
    /// Unique within its folder.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// For filters and for the links between the dashboards.
    pub tags: Vec<String>,
    /// The model of the JSON.
    pub schema_version: u32,
    /// A dashboard from a file is changed in the file.
    pub editable: bool,
    /// 1: panels share the crosshair.
    pub graph_tooltip: u32,
    /// `browser`: the reader's own time zone.
    pub timezone: &'static str,
    /// How often the queries run again.
    pub refresh: &'static str,
    /// The span that is shown first.
    pub time: TimeRange,
    /// Marks over all panels.
    pub annotations: List<Annotation>,
    /// The choices at the top.
    pub templating: List<Variable>,
    /// To the other dashboards.
    pub links: Vec<Link>,
    /// Everything below.
    pub panels: Vec<Element>,
}

impl Dashboard {
    /// Every panel, also those inside rows, in reading order.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.panels.iter().flat_map(|element| match element {
            Element::Panel(panel) => std::slice::from_ref(&**panel).iter(),
            Element::Row(row) => row.panels.iter(),
        })
    }
}

/// Grafana wraps some lists into an object.
#[derive(Clone, Debug, Serialize)]
pub struct List<T> {
    /// What is in it.
    pub list: Vec<T>,
}

/// A span of time in Grafana's words, such as `now-15m` to `now`.
#[derive(Clone, Debug, Serialize)]
pub struct TimeRange {
    /// Its begin.
    pub from: &'static str,
    /// Its end.
    pub to: &'static str,
}

/// The data source of a panel, a query or a variable.
#[derive(Clone, Debug, Serialize)]
pub struct DataSource {
    /// The kind of data source.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its name, or the variable that holds it.
    pub uid: &'static str,
}

impl DataSource {
    /// The Prometheus that the reader has chosen.
    pub const CHOSEN: Self = Self {
        kind: "prometheus",
        uid: "${datasource}",
    };
}

/// Marks on the time axis of all panels: every sample of the query is one.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotation {
    /// What the switch at the top says.
    pub name: String,
    /// Who is asked.
    pub datasource: DataSource,
    /// Whether it is shown at first.
    pub enable: bool,
    /// The colour of its marks.
    pub icon_color: &'static str,
    /// The query.
    pub target: AnnotationTarget,
}

/// The query of an annotation, in the form that Grafana 13 stores.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnnotationTarget {
    /// PromQL.
    pub expr: String,
    /// The distance of its samples.
    pub interval: &'static str,
    /// What a mark says.
    pub legend_format: &'static str,
    /// Any name.
    pub ref_id: &'static str,
}

/// Links to every dashboard that has all of the tags.
#[expect(clippy::struct_excessive_bools, reason = "the fields are Grafana's")]
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// `dashboards`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Shown when the links are a menu.
    pub title: String,
    /// Which dashboards.
    pub tags: Vec<String>,
    /// Links beside each other instead of a menu.
    pub as_dropdown: bool,
    /// Its picture.
    pub icon: &'static str,
    /// Whether the choices at the top are kept.
    pub include_vars: bool,
    /// Whether the span of time is kept.
    pub keep_time: bool,
    /// Whether a new tab opens.
    pub target_blank: bool,
    /// Shown over the link.
    pub tooltip: &'static str,
}
