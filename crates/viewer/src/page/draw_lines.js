"use strict";
// Time series: lines, bars and points on up to two axes, with a legend that summarises each of them.
viewer.draw = {};
viewer.draw.timeseries = (() => {
  const { elements, colours, units, frames, chart, time, marks } = viewer;
  const { make, styled } = elements;
  const DASH = [10, 10];

  // Series of one axis share a unit; the second unit has its axis on the right.
  const axesOf = (series) => {
    const axes = [];
    for (const one of series) {
      const { custom, unit = "" } = one.config;
      const side = custom.axisPlacement === "right" || custom.axisPlacement === "left" ? custom.axisPlacement : null;
      const key = `${side ?? ""}|${unit}`;
      let axis = axes.find((known) => known.key === key);
      if (!axis) {
        axis = { key, scale: `y${axes.length}`, side: side ?? (axes.length % 2 ? "right" : "left"), config: one.config, hidden: custom.axisPlacement === "hidden" };
        axes.push(axis);
      }
      one.scale = axis.scale;
    }
    return axes;
  };

  // Each series on top of those before it that are of the same group; a gap stays a gap.
  const isStacked = (one) => (one.config.custom.stacking?.mode ?? "none") !== "none";
  const stacked = (series, hidden) => {
    const sums = new Map();
    return series.map((one) => {
      const { group = "A" } = one.config.custom.stacking ?? {};
      if (!isStacked(one) || hidden.has(one.name)) return one.column;
      const key = `${group}|${one.scale}`;
      const below = sums.get(key) ?? new Array(one.column.length).fill(0);
      const values = one.column.map((value, at) => (value === null ? null : value + below[at]));
      sums.set(key, values.map((value, at) => value ?? below[at]));
      return values;
    });
  };

  // The union of all moments; targets of one panel may differ in their steps.
  const aligned = (series) => {
    const same = series.every((one) => one.times.length === series[0].times.length && one.times[0] === series[0].times[0]);
    if (same) return { times: series[0].times, columns: series.map((one) => one.values) };
    const times = [...new Set(series.flatMap((one) => one.times))].sort((one, other) => one - other);
    const places = new Map(times.map((at, index) => [at, index]));
    const columns = series.map((one) => {
      // What lies between two moments of a coarser series is no gap of it.
      const column = new Array(times.length).fill(undefined);
      one.values.forEach((value, index) => {
        column[places.get(one.times[index])] = value;
      });
      return column;
    });
    return { times, columns };
  };

  const pathsOf = ({ drawStyle, lineInterpolation }) => {
    if (drawStyle === "bars") return uPlot.paths.bars({ size: [0.7, 40] });
    if (drawStyle === "points") return () => null;
    if (lineInterpolation === "stepAfter" || lineInterpolation === "stepBefore") return uPlot.paths.stepped({ align: lineInterpolation === "stepAfter" ? 1 : -1 });
    return lineInterpolation === "smooth" ? uPlot.paths.spline() : uPlot.paths.linear();
  };
  const lineOf = (one) => {
    const { custom } = one.config;
    const fill = custom.fillOpacity ?? 0;
    const isAlone = one.values.filter((value) => value !== null).length === 1;
    return {
      label: one.name,
      scale: one.scale,
      stroke: one.colour,
      width: custom.lineWidth ?? 1.5,
      dash: custom.lineStyle?.fill === "dash" ? custom.lineStyle.dash ?? DASH : custom.lineStyle?.fill === "dot" ? [2, 6] : undefined,
      fill: fill ? colours.alpha(one.colour, fill) : undefined,
      spanGaps: custom.spanNulls === true,
      paths: pathsOf(custom),
      points: { show: custom.drawStyle === "points" || custom.showPoints === "always" || isAlone ? true : undefined, size: custom.pointSize ?? 5, space: 20 },
    };
  };

  // Fields between one line of a stack and the next; without them the upper would cover the lower.
  const bandsOf = (series) => {
    const places = series.map((one, index) => ({ one, index })).filter(({ one }) => isStacked(one));
    return places.slice(1).flatMap(({ one, index }, before) => (places[before].one.scale === one.scale ? [{ series: [index + 1, places[before].index + 1] }] : []));
  };
  const rangeOf = ({ config }) => (_, low, high) => {
    const { min, max, custom } = config;
    const least = Math.min(low ?? 0, custom.axisSoftMin ?? Infinity);
    const highest = Math.max(high ?? 1, custom.axisSoftMax ?? -Infinity);
    // Where all values are alike the axis shows one unit above them, so that a line of zeros lies on it.
    const most = highest > least ? highest : least + (Math.abs(least) || 1);
    const isLog = custom.scaleDistribution?.type === "log";
    if (isLog) return [min ?? Math.max(least, 1e-9), max ?? Math.max(most * 1.1, 1e-8)];
    const span = most - least;
    return [min ?? (least >= 0 ? 0 : least - span * 0.05), max ?? most + span * 0.08];
  };

  // Lines and areas where the thresholds are, below the series.
  const thresholdsOf = (axes) => (plot) => {
    const { ctx, bbox } = plot;
    for (const { scale, config } of axes) {
      const { mode = "off" } = config.custom.thresholdsStyle ?? {};
      const steps = (config.thresholds?.steps ?? []).filter((step) => step.value !== null);
      if (mode === "off" || !steps.length) continue;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      steps.forEach((step, index) => {
        const y = plot.valToPos(step.value, scale, true);
        if (mode.includes("area")) {
          const above = index + 1 < steps.length ? plot.valToPos(steps[index + 1].value, scale, true) : bbox.top;
          ctx.fillStyle = colours.line(step.color);
          ctx.globalAlpha = 0.1;
          ctx.fillRect(bbox.left, above, bbox.width, y - above);
        }
        ctx.globalAlpha = 0.8;
        ctx.strokeStyle = colours.line(step.color);
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash(mode.startsWith("dashed") ? [6 * devicePixelRatio, 4 * devicePixelRatio] : []);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
      });
      ctx.restore();
    }
  };

  const tell = (series, times, hidden, marked) => (plot) => {
    const at = plot.cursor.idx;
    const known = at === null || at === undefined ? [] : series.filter((one) => !hidden.has(one.name));
    const slack = times.length > 1 ? (times[1] - times[0]) / 2 : 0;
    const lines = known.map((one) => ({ colour: one.colour, text: `${one.name}: ${units.show(one.column[at] ?? null, one.config)}` }));
    chart.showTip(plot, lines.length ? [{ text: time.stamp(times[at] * 1e3) }, ...lines, ...marks.at(marked, times[at], slack)] : null);
  };

  const options = (series, times, axes, context, hidden) => ({
    padding: [10, 26, 0, 0],
    cursor: { sync: { key: "time", setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: () => [context.range.from / 1e3, context.range.to / 1e3] },
      ...Object.fromEntries(axes.map((axis) => [axis.scale, { distr: axis.config.custom.scaleDistribution?.type === "log" ? 3 : 1, range: rangeOf(axis) }])),
    },
    axes: [
      chart.timeAxis(),
      ...axes.map((axis) => chart.valueAxis((value) => units.format(value, axis.config.unit, value === 0 ? 0 : undefined), {
        scale: axis.scale,
        side: axis.side === "right" ? 1 : 3,
        show: !axis.hidden,
        label: axis.config.custom.axisLabel || undefined,
        labelSize: 18,
        ...(chart.isBinary(axis.config.unit) ? { incrs: chart.BINARY } : {}),
        ...(axis.side === "right" ? { grid: { show: false } } : {}),
      })),
    ],
    series: [{}, ...series.map((one) => ({ ...lineOf(one), show: !hidden.has(one.name) }))],
    bands: series.some((one) => one.config.custom.drawStyle === "bars") ? [] : bandsOf(series),
    hooks: {
      drawClear: [thresholdsOf(axes)],
      draw: [marks.draw(context.marks)],
      setCursor: [(plot) => plot.cursor.event || plot.root.parentElement === document.activeElement ? tell(series, times, hidden, context.marks)(plot) : undefined],
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        if (width < 6) return;
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        context.zoom(plot.posToVal(left, "x") * 1e3, plot.posToVal(left + width, "x") * 1e3);
      }],
    },
  });

  const marker = (one) => styled(make("i", { class: one.config.custom.lineStyle?.fill === "dash" ? "dashed" : "" }), { color: one.colour });
  const legendOf = (panel, series, toggle, hidden) => {
    const { calcs = [], displayMode = "list", showLegend = true } = panel.options?.legend ?? {};
    if (!showLegend || displayMode === "hidden") return null;
    const many = series.length > 6 ? "many" : "";
    const button = (one) => make("button", { type: "button", "aria-pressed": String(!hidden.has(one.name)), title: viewer.say.show(one.name), onclick: (event) => toggle(one, event.currentTarget) }, marker(one), make("span", {}, one.name));
    const figure = (one, calc) => units.show(frames.reduce(one.values, calc), calc === "count" ? { unit: "none" } : one.config);
    if (displayMode !== "table") {
      const figures = (one) => calcs.map((calc) => make("span", { class: "figure" }, `${viewer.say.calcs[calc] ?? calc}: ${figure(one, calc)}`));
      return make("ul", { class: `legend ${many}` }, series.map((one) => make("li", {}, button(one), figures(one))));
    }
    const head = make("tr", {}, make("th", { scope: "col" }, viewer.say.name), calcs.map((calc) => make("th", { scope: "col" }, viewer.say.calcs[calc] ?? calc)));
    const rows = series.map((one) => make("tr", {}, make("th", { scope: "row" }, button(one)), calcs.map((calc) => make("td", {}, figure(one, calc)))));
    return make("div", { class: `legend table ${many}`, tabindex: 0, role: "group", "aria-label": panel.title }, make("table", {}, make("thead", {}, head), make("tbody", {}, rows)));
  };

  // Returns what has to be ended when the panel is drawn anew. What a reader has hidden stays hidden.
  return (body, panel, { series: all }, context) => {
    const shown = all.filter((one) => !one.config.custom.hideFrom?.viz);
    const named = colours.byName(shown.map((one) => one.name));
    const series = shown.map((one, index) => ({ ...one, colour: colours.ofSeries(one, index, named) }));
    const axes = axesOf(series);
    const { times, columns } = aligned(series);
    series.forEach((one, index) => {
      one.column = columns[index];
    });
    const { hidden } = context;
    // Bars of a stack stand in front of each other, the highest at the back.
    const drawing = series.some((one) => isStacked(one) && one.config.custom.drawStyle === "bars") ? [...series].reverse() : series;
    const columnsOf = () => {
      const heights = stacked(series, hidden);
      return [times, ...drawing.map((one) => heights[series.indexOf(one)])];
    };
    const names = series.slice(0, 6).map((one) => one.name).join(", ");
    const place = make("div", { class: "chart", id: `chart-${panel.id}`, tabindex: 0, role: "group", "aria-label": viewer.say.chart(panel.title, names) });
    const toggle = (one, button) => {
      if (!hidden.delete(one.name)) hidden.add(one.name);
      button.setAttribute("aria-pressed", String(!hidden.has(one.name)));
      mounted.plot()?.setSeries(drawing.indexOf(one) + 1, { show: !hidden.has(one.name) });
      mounted.plot()?.setData(columnsOf());
    };
    const legend = legendOf(panel, series.filter((one) => !one.config.custom.hideFrom?.legend), toggle, hidden);
    body.classList.toggle("beside", panel.options?.legend?.placement === "right");
    body.replaceChildren(place, ...(legend ? [legend] : []));
    const mounted = chart.mount(place, () => ({ options: options(drawing, times, axes, context, hidden), values: columnsOf() }));
    return mounted.destroy;
  };
})();
