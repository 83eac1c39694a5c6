"use strict";
// Grafana's names of colours in two tones: one for lines and fields, one that can be read as text.
viewer.colours = (() => {
  const isDark = () => getComputedStyle(document.documentElement).colorScheme === "dark";
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Hue: [on a light page, on a dark page]; as text each has a contrast of 4.5 at least.
  const LINES = {
    green: ["#3f9142", "#73bf69"], yellow: ["#d9a400", "#fade2a"], red: ["#d0243b", "#f2495c"], orange: ["#dd6b10", "#ff9830"],
    blue: ["#1f68c7", "#5794f2"], purple: ["#8a4bb8", "#b877d9"], gray: ["#6b7684", "#9aa6b6"], white: ["#6b7684", "#e6eaf0"], black: ["#1b2430", "#9aa6b6"],
  };
  const TEXTS = {
    green: ["#17693a", "#7fdba2"], yellow: ["#7a5200", "#f0c571"], red: ["#a61b1b", "#ff9d94"], orange: ["#9a3d00", "#ffb066"],
    blue: ["#0a56a0", "#8cc0ff"], purple: ["#6b3a94", "#cfaef0"], gray: ["#566273", "#a3afbf"], white: ["#566273", "#e6eaf0"], black: ["#1b2430", "#e6eaf0"],
  };
  // Hash of a name, so that a series keeps its colour whatever stands beside it.
  const hashOf = (name) => [...name].reduce((hash, letter) => (hash * 31 + letter.codePointAt(0)) >>> 0, 7);
  const PALETTE = ["green", "yellow", "blue", "orange", "red", "purple"];
  const SHADES = [["#2f7d4f", "#9be3b4"], ["#8a6d00", "#ffee9e"], ["#0a3f80", "#a8cbff"], ["#9a3d00", "#ffcb8f"], ["#7d1022", "#ffa6b0"], ["#552a78", "#deb6f2"]];

  const pick = (table, name) => {
    const hue = String(name ?? "").replace(/^(super-light|light|semi-dark|dark)-/, "");
    if (hue === "text") return style("--text");
    if (hue === "transparent") return "transparent";
    const pair = table[hue];
    return pair ? pair[isDark() ? 1 : 0] : null;
  };
  const isColour = (text) => /^(#[0-9a-f]{3,8}|(rgb|hsl)a?\([\d\s.,%/]+\))$/i.test(text ?? "");
  const line = (name) => pick(LINES, name) ?? (isColour(name) ? name : style("--text"));
  const text = (name) => pick(TEXTS, name) ?? style("--text");
  const palette = (index) => {
    const dark = isDark() ? 1 : 0;
    const turn = Math.floor(index / PALETTE.length);
    return turn % 2 ? SHADES[index % PALETTE.length][dark] : line(PALETTE[index % PALETTE.length]);
  };

  // The colour name of the step in which the value is. `config` carries thresholds, least and most.
  const threshold = (value, config) => {
    const { steps = [], mode } = config.thresholds ?? {};
    const low = config.min ?? 0;
    const high = config.max ?? 100;
    const at = mode === "percentage" ? ((value - low) / (high - low)) * 100 : value;
    return [...steps].reverse().find((step) => step.value === null || step.value === undefined || at >= step.value)?.color ?? steps[0]?.color ?? "green";
  };
  // The colour name of a single value: mappings first, then what the settings say.
  const nameOf = (value, config) => {
    const mapped = viewer.units.mapped(value, config.mappings)?.color;
    if (mapped) return mapped;
    if (value === null) return "gray";
    return config.color?.mode === "fixed" ? config.color.fixedColor : threshold(value, config);
  };
  // Colours of series that get them by their names: each that of its name, or the next one that is free in
  // this panel, so that no two are alike while there are colours.
  const byName = (names) => {
    const count = 2 * PALETTE.length;
    const taken = new Map();
    for (const name of [...new Set(names)].sort()) {
      let place = hashOf(name) % count;
      while (taken.size < count && [...taken.values()].includes(place)) place = (place + 1) % count;
      taken.set(name, place);
    }
    return taken;
  };
  // The colour of a line: fixed, by its latest value, by its name, or the next of the palette.
  const ofSeries = (series, index, named) => {
    const { mode, fixedColor } = series.config.color ?? {};
    if (mode === "fixed" || mode === "shades") return line(fixedColor);
    if (mode === "palette-classic-by-name") return palette(named.get(series.name));
    if (mode === "thresholds") return line(threshold(viewer.frames.reduce(series.values, "lastNotNull") ?? 0, series.config));
    return palette(index);
  };

  // The same colour, let through by the share given in per cent.
  const alpha = (colour, percent) => {
    const parts = colour.startsWith("#") ? channels(colour) : (colour.match(/[\d.]+/g) ?? [0, 0, 0]).slice(0, 3);
    return `rgba(${parts.join(", ")}, ${percent / 100})`;
  };

  const SCHEMES = {
    Oranges: [["#fff1e0", "#fdbb6b", "#e6721d", "#7f2704"], ["#3a2313", "#8f4513", "#e67e22", "#ffe2bd"]],
    Reds: [["#ffeae5", "#fc8f73", "#d42a25", "#67000d"], ["#3a1a1a", "#8f2622", "#ea5545", "#ffd8d2"]],
    Greens: [["#e8f6e6", "#8fd08c", "#2f8f4a", "#00441b"], ["#16301d", "#2b6b3b", "#59b56a", "#dbf5dc"]],
    Blues: [["#e3effa", "#7fb6dc", "#2873b6", "#08306b"], ["#162639", "#265a94", "#559fe0", "#d8eafc"]],
    Purples: [["#f1ebf8", "#b9a3d9", "#7650ab", "#3f007d"], ["#281b3c", "#5f3d92", "#a487d8", "#eadffa"]],
    Spectral: [["#3288bd", "#99d594", "#fee08b", "#fc8d59", "#d53e4f"], ["#3288bd", "#99d594", "#fee08b", "#fc8d59", "#d53e4f"]],
    Turbo: [["#30123b", "#4686fb", "#1ae4b6", "#faba39", "#7a0403"], ["#30123b", "#4686fb", "#1ae4b6", "#faba39", "#c42503"]],
  };
  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const DIVERGING = ["Spectral", "Turbo"];
  // A colour on a scale from 0 to 1. Schemes of one hue lead away from the background in either theme, so
  // that many is what stands out; only the others can be reversed.
  const onScale = (scheme, isReversed) => {
    const reverse = isReversed && DIVERGING.includes(scheme);
    const stops = (SCHEMES[scheme] ?? SCHEMES.Oranges)[isDark() ? 1 : 0].map(channels);
    return (share) => {
      const at = Math.min(1, Math.max(0, reverse ? 1 - share : share)) * (stops.length - 1);
      const index = Math.min(stops.length - 2, Math.floor(at));
      const mixed = stops[index].map((value, channel) => Math.round(value + (stops[index + 1][channel] - value) * (at - index)));
      return `rgb(${mixed.join(",")})`;
    };
  };

  return { isDark, style, line, text, threshold, nameOf, byName, ofSeries, alpha, onScale };
})();
