"use strict";
// The head of the page: which dashboard, which time, which variables, and the laying of runs over each other.
viewer.controls = (() => {
  const { elements, time, runs, query } = viewer;
  const { make } = elements;
  const QUICK = ["5m", "15m", "30m", "1h", "3h", "6h", "12h", "24h"];
  const REFRESH = ["", "5s", "10s", "30s", "1m", "5m"];
  const CUSTOM = "custom";

  const field = (label, control) => make("label", { class: "field" }, make("span", {}, label), control);
  const select = (options, value, change, attributes = {}) =>
    make("select", { ...attributes, onchange: (event) => change(event.target.value) }, options.map(([key, text]) => make("option", { value: key, selected: key === value }, text)));

  const timeControls = (state, change, now) => {
    const { language } = state;
    const quick = QUICK.find((text) => state.from === `now-${text}` && state.to === "now") ?? CUSTOM;
    const range = { from: time.parseMoment(state.from, now), to: time.parseMoment(state.to, now) };
    const said = (text, moment) => (/^\d+$/.test(text) ? time.stamp(moment) : text);
    const from = make("input", { type: "text", name: "from", size: 19, value: said(state.from, range.from), spellcheck: "false" });
    const to = make("input", { type: "text", name: "to", size: 19, value: said(state.to, range.to), spellcheck: "false" });
    const trouble = make("p", { class: "error", role: "alert" });
    const form = make("form", { class: "from-to", hidden: quick !== CUSTOM }, field(viewer.say.from, from), field(viewer.say.to, to), make("button", {}, viewer.say.apply), trouble);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const moments = [from, to].map((input) => time.parseMoment(input.value, Date.now()));
      const wrong = [from, to].find((_, index) => moments[index] === null);
      trouble.textContent = wrong ? viewer.say.wrongTime(wrong.value) : moments[0] >= moments[1] ? viewer.say.wrongOrder : "";
      if (trouble.textContent) return;
      const keep = (input, moment) => (input.value.trim().startsWith("now") ? input.value.trim() : String(moment));
      change({ from: keep(from, moments[0]), to: keep(to, moments[1]) });
    });
    const choose = (value) => {
      if (value === CUSTOM) {
        form.hidden = false;
        from.focus();
      } else change({ from: `now-${value}`, to: "now" });
    };
    const choices = [...QUICK.map((text) => [text, viewer.say.last(time.sayDuration(time.parseDuration(text), language))]), [CUSTOM, viewer.say.custom]];
    return [field(viewer.say.timeRange, select(choices, quick, choose, { "data-control": "time" })), form];
  };

  const refreshControls = (state, change, refresh) => [
    field(viewer.say.refreshEvery, select(REFRESH.map((text) => [text, text ? time.sayDuration(time.parseDuration(text), state.language) : viewer.say.refreshOff]), state.refresh, (value) => change({ refresh: value }), { "data-control": "refresh" })),
    make("button", { type: "button", class: "refresh", onclick: refresh }, viewer.say.refreshNow),
  ];

  const describe = (run, language) => viewer.say.run(time.stamp(run.start), time.sayDuration(run.end - run.start, language), run.instance ?? "");
  const chooser = (found, context, state, change) => {
    const { language } = state;
    const of = (variant) => found.filter((run) => run.variant === variant);
    const sides = ["baseline", "optimized"].map((variant) => [variant, of(variant)]);
    if (sides.some(([, list]) => !list.length)) return [make("p", { class: "note" }, viewer.say.alignNone(runs.LEAST_SPAN / 36e5))];
    const selects = sides.map(([variant, list]) => select(list.map((run, index) => [String(index), describe(run, language)]), String(list.length - 1), () => {}, { "data-runs": variant }));
    const lay = () => {
      const [baseline, optimized] = sides.map(([, list], index) => list[Number(selects[index].value)]);
      const { shift, from, to } = runs.align(baseline, optimized);
      change({ from: String(from), to: String(to), refresh: "", variables: { ...state.variables, baseline_shift: shift } });
    };
    return [...sides.map(([variant], index) => field(viewer.say.variants[variant], selects[index])), make("button", { type: "button", "data-action": "align", onclick: lay }, viewer.say.alignDo)];
  };

  // Only looked for when it is opened: the answer needs a query over hours.
  const alignControls = (state, context, change) => {
    const place = make("div", { class: "runs" });
    const details = make("details", { class: "align" }, make("summary", {}, viewer.say.align), make("p", { class: "note" }, viewer.say.alignAbout), place);
    const lay = (values) => {
      details.open = false;
      change(values);
    };
    details.addEventListener("toggle", async () => {
      if (!details.open) return;
      place.replaceChildren(make("p", { class: "note" }, viewer.say.alignSearching));
      try {
        // A search of its own: the drawing that made this box may have been given up since, the box is kept.
        place.replaceChildren(...chooser(await runs.find({ ...context, signal: undefined }), context, state, lay));
      } catch (error) {
        if (!(error instanceof query.Refusal)) throw error;
        place.replaceChildren(make("p", { class: "error" }, error.message));
      }
    });
    return details;
  };
  const shiftNote = (state, shift, change) => {
    const length = time.parseDuration(shift);
    const text = time.sayDuration(length, state.language);
    const undo = () => change({ variables: { ...state.variables, baseline_shift: undefined } });
    return make("p", { class: "shift" }, length > 0 ? viewer.say.alignShifted(text) : viewer.say.alignShiftedBack(text), " ", query.frozen ? null : make("button", { type: "button", onclick: undo }, viewer.say.alignUndo));
  };

  return { field, select, timeControls, refreshControls, alignControls, shiftNote };
})();
