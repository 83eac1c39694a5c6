use std::collections::BTreeMap;

use serde::Serialize;

use super::{DataSource, FieldConfig, Options};

/// What stands in a dashboard.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Element {
    /// A panel.
    Panel(Box<Panel>),
    /// A heading.
    Row(Row),
}

/// A heading. Closed it holds the panels below it, and their queries do not run; open they follow it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Unique in the dashboard.
    pub id: u32,
    /// `row`.
    #[serde(rename = "type")]
    pub kind: PanelType,
    /// Its words.
    pub title: String,
    /// Whether it is closed.
    pub collapsed: bool,
    /// Its place.
    pub grid_pos: GridPosition,
    /// The panels of a closed row.
    pub panels: Vec<Panel>,
}

/// A panel.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Panel {
    /// Unique in the dashboard.
    pub id: u32,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: PanelType,
    /// Its heading.
    pub title: String,
    /// What it shows, and how that is counted.
    pub description: String,
    /// Who is asked.
    pub datasource: DataSource,
    /// Its place.
    pub grid_pos: GridPosition,
    /// How values are shown.
    pub field_config: FieldConfig,
    /// What only its type knows.
    pub options: Options,
    /// Its queries.
    pub targets: Vec<Target>,
    /// What is done with the answers before they are shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<Transformation>,
}

/// The types of panels that are used, all of which Grafana 11 to 13 have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PanelType {
    /// A heading.
    Row,
    /// Lines over time.
    TimeSeries,
    /// Large figures.
    Stat,
    /// A figure on an arc.
    Gauge,
    /// Shares over time, as colours.
    Heatmap,
    /// A table.
    Table,
}

/// A place on the grid of 24 columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GridPosition {
    /// Height, in steps of 30 pixels.
    pub h: u32,
    /// Width, in columns.
    pub w: u32,
    /// Column, from 0.
    pub x: u32,
    /// Step from the top.
    pub y: u32,
}

/// A query.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Unique in the panel: A, B, C …
    pub ref_id: String,
    /// Who is asked.
    pub datasource: DataSource,
    /// `code`: the query is shown as it is written.
    pub editor_mode: &'static str,
    /// PromQL.
    pub expr: String,
    /// The form of the answer.
    pub format: Format,
    /// Whether the value at the end of the span is asked for.
    pub instant: bool,
    /// Whether values over the span are asked for.
    pub range: bool,
    /// The name of a series, with `{{label}}`.
    pub legend_format: String,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Series.
    TimeSeries,
    /// Buckets of a histogram.
    Heatmap,
    /// Rows.
    Table,
}

/// What is done with an answer before it is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "id", content = "options", rename_all = "camelCase")]
pub enum Transformation {
    /// Columns of a table.
    #[serde(rename_all = "camelCase")]
    Organize {
        /// Columns that are not shown.
        exclude_by_name: BTreeMap<&'static str, bool>,
        /// Places of columns, from 0.
        index_by_name: BTreeMap<&'static str, u32>,
        /// New names of columns.
        rename_by_name: BTreeMap<&'static str, &'static str>,
    },
}
