"use strict";
// Series as tables, and the transformations of Grafana that make one table of several.
viewer.table = (() => {
  const { frames, time } = viewer;

  // One frame for the instant answers of each target: a column for each label, one for the value.
  const ofLabels = (series, valueName) => {
    const labels = [...new Set(series.flatMap((one) => Object.keys(one.labels)))].filter((label) => label !== "__name__").sort();
    const columns = labels.map((label) => ({ name: label, values: series.map((one) => one.labels[label] ?? "") }));
    const moments = { name: "Time", isTime: true, values: series.map((one) => one.times.at(-1) * 1e3) };
    const value = { name: valueName, isValue: true, config: series[0]?.config, values: series.map((one) => one.raw ?? frames.reduce(one.values, "lastNotNull")) };
    return { refId: series[0]?.refId, columns: [moments, ...columns, value] };
  };
  // One frame for each series that goes over time.
  const ofTime = (one) => ({
    refId: one.refId,
    series: one,
    columns: [{ name: "Time", isTime: true, values: one.times.map((at) => at * 1e3) }, { name: one.name, isValue: true, config: one.config, labels: one.labels, values: one.values }],
  });

  const framesOf = (series) => {
    const refs = [...new Set(series.map((one) => one.refId))];
    return refs.flatMap((refId) => {
      const own = series.filter((one) => one.refId === refId);
      if (own[0].format !== "table") return own.map(ofTime);
      return [ofLabels(own, refs.length > 1 ? `Value #${refId}` : "Value")];
    });
  };

  const height = (frame) => frame.columns[0]?.values.length ?? 0;
  const rowsOf = (frame) => Array.from({ length: height(frame) }, (_, index) => Object.fromEntries(frame.columns.map((column) => [column.name, column.values[index]])));
  // Rows that agree in all columns of `keys` become one.
  const join = (all, keys) => {
    const columns = [];
    for (const column of all.flatMap((frame) => frame.columns)) if (!columns.some((known) => known.name === column.name)) columns.push(column);
    const rows = new Map();
    for (const frame of all)
      for (const row of rowsOf(frame)) {
        const key = JSON.stringify(keys.map((name) => row[name] ?? null));
        rows.set(key, { ...rows.get(key), ...row });
      }
    const found = [...rows.values()];
    return { columns: columns.map((column) => ({ ...column, values: found.map((row) => row[column.name] ?? null) })) };
  };

  const merge = (all) => {
    const isKey = (column) => !column.isValue;
    const shared = (all[0]?.columns ?? []).filter(isKey).map((column) => column.name).filter((name) => all.every((frame) => frame.columns.some((column) => column.name === name)));
    return [join(all, shared)];
  };
  const organize = ([frame, ...rest], { excludeByName = {}, indexByName = {}, renameByName = {} }) => {
    const columns = frame.columns
      .filter((column) => !excludeByName[column.name])
      .map((column, index) => ({ column, place: indexByName[column.name] ?? 1e3 + index }))
      .sort((one, other) => one.place - other.place)
      .map(({ column }) => ({ ...column, name: renameByName[column.name] || column.name }));
    return [{ ...frame, columns }, ...rest];
  };
  const fits = (wanted, name) => (wanted?.names ?? []).includes(name) || (wanted?.pattern ? new RegExp(wanted.pattern.replace(/^\/(.*)\/$/, "$1")).test(name) : false);
  const filterFields = (all, { include, exclude }) =>
    all.map((frame) => ({ ...frame, columns: frame.columns.filter(({ name }) => (include ? fits(include, name) : true) && !(exclude && fits(exclude, name))) }));
  const sortBy = (all, { sort = [] }) =>
    all.map((frame) => {
      const [{ field, desc } = {}] = sort;
      const column = frame.columns.find(({ name }) => name === field);
      if (!column) return frame;
      const order = column.values.map((_, index) => index).sort((one, other) => {
        const [a, b] = [column.values[one], column.values[other]];
        return (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b))) * (desc ? -1 : 1);
      });
      return { ...frame, columns: frame.columns.map((each) => ({ ...each, values: order.map((index) => each.values[index]) })) };
    });
  const reduce = (all, { reducers = ["lastNotNull"] }) => {
    const columns = all.flatMap((frame) => frame.columns.filter((column) => column.isValue));
    const fields = { name: "Field", values: columns.map((column) => column.name) };
    const figures = reducers.map((calc) => ({ name: viewer.say.calcs[calc] ?? calc, isValue: true, config: columns[0]?.config, configs: columns.map((column) => column.config), values: columns.map((column) => frames.reduce(column.values, calc)) }));
    return [{ columns: [fields, ...figures] }];
  };
  const labelsToFields = (all) =>
    all.map((frame) => {
      if (!frame.series) return frame;
      const [moments, value] = frame.columns;
      const labels = Object.entries(frame.series.labels).filter(([label]) => label !== "__name__");
      return { ...frame, columns: [moments, ...labels.map(([name, text]) => ({ name, values: value.values.map(() => text) })), { ...value, name: frame.series.labels.__name__ ?? "Value" }] };
    });
  const OPERATORS = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => (b ? a / b : null) };
  const calculate = (all, { alias, binary = {}, replaceFields }) =>
    all.map((frame) => {
      const side = (said) => {
        const name = said?.matcher?.options ?? said;
        return frame.columns.find((column) => column.name === name)?.values ?? new Array(height(frame)).fill(Number(name));
      };
      const [left, right] = [side(binary.left), side(binary.right)];
      const values = left.map((value, index) => (value === null || right[index] === null ? null : OPERATORS[binary.operator ?? "+"](value, right[index])));
      const made = { name: alias ?? `${binary.left} ${binary.operator} ${binary.right}`, isValue: true, config: frame.columns.find((column) => column.isValue)?.config, values };
      return { ...frame, columns: replaceFields ? [made] : [...frame.columns, made] };
    });
  const joinByField = (all, { byField = "Time" }) => [join(all, [byField])];
  const limit = (all, { limitField = 10 }) => all.map((frame) => ({ ...frame, columns: frame.columns.map((column) => ({ ...column, values: column.values.slice(0, Number(limitField)) })) }));
  const KNOWN = { merge, organize, filterFieldsByName: filterFields, sortBy, reduce, labelsToFields, calculateField: calculate, joinByField, seriesToColumns: joinByField, limit };

  // The tables of a panel, and the transformations that nobody here knows.
  const build = (panel, series) => {
    const unknown = [];
    let all = framesOf(series);
    for (const { id, options = {}, disabled } of panel.transformations ?? []) {
      if (disabled || !all.length) continue;
      if (KNOWN[id]) all = KNOWN[id](all, options);
      else unknown.push(id);
    }
    const dressed = all.map((frame) => ({
      ...frame,
      columns: frame.columns.map((column) => {
        const config = frames.configOf(panel, { name: column.name, refId: frame.refId });
        return { ...column, config: column.isValue || column.isTime ? config : { ...config, unit: undefined }, title: config.displayName ?? column.name };
      }),
    }));
    return { frames: dressed, unknown };
  };

  const cell = (column, index) => {
    const value = column.values[index];
    if (column.isTime && typeof value === "number") return time.stamp(value);
    return typeof value === "number" || value === null ? viewer.units.show(value, column.config) : String(value);
  };
  return { build, cell };
})();
