//! The form of the charts' data in the page.

use serde::Serialize;

/// Everything that the script needs.
#[derive(Debug, Serialize)]
pub(crate) struct ChartData {
    pub(super) phases: Vec<Band>,
    pub(super) charts: Vec<Chart>,
    pub(super) files: Vec<File>,
    pub(super) words: Words,
}

/// What the buttons that the script makes say.
#[derive(Debug, Serialize)]
pub(super) struct Words {
    pub(super) csv: &'static str,
    pub(super) values: &'static str,
    pub(super) reset: &'static str,
    pub(super) dark: &'static str,
    pub(super) light: &'static str,
}

/// A file that the page can save.
#[derive(Debug, Serialize)]
pub(crate) struct File {
    pub(crate) name: String,
    /// What its button says; it stands in the page itself.
    #[serde(skip)]
    pub(crate) label: String,
    pub(crate) text: String,
}

impl ChartData {
    /// Ids of the charts in the order of the page.
    #[cfg(test)]
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.charts.iter().map(|chart| chart.id.as_str()).collect()
    }
}

/// A shaded stretch of the time axis.
#[derive(Debug, Serialize)]
pub(super) struct Band {
    pub(super) name: String,
    pub(super) start: f64,
    pub(super) end: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Chart {
    pub(super) id: String,
    pub(super) x_label: &'static str,
    pub(super) y_label: &'static str,
    /// What the legend calls the place under the pointer.
    pub(super) x_legend: &'static str,
    #[serde(flatten)]
    pub(super) body: Body,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Body {
    Lines {
        x: Vec<f64>,
        x_max: f64,
        y: Axis,
        series: Vec<Series>,
    },
    /// Points over something else than time.
    Curve {
        x: Vec<f64>,
        x_range: [f64; 2],
        x_scale: XScale,
        y: Axis,
        series: Vec<Series>,
    },
    Heatmap {
        column_s: f64,
        x_max: f64,
        edges: Vec<f64>,
        columns: Vec<Column>,
        tone: usize,
        cell: &'static str,
    },
    Bars {
        steps: Vec<String>,
        series: Vec<Series>,
    },
}

/// What the horizontal axis of a curve counts; it is logarithmic either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum XScale {
    /// Requests per second.
    Rate,
    /// One in how many: 10 is the 90th percentile, 100 the 99th.
    Percentile,
}

/// The value axis; limits are given where several charts have to share them.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Axis {
    pub(super) logarithmic: bool,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

impl Axis {
    pub(super) const FROM_ZERO: Self = Self {
        logarithmic: false,
        min: Some(0.0),
        max: None,
    };
    pub(super) const PER_CENT: Self = Self {
        logarithmic: false,
        min: Some(0.0),
        max: Some(100.0),
    };
}

#[derive(Debug, Serialize)]
pub(super) struct Series {
    pub(super) label: String,
    /// Which colour: the variant's number, or `None` for what the plan asks for.
    pub(super) tone: Option<usize>,
    /// Which line style within a colour, 0 the plainest.
    pub(super) style: usize,
    pub(super) unit: &'static str,
    pub(super) values: Vec<Option<f64>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Column {
    pub(super) start: f64,
    pub(super) counts: Vec<u64>,
}
