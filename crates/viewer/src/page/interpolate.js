"use strict";
// Puts values in the place of $name, ${name}, ${name:format} and [[name]], as Grafana's data source for
// Prometheus does.
viewer.interpolate = (() => {
  const VARIABLE = /\$(\w+)|\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}|\[\[(\w+)(?::(\w+))?\]\]/g;
  const ALL = "$__all";

  // Source: Grafana, prometheusRegularEscape and prometheusSpecialRegexEscape. A value that may be several
  // stands in a regular expression within quotes, so that its backslashes are doubled.
  const escapePlain = (text) => text.replace(/\\/g, "\\\\").replace(/'/g, "\\\\'");
  const escapeRegex = (text) => text.replace(/\\/g, "\\\\\\\\").replace(/[$^*{}[\]'+?.()|]/g, "\\\\$&");
  const bareRegex = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

  const group = (values, escape) => {
    const escaped = values.map(escape);
    return escaped.length === 1 ? escaped[0] : `(${escaped.join("|")})`;
  };
  const FORMATS = {
    raw: (values) => values.join(","),
    csv: (values) => values.join(","),
    text: (values) => values.join(" + "),
    pipe: (values) => values.join("|"),
    regex: (values) => group(values, bareRegex),
    doublequote: (values) => values.map((value) => `"${value.replace(/"/g, '\\"')}"`).join(","),
    singlequote: (values) => values.map((value) => `'${value.replace(/'/g, "\\'")}'`).join(","),
  };

  const chosen = (variable) => {
    const values = Array.isArray(variable.value) ? variable.value : [variable.value];
    return values.includes(ALL) ? variable.options.filter((option) => option !== ALL) : values;
  };
  const isAll = (variable) => [variable.value].flat().includes(ALL);

  // `variable` is {value, options, several, allValue}; `several` holds for variables with more than one value
  // or with "All".
  const render = (variable, format) => {
    if (isAll(variable) && variable.allValue) return variable.allValue;
    const values = chosen(variable).map(String);
    if (format && FORMATS[format]) return FORMATS[format](values);
    if (variable.literal) return values.join(",");
    return variable.several ? group(values, escapeRegex) : escapePlain(values.join(","));
  };

  // A name that nobody knows stays as it is written, so that Prometheus names it in its refusal.
  const replace = (text, variables) =>
    String(text ?? "").replace(VARIABLE, (whole, plain, braced, format, square, squareFormat) => {
      const variable = variables[plain ?? braced ?? square];
      return variable === undefined ? whole : render(variable, format ?? squareFormat);
    });

  const literal = (value) => ({ value: String(value), options: [], literal: true });
  // What Grafana knows without being told, for one query.
  const builtIn = (range, { interval, rate }) => {
    const { formatDuration } = viewer.time;
    const length = range.to - range.from;
    const seconds = Math.round(length / 1e3);
    return {
      __interval: literal(formatDuration(interval)),
      __interval_ms: literal(interval),
      __rate_interval: literal(formatDuration(rate)),
      __rate_interval_ms: literal(rate),
      __range: literal(`${seconds}s`),
      __range_s: literal(seconds),
      __range_ms: literal(length),
      __from: literal(range.from),
      __to: literal(range.to),
    };
  };

  // Which variables a text names.
  const names = (text) => [...String(text ?? "").matchAll(VARIABLE)].map(([, plain, braced, , square]) => plain ?? braced ?? square);

  return { ALL, replace, builtIn, literal, names };
})();
