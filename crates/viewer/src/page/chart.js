"use strict";
// What time series and heatmaps have in common: size, axes of time, tool tip and keys.
viewer.chart = (() => {
  const { elements, colours, time } = viewer;
  const { make, styled } = elements;
  const font = (size) => `${size}px ${getComputedStyle(document.body).fontFamily}`;

  const axis = (extra) => ({
    font: font(11),
    labelFont: font(11),
    stroke: colours.style("--muted"),
    grid: { stroke: colours.style("--grid"), width: 1 },
    ticks: { stroke: colours.style("--grid"), width: 1, size: 4 },
    ...extra,
  });
  const SECOND = 1, MINUTE = 60, HOUR = 3600, DAY = 86400;
  // Steps between the marks of an axis of time, in seconds.
  const STEPS = [SECOND, 2, 5, 10, 15, 30, MINUTE, 120, 300, 600, 900, 1800, HOUR, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 7 * DAY, 30 * DAY];
  const timeAxis = () =>
    axis({
      size: 28,
      space: 64,
      incrs: STEPS,
      values: (_, splits, __, ___, step) =>
        splits.map((at, index) => {
          if (step >= DAY) return time.day(at * 1e3).slice(5);
          const isNewDay = index > 0 && time.day(at * 1e3) !== time.day(splits[index - 1] * 1e3);
          return isNewDay ? time.day(at * 1e3).slice(5) : time.clock(at * 1e3, step < MINUTE);
        }),
    });
  // Bytes are counted in twos, so that the marks of their axis are whole KiB, MiB or GiB.
  const BINARY = Array.from({ length: 60 }, (_, power) => 2 ** power);
  const isBinary = (unit) => ["bytes", "kbytes", "mbytes", "gbytes", "binBps"].includes(unit);
  const valueAxis = (show, extra) =>
    axis({
      size: (_, values) => 16 + 6.4 * Math.max(3, ...(values ?? []).map((value) => [...(value ?? "")].length)),
      values: (_, splits) => splits.map((value) => (value === null ? "" : show(value))),
      ...extra,
    });

  // One tool tip for the page; it keeps away from the edges of the window.
  const tip = make("div", { class: "tip", hidden: true, role: "status" });
  const showTip = (plot, lines) => {
    if (!lines || plot.cursor.left < 0) {
      tip.hidden = true;
      return;
    }
    tip.replaceChildren(...lines.map((line) => make("div", {}, line.colour ? styled(make("i", {}), { background: line.colour }) : null, line.text)));
    if (!tip.isConnected) document.body.append(tip);
    tip.hidden = false;
    const box = plot.over.getBoundingClientRect();
    const left = box.left + plot.cursor.left + 14;
    const flipped = left + tip.offsetWidth > innerWidth - 8 ? Math.max(8, left - tip.offsetWidth - 28) : left;
    const top = Math.min(box.top + Math.max(plot.cursor.top, 0) + 14, innerHeight - tip.offsetHeight - 8);
    styled(tip, { left: `${flipped + scrollX}px`, top: `${Math.max(8, top) + scrollY}px` });
  };
  const hideTip = () => {
    tip.hidden = true;
  };

  // Arrow keys move the pointer from value to value, so that a chart tells its values without a mouse.
  const keys = (place, plotOf) =>
    place.addEventListener("keydown", (event) => {
      const plot = plotOf();
      const count = plot?.data[0].length ?? 0;
      const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
      if (event.key === "Escape") plot?.setCursor({ left: -10, top: -10 });
      if (!(event.key in moves) || !count) return;
      event.preventDefault();
      const at = plot.cursor.idx ?? (moves[event.key] > 0 ? -1 : count);
      const next = Math.min(count - 1, Math.max(0, at + moves[event.key]));
      plot.setCursor({ left: plot.valToPos(plot.data[0][next], "x"), top: plot.over.clientHeight / 2 });
    });

  // Keeps a plot as large as its place; `build` returns the options and the values for a size.
  const mount = (place, build) => {
    let plot = null;
    let size = [0, 0];
    const draw = () => {
      const { clientWidth: width, clientHeight: height } = place;
      if (width < 40 || height < 40 || (plot && size[0] === width && size[1] === height)) return;
      size = [width, height];
      if (plot) {
        plot.setSize({ width, height });
        return;
      }
      const { options, values } = build();
      plot = new uPlot({ width, height, legend: { show: false }, ...options }, values, place);
    };
    const observer = new ResizeObserver(draw);
    observer.observe(place);
    draw();
    keys(place, () => plot);
    place.addEventListener("blur", hideTip);
    return {
      plot: () => plot,
      destroy: () => {
        observer.disconnect();
        plot?.destroy();
      },
    };
  };

  return { timeAxis, valueAxis, BINARY, isBinary, showTip, mount };
})();
