"use strict";
// One dashboard: rows and panels at their places, filled from Prometheus, and filled anew on request.
viewer.board = (() => {
  const { elements, panel: panels, interpolate, about, marks } = viewer;
  const { make, styled } = elements;
  const POINTS_DEFAULT = 600;
  const EMPTY = { series: [], sent: [], errors: [], hasData: true };

  // Panels in the order of their places, in groups that a row leads; the first group may have no row.
  const sectionsOf = (dashboard) => {
    const sections = [{ row: null, panels: [] }];
    const placed = [...(dashboard.panels ?? [])].sort((one, other) => one.gridPos.y - other.gridPos.y || one.gridPos.x - other.gridPos.x);
    for (const panel of placed) {
      if (panel.type === "row") sections.push({ row: panel, panels: [...(panel.panels ?? [])] });
      else sections.at(-1).panels.push(panel);
    }
    return sections.filter(({ row, panels: own }) => row || own.length);
  };

  const place = (element, { x, y, w, h }, top) => styled(element, { "--x": x + 1, "--y": y - top + 1, "--w": w, "--h": h });

  // The element of a panel, with what a refresh needs to fill it.
  const makePanel = (panel, level) => {
    const title = make(`h${level}`, { class: "title" });
    const button = make("button", { type: "button", class: "about" }, "i");
    const body = make("div", { class: "body" });
    const notes = make("div", { class: "notes" });
    const element = make("article", { class: "panel", id: `panel-${panel.id}`, "data-type": panel.type, "data-state": "loading" }, make("header", {}, title, button), notes, body);
    element.classList.toggle("bare", Boolean(panel.transparent) || (panel.type === "text" && !panel.title));
    const view = { panel, level, element, title, notes, body, answer: null, end: null, hidden: new Set() };
    button.addEventListener("click", () => about.open(panel, title.textContent, view.answer));
    return Object.assign(view, { button });
  };

  const message = (kind, head, text) => make("div", { class: `message ${kind}` }, make("strong", {}, head), text ? make("span", {}, text) : null);
  const setState = (view, state) => {
    view.element.dataset.state = state;
    view.element.removeAttribute("aria-busy");
  };
  const finish = (view) => {
    view.end?.();
    view.end = null;
  };
  const errorLine = (error) => message("error", error.kind === "unreachable" || error.kind === "gone" ? viewer.say.unreachable : viewer.say.queryFailed, error.message);

  const draw = (view, answer, context) => {
    const { panel, body, notes } = view;
    finish(view);
    view.answer = answer;
    body.classList.remove("beside");
    const isFailed = answer.errors.length > 0;
    const drawer = viewer.draw[panel.type];
    notes.replaceChildren(...(isFailed && answer.hasData ? answer.errors.map(errorLine) : []));
    if (!drawer) {
      body.replaceChildren(message("error", viewer.say.unknownPanel(panel.type)));
      return setState(view, "error");
    }
    if (!answer.hasData) {
      body.replaceChildren(...(isFailed ? answer.errors.map(errorLine) : [message("empty", viewer.say.noData, viewer.say.noDataAbout)]));
      return setState(view, isFailed ? "error" : "empty");
    }
    const known = answer.series.filter(({ values, raw }) => raw !== undefined || values.some((value) => value !== null));
    view.end = drawer(body, panel, { ...answer, series: known }, { ...context, hidden: view.hidden, level: view.level }) ?? null;
    return setState(view, isFailed ? "error" : "data");
  };

  const fill = async (view, context) => {
    const { panel, title, body, button, element } = view;
    title.textContent = interpolate.replace(panel.title ?? "", context.variables);
    button.setAttribute("aria-label", viewer.say.inspect(title.textContent));
    button.hidden = panel.type === "text";
    element.setAttribute("aria-busy", "true");
    if (!view.answer && panel.type !== "text") body.replaceChildren(message("loading", viewer.say.loading));
    const answer = panel.type === "text" ? EMPTY : await panels.load(panel, context, body.clientWidth || POINTS_DEFAULT);
    const marked = await context.marked;
    if (context.signal.aborted) return [];
    draw(view, answer, { ...context, marks: marked.marks });
    return answer.errors;
  };

  // What goes wrong in the page itself stays in the panel it went wrong in, and the others go on.
  const contained = (view, error) => {
    if (error.name === "AbortError") return [];
    finish(view);
    view.answer = null;
    view.notes.replaceChildren();
    view.body.replaceChildren(message("error", viewer.say.panelFailed, String(error.message ?? error)));
    setState(view, "error");
    return [];
  };
  const fillSafely = (view, context) => fill(view, context).catch((error) => contained(view, error));
  const drawSafely = (view, context) => {
    try {
      draw(view, view.answer, context);
    } catch (error) {
      contained(view, error);
    }
  };

  // Puts the dashboard into the page. `refill` asks Prometheus anew; `redraw` draws what is known, for
  // another theme.
  const open = (root, dashboard) => {
    const views = [];
    let last = null;
    const refill = async (context) => {
      last = { ...context, marked: marks.load(dashboard, context) };
      const shown = views.filter(({ element }) => !element.closest("[hidden]"));
      const errors = await Promise.all(shown.map((view) => fillSafely(view, last)));
      const { marks: found, errors: refused } = await last.marked;
      last.marks = found;
      return { errors: [...errors.flat(), ...refused], marks: found };
    };
    const sections = sectionsOf(dashboard).map(({ row, panels: own }) => {
      const top = Math.min(...own.map((panel) => panel.gridPos.y));
      const mine = own.map((panel) => makePanel(panel, row ? 3 : 2));
      views.push(...mine);
      const grid = make("div", { class: "grid" }, mine.map((view) => place(view.element, view.panel.gridPos, top)));
      if (!row) return make("section", { "aria-label": dashboard.title }, grid);
      grid.hidden = Boolean(row.collapsed);
      const toggle = make("button", { type: "button", "aria-expanded": String(!grid.hidden), onclick: () => {
        grid.hidden = !grid.hidden;
        toggle.setAttribute("aria-expanded", String(!grid.hidden));
        if (!grid.hidden && last) mine.forEach((view) => fillSafely(view, last));
      } }, row.title);
      return make("section", { class: "row", "aria-label": row.title }, make("h2", {}, toggle), grid);
    });
    root.replaceChildren(...sections);
    return {
      refill,
      redraw: () => views.filter((view) => view.answer).forEach((view) => drawSafely(view, last)),
      close: () => views.forEach(finish),
    };
  };

  return { open, sectionsOf };
})();
