"use strict";
// The runs of both variants, told apart by the moment at which the shop's process began, and how one is laid
// over the other.
viewer.runs = (() => {
  const { query, time } = viewer;
  const LEAST_SPAN = 6 * 36e5;
  const STEPS = 2000;
  // Prometheus 2 refuses an offset of nothing.
  const NONE = "1ms";
  const EXPRESSION = 'process_start_time_seconds{variant=~"baseline|optimized"}';

  // Runs from the answer, ascending by their start: {variant, instance, start, end} in milliseconds.
  const fromMatrix = (result) => {
    const runs = new Map();
    for (const { metric, values } of result)
      for (const [at, began] of values) {
        const key = `${metric.variant}|${metric.instance}|${began}`;
        const run = runs.get(key) ?? { variant: metric.variant, instance: metric.instance, start: Math.round(Number(began) * 1e3), end: 0 };
        run.end = Math.max(run.end, at * 1e3);
        runs.set(key, run);
      }
    return [...runs.values()].sort((one, other) => one.start - other.start);
  };

  const find = async (context) => {
    const to = context.range.to;
    const from = Math.min(context.range.from, to - LEAST_SPAN);
    const step = Math.max(context.scrape, Math.ceil((to - from) / STEPS / 1e3) * 1e3);
    const parameters = { query: EXPRESSION, start: from / 1e3, end: to / 1e3, step: step / 1e3 };
    const { data } = await query.ask(`${context.dashboard}/runs`, "query_range", parameters, context.signal);
    return fromMatrix(data.result);
  };

  // The shift lays the start of the baseline's run on that of the other; the range is long enough for both.
  const align = (baseline, optimized) => {
    const shift = Math.round((optimized.start - baseline.start) / 1e3) * 1e3;
    const length = Math.max(optimized.end - optimized.start, baseline.end - baseline.start);
    const from = Math.floor(optimized.start / 1e3) * 1e3;
    return { shift: shift ? time.formatDuration(shift) : NONE, from, to: from + Math.max(Math.ceil(length / 1e3) * 1e3, 15e3) };
  };

  return { LEAST_SPAN, fromMatrix, find, align };
})();
