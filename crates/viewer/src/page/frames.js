"use strict";
// Answers of Prometheus as series on one axis of time, their names, their settings and their summaries.
viewer.frames = (() => {
  // Source: Grafana, renderLegendFormat: a label that the series lacks is shown by its name.
  const fillLegend = (template, labels) => template.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label] || label);
  const selector = ({ __name__: name = "", ...labels }) => {
    const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    return pairs.length ? `${name}{${pairs.join(", ")}}` : name;
  };
  const nameOf = (labels, template, expression) => (template && template !== "__auto" ? fillLegend(template, labels) : selector(labels) || expression);

  const finite = (text) => {
    const value = Number(text);
    return Number.isFinite(value) ? value : null;
  };

  // One place for every step of the range; a step without a sample is null and stays a gap.
  const grid = (start, end, step) => Array.from({ length: Math.floor((end - start) / step + 1e-6) + 1 }, (_, index) => start + index * step);
  const fromMatrix = (result, times, step) => {
    const start = times[0];
    return result.map(({ metric, values = [] }) => {
      const column = new Array(times.length).fill(null);
      for (const [at, text] of values) {
        const index = Math.round((at - start) / step);
        if (index >= 0 && index < column.length) column[index] = finite(text);
      }
      return { labels: metric, values: column };
    });
  };
  const fromVector = (result) => result.map(({ metric, value }) => ({ labels: metric, values: [finite(value[1])], raw: Number(value[1]) }));
  // A scalar is an array of moment and text, a vector an array of objects.
  const fromInstant = ({ resultType, result }) => (resultType === "scalar" ? [{ labels: {}, values: [finite(result[1])], raw: Number(result[1]) }] : fromVector(result));

  // Source: Grafana, the reducers of a field; null where there is nothing to reduce.
  const present = (values) => values.filter((value) => value !== null);
  const CALCS = {
    lastNotNull: (values) => present(values).at(-1) ?? null,
    last: (values) => values.at(-1) ?? null,
    firstNotNull: (values) => present(values)[0] ?? null,
    first: (values) => values[0] ?? null,
    mean: (values) => (present(values).length ? CALCS.sum(values) / present(values).length : null),
    max: (values) => (present(values).length ? present(values).reduce((one, other) => Math.max(one, other)) : null),
    min: (values) => (present(values).length ? present(values).reduce((one, other) => Math.min(one, other)) : null),
    sum: (values) => (present(values).length ? present(values).reduce((one, other) => one + other, 0) : null),
    count: (values) => present(values).length,
    range: (values) => (present(values).length ? CALCS.max(values) - CALCS.min(values) : null),
    diff: (values) => (present(values).length ? CALCS.lastNotNull(values) - CALCS.firstNotNull(values) : null),
  };
  const reduce = (values, calc) => (CALCS[calc] ?? CALCS.lastNotNull)(values);

  const MATCHERS = {
    byName: (wanted, series) => series.name === wanted,
    byRegexp: (wanted, series) => {
      const [, body, flags] = /^\/(.*)\/([a-z]*)$/.exec(wanted) ?? [null, wanted, ""];
      return new RegExp(body, flags).test(series.name);
    },
    byFrameRefID: (wanted, series) => series.refId === wanted,
    byType: (wanted) => wanted === "number",
    byNames: ({ names = [] }, series) => names.includes(series.name),
  };
  const setDeep = (target, path, value) => {
    const keys = path.split(".");
    const last = keys.pop();
    let at = target;
    for (const key of keys) at = at[key] = { ...at[key] };
    at[last] = value;
  };
  // The settings of one series: those of the panel, then each override that fits it, in order.
  const configOf = (panel, series) => {
    const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
    const config = { ...defaults, custom: { ...defaults.custom } };
    for (const { matcher, properties } of overrides) {
      if (!MATCHERS[matcher.id]?.(matcher.options, series)) continue;
      for (const { id, value } of properties) setDeep(config, id, value);
    }
    return config;
  };

  // Cumulative counts of a classic histogram ("le") to a count for each bucket. Rows are ascending; an edge
  // that is infinite has no place on an axis and is shown as far beyond its neighbour as that one is.
  const heatmap = (series) => {
    const rows = series
      .map(({ labels, name, values }) => ({ upper: Number((labels.le ?? name).replace(/^\+?Inf$/i, "Infinity")), values }))
      .filter(({ upper }) => !Number.isNaN(upper))
      .sort((one, other) => one.upper - other.upper);
    const counts = rows.map(({ values }, index) =>
      values.map((value, at) => (value === null ? null : Math.max(0, value - (index ? rows[index - 1].values[at] ?? 0 : 0)))));
    const uppers = rows.map(({ upper }) => upper);
    const shown = uppers.map((upper, index) => (Number.isFinite(upper) ? upper : (uppers[index - 1] ?? 1) ** 2 / (uppers[index - 2] ?? (uppers[index - 1] ?? 1) / 2)));
    const lowers = shown.map((_, index) => (index ? shown[index - 1] : shown.length > 1 ? shown[0] ** 2 / shown[1] : shown[0] / 2));
    const all = rows.map((_, index) => ({ lower: lowers[index], upper: shown[index], isLast: !Number.isFinite(uppers[index]), isFirst: index === 0, counts: counts[index] }));
    // The row of everything beyond the last bound is only shown where something is in it.
    return all.filter((row) => !row.isLast || row.counts.some((count) => count > 0));
  };

  return { fillLegend, nameOf, grid, fromMatrix, fromInstant, reduce, configOf, heatmap };
})();
