// Draws the charts of the report with uPlot from the JSON that the page carries. It has no words of
// its own: every label comes with the data.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const DASHES = [[], [6, 4], [2, 3]];
  const POINTER_GROUP = "run";
  let plots = [];

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const tone = (index) => style(index === null ? "--plan" : `--tone-${index % 4}`);
  const markers = (chart) => ({
    width: 2,
    dash: (_, index) => ["solid", "dashed", "dotted"][chart.series[index - 1]?.style ?? 0],
    stroke: (plot, index) => (index ? tone(chart.series[index - 1].tone) : "transparent"),
  });
  const font = (size) => `${size}px ${getComputedStyle(document.body).fontFamily}`;
  const height = (width) => (width < 560 ? 230 : 280);

  const short = (value) => {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    const places = size >= 100 || value === Math.round(value) ? 0 : size >= 10 ? 1 : 2;
    return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  };
  const withUnit = (unit) => (_, value) => (value === null || value === undefined ? "–" : `${short(value)} ${unit}`.trim());

  // Bands go below grid and lines; a name is only written where it fits.
  const bands = (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    ctx.font = font(11 * devicePixelRatio);
    data.phases.forEach((phase, index) => {
      const left = Math.max(plot.valToPos(phase.start, "x", true), bbox.left);
      const right = Math.min(plot.valToPos(phase.end, "x", true), bbox.left + bbox.width);
      if (right <= left) return;
      ctx.fillStyle = style(index % 2 ? "--band-b" : "--band-a");
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      if (ctx.measureText(phase.name).width + 8 < right - left) {
        ctx.fillStyle = style("--muted");
        ctx.fillText(phase.name, (left + right) / 2, bbox.top - 16 * devicePixelRatio);
      }
    });
    ctx.restore();
  };

  const axis = (label, extra) => ({
    label,
    labelFont: font(12),
    labelSize: 22,
    labelGap: 2,
    font: font(11),
    stroke: style("--muted"),
    grid: { stroke: style("--grid"), width: 1 },
    ticks: { stroke: style("--grid"), width: 1, size: 4 },
    ...extra,
  });
  const yAxis = (label) =>
    axis(label, {
      size: (plot, values) => Math.max(44, 14 + 7 * Math.max(0, ...(values || []).map((value) => (value || "").length))),
      values: (_, splits) => splits.map((value) => (value === null ? "" : value.toLocaleString("en-US"))),
    });

  const lines = (chart, width) => ({
    options: {
      width,
      height: height(width),
      padding: [22, 14, 0, 0],
      cursor: { sync: { key: POINTER_GROUP, setSeries: false }, drag: { x: false, y: false } },
      legend: { markers: markers(chart) },
      scales: {
        x: { time: false, range: [0, chart.x_max] },
        y: {
          distr: chart.y.logarithmic ? 3 : 1,
          range: (_, low, high) => [chart.y.min ?? low ?? 0, chart.y.max ?? ((high ?? 1) * 1.08 || 1)],
        },
      },
      axes: [axis(chart.x_label, { size: 34 }), yAxis(chart.y_label)],
      series: [
        { label: chart.x_legend, value: (_, value) => (value === null ? "–" : short(value)) },
        ...chart.series.map((series) => ({
          label: series.label,
          stroke: tone(series.tone),
          width: series.tone === null ? 1.25 : 2,
          dash: DASHES[series.style],
          alpha: series.style === 1 && series.tone !== null ? 0.8 : 1,
          points: { show: false },
          paths: series.tone === null ? uPlot.paths.stepped({ align: 1 }) : undefined,
          value: withUnit(series.unit),
        })),
      ],
      hooks: { drawClear: [bands] },
    },
    values: [chart.x, ...chart.series.map((series) => series.values)],
  });

  const heatmap = (chart, width) => {
    const most = Math.max(...chart.columns.flatMap((column) => column.counts));
    const colour = tone(chart.tone);
    const starts = chart.columns.map((column) => column.start);
    const low = chart.edges[0];
    const high = chart.edges[chart.edges.length - 1];
    const cells = (plot) => {
      const { ctx } = plot;
      ctx.save();
      ctx.fillStyle = colour;
      const rows = chart.edges.map((edge) => Math.round(plot.valToPos(edge, "y", true)));
      for (const column of chart.columns) {
        const left = Math.round(plot.valToPos(column.start, "x", true));
        const right = Math.round(plot.valToPos(column.start + chart.column_s, "x", true));
        column.counts.forEach((count, row) => {
          if (!count) return;
          ctx.globalAlpha = 0.12 + 0.88 * (most > 1 ? Math.log(count) / Math.log(most) : 1);
          ctx.fillRect(left, rows[row + 1], Math.max(right - left, 1), Math.max(rows[row] - rows[row + 1], 1));
        });
      }
      ctx.restore();
    };
    // The legend of uPlot knows the column; the row comes from the height of the pointer.
    const say = (plot) => {
      const value = plot.root.querySelectorAll(".u-legend .u-series:last-child .u-value")[0];
      const { left, top } = plot.cursor;
      if (!value) return;
      let text = "–";
      if (left >= 0 && top >= 0) {
        const at = plot.posToVal(left, "x");
        const time = plot.posToVal(top, "y");
        const column = chart.columns.find((column) => column.start <= at && at < column.start + chart.column_s);
        const row = chart.edges.findIndex((edge, index) => edge <= time && time < chart.edges[index + 1]);
        if (column && row >= 0) text = `${short(column.counts[row])} (${short(chart.edges[row])}–${short(chart.edges[row + 1])} ms)`;
      }
      value.textContent = text;
    };
    return {
      options: {
        width,
        height: height(width),
        padding: [22, 14, 0, 0],
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: false, range: [0, chart.x_max] },
          y: { distr: 3, range: [low, high] },
        },
        axes: [axis(chart.x_label, { size: 34 }), yAxis(chart.y_label)],
        series: [
          { label: chart.x_legend, value: (_, value) => (value === null ? "–" : short(value)) },
          { label: chart.cell, stroke: colour, fill: colour, paths: () => null, points: { show: false }, value: () => "–" },
        ],
        hooks: { drawClear: [bands], draw: [cells], setCursor: [say], setLegend: [say] },
      },
      values: [starts, starts.map(() => high)],
    };
  };

  // Bars stand in groups with one empty place between them.
  const bars = (chart, width) => {
    const group = chart.series.length + 1;
    const places = chart.steps.length * group - 1;
    const x = Array.from({ length: places }, (_, place) => place);
    const centre = (chart.series.length - 1) / 2;
    const narrow = width < 560;
    const longest = Math.max(...chart.steps.map((step) => step.length));
    return {
      options: {
        width,
        height: height(width) + (narrow ? 40 : 0),
        padding: [10, 14, 0, 0],
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: false, range: [-0.8, places - 0.2] },
          y: { range: (_, low, high) => [0, (high || 1) * 1.06] },
        },
        axes: [
          axis(undefined, {
            size: narrow ? 18 + longest * 6 : 34,
            rotate: narrow ? -90 : 0,
            grid: { show: false },
            splits: () => chart.steps.map((_, step) => step * group + centre),
            values: () => chart.steps,
          }),
          yAxis(chart.y_label),
        ],
        series: [
          { label: chart.x_legend, value: (_, value) => (value === null ? "–" : chart.steps[Math.floor(value / group)] ?? "–") },
          ...chart.series.map((series, index) => ({
            label: series.label,
            stroke: tone(series.tone),
            fill: tone(series.tone),
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars({ size: [0.9, 60] }),
            // Every bar of the group under the pointer is read, not only the nearest one.
            value: (plot, _, __, place) => {
              const pointed = place ?? plot.cursor.idx;
              return pointed === null || pointed === undefined ? "–" : short(series.values[Math.floor(pointed / group)]);
            },
          })),
        ],
      },
      values: [
        x,
        ...chart.series.map((series, index) =>
          x.map((place) => (place % group === index ? series.values[Math.floor(place / group)] : null))),
      ],
    };
  };

  const build = { lines, heatmap, bars };

  const draw = () => {
    plots.forEach(({ plot }) => plot.destroy());
    plots = data.charts.map((chart) => {
      const place = document.getElementById(chart.id);
      const { options, values } = build[chart.kind](chart, place.clientWidth);
      const plot = new uPlot(options, values, place);
      const picture = plot.root.querySelector(".u-wrap");
      picture.setAttribute("role", "img");
      picture.setAttribute("aria-label", place.dataset.label);
      return { plot, place };
    });
  };

  draw();
  let width = document.documentElement.clientWidth;
  addEventListener("resize", () => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  // Paper is white: a page read in the dark is drawn anew in light colours before it is printed.
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("paper");
    draw();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("paper");
    draw();
  });
})();
