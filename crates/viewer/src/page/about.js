"use strict";
// What stands behind a panel: its description, the queries as they were sent, refusals, and all values as a
// table that can be read without the picture.
viewer.about = (() => {
  const { elements, time, units } = viewer;
  const { make } = elements;
  const MOMENTS_MAX = 200;

  const queryOf = (sent) => {
    const step = sent.kind === "range" ? viewer.say.step(time.formatDuration(sent.step * 1e3)) : viewer.say.instant;
    return make("li", {}, make("code", {}, sent.query), make("span", { class: "note" }, `${sent.refId}: ${step}`));
  };
  const valuesOf = (series) => {
    const moments = [...new Set(series.flatMap((one) => one.times))].sort((one, other) => one - other);
    const shown = moments.slice(-MOMENTS_MAX);
    const places = series.map((one) => new Map(one.times.map((at, index) => [at, index])));
    const head = make("tr", {}, make("th", { scope: "col" }, viewer.say.time), series.map((one) => make("th", { scope: "col", class: "number" }, one.name)));
    const cell = (one, index, at) => {
      const place = places[index].get(at);
      return make("td", { class: "number" }, place === undefined ? "" : units.show(one.values[place], one.config));
    };
    const rows = shown.map((at) => make("tr", {}, make("th", { scope: "row" }, time.stamp(at * 1e3)), series.map((one, index) => cell(one, index, at))));
    const caption = moments.length > shown.length ? make("caption", {}, viewer.say.valuesCut(shown.length, moments.length)) : null;
    return make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": viewer.say.values }, make("table", {}, caption, make("thead", {}, head), make("tbody", {}, rows)));
  };

  const open = (panel, title, answer) => {
    const close = make("button", { type: "button", onclick: () => dialog.close() }, viewer.say.close);
    const heading = make("h2", { id: "about-title" }, title);
    const paragraphs = (panel.description ?? "").split(/\n\s*\n/).filter((text) => text.trim()).map((text) => make("p", {}, text));
    const errors = (answer?.errors ?? []).map((error) => make("p", { class: "error" }, error.message));
    const queries = answer?.sent.length ? [make("h3", {}, viewer.say.queries), make("ul", { class: "queries" }, answer.sent.map(queryOf))] : [];
    const values = answer?.hasData ? [make("h3", {}, viewer.say.values), valuesOf(answer.series)] : [];
    const dialog = make("dialog", { "aria-labelledby": "about-title" }, make("header", {}, heading, close), paragraphs, errors, queries, values);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  return { open };
})();
