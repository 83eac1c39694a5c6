// Draws the charts of the report with uPlot from the JSON that the page carries. It has no words of
// its own: every label comes with the data. It also makes what only a script can: the enlarging of a
// stretch, the saving of values, the switch between light and dark.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const DASHES = [[], [6, 4], [2, 3]];
  const POINTER_GROUP = "run";
  let plots = [];
  // The stretch that is enlarged: one for all charts over time, one for each other chart.
  const views = new Map();
  const groupOf = (chart) => (chart.kind === "curve" ? chart.id : POINTER_GROUP);
  const wholeOf = (chart) => chart.x_range ?? [0, chart.x_max];
  const isZoomable = (chart) => chart.kind !== "bars";

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

  const zoom = (chart, view) => {
    const group = groupOf(chart);
    if (view) views.set(group, view);
    else views.delete(group);
    for (const { plot, chart: other, reset } of plots) {
      if (!isZoomable(other) || groupOf(other) !== group) continue;
      const [min, max] = view ?? wholeOf(other);
      plot.setScale("x", { min, max });
      // A button that vanishes under the reader's finger would lose the focus.
      if (!view && document.activeElement === reset) plot.root.parentElement.focus();
      reset.hidden = !view;
    }
  };
  const zoomed = (chart) => (plot) => {
    const { left, width } = plot.select;
    if (width < 6) return;
    const view = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (view[1] > view[0]) zoom(chart, view);
  };
  const cursor = (chart) => ({
    drag: { x: true, y: false, setScale: false },
    bind: { dblclick: () => () => zoom(chart, null) },
    // Only the pointer is shared; a stretch that is dragged in one chart is not dragged in the others.
    ...(chart.kind === "curve" ? {} : {
      sync: { key: POINTER_GROUP, setSeries: false, filters: { pub: (kind) => kind === "mousemove" || kind === "mouseleave" } },
    }),
  });
  const xScale = (chart) => ({
    time: false,
    distr: chart.kind === "curve" ? 3 : 1,
    range: () => views.get(groupOf(chart)) ?? wholeOf(chart),
  });
  const rarity = (value) => (value <= 1 ? "0%" : `${(100 * (1 - 1 / value)).toLocaleString("en-US", { maximumSignificantDigits: Math.max(3, Math.ceil(Math.log10(value)) + 1) })}%`);
  const xText = (chart) => (chart.x_scale === "percentile" ? rarity : short);
  // Round places of a logarithmic axis: all of 1, 2 and 5 where few decades are shown, else decades.
  const roundPlaces = (_, __, low, high) => {
    const steps = high / low > 60 ? [1] : [1, 2, 5];
    const places = [];
    for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade += 1)
      for (const step of steps) {
        const place = Number(`${step}e${decade}`);
        if (place >= low && place <= high) places.push(place);
      }
    return places;
  };
  const xAxis = (chart) =>
    axis(chart.x_label, {
      size: 34,
      ...(chart.x_scale ? { splits: roundPlaces, filter: (_, splits) => splits, values: (_, splits) => splits.map(xText(chart)) } : {}),
    });

  const lines = (chart, width) => ({
    options: {
      width,
      height: height(width),
      padding: [22, 14, 0, 0],
      cursor: cursor(chart),
      legend: { markers: markers(chart) },
      scales: {
        x: xScale(chart),
        y: {
          distr: chart.y.logarithmic ? 3 : 1,
          range: (_, low, high) => [chart.y.min ?? low ?? 0, chart.y.max ?? ((high ?? 1) * 1.08 || 1)],
        },
      },
      axes: [xAxis(chart), yAxis(chart.y_label)],
      series: [
        { label: chart.x_legend, value: (_, value) => (value === null || value === undefined ? "–" : xText(chart)(value)) },
        ...chart.series.map((series) => ({
          label: series.label,
          stroke: tone(series.tone),
          width: series.tone === null ? 1.25 : 2,
          dash: DASHES[series.style],
          alpha: series.style === 1 && series.tone !== null ? 0.8 : 1,
          points: { show: chart.x_scale === "rate" && series.tone !== null, size: 6 },
          spanGaps: chart.kind === "curve",
          paths: series.tone === null && chart.kind === "lines" ? uPlot.paths.stepped({ align: 1 }) : undefined,
          value: withUnit(series.unit),
        })),
      ],
      hooks: { drawClear: chart.kind === "lines" ? [bands] : [], setSelect: [zoomed(chart)] },
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
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
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
        cursor: { ...cursor(chart), points: { show: false } },
        scales: {
          x: xScale(chart),
          y: { distr: 3, range: [low, high] },
        },
        axes: [axis(chart.x_label, { size: 34 }), yAxis(chart.y_label)],
        series: [
          { label: chart.x_legend, value: (_, value) => (value === null ? "–" : short(value)) },
          { label: chart.cell, stroke: colour, fill: colour, paths: () => null, points: { show: false }, value: () => "–" },
        ],
        hooks: { drawClear: [bands], draw: [cells], setCursor: [say], setLegend: [say], setSelect: [zoomed(chart)] },
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

  const build = { lines, curve: lines, heatmap, bars };

  // The values of a chart as rows of a table, its head first.
  const rowsOf = (chart) => {
    if (chart.kind === "heatmap") {
      const rows = chart.columns.flatMap((column) =>
        column.counts.flatMap((count, row) => (count ? [[column.start, chart.edges[row], chart.edges[row + 1], count]] : [])));
      return [[chart.x_legend, `≥ ${chart.y_label}`, `< ${chart.y_label}`, chart.cell], ...rows];
    }
    const head = [chart.x_legend, ...chart.series.map((series) => `${series.label}${series.unit ? ` (${series.unit})` : ""}`)];
    const places = chart.steps ?? (chart.x_scale === "percentile" ? chart.x.map(rarity) : chart.x);
    return [head, ...places.map((place, index) => [place, ...chart.series.map((series) => series.values[index])])];
  };
  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const element = (name, content, properties) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...[content].flat());
    return made;
  };
  // A table of thousands of rows is only made for who opens it.
  const fillTable = (details, chart) => {
    if (!details.open || details.querySelector("table")) return;
    const [head, ...rows] = rowsOf(chart);
    const shown = (value) => (typeof value === "number" ? short(value) : value ?? "–");
    const cells = (kind, row, properties) => row.map((value, at) => element(kind, String(shown(value)), { ...properties, className: at ? "number" : "" }));
    const table = element("table", [
      element("thead", element("tr", cells("th", head, { scope: "col" }))),
      element("tbody", rows.map((row) => element("tr", [element("th", String(shown(row[0])), { scope: "row" }), ...cells("td", row).slice(1)]))),
    ], { className: "wide" });
    const box = element("div", table, { className: "scroll values", tabIndex: 0 });
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `${data.words.values}: ${document.getElementById(chart.id).dataset.label.slice(0, 80)}`);
    details.append(box);
  };
  const tools = (chart, place) => {
    const reset = element("button", data.words.reset, { type: "button", hidden: true });
    const csv = element("button", data.words.csv, { type: "button" });
    reset.addEventListener("click", () => zoom(chart, null));
    csv.addEventListener("click", () =>
      save(`${chart.id.replace("chart-", "")}.csv`, "text/csv", `${rowsOf(chart).map((row) => row.map(quoted).join(",")).join("\n")}\n`));
    const details = element("details", element("summary", data.words.values));
    details.addEventListener("toggle", () => fillTable(details, chart));
    place.after(element("div", [csv, reset], { className: "tools" }), details);
    return reset;
  };
  // Arrow keys read the values, plus and minus enlarge and reduce, Escape shows the whole again.
  const steer = (chart, plotOf) => (event) => {
    const plot = plotOf();
    const last = plot.data[0].length - 1;
    const at = plot.cursor.idx ?? 0;
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -last, End: last }[event.key];
    if (move !== undefined) {
      const idx = Math.min(last, Math.max(0, at + move));
      const top = chart.kind === "bars" ? plot.over.clientHeight * 0.9 : plot.over.clientHeight / 2;
      plot.setCursor({ left: plot.valToPos(plot.data[0][idx], "x"), top });
    } else if (isZoomable(chart) && ["+", "-", "Escape"].includes(event.key)) {
      const { min, max } = plot.scales.x;
      const whole = wholeOf(chart);
      const centre = plot.data[0][at];
      const factor = event.key === "+" ? 0.25 : 1;
      const half = (max - min) * factor;
      const view = [Math.max(whole[0], centre - half), Math.min(whole[1], centre + half)];
      const isWhole = view[0] <= whole[0] && view[1] >= whole[1];
      zoom(chart, event.key === "Escape" || isWhole || view[1] <= view[0] ? null : view);
    } else return;
    event.preventDefault();
  };

  const resets = new Map();
  const draw = () => {
    plots.forEach(({ plot }) => plot.destroy());
    plots = data.charts.map((chart) => {
      const place = document.getElementById(chart.id);
      const { options, values } = build[chart.kind](chart, place.clientWidth);
      const plot = new uPlot(options, values, place);
      const picture = plot.root.querySelector(".u-wrap");
      picture.setAttribute("role", "img");
      picture.setAttribute("aria-label", place.dataset.label);
      return { plot, chart, reset: resets.get(chart.id) };
    });
  };
  const prepare = () => {
    for (const chart of data.charts) {
      const place = document.getElementById(chart.id);
      resets.set(chart.id, tools(chart, place));
      place.tabIndex = 0;
      place.setAttribute("role", "group");
      place.setAttribute("aria-label", place.dataset.label);
      place.addEventListener("keydown", steer(chart, () => plots.find((drawn) => drawn.chart === chart).plot));
    }
    for (const list of document.querySelectorAll(".files")) {
      list.hidden = false;
      for (const button of list.querySelectorAll("button")) {
        const { name, text } = data.files[button.dataset.file];
        button.addEventListener("click", () => save(name, "text/plain", text));
      }
    }
    const theme = document.querySelector(".theme");
    const root = document.documentElement;
    const isDark = () => getComputedStyle(root).colorScheme === "dark";
    const name = () => {
      theme.textContent = isDark() ? data.words.light : data.words.dark;
    };
    theme.hidden = false;
    theme.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      name();
      draw();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      name();
      draw();
    });
    name();
  };

  prepare();
  draw();
  let width = document.documentElement.clientWidth;
  addEventListener("resize", () => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    draw();
  });
  // Paper is white and narrow: the page is drawn anew in light colours and the width of a sheet
  // before it is printed.
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("paper");
    draw();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("paper");
    draw();
  });
})();
