"use strict";
// Panels that show one value a series: stat, gauge and bar gauge.
(() => {
  const { elements, colours, units, frames } = viewer;
  const { make, svg, styled } = elements;

  // One entry a series and summary, as the panel's reduceOptions say.
  const entriesOf = (panel, series) => {
    const calcs = panel.options?.reduceOptions?.calcs?.length ? panel.options.reduceOptions.calcs : ["lastNotNull"];
    return series.flatMap((one) =>
      calcs.map((calc) => ({
        name: calcs.length > 1 ? `${one.name} (${viewer.say.calcs[calc] ?? calc})` : one.name,
        value: one.raw !== undefined && one.values[0] === null ? one.raw : frames.reduce(one.values, calc),
        config: one.config,
        values: one.values,
      })));
  };
  const textOf = ({ value, config }) => (value === null && config.noValue ? config.noValue : units.show(value, config));
  const frame = (panel, kind, children) => make("div", { class: `singles ${kind}`, tabindex: 0, role: "group", "aria-label": panel.title }, children);

  // The course of a value in small, below its figure.
  const spark = (values, colour) => {
    const known = values.filter((value) => value !== null);
    if (known.length < 2) return null;
    const [low, high] = [frames.reduce(known, "min"), frames.reduce(known, "max")];
    const at = (value, index) => `${((index / (values.length - 1)) * 100).toFixed(2)},${(high > low ? 28 - ((value - low) / (high - low)) * 26 : 28).toFixed(2)}`;
    let isOpen = false;
    const path = values.map((value, index) => {
      const step = value === null ? "" : `${isOpen ? "L" : "M"}${at(value, index)}`;
      isOpen = value !== null;
      return step;
    });
    const line = svg("path", { d: path.join(""), fill: "none", stroke: colour, "stroke-width": 1.5, "vector-effect": "non-scaling-stroke" });
    return svg("svg", { viewBox: "0 0 100 30", preserveAspectRatio: "none", class: "spark", "aria-hidden": "true" }, line);
  };

  viewer.draw.stat = (body, panel, { series }) => {
    const { colorMode = "value", graphMode = "area", textMode = "auto" } = panel.options ?? {};
    const entries = entriesOf(panel, series);
    const isNamed = textMode === "value_and_name" || textMode === "name" || (textMode === "auto" && entries.length > 1);
    const tiles = entries.map((entry) => {
      const name = colours.nameOf(entry.value, entry.config);
      const text = textMode === "name" ? entry.name : textOf(entry);
      const value = styled(make("strong", {}, text), { "--length": Math.max(4, [...text].length) });
      if (colorMode !== "none") styled(value, { color: colours.text(name) });
      const tile = make("div", { class: "tile" }, isNamed && textMode !== "name" ? make("span", { class: "name" }, entry.name) : null, value, graphMode === "none" ? null : spark(entry.values, colours.line(name)));
      return colorMode.startsWith("background") ? styled(tile, { background: colours.alpha(colours.line(name), 14), "border-color": colours.line(name) }) : tile;
    });
    body.replaceChildren(frame(panel, "stats", tiles));
  };

  const arc = (from, to, radius, width, colour) => {
    const point = (share) => {
      const angle = Math.PI * (1 - share);
      return `${(100 + radius * Math.cos(angle)).toFixed(2)} ${(100 - radius * Math.sin(angle)).toFixed(2)}`;
    };
    return svg("path", { d: `M${point(from)}A${radius} ${radius} 0 0 1 ${point(to)}`, fill: "none", stroke: colour, "stroke-width": width });
  };
  const shareOf = (value, low, high) => Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
  const limitsOf = (entries, config) => {
    const known = entries.map(({ value }) => value).filter((value) => Number.isFinite(value));
    return [config.min ?? Math.min(0, ...known), config.max ?? Math.max(...known, config.unit === "percentunit" ? 1 : 100)];
  };

  viewer.draw.gauge = (body, panel, { series }) => {
    const entries = entriesOf(panel, series);
    const gauges = entries.map((entry) => {
      const { config } = entry;
      const [low, high] = limitsOf([entry], config);
      const name = colours.nameOf(entry.value, config);
      const picture = svg("svg", { viewBox: "0 0 200 104", class: "dial", "aria-hidden": "true" }, arc(0, 1, 80, 22, colours.style("--grid")));
      if (entry.value !== null && shareOf(entry.value, low, high) > 0) picture.append(arc(0, shareOf(entry.value, low, high), 80, 22, colours.line(name)));
      const steps = config.thresholds?.steps ?? [];
      const place = (value) => (config.thresholds?.mode === "percentage" ? value / 100 : shareOf(value, low, high));
      steps.forEach((step, index) => {
        const [from, to] = [step.value === null ? 0 : place(step.value), index + 1 < steps.length ? place(steps[index + 1].value) : 1];
        if (to > from) picture.append(arc(from, to, 96, 5, colours.line(step.color)));
      });
      const value = styled(make("strong", {}, textOf(entry)), { color: colours.text(name) });
      const ends = make("p", { class: "ends" }, make("span", {}, units.format(low, config.unit)), value, make("span", {}, units.format(high, config.unit)));
      return make("div", { class: "tile" }, picture, ends, entries.length > 1 ? make("span", { class: "name" }, entry.name) : null);
    });
    body.replaceChildren(frame(panel, "gauges", gauges));
  };

  viewer.draw.bargauge = (body, panel, { series }) => {
    const entries = entriesOf(panel, series);
    const rows = entries.map((entry) => {
      const [low, high] = limitsOf(entries, entry.config);
      const name = colours.nameOf(entry.value, entry.config);
      const fill = styled(make("span", {}), { width: `${shareOf(entry.value ?? low, low, high) * 100}%`, background: colours.line(name) });
      const value = styled(make("strong", {}, textOf(entry)), { color: colours.text(name) });
      return make("div", { class: "bar-row" }, make("span", { class: "name" }, entry.name), value, make("span", { class: "bar", "aria-hidden": "true" }, fill));
    });
    body.replaceChildren(frame(panel, "bars", rows));
  };
})();
