use serde::Serialize;

/// How the values of a panel are shown.
#[derive(Clone, Debug, Serialize)]
pub struct FieldConfig {
    /// Of all series.
    pub defaults: FieldDefaults,
    /// Of some series.
    pub overrides: Vec<Override>,
}

/// How the values of all series are shown.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FieldDefaults {
    /// A unit of Grafana, such as `s`, `bytes`, `percent` or `suffix: pieces`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    /// Digits after the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u32>,
    /// The lower end of the axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The upper end of the axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Shown where there is no value.
    #[serde(rename = "noValue", skip_serializing_if = "Option::is_none")]
    pub no_value: Option<&'static str>,
    /// Where colours come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// Words for values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<Mapping>,
    /// Limits and their colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// What only this type of panel knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomField>,
}

/// Where colours come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Color {
    /// The rule.
    pub mode: ColorMode,
    /// The colour of the rule `fixed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_color: Option<&'static str>,
}

/// The rule by which a series gets its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColorMode {
    /// One colour.
    Fixed,
    /// By its name, so that a series keeps its colour whatever stands beside it.
    PaletteClassicByName,
    /// By its value.
    Thresholds,
}

/// Limits and their colours.
#[derive(Clone, Debug, Serialize)]
pub struct Thresholds {
    /// `absolute`: limits are values.
    pub mode: &'static str,
    /// From the lowest to the highest.
    pub steps: Vec<Step>,
}

impl Thresholds {
    /// Limits in the unit of the panel; the first colour holds from its value on, or always.
    pub fn new(steps: &[(&'static str, Option<u32>)]) -> Self {
        let steps = steps.iter();
        Self {
            mode: "absolute",
            steps: steps.map(|&(color, value)| Step { color, value }).collect(),
        }
    }
}

/// From this value on the colour holds.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The colour.
    pub color: &'static str,
    /// The value; none is lower than all.
    pub value: Option<u32>,
}

/// A word, and perhaps a colour, for one value.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The value.
    pub value: &'static str,
    /// The word.
    pub text: &'static str,
    /// The colour.
    pub color: &'static str,
}

impl Serialize for Mapping {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;

        #[derive(Serialize)]
        struct Result {
            color: &'static str,
            index: u32,
            text: &'static str,
        }
        let result = Result {
            color: self.color,
            index: 0,
            text: self.text,
        };
        let options = std::collections::BTreeMap::from([(self.value, result)]);
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", "value")?;
        map.serialize_entry("options", &options)?;
        map.end()
    }
}

/// What only time series or tables know of a value.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum CustomField {
    /// Of a time series.
    TimeSeries {
        /// Words beside the axis.
        #[serde(rename = "axisLabel", skip_serializing_if = "Option::is_none")]
        axis_label: Option<&'static str>,
        /// `line`.
        #[serde(rename = "drawStyle")]
        draw_style: &'static str,
        /// Per cent of the area under the line.
        #[serde(rename = "fillOpacity")]
        fill_opacity: u32,
        /// Pixels.
        #[serde(rename = "lineWidth")]
        line_width: u32,
        /// The scale of the axis.
        #[serde(rename = "scaleDistribution")]
        scale_distribution: ScaleDistribution,
        /// `never`: only lines.
        #[serde(rename = "showPoints")]
        show_points: &'static str,
        /// A gap stays a gap.
        #[serde(rename = "spanNulls")]
        span_nulls: bool,
        /// Whether series lie on each other.
        stacking: StackingMode,
        /// Whether limits are drawn.
        #[serde(rename = "thresholdsStyle")]
        thresholds_style: ThresholdsStyle,
    },
    /// Of a table.
    Table {
        /// `auto`.
        align: &'static str,
        /// How a cell is drawn.
        #[serde(rename = "cellOptions")]
        cell_options: super::CellOptions,
        /// Whether a cell opens.
        inspect: bool,
    },
}

/// The scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum ScaleDistribution {
    /// Equal steps.
    #[serde(rename = "linear")]
    Linear,
    /// Equal factors.
    #[serde(rename = "log")]
    Logarithmic {
        /// The factor.
        log: u32,
    },
}

/// Whether series lie on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum StackingMode {
    /// Each stands on the axis.
    None,
    /// Each stands on the one below.
    Normal,
}

/// Whether limits are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum ThresholdsStyle {
    /// They are not.
    Off,
    /// As dashed lines.
    Dashed,
}

/// What is different for some series.
#[derive(Clone, Debug, Serialize)]
pub struct Override {
    /// Which series.
    pub matcher: Matcher,
    /// What is different.
    pub properties: Vec<Property>,
}

/// Which series an override means.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "id", content = "options", rename_all = "camelCase")]
pub enum Matcher {
    /// The one of this name.
    ByName(String),
    /// Those whose names match the regular expression.
    ByRegexp(&'static str),
}

/// One thing that is different for some series.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "id", content = "value")]
pub enum Property {
    /// Its colour.
    #[serde(rename = "color")]
    Color(Color),
    /// Its unit.
    #[serde(rename = "unit")]
    Unit(&'static str),
    /// The side of its axis, `left` or `right`.
    #[serde(rename = "custom.axisPlacement")]
    AxisPlacement(&'static str),
    /// Words beside its axis.
    #[serde(rename = "custom.axisLabel")]
    AxisLabel(&'static str),
    /// Its line.
    #[serde(rename = "custom.lineStyle")]
    LineStyle(LineStyle),
}

/// A dashed line.
#[derive(Clone, Debug, Serialize)]
pub struct LineStyle {
    /// `dash`.
    pub fill: &'static str,
    /// Pixels of line and gap.
    pub dash: [u32; 2],
}
