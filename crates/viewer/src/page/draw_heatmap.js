"use strict";
// Heatmap of a classic histogram: how many requests of each stretch of time took how long.
viewer.draw.heatmap = (() => {
  const { elements, colours, units, frames, chart, time, marks } = viewer;
  const { make, styled } = elements;

  const cellsOf = (rows, options) => {
    const hide = options.filterValues?.le ?? 1e-9;
    const counts = rows.flatMap((row) => row.counts).filter((count) => count !== null && count > hide);
    const low = options.color?.min ?? Math.min(...counts, Infinity);
    const high = options.color?.max ?? Math.max(...counts, 0);
    // Few are seen beside many: the square root, as Grafana's exponent of one half.
    const power = options.color?.scale === "linear" ? 1 : options.color?.exponent ?? 0.5;
    const share = (count) => (high > low ? Math.max(0, (count - low) / (high - low)) ** power : 1);
    return { hide, low, high, share };
  };

  const paint = (rows, times, step, cells, colour) => (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const row of rows) {
      const top = Math.round(plot.valToPos(row.upper, "y", true));
      const bottom = Math.round(plot.valToPos(row.lower, "y", true));
      row.counts.forEach((count, index) => {
        if (count === null || count <= cells.hide) return;
        // A value of `increase` is about the stretch before its moment.
        const left = Math.round(plot.valToPos(times[index] - step, "x", true));
        const right = Math.round(plot.valToPos(times[index], "x", true));
        ctx.fillStyle = colour(cells.share(count));
        ctx.fillRect(left, top, Math.max(right - left, 1), Math.max(bottom - top - 1, 1));
      });
    }
    ctx.restore();
  };

  const say = (row, unit) => (row.isLast ? viewer.say.above(units.format(row.lower, unit)) : viewer.say.from0to(units.format(row.isFirst ? 0 : row.lower, unit), units.format(row.upper, unit)));
  const tell = (rows, times, unit) => (plot) => {
    const at = plot.cursor.idx;
    if (at === null || at === undefined || !rows[0]) return chart.showTip(plot, null);
    const height = plot.posToVal(plot.cursor.top, "y");
    const here = rows.find((row) => row.lower <= height && height < row.upper);
    const found = [...rows].reverse().filter((row) => row.counts[at] > 1e-9);
    const shown = plot.cursor.event && here ? [here] : found.slice(0, 12);
    const lines = shown.map((row) => ({ text: `${say(row, unit)}: ${units.format(row.counts[at], "short")}` }));
    return chart.showTip(plot, [{ text: time.stamp(times[at] * 1e3) }, ...lines]);
  };

  // Marks at 1, 2 and 5 of each decade, as many as there is room for.
  const roundPlaces = (plot, _, low, high) => {
    const decades = Math.log10(high / low);
    const room = plot.bbox.height / devicePixelRatio / 22;
    const steps = decades * 3 <= room ? [1, 2, 5] : decades * 2 <= room ? [1, 3] : [1];
    const places = [];
    for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade += 1)
      for (const step of steps) {
        const place = Number(`${step}e${decade}`);
        if (place >= low && place <= high) places.push(place);
      }
    return places;
  };

  const scaleLegend = (cells, colour) => {
    const fields = Array.from({ length: 24 }, (_, index) => styled(make("i", {}), { background: colour(index / 23) }));
    return make("p", { class: "scale" }, make("span", {}, units.format(cells.low, "short")), make("span", { class: "fields", "aria-hidden": "true" }, fields), make("span", {}, `${units.format(cells.high, "short")} ${viewer.say.perColumn}`));
  };

  return (body, panel, { series }, context) => {
    const rows = frames.heatmap(series);
    const { times } = series[0];
    const step = times.length > 1 ? times[1] - times[0] : 1;
    const options = panel.options ?? {};
    const unit = options.yAxis?.unit ?? panel.fieldConfig?.defaults?.unit;
    const colour = colours.onScale(options.color?.scheme, options.color?.reverse);
    const cells = cellsOf(rows, options);
    const place = make("div", { class: "chart", id: `chart-${panel.id}`, tabindex: 0, role: "group", "aria-label": viewer.say.heatmap(panel.title) });
    body.replaceChildren(place, ...(options.legend?.show === false ? [] : [scaleLegend(cells, colour)]));
    const low = options.yAxis?.min ?? rows[0].lower;
    const high = options.yAxis?.max ?? rows.at(-1).upper;
    return chart.mount(place, () => ({
      options: {
        padding: [10, 26, 0, 0],
        cursor: { sync: { key: "time", setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { show: false } },
        scales: { x: { time: true, range: () => [context.range.from / 1e3, context.range.to / 1e3] }, y: { distr: 3, range: () => [Number(low), Number(high)] } },
        axes: [chart.timeAxis(), chart.valueAxis((value) => units.format(value, unit), { splits: roundPlaces, filter: (_, splits) => splits, grid: { show: false } })],
        series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
        hooks: {
          draw: [paint(rows, times, step, cells, colour), marks.draw(context.marks)],
          setCursor: [(plot) => plot.cursor.event || plot.root.parentElement === document.activeElement ? tell(rows, times, unit)(plot) : undefined],
          setSelect: [(plot) => {
            const { left, width } = plot.select;
            if (width < 6) return;
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            context.zoom(plot.posToVal(left, "x") * 1e3, plot.posToVal(left + width, "x") * 1e3);
          }],
        },
      },
      values: [times, times.map(() => low)],
    })).destroy;
  };
})();
