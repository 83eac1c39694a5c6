use serde::Serialize;

/// What only one type of panel knows.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Options {
    /// Of a time series.
    TimeSeries(TimeSeriesOptions),
    /// Of a stat.
    Stat(StatOptions),
    /// Of a gauge.
    Gauge(GaugeOptions),
    /// Of a heatmap.
    Heatmap(HeatmapOptions),
    /// Of a table.
    Table(TableOptions),
}

/// Options of a time series.
#[derive(Clone, Debug, Serialize)]
pub struct TimeSeriesOptions {
    /// Names of the series.
    pub legend: Legend,
    /// What is shown at the pointer.
    pub tooltip: Tooltip,
}

/// Names of the series, with figures of each.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Legend {
    /// The figures.
    pub calcs: Vec<Calculation>,
    /// Its form.
    pub display_mode: LegendMode,
    /// Its place.
    pub placement: Placement,
    /// Whether there is one.
    pub show_legend: bool,
}

/// The form of a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LegendMode {
    /// Names behind each other.
    List,
    /// A line for each name, with its figures.
    Table,
}

/// The place of a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// Below.
    Bottom,
    /// On the right.
    Right,
}

/// One figure of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Calculation {
    /// The latest value that there is.
    LastNotNull,
    /// The highest.
    Max,
    /// The mean.
    Mean,
}

/// What is shown at the pointer.
#[derive(Clone, Debug, Serialize)]
pub struct Tooltip {
    /// `multi`: all series.
    pub mode: &'static str,
    /// `desc`: the highest first.
    pub sort: &'static str,
}

/// How a series becomes one value.
#[derive(Clone, Debug, Serialize)]
pub struct Reduce {
    /// By which calculation.
    pub calcs: Vec<Calculation>,
    /// All fields that are numbers.
    pub fields: &'static str,
    /// False: one value a series.
    pub values: bool,
}

impl Reduce {
    /// One value a series.
    pub fn by(calculation: Calculation) -> Self {
        Self {
            calcs: vec![calculation],
            fields: "",
            values: false,
        }
    }
}

/// Options of a stat.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatOptions {
    /// What the colour fills: `value` or `background`.
    pub color_mode: &'static str,
    /// Whether the series is drawn behind the value: `area` or `none`.
    pub graph_mode: &'static str,
    /// `auto`.
    pub justify_mode: &'static str,
    /// `auto`.
    pub orientation: &'static str,
    /// `standard`.
    pub percent_change_color_mode: &'static str,
    /// How a series becomes one value.
    pub reduce_options: Reduce,
    /// Whether the change is shown.
    pub show_percent_change: bool,
    /// `value_and_name`: the legend is shown too.
    pub text_mode: &'static str,
    /// Names beside values where there is room.
    pub wide_layout: bool,
}

/// Options of a gauge.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GaugeOptions {
    /// The ends of the bar.
    pub bar_shape: BarShape,
    /// The width of the bar, 0 to 1.
    pub bar_width_factor: f32,
    /// Grafana's effects: none.
    pub effects: Effects,
    /// Pixels.
    pub min_viz_height: u32,
    /// Pixels.
    pub min_viz_width: u32,
    /// `auto`.
    pub orientation: &'static str,
    /// How a series becomes one value.
    pub reduce_options: Reduce,
    /// 1: the bar is whole.
    pub segment_count: u32,
    /// Between segments, 0 to 1.
    pub segment_spacing: f32,
    /// `gauge`: an arc.
    pub shape: &'static str,
    /// Whether limits have words.
    pub show_threshold_labels: bool,
    /// Whether limits are drawn.
    pub show_threshold_markers: bool,
    /// `auto`.
    pub sizing: &'static str,
}

/// The ends of a gauge's bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BarShape {
    /// Cut off.
    Flat,
}

/// No effects.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Effects {}

/// Options of a heatmap whose rows are the buckets of a histogram.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeatmapOptions {
    /// False: the query gives buckets.
    pub calculate: bool,
    /// Pixels between cells.
    pub cell_gap: u32,
    /// From value to colour.
    pub color: HeatmapColor,
    /// The colour of exemplars, of which there are none.
    pub exemplars: Exemplars,
    /// Which cells are empty.
    pub filter_values: FilterValues,
    /// The scale of colours.
    pub legend: HeatmapLegend,
    /// A bucket is named by its upper end.
    pub rows_frame: RowsFrame,
    /// `never`: cells have no words.
    pub show_value: &'static str,
    /// What is shown at the pointer.
    pub tooltip: HeatmapTooltip,
    /// The axis of the buckets.
    pub y_axis: YAxis,
}

/// From value to colour.
#[derive(Clone, Debug, Serialize)]
pub struct HeatmapColor {
    /// Of the scale.
    pub exponent: f32,
    /// Used by another mode; Grafana's types demand it.
    pub fill: &'static str,
    /// `scheme`.
    pub mode: &'static str,
    /// Dark is much.
    pub reverse: bool,
    /// `exponential`: few requests are seen beside many.
    pub scale: &'static str,
    /// The scheme of colours.
    pub scheme: &'static str,
    /// Colours.
    pub steps: u32,
}

/// The colour of exemplars.
#[derive(Clone, Debug, Serialize)]
pub struct Exemplars {
    /// A colour.
    pub color: &'static str,
}

/// Cells at or below this value are empty.
#[derive(Clone, Debug, Serialize)]
pub struct FilterValues {
    /// The value.
    pub le: f32,
}

/// The scale of colours.
#[derive(Clone, Debug, Serialize)]
pub struct HeatmapLegend {
    /// Whether it is shown.
    pub show: bool,
}

/// How rows of a heatmap are named.
#[derive(Clone, Debug, Serialize)]
pub struct RowsFrame {
    /// `le`: by their upper ends.
    pub layout: &'static str,
}

/// What is shown at the pointer of a heatmap.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeatmapTooltip {
    /// `single`.
    pub mode: &'static str,
    /// Whether the scale of colours is shown.
    pub show_color_scale: bool,
    /// Whether the column is shown as bars.
    pub y_histogram: bool,
}

/// The axis of the buckets.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct YAxis {
    /// `left`.
    pub axis_placement: &'static str,
    /// Large values below.
    pub reverse: bool,
    /// A unit of Grafana.
    pub unit: &'static str,
}

/// Options of a table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableOptions {
    /// `sm`: low rows.
    pub cell_height: &'static str,
    /// The first answer is shown.
    pub frame_index: u32,
    /// Whether columns have names.
    pub show_header: bool,
}

/// How a cell of a table is drawn.
#[derive(Clone, Debug, Serialize)]
pub struct CellOptions {
    /// `auto`.
    #[serde(rename = "type")]
    pub kind: &'static str,
}
