"use strict";
// From a panel of a dashboard to its series: which queries are sent, and what becomes of the answers.
viewer.panel = (() => {
  const { interpolate, time, frames, query } = viewer;
  const SCRAPE_DEFAULT = 15e3;

  const leastStep = (panel, target, context) => {
    const said = [target.interval, panel.interval].map((text) => interpolate.replace(text, context.variables)).find((text) => text);
    return time.parseDuration(String(said ?? "").replace(/^>/, "")) ?? context.scrape ?? SCRAPE_DEFAULT;
  };

  // What is sent for one target: path and parameters, with everything put in its place.
  const prepare = (panel, target, context, points) => {
    const { from, to } = context.range;
    const least = leastStep(panel, target, context);
    const steps = time.intervals(to - from, panel.maxDataPoints ?? points, least);
    const known = { ...context.variables, ...interpolate.builtIn(context.range, steps) };
    const expression = interpolate.replace(target.expr, known);
    const legend = interpolate.replace(target.legendFormat, known);
    if (target.instant && !target.range) return { kind: "instant", path: "query", parameters: { query: expression, time: to / 1e3 }, expression, legend };
    // As Grafana does: both ends on multiples of the step, so that a refresh does not move the points.
    const start = Math.floor(from / steps.interval) * steps.interval;
    const end = Math.floor(to / steps.interval) * steps.interval;
    return { kind: "range", path: "query_range", parameters: { query: expression, start: start / 1e3, end: end / 1e3, step: steps.interval / 1e3 }, expression, legend };
  };

  const seriesOf = (panel, target, asked, answer) => {
    const { start, end, step } = answer.parameters;
    const times = asked.kind === "range" ? frames.grid(start, end, step) : [answer.parameters.time];
    const found = asked.kind === "range" ? frames.fromMatrix(answer.data.result, times, step) : frames.fromInstant(answer.data);
    return found.map((series) => ({ ...series, times, refId: target.refId, format: target.format, name: frames.nameOf(series.labels, asked.legend, asked.expression) }));
  };
  const dress = (panel, series) => series.map((one) => {
    const config = frames.configOf(panel, one);
    return { ...one, config, name: config.displayName ? frames.fillLegend(config.displayName, one.labels) : one.name };
  });

  const askFor = async (panel, target, context, points) => {
    const asked = prepare(panel, target, context, points);
    const place = `${context.dashboard}/${panel.id}/${target.refId}`;
    try {
      const answer = await query.ask(place, asked.path, asked.parameters, context.signal);
      const sent = { refId: target.refId, kind: asked.kind, ...answer.parameters };
      return { sent, series: seriesOf(panel, target, asked, answer) };
    } catch (error) {
      if (!(error instanceof query.Refusal)) throw error;
      return { sent: { refId: target.refId, kind: asked.kind, ...asked.parameters }, series: [], error };
    }
  };

  // All of a panel: series, what was sent, and the refusals. A refused target does not take the others away.
  const load = async (panel, context, points) => {
    const targets = (panel.targets ?? []).filter((target) => target.expr && !target.hide);
    const answers = await Promise.all(targets.map((target) => askFor(panel, target, context, points)));
    const series = dress(panel, answers.flatMap((answer) => answer.series));
    return {
      series,
      sent: answers.map((answer) => answer.sent),
      errors: answers.flatMap((answer) => (answer.error ? [answer.error] : [])),
      hasData: series.some(({ values, raw }) => raw !== undefined || values.some((value) => value !== null)),
    };
  };

  return { prepare, load };
})();
