"use strict";
// The annotations of a dashboard: moments and stretches that are marked in every chart over time.
viewer.marks = (() => {
  const { interpolate, time, frames, query, colours } = viewer;

  // Samples that follow each other without a gap are one stretch, as in Grafana; a sample of 0 is none.
  const stretchesOf = (values, step) => {
    const found = [];
    for (const [at, text] of values) {
      if (!(Number(text) !== 0)) continue;
      const last = found.at(-1);
      if (last && at - last.end <= step * 1.001) last.end = at;
      else found.push({ start: at, end: at });
    }
    return found;
  };

  const ofOne = async (annotation, index, context) => {
    const { from, to } = context.range;
    const target = annotation.target ?? { expr: annotation.expr, interval: annotation.step };
    const least = time.parseDuration(target.interval) ?? context.scrape;
    // As close together as Prometheus answers: the start of a run is true for 15 seconds only.
    const steps = time.intervals(to - from, time.POINTS_MAX, least);
    const known = { ...context.variables, ...interpolate.builtIn(context.range, steps) };
    const parameters = { query: interpolate.replace(target.expr, known), start: Math.floor(from / 1e3), end: Math.floor(to / 1e3), step: steps.interval / 1e3 };
    const { data } = await query.ask(`${context.dashboard}/annotation/${index}`, "query_range", parameters, context.signal);
    return data.result.flatMap(({ metric, values }) =>
      stretchesOf(values, steps.interval / 1e3).map((stretch) => ({ ...stretch, name: annotation.name, colour: annotation.iconColor, text: frames.nameOf(metric, target.legendFormat, annotation.name) })));
  };

  // Marks of all annotations that are switched on. What Prometheus refuses is told beside the marks.
  const load = async (dashboard, context) => {
    const wanted = (dashboard.annotations?.list ?? []).filter((annotation) => annotation.enable && (annotation.target?.expr ?? annotation.expr));
    const errors = [];
    const lists = await Promise.all(wanted.map((annotation, index) => ofOne(annotation, index, context).catch((error) => {
      if (!(error instanceof query.Refusal)) throw error;
      errors.push(error);
      return [];
    })));
    return { marks: lists.flat(), errors };
  };

  // Draws them over a chart: a dashed line where a stretch begins, and its length as a pale field.
  const draw = (marks) => (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { start, end, colour } of marks) {
      const [left, right] = [start, end].map((at) => plot.valToPos(at, "x", true));
      ctx.fillStyle = colours.alpha(colours.line(colour), 7);
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.strokeStyle = colours.line(colour);
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(left, bbox.top);
      ctx.lineTo(left, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };
  // What is marked at a moment, as lines of a tool tip.
  const at = (marks, moment, slack) => marks.filter(({ start, end }) => start - slack <= moment && moment <= end + slack).map(({ name, text, colour }) => ({ colour: colours.line(colour), text: `${name}: ${text}` }));

  return { stretchesOf, load, draw, at };
})();
