"use strict";
// The variables of a dashboard: where their values come from, and the controls to choose them.
viewer.variables = (() => {
  const { interpolate, query, elements, units } = viewer;
  const { make } = elements;
  const { ALL } = interpolate;

  const splitList = (text) => [...String(text ?? "").matchAll(/(?:\\,|[^,])+/g)].map(([part]) => part.replace(/\\,/g, ",").trim()).filter((part) => part);
  const keyAndValue = (text) => {
    const match = /^\s*(.+)\s:\s(.+)$/.exec(text);
    return match ? { label: match[1].trim(), value: match[2].trim() } : { label: text, value: text };
  };
  // Source: Grafana, sorting of a variable: 0 as it comes, odd ascending, even descending; 3 and 4 by number.
  const sorted = (values, sort = 0) => {
    if (!sort) return values;
    const number = (value) => Number(/\d+/.exec(value)?.[0] ?? Infinity);
    const order = sort === 3 || sort === 4 ? (a, b) => number(a) - number(b) : (a, b) => a.localeCompare(b);
    return [...values].sort((a, b) => order(a, b) * (sort % 2 ? 1 : -1));
  };
  const narrowed = (values, regex) => {
    const match = /^\/(.*)\/([a-z]*)$/.exec(regex ?? "");
    if (!match) return regex ? values.filter((value) => new RegExp(`^(?:${regex})$`).test(value)) : values;
    const pattern = new RegExp(match[1], match[2].replace("g", ""));
    return values.flatMap((value) => {
      const found = pattern.exec(value);
      return found ? [found.groups?.value ?? found[1] ?? value] : [];
    });
  };

  const METRIC_AND_LABEL = /^label_values\(\s*(?:(.+)\s*,\s*)?([a-zA-Z_]\w*)\s*\)$/s;
  const RESULT = /^query_result\((.+)\)$/s;
  const valuesOf = async (definition, known, context) => {
    const place = `${context.dashboard}/variable/${definition.name}`;
    const text = interpolate.replace(typeof definition.query === "string" ? definition.query : definition.query?.query, known).trim();
    const labels = METRIC_AND_LABEL.exec(text);
    if (labels) return query.labelValues(place, labels[2], labels[1]?.trim(), context.range);
    const result = RESULT.exec(text);
    if (!result) return [];
    const { data } = await query.ask(place, "query", { query: result[1], time: context.range.to / 1e3 }, context.signal);
    return data.result.map(({ metric, value }) => `${metric.__name__ ?? ""}{${Object.entries(metric).filter(([key]) => key !== "__name__").map(([key, said]) => `${key}="${said}"`).join(",")}} ${value[1]}`);
  };

  const optionsOf = async (definition, known, context) => {
    if (definition.type === "query") {
      const values = narrowed(await valuesOf(definition, known, context), definition.regex);
      return sorted([...new Set(values)], definition.sort).map((value) => ({ label: value, value }));
    }
    if (definition.type === "custom" || definition.type === "interval") return splitList(definition.query).map(keyAndValue);
    return [];
  };

  // What counts as chosen: what the reader chose if it is still there, else what the dashboard says, else all
  // or the first.
  const valueOf = (definition, options, wanted) => {
    const fallback = definition.current?.value;
    if (["textbox", "constant"].includes(definition.type)) return wanted ?? (typeof fallback === "string" && fallback ? fallback : definition.query ?? "");
    const values = options.map((option) => option.value);
    const isThere = (value) => (value === ALL ? Boolean(definition.includeAll) : values.includes(value));
    for (const candidate of [wanted, fallback]) {
      const found = [candidate].flat().filter((value) => value !== undefined && value !== "" && isThere(value));
      if (found.length) return definition.multi ? (found.includes(ALL) ? [ALL] : found) : found[0];
    }
    const first = definition.includeAll ? ALL : values[0] ?? "";
    return definition.multi ? [first].filter((value) => value !== "") : first;
  };

  // All variables in the order of the dashboard; a later one may name an earlier one.
  const resolve = async (dashboard, wanted, context) => {
    const known = {};
    const list = [];
    for (const definition of dashboard.templating?.list ?? []) {
      if (definition.type === "datasource") {
        known[definition.name] = interpolate.literal(definition.current?.text ?? "Prometheus");
        continue;
      }
      const options = await optionsOf(definition, known, context);
      const value = valueOf(definition, options, wanted[definition.name]);
      known[definition.name] = {
        value,
        options: options.map((option) => option.value),
        several: Boolean(definition.multi || definition.includeAll),
        allValue: definition.allValue || undefined,
        literal: !["query", "custom"].includes(definition.type),
      };
      list.push({ definition, options, value });
    }
    return { known, list };
  };

  const labelOf = (definition) => definition.label || definition.name;
  const single = ({ definition, options, value }, choose) => {
    const all = definition.includeAll ? [{ label: viewer.say.all, value: ALL }] : [];
    const choices = [...all, ...options].map((option) => make("option", { value: option.value, selected: option.value === value }, option.label));
    return make("label", { class: "field" }, make("span", {}, labelOf(definition)), make("select", { "data-variable": definition.name, onchange: (event) => choose(definition.name, event.target.value) }, choices));
  };
  const several = ({ definition, options, value }, choose) => {
    const all = definition.includeAll ? [{ label: viewer.say.all, value: ALL }] : [];
    const chosen = new Set([value].flat());
    const boxes = [...all, ...options].map((option) => make("label", {}, make("input", { type: "checkbox", value: option.value, checked: chosen.has(option.value) }), option.label));
    const list = make("div", { class: "choices" }, boxes);
    list.addEventListener("change", ({ target }) => {
      const inputs = [...list.querySelectorAll("input")];
      if (target.checked) inputs.forEach((input) => {
        if (input !== target && (target.value === ALL || input.value === ALL)) input.checked = false;
      });
      const picked = inputs.filter((input) => input.checked).map((input) => input.value);
      choose(definition.name, picked.length ? picked : undefined);
    });
    const names = [...all, ...options].filter((option) => chosen.has(option.value)).map((option) => option.label);
    return make("details", { class: "field several", "data-variable": definition.name }, make("summary", {}, make("span", {}, labelOf(definition)), make("b", {}, names.join(" + ") || units.DASH)), list);
  };
  const textbox = ({ definition, value }, choose) =>
    make("label", { class: "field" }, make("span", {}, labelOf(definition)), make("input", { type: "text", size: 8, value, spellcheck: "false", "data-variable": definition.name, onchange: (event) => choose(definition.name, event.target.value.trim() || undefined) }));

  // A control for each variable that the dashboard does not hide.
  const controls = (list, choose) =>
    list
      .filter(({ definition }) => definition.hide !== 2 && definition.type !== "constant")
      .map((one) => (one.definition.type === "textbox" ? textbox(one, choose) : one.definition.multi ? several(one, choose) : single(one, choose)));

  return { resolve, controls, splitList, keyAndValue, sorted, narrowed, valueOf };
})();
