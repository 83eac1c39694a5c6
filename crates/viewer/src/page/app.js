"use strict";
// The page as a whole. Its state stands in the address, so that a link leads to what was seen.
(async () => {
  const { elements, time, interpolate, query, variables, controls, board, save } = viewer;
  const { make } = elements;
  const root = document.getElementById("app");
  const THEME = "double11-theme";
  const keyOf = (dashboard) => dashboard.uid.replace(/-(en|zh-tw)$/i, "");

  const settings = query.frozen?.settings ?? (await (await fetch("settings.json")).json());
  const fromAddress = () => {
    const address = new URLSearchParams(location.search);
    const chosen = {};
    for (const [key, value] of address) if (key.startsWith("var-")) (chosen[key.slice(4)] ??= []).push(value);
    const single = Object.fromEntries(Object.entries(chosen).map(([key, list]) => [key, list.length > 1 ? list : list[0]]));
    const said = (name) => address.get(name) ?? undefined;
    return { language: said("lang"), dashboard: said("d"), from: said("from"), to: said("to"), refresh: said("refresh"), variables: single };
  };
  const wanted = query.frozen?.state ?? fromAddress();
  const languages = Object.keys(settings.dashboards);
  const state = {
    ...wanted,
    language: languages.includes(wanted.language) ? wanted.language : languages.includes(settings.language) ? settings.language : languages[0],
    from: wanted.from ?? settings.from ?? undefined,
    to: wanted.to ?? settings.to ?? undefined,
  };
  const list = () => settings.dashboards[state.language];
  const current = () => list().find((dashboard) => keyOf(dashboard) === state.dashboard) ?? list()[0];
  const defaults = () => {
    const dashboard = current();
    state.dashboard = keyOf(dashboard);
    const isWrong = time.parseMoment(state.from, 0) === null || time.parseMoment(state.to ?? "now", 0) === null;
    state.from = isWrong ? dashboard.time?.from ?? "now-15m" : state.from;
    state.to = isWrong ? dashboard.time?.to ?? "now" : state.to ?? "now";
    state.refresh ??= settings.from ? "" : typeof dashboard.refresh === "string" ? dashboard.refresh : "";
  };
  const toAddress = () => {
    if (query.frozen) return;
    const address = new URLSearchParams({ d: state.dashboard, lang: state.language, from: state.from, to: state.to, refresh: state.refresh });
    for (const [key, value] of Object.entries(state.variables)) for (const one of [value ?? []].flat()) address.append(`var-${key}`, one);
    history.replaceState(null, "", `?${address}`);
  };

  const alarm = make("p", { class: "alarm", role: "alert", hidden: true });
  const bar = make("div", { class: "controls" });
  const head = make("header", { class: "top" });
  const main = make("main", { tabindex: -1 });
  root.replaceChildren(head, main);

  let opened = null;
  let openedKey = "";
  const keyNow = () => `${state.language}/${state.dashboard}`;
  let running = new AbortController();
  let timer = 0;

  const change = (values) => {
    Object.assign(state, values);
    show();
  };
  const zoom = (from, to) => {
    if (!query.frozen) change({ from: String(Math.round(from)), to: String(Math.round(to)), refresh: "" });
  };
  const nextTheme = () => {
    const next = viewer.colours.isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem(THEME, next);
    } catch {
      // A browser that keeps nothing forgets the choice; the page works without.
    }
    opened?.redraw();
  };
  const saveAsFile = async () => save.download(await save.build(frozenState(), settings, current()), `${state.dashboard}.html`);
  const rangeNow = () => {
    const now = Date.now();
    return { from: Math.round(time.parseMoment(state.from, now)), to: Math.round(time.parseMoment(state.to, now)) };
  };
  let lastRange = null;
  const frozenState = () => ({ ...state, from: String(lastRange.from), to: String(lastRange.to), refresh: "" });

  const tools = () => [
    languages.length > 1 ? controls.field(viewer.say.languageLabel, controls.select(languages.map((key) => [key, viewer.words[key].language]), state.language, (language) => change({ language }), { "data-control": "language" })) : null,
    make("button", { type: "button", class: "theme", onclick: nextTheme }, viewer.say.theme),
    query.frozen ? null : make("button", { type: "button", class: "save", onclick: saveAsFile }, viewer.say.save),
  ];
  // Who is about to lay runs over each other is not interrupted by a refresh: what is open stays where it is,
  // until another language or dashboard is shown.
  const keptAlign = () => (openedKey === keyNow() ? head.querySelector("details.align[open]") : null);
  const putAround = (kept, parts) => {
    if (!kept?.isConnected) return head.replaceChildren(...parts);
    for (const child of [...head.children]) if (child !== kept) child.remove();
    const place = parts.indexOf(kept);
    kept.before(...parts.slice(0, place));
    return kept.after(...parts.slice(place + 1));
  };
  const drawHead = (resolved, context) => {
    const dashboard = current();
    const shift = resolved.known.baseline_shift?.value;
    const hasShift = shift !== undefined;
    const isMoved = Math.abs(time.parseDuration(shift) ?? 0) >= 1e3;
    const choose = (name, value) => change({ variables: { ...state.variables, [name]: value } });
    const about = query.frozen ? viewer.say.saved(query.frozen.saved) : viewer.say.source(settings.prometheus);
    const range = make("p", { class: "range" }, `${time.stamp(context.range.from)} – ${time.stamp(context.range.to)} (${Intl.DateTimeFormat().resolvedOptions().timeZone})`);
    const choices = query.frozen ? [] : [...variables.controls(resolved.list, choose), ...controls.timeControls(state, change, Date.now()), ...controls.refreshControls(state, change, show)];
    const picker = list().length > 1 ? controls.field(viewer.say.dashboard, controls.select(list().map((one) => [keyOf(one), one.title]), state.dashboard, (key) => change({ dashboard: key }), { "data-control": "dashboard" })) : null;
    bar.replaceChildren(...[picker, ...choices, ...tools()].filter((control) => control));
    const align = hasShift && !query.frozen ? keptAlign() ?? controls.alignControls(state, context, change) : null;
    const note = isMoved ? controls.shiftNote(state, shift, change) : null;
    const parts = [make("h1", {}, dashboard.title), make("p", { class: "not-grafana" }, make("strong", {}, viewer.say.notGrafana.split(/(?<=[.。])\s*/)[0]), " ", viewer.say.notGrafana.split(/(?<=[.。])\s*/).slice(1).join(" ")), make("p", { class: "source" }, about), bar, align, note, range, legend, alarm];
    putAround(align, parts.filter((part) => part));
    document.title = `${dashboard.title} – Double11`;
  };
  const legend = make("ul", { class: "legend marks" });
  const tellMarks = (found) => {
    const names = new Map(found.map(({ name, colour }) => [name, colour]));
    legend.replaceChildren(...[...names].map(([name, colour]) => make("li", {}, make("span", { class: "state" }, elements.styled(make("i", { class: "dashed" }), { color: viewer.colours.line(colour) }), name))));
    legend.hidden = !names.size;
  };
  const tellTrouble = (errors) => {
    const trouble = errors.find((error) => error.kind === "unreachable" || error.kind === "gone");
    alarm.hidden = !trouble;
    alarm.textContent = trouble ? `${viewer.say.unreachable}: ${trouble.message}` : "";
  };

  // Where the focus was in the head, so that drawing it anew does not take it away.
  const focusMark = () => {
    const { control, variable } = document.activeElement?.dataset ?? {};
    return control ? `[data-control="${control}"]` : variable ? `[data-variable="${variable}"]` : null;
  };

  const open = (dashboard, key) => {
    opened?.close();
    query.forget();
    opened = board.open(main, dashboard);
    openedKey = key;
  };
  // Asks for everything anew; a call that comes later ends those before it.
  const show = async () => {
    clearTimeout(timer);
    running.abort();
    running = new AbortController();
    const { signal } = running;
    document.documentElement.dataset.state = "loading";
    viewer.say = viewer.words[state.language] ?? viewer.words.en;
    document.documentElement.lang = state.language;
    defaults();
    toAddress();
    const dashboard = current();
    lastRange = rangeNow();
    const context = { dashboard: state.dashboard, range: lastRange, scrape: time.parseDuration(settings.scrape_interval), signal, variables: {}, zoom };
    const errors = [];
    const resolved = await variables.resolve(dashboard, state.variables, context).catch((error) => {
      if (!(error instanceof query.Refusal)) throw error;
      errors.push(error);
      return { known: {}, list: [] };
    });
    if (signal.aborted) return;
    const mark = focusMark();
    const wasOpen = Boolean(bar.querySelector("details.several[open]"));
    const openVariable = wasOpen ? bar.querySelector("details.several[open]").dataset.variable : null;
    drawHead(resolved, context);
    if (openVariable) bar.querySelector(`details.several[data-variable="${openVariable}"]`)?.setAttribute("open", "");
    if (mark) bar.querySelector(mark)?.focus();
    const key = keyNow();
    if (openedKey !== key) open(dashboard, key);
    const filled = await opened.refill({ ...context, variables: { ...resolved.known, __dashboard: interpolate.literal(dashboard.title) } });
    if (signal.aborted) return;
    errors.push(...filled.errors);
    tellMarks(filled.marks);
    tellTrouble(errors);
    document.documentElement.dataset.state = "ready";
    const every = time.parseDuration(state.refresh);
    if (every && !query.frozen) timer = setTimeout(show, every);
  };

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => opened?.redraw());
  await show();
})().catch((error) => {
  document.documentElement.dataset.state = "failed";
  const note = document.createElement("p");
  note.className = "alarm";
  note.textContent = String(error.message ?? error);
  document.getElementById("app").prepend(note);
  throw error;
});
