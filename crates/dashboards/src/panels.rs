//! Panels as these dashboards look: made by type, then completed word by word.

use crate::model::{
    BarShape, Calculation, CellOptions, Color, ColorMode, CustomField, DataSource, Effects,
    Exemplars, FieldConfig, FieldDefaults, FilterValues, Format, GaugeOptions, GridPosition,
    HeatmapColor, HeatmapLegend, HeatmapOptions, HeatmapTooltip, Legend, LegendMode, LineStyle,
    Mapping, Matcher, Options, Override, Panel, PanelType, Placement, Property, Reduce, RowsFrame,
    ScaleDistribution, StackingMode, StatOptions, TableOptions, Target, Thresholds,
    ThresholdsStyle, TimeSeriesOptions, Tooltip, Transformation, YAxis,
};

/// The colour of the baseline, told apart from the other also by those who do not see red or green.
const BEFORE: &str = "#E0752D";
/// The colour of the optimised variant.
const AFTER: &str = "#1F78C1";

/// Which legends belong to the baseline, in both languages.
const BEFORE_LEGENDS: &str = "/優化前|[Bb]efore/";
const AFTER_LEGENDS: &str = "/優化後|[Aa]fter/";
const P99_LEGENDS: &str = "/P99/";

/// Lines over time.
pub(crate) fn time_series(title: &str, unit: &'static str) -> Panel {
    let custom = CustomField::TimeSeries {
        axis_label: None,
        draw_style: "line",
        fill_opacity: 10,
        line_width: 2,
        scale_distribution: ScaleDistribution::Linear,
        show_points: "never",
        span_nulls: false,
        stacking: StackingMode::None,
        thresholds_style: ThresholdsStyle::Off,
    };
    let options = TimeSeriesOptions {
        legend: Legend {
            calcs: vec![Calculation::Mean, Calculation::Max],
            display_mode: LegendMode::Table,
            placement: Placement::Bottom,
            show_legend: true,
        },
        tooltip: Tooltip {
            mode: "multi",
            sort: "desc",
        },
    };
    let defaults = FieldDefaults {
        unit: Some(unit),
        min: Some(0),
        color: Some(Color {
            mode: ColorMode::PaletteClassicByName,
            fixed_color: None,
        }),
        custom: Some(custom),
        ..FieldDefaults::default()
    };
    panel(
        title,
        PanelType::TimeSeries,
        defaults,
        Options::TimeSeries(options),
    )
}

/// Large figures, coloured by their limits.
pub(crate) fn stat(title: &str, unit: &'static str) -> Panel {
    let options = StatOptions {
        color_mode: "value",
        graph_mode: "area",
        justify_mode: "auto",
        orientation: "auto",
        percent_change_color_mode: "standard",
        reduce_options: Reduce::by(Calculation::LastNotNull),
        show_percent_change: false,
        text_mode: "value_and_name",
        wide_layout: true,
    };
    panel(
        title,
        PanelType::Stat,
        limited(unit),
        Options::Stat(options),
    )
}

/// A share in per cent, on an arc.
pub(crate) fn gauge(title: &str) -> Panel {
    let options = GaugeOptions {
        bar_shape: BarShape::Flat,
        bar_width_factor: 0.5,
        effects: Effects {},
        min_viz_height: 75,
        min_viz_width: 75,
        orientation: "auto",
        reduce_options: Reduce::by(Calculation::LastNotNull),
        segment_count: 1,
        segment_spacing: 0.25,
        shape: "gauge",
        show_threshold_labels: false,
        show_threshold_markers: true,
        sizing: "auto",
    };
    let defaults = FieldDefaults {
        min: Some(0),
        max: Some(100),
        ..limited("percent")
    };
    panel(title, PanelType::Gauge, defaults, Options::Gauge(options))
}

/// The buckets of a histogram of seconds over time.
pub(crate) fn heatmap(title: &str) -> Panel {
    let options = HeatmapOptions {
        calculate: false,
        cell_gap: 0,
        color: HeatmapColor {
            exponent: 0.5,
            fill: "dark-orange",
            mode: "scheme",
            reverse: false,
            scale: "exponential",
            scheme: "Oranges",
            steps: 64,
        },
        exemplars: Exemplars {
            color: "rgba(255,0,255,0.7)",
        },
        filter_values: FilterValues { le: 1e-9 },
        legend: HeatmapLegend { show: true },
        rows_frame: RowsFrame { layout: "le" },
        show_value: "never",
        tooltip: HeatmapTooltip {
            mode: "single",
            show_color_scale: true,
            y_histogram: true,
        },
        y_axis: YAxis {
            axis_placement: "left",
            reverse: false,
            unit: "s",
        },
    };
    let defaults = FieldDefaults {
        unit: Some("short"),
        ..FieldDefaults::default()
    };
    panel(
        title,
        PanelType::Heatmap,
        defaults,
        Options::Heatmap(options),
    )
}

/// Rows of an answer.
pub(crate) fn table(title: &str, unit: &'static str) -> Panel {
    let custom = CustomField::Table {
        align: "auto",
        cell_options: CellOptions { kind: "auto" },
        inspect: false,
    };
    let defaults = FieldDefaults {
        unit: Some(unit),
        decimals: Some(0),
        custom: Some(custom),
        ..FieldDefaults::default()
    };
    let options = TableOptions {
        cell_height: "sm",
        frame_index: 0,
        show_header: true,
    };
    panel(title, PanelType::Table, defaults, Options::Table(options))
}

fn limited(unit: &'static str) -> FieldDefaults {
    FieldDefaults {
        unit: Some(unit),
        color: Some(Color {
            mode: ColorMode::Thresholds,
            fixed_color: None,
        }),
        thresholds: Some(Thresholds::new(&[("green", None)])),
        ..FieldDefaults::default()
    }
}

fn panel(title: &str, kind: PanelType, defaults: FieldDefaults, options: Options) -> Panel {
    Panel {
        id: 0,
        kind,
        title: title.to_owned(),
        description: String::new(),
        datasource: DataSource::CHOSEN,
        grid_pos: GridPosition {
            h: 0,
            w: 0,
            x: 0,
            y: 0,
        },
        field_config: FieldConfig {
            defaults,
            overrides: Vec::new(),
        },
        options,
        targets: Vec::new(),
        transformations: Vec::new(),
    }
}

impl Panel {
    /// What it shows, and how that is counted.
    pub(crate) fn about(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// One more query, over the whole span.
    pub(crate) fn query(self, expr: String, legend: &str) -> Self {
        let format = match self.kind {
            PanelType::Heatmap => Format::Heatmap,
            PanelType::Table => Format::Table,
            _ => Format::TimeSeries,
        };
        // The rows of a table are values at one instant; all else shows a span.
        let instant = self.kind == PanelType::Table;
        self.target(expr, legend, (format, instant))
    }

    /// One more query, for the value at the end of the span.
    pub(crate) fn instant(self, expr: String, legend: &str) -> Self {
        self.target(expr, legend, (Format::TimeSeries, true))
    }

    fn target(mut self, expr: String, legend: &str, (format, instant): (Format, bool)) -> Self {
        let letter = char::from(b'A' + u8::try_from(self.targets.len()).unwrap_or(25));
        self.targets.push(Target {
            ref_id: letter.to_string(),
            datasource: DataSource::CHOSEN,
            editor_mode: "code",
            expr,
            format,
            instant,
            range: !instant,
            legend_format: legend.to_owned(),
        });
        self
    }

    /// Limits and their colours, in the unit of the panel.
    pub(crate) fn limits(mut self, steps: &[(&'static str, Option<u32>)]) -> Self {
        self.field_config.defaults.thresholds = Some(Thresholds::new(steps));
        if let Some(CustomField::TimeSeries {
            thresholds_style, ..
        }) = &mut self.field_config.defaults.custom
        {
            *thresholds_style = ThresholdsStyle::Dashed;
        }
        self
    }

    /// Words beside the axis of a time series.
    pub(crate) fn axis(mut self, label: &'static str) -> Self {
        if let Some(CustomField::TimeSeries { axis_label, .. }) =
            &mut self.field_config.defaults.custom
        {
            *axis_label = Some(label);
        }
        self
    }

    /// The series lie on each other.
    pub(crate) fn stacked(mut self) -> Self {
        if let Some(CustomField::TimeSeries {
            stacking,
            fill_opacity,
            ..
        }) = &mut self.field_config.defaults.custom
        {
            *stacking = StackingMode::Normal;
            *fill_opacity = 40;
        }
        self
    }

    /// Digits after the point.
    pub(crate) fn decimals(mut self, decimals: u32) -> Self {
        self.field_config.defaults.decimals = Some(decimals);
        self
    }

    /// A stat that shows its series' highest value instead of its latest.
    pub(crate) fn peak(mut self) -> Self {
        if let Options::Stat(options) = &mut self.options {
            options.reduce_options = Reduce::by(Calculation::Max);
        }
        self
    }

    /// A stat without a curve behind its value.
    pub(crate) fn bare(mut self) -> Self {
        if let Options::Stat(options) = &mut self.options {
            options.graph_mode = "none";
        }
        self
    }

    /// Words for values.
    pub(crate) fn words(mut self, mappings: Vec<Mapping>) -> Self {
        self.field_config.defaults.mappings = mappings;
        self
    }

    /// The baseline in its colour, the optimised variant in its own, and P99 dashed.
    pub(crate) fn compared(mut self) -> Self {
        for (legends, color) in [(BEFORE_LEGENDS, BEFORE), (AFTER_LEGENDS, AFTER)] {
            let color = Color {
                mode: ColorMode::Fixed,
                fixed_color: Some(color),
            };
            self.field_config.overrides.push(Override {
                matcher: Matcher::ByRegexp(legends),
                properties: vec![Property::Color(color)],
            });
        }
        if self
            .targets
            .iter()
            .any(|target| target.legend_format.contains("P99"))
        {
            self = self.dashed(P99_LEGENDS);
        }
        self
    }

    /// The series whose legends match are dashed.
    pub(crate) fn dashed(mut self, legends: &'static str) -> Self {
        self.field_config.overrides.push(Override {
            matcher: Matcher::ByRegexp(legends),
            properties: vec![Property::LineStyle(LineStyle {
                fill: "dash",
                dash: [8, 6],
            })],
        });
        self
    }

    /// The series whose legends match have an axis of their own, on the right and in this unit.
    pub(crate) fn on_the_right(
        mut self,
        legends: &'static str,
        unit: &'static str,
        label: &'static str,
    ) -> Self {
        self.field_config.overrides.push(Override {
            matcher: Matcher::ByRegexp(legends),
            properties: vec![
                Property::Unit(unit),
                Property::AxisPlacement("right"),
                Property::AxisLabel(label),
                Property::LineStyle(LineStyle {
                    fill: "dash",
                    dash: [8, 6],
                }),
            ],
        });
        self
    }

    /// A scale on which small and large values of a time series are both seen.
    pub(crate) fn logarithmic(mut self) -> Self {
        if let Some(CustomField::TimeSeries {
            scale_distribution, ..
        }) = &mut self.field_config.defaults.custom
        {
            *scale_distribution = ScaleDistribution::Logarithmic { log: 10 };
        }
        // Zero has no place on such a scale.
        self.field_config.defaults.min = Some(1);
        self
    }

    /// A column of a table is not shown.
    pub(crate) fn without(mut self, column: &'static str) -> Self {
        for Transformation::Organize {
            exclude_by_name, ..
        } in &mut self.transformations
        {
            exclude_by_name.insert(column, true);
        }
        self
    }

    /// The columns of a table, in their order and with their headings; the time has no column.
    pub(crate) fn columns(mut self, columns: &[(&'static str, &'static str)]) -> Self {
        let mut index_by_name = std::collections::BTreeMap::new();
        for (&(name, _), index) in columns.iter().zip(0..) {
            index_by_name.insert(name, index);
        }
        self.transformations.push(Transformation::Organize {
            exclude_by_name: [("Time", true)].into(),
            index_by_name,
            rename_by_name: columns.iter().copied().collect(),
        });
        self
    }
}
