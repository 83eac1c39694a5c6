"use strict";
// Tables, states over time, and texts.
(() => {
  const { elements, colours, units, time } = viewer;
  const { make, styled } = elements;
  const ROWS_MAX = 500;

  const tint = (element, column, value) => {
    const cell = column.config.custom?.cellOptions?.type ?? column.config.custom?.displayMode;
    if (!cell || cell === "auto" || typeof value !== "number") return element;
    const name = colours.nameOf(value, column.config);
    const isBack = cell.startsWith("color-background");
    return isBack ? styled(element, { background: colours.alpha(colours.line(name), 16) }) : styled(element, { color: colours.text(name), "font-weight": 600 });
  };
  const tableOf = (frame, caption) => {
    const columns = frame.columns.filter((column) => !column.config.custom?.hidden && !column.config.custom?.hideFrom?.viz);
    const isNumber = (column) => column.values.some((value) => typeof value === "number") && !column.isTime;
    const count = Math.min(ROWS_MAX, columns[0]?.values.length ?? 0);
    const rows = Array.from({ length: count }, (_, index) =>
      make("tr", {}, columns.map((column) => tint(make("td", { class: isNumber(column) ? "number" : "" }, viewer.table.cell(column, index)), column, column.values[index]))));
    const head = make("tr", {}, columns.map((column) => make("th", { scope: "col", class: isNumber(column) ? "number" : "" }, column.title)));
    return make("table", {}, caption ? make("caption", {}, caption) : null, make("thead", {}, head), make("tbody", {}, rows));
  };
  viewer.draw.table = (body, panel, { series }) => {
    const { frames, unknown } = viewer.table.build(panel, series);
    const notes = unknown.map((id) => make("p", { class: "note" }, viewer.say.unknownTransformation(id)));
    const tables = frames.map((frame) => tableOf(frame, frames.length > 1 ? frame.series?.name : null));
    body.replaceChildren(make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": panel.title }, notes, tables));
  };

  // Neighbouring moments of one state are one stretch.
  const stretches = ({ times, values, config }) => {
    const found = [];
    const step = times.length > 1 ? times[1] - times[0] : 1;
    values.forEach((value, index) => {
      if (value === null) return;
      const last = found.at(-1);
      const text = units.show(value, config);
      if (last && last.text === text && last.end >= times[index] - 1e-3) last.end = times[index] + step;
      else found.push({ text, colour: colours.line(colours.nameOf(value, config)), start: times[index], end: times[index] + step });
    });
    return found;
  };
  viewer.draw["state-timeline"] = (body, panel, { series }, { range }) => {
    const share = (at) => Math.min(100, Math.max(0, ((at * 1e3 - range.from) / (range.to - range.from)) * 100));
    const seen = new Map();
    const rows = series.map((one) => {
      const fields = stretches(one).map((stretch) => {
        seen.set(stretch.text, stretch.colour);
        const about = `${stretch.text}: ${time.stamp(stretch.start * 1e3)} – ${time.clock(stretch.end * 1e3)}`;
        return styled(make("span", { title: about }), { left: `${share(stretch.start)}%`, width: `${Math.max(0.2, share(stretch.end) - share(stretch.start))}%`, background: stretch.colour });
      });
      return make("div", { class: "state-row" }, make("span", { class: "name" }, one.name), make("div", { class: "states" }, fields));
    });
    const ends = make("p", { class: "ends" }, make("span", {}, time.stamp(range.from)), make("span", {}, time.stamp(range.to)));
    const legend = make("ul", { class: "legend" }, [...seen].map(([text, colour]) => make("li", {}, make("span", { class: "state" }, styled(make("i", {}), { color: colour }), text))));
    body.replaceChildren(make("div", { class: "singles timeline", tabindex: 0, role: "group", "aria-label": panel.title }, rows, ends, legend));
  };

  // Bold, code and links; what looks like markup of HTML stays text.
  const INLINE = /\*\*([^*]+)\*\*|`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)/g;
  const inline = (text) => {
    const parts = [];
    let at = 0;
    for (const match of text.matchAll(INLINE)) {
      parts.push(text.slice(at, match.index));
      const [whole, bold, code, words, address] = match;
      if (bold) parts.push(make("strong", {}, bold));
      else if (code) parts.push(make("code", {}, code));
      else parts.push(/^(https?:\/\/|#)/.test(address) ? make("a", { href: address, rel: "noreferrer" }, words) : `${words} (${address})`);
      at = match.index + whole.length;
    }
    return [...parts, text.slice(at)];
  };
  const markdown = (text, level) => {
    const blocks = [];
    for (const block of text.trim().split(/\n\s*\n/)) {
      const lines = block.split("\n").map((line) => line.trimEnd());
      const heading = /^#{1,6}\s+(.*)$/.exec(lines[0]);
      if (heading) {
        blocks.push(make(`h${level + 1}`, {}, inline(heading[1])));
        lines.shift();
      }
      const items = lines.filter((line) => /^\s*([-*]|\d+\.)\s+/.test(line));
      const isNumbered = /^\s*\d+\./.test(items[0] ?? "");
      const words = lines.filter((line) => !items.includes(line) && line.trim()).join(" ");
      if (words) blocks.push(make("p", {}, inline(words)));
      if (items.length) blocks.push(make(isNumbered ? "ol" : "ul", {}, items.map((line) => make("li", {}, inline(line.replace(/^\s*([-*]|\d+\.)\s+/, ""))))));
    }
    return blocks;
  };
  viewer.draw.text = (body, panel, _, context) => {
    const text = viewer.interpolate.replace(panel.options?.content ?? panel.content, context.variables);
    const words = panel.options?.mode === "code" ? [make("pre", {}, text)] : markdown(text, context.level);
    body.replaceChildren(make("div", { class: "words", tabindex: 0, role: "group", "aria-label": panel.title || "text" }, words));
  };
})();
