// Calls the parts of the page that decide what is asked and what is shown, and compares with what Grafana
// and Prometheus say of the same. The one argument is the callback, which gets a list of what differs.
const done = arguments[arguments.length - 1];
const problems = [];
let checks = 0;
const same = (found, wanted, what) => {
  checks += 1;
  if (JSON.stringify(found) !== JSON.stringify(wanted)) problems.push(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
};
const table = (call, rows) => rows.forEach(([input, wanted]) => same(call(...[input].flat()), wanted, `${call.name || "call"}(${JSON.stringify(input)})`));
viewer.say = viewer.words.en;
const { time, interpolate, units, frames, colours, panel, runs, marks, variables } = viewer;

const lengths = () => {
  table(time.parseDuration, [["5m", 3e5], ["1h30m", 54e5], ["-90s", -9e4], ["500ms", 500], ["1.5h", 54e5], ["0", 0], ["0s", 0], ["2w", 12096e5], ["", null], ["5", null], ["m5", null], ["5 m", null]]);
  table(time.formatDuration, [[3e5, "5m"], [9e4, "90s"], [-754e3, "-754s"], [1500, "1500ms"], [36e5, "1h"], [0, "0s"], [864e5, "1d"]]);
  for (const length of [1, 999, 1e3, 61e3, 36e5, -5e3, 90061e3]) same(time.parseDuration(time.formatDuration(length)), length, `there and back: ${length}`);
  same(time.sayDuration(754e3, "en"), "12 min 34 s", "said in English");
  same(time.sayDuration(754e3, "zh-TW"), "12 分 34 秒", "said in Chinese");
};
const moments = () => {
  const now = Date.UTC(2026, 10, 11, 12, 0, 0);
  table((text) => time.parseMoment(text, now), [["now", now], ["now-15m", now - 9e5], ["now-1h+5m", now - 33e5], ["1794355200000", 1794355200000], ["2026-11-11T00:00:00Z", Date.UTC(2026, 10, 11)], ["2026-11-11T08:00:00+08:00", Date.UTC(2026, 10, 11)], ["soon", null], ["", null], ["now-", null], ["now-5x", null]]);
  same(time.parseMoment("2026-11-11 00:00", now), new Date(2026, 10, 11).getTime(), "a time without a zone is the reader's");
};
// Source: Grafana, rangeutil.test.ts and the data source Prometheus: max($__interval + scrape, 4 x scrape).
const intervals = () => {
  table(time.roundInterval, [[5, 1], [12, 10], [900, 1e3], [1400, 1e3], [1500, 2e3], [7499, 5e3], [7500, 1e4], [2e4, 2e4], [6e4, 6e4], [1e5, 12e4], [1e12, 31536e6]]);
  table(time.intervals, [
    [[9e5, 600, 5e3], { interval: 5e3, rate: 2e4 }],
    [[36e5, 600, 5e3], { interval: 5e3, rate: 2e4 }],
    [[216e5, 600, 5e3], { interval: 3e4, rate: 35e3 }],
    [[9e5, 600, 15e3], { interval: 15e3, rate: 6e4 }],
    [[6048e5, 600, 15e3], { interval: 9e5, rate: 915e3 }],
  ]);
  const { interval } = time.intervals(30 * 864e5, 1e9, 1);
  same(30 * 864e5 / interval <= 11000, true, "never more points than Prometheus answers");
};
const substitution = () => {
  const known = {
    job: { value: "$__all", options: ["a", "b"], several: true, allValue: ".+" },
    instance: { value: ["127.0.0.1:8080", "[::1]:8081"], options: [], several: true },
    one: { value: ["a.b"], options: ["a.b"], several: true },
    every: { value: ["$__all"], options: ["x", "y"], several: true },
    variant: { value: "optimized", options: [], several: false },
    quote: { value: "it's", options: [], several: false },
    baseline_shift: { value: "-754s", options: [], literal: true },
    ...interpolate.builtIn({ from: 0, to: 9e5 }, { interval: 5e3, rate: 2e4 }),
  };
  table((text) => interpolate.replace(text, known), [
    ['x{job=~"$job"}', 'x{job=~".+"}'],
    ['x{instance=~"$instance"}', 'x{instance=~"(127\\\\.0\\\\.0\\\\.1:8080|\\\\[::1\\\\]:8081)"}'],
    ['x{a=~"$one"}', 'x{a=~"a\\\\.b"}'],
    ['x{a=~"${every}"}', 'x{a=~"(x|y)"}'],
    ['x{variant="$variant"}', 'x{variant="optimized"}'],
    ['x{variant="[[variant]]"}', 'x{variant="optimized"}'],
    ["$quote", "it\\\\'s"],
    ["rate(x[$__rate_interval] offset $baseline_shift)", "rate(x[20s] offset -754s)"],
    ["increase(x[$__range]) $__range_s $__range_ms", "increase(x[900s]) 900 900000"],
    ["$__interval ${__interval_ms} $__rate_interval_ms", "5s 5000 20000"],
    ["$__from $__to", "0 900000"],
    ["${instance:csv}", "127.0.0.1:8080,[::1]:8081"],
    ["${instance:pipe}", "127.0.0.1:8080|[::1]:8081"],
    ["${one:regex}", "a\\.b"],
    ["$unknown stays", "$unknown stays"],
    ["costs 5$", "costs 5$"],
  ]);
  same(interpolate.names("$a ${b:csv} [[c]]"), ["a", "b", "c"], "names in a text");
};
const queries = () => {
  const context = { range: { from: 1e12 + 3e3, to: 1e12 + 903e3 }, scrape: 5e3, variables: { shift: { value: "1ms", options: [], literal: true } } };
  const target = { refId: "A", expr: "rate(x[$__rate_interval] offset $shift)", legendFormat: "{{le}}", range: true };
  same(panel.prepare({}, target, context, 600), { kind: "range", path: "query_range", parameters: { query: "rate(x[20s] offset 1ms)", start: 1e9, end: 1e9 + 900, step: 5 }, expression: "rate(x[20s] offset 1ms)", legend: "{{le}}" }, "a query over time");
  same(panel.prepare({ interval: "1m" }, target, context, 600).parameters.query, "rate(x[4m] offset 1ms)", "the least step of the panel");
  same(panel.prepare({}, { ...target, interval: "30s" }, context, 600).parameters.step, 30, "the least step of the query");
  same(panel.prepare({}, { ...target, instant: true, range: false }, context, 600).parameters, { query: "rate(x[20s] offset 1ms)", time: (1e12 + 903e3) / 1e3 }, "a query at the end");
};
const numbers = () => {
  const of = (value, unit, decimals) => units.format(value, unit, decimals);
  table(of, [
    [[null, "s"], "–"], [[0, "s"], "0 s"], [[0.0042, "s"], "4.2 ms"], [[0.00025, "s"], "250 µs"], [[1.5, "s"], "1.5 s"], [[90, "s"], "1.5 min"],
    [[12.345, "percent"], "12.3%"], [[0.12345, "percentunit"], "12.3%"], [[0.5, "percent", 2], "0.50%"],
    [[1234, "reqps"], "1.23K req/s"], [[86.6, "reqps"], "86.6 req/s"], [[120, "ops"], "120 ops/s"],
    [[1536, "bytes"], "1.5 KiB"], [[32 * 1024 ** 2, "bytes"], "32 MiB"], [[1500, "decbytes"], "1.5 kB"],
    [[1234567, "short"], "1.23 Mil"], [[950, "short"], "950"], [[3, "none"], "3"], [[1500, "ms"], "1.5 s"],
    [[12, "suffix:/min"], "12/min"], [[99.5, "currencyCNY", 2], "¥99.50"], [[-2000, "short"], "-2 K"], [[NaN, "s"], "NaN"], [[Infinity, "s"], "+∞"],
    [[7, "widgets"], "7 widgets"],
  ]);
  const mappings = [{ type: "value", options: { 1: { text: "up", color: "green" } } }, { type: "range", options: { from: 2, to: 5, result: { text: "some" } } }, { type: "special", options: { match: "null", result: { text: "none" } } }];
  table((value) => units.show(value, { mappings, unit: "short" }), [[1, "up"], [3, "some"], [null, "none"], [9, "9"]]);
};
const series = () => {
  table(frames.fillLegend, [[["{{status}}", { status: "failed" }], "failed"], [["{{ method }} {{endpoint}}", { method: "GET", endpoint: "/api" }], "GET /api"], [["P95 {{gone}}", {}], "P95 gone"], [["TPS", {}], "TPS"]]);
  same(frames.nameOf({ __name__: "up", job: "x" }, "", "up"), 'up{job="x"}', "a name without a legend");
  same(frames.nameOf({}, "__auto", "sum(up)"), "sum(up)", "a name without labels");
  const times = frames.grid(100, 130, 10);
  same(times, [100, 110, 120, 130], "a place for each step");
  const matrix = [{ metric: { a: "1" }, values: [[100, "1"], [120, "NaN"], [130, "4"]] }];
  same(frames.fromMatrix(matrix, times, 10)[0].values, [1, null, null, 4], "a step without a sample, and one that is no number, are gaps");
  same(frames.fromInstant({ resultType: "scalar", result: [1, "2.5"] })[0].values, [2.5], "a scalar");
  const values = [null, 1, 4, null, 3, null];
  table((calc) => frames.reduce(values, calc), [["lastNotNull", 3], ["last", null], ["firstNotNull", 1], ["mean", 8 / 3], ["max", 4], ["min", 1], ["sum", 8], ["count", 3], ["range", 3], ["diff", 2]]);
  same(["mean", "max", "lastNotNull"].map((calc) => frames.reduce([null], calc)), [null, null, null], "nothing to reduce is nothing");
};
const heatmaps = () => {
  const bucket = (le, ...values) => ({ labels: { le }, name: le, values });
  const rows = frames.heatmap([bucket("+Inf", 10, 7, null), bucket("0.1", 4, 5, null), bucket("0.5", 9, 5, null), bucket("0.01", 1, 6, null)]);
  same(rows.map((row) => row.counts), [[1, 6, null], [3, 0, null], [5, 0, null], [1, 2, null]], "cumulative counts become counts, never negative");
  same(rows.map(({ lower, upper }) => [lower, upper].map((edge) => Number(edge.toPrecision(4)))), [[0.001, 0.01], [0.01, 0.1], [0.1, 0.5], [0.5, 2.5]], "edges");
  same(frames.heatmap([bucket("0.1", 4), bucket("+Inf", 4)]).length, 1, "nothing beyond the last bound is no row");
};
const settings = () => {
  const board = { fieldConfig: { defaults: { unit: "percent", custom: { lineWidth: 2 } }, overrides: [
    { matcher: { id: "byRegexp", options: "/^Memory/" }, properties: [{ id: "unit", value: "bytes" }, { id: "custom.axisPlacement", value: "right" }] },
    { matcher: { id: "byName", options: "CPU" }, properties: [{ id: "color", value: { mode: "fixed", fixedColor: "red" } }] },
    { matcher: { id: "byFrameRefID", options: "B" }, properties: [{ id: "custom.lineStyle", value: { fill: "dash", dash: [6, 4] } }] },
  ] } };
  same(frames.configOf(board, { name: "Memory before", refId: "A" }), { unit: "bytes", custom: { lineWidth: 2, axisPlacement: "right" } }, "by a regular expression");
  same(frames.configOf(board, { name: "CPU", refId: "B" }), { unit: "percent", custom: { lineWidth: 2, lineStyle: { fill: "dash", dash: [6, 4] } }, color: { mode: "fixed", fixedColor: "red" } }, "by name and by query");
  same(board.fieldConfig.defaults.custom, { lineWidth: 2 }, "the panel's own settings stay");
  const thresholds = { mode: "absolute", steps: [{ color: "green", value: null }, { color: "yellow", value: 1 }, { color: "red", value: 5 }] };
  table((value) => colours.threshold(value, { thresholds }), [[0, "green"], [0.99, "green"], [1, "yellow"], [5, "red"], [99, "red"]]);
  const percentage = { mode: "percentage", steps: [{ color: "green", value: null }, { color: "red", value: 80 }] };
  table((value) => colours.threshold(value, { thresholds: percentage, min: 0, max: 10 }), [[7, "green"], [8, "red"]]);
  const payments = { mode: "absolute", steps: [{ color: "red", value: 0 }, { color: "yellow", value: 10 }, { color: "green", value: 50 }] };
  table((value) => colours.threshold(value, { thresholds: payments }), [[0, "red"], [9, "red"], [10, "yellow"], [50, "green"]]);
};
const choices = () => {
  same(variables.sorted(["b", "a"], 1), ["a", "b"], "ascending");
  same(variables.sorted(["a", "b"], 2), ["b", "a"], "descending");
  same(variables.sorted(["x10", "x9"], 3), ["x9", "x10"], "by number");
  same(variables.narrowed(["shop-1", "other"], "/shop-(.*)/"), ["1"], "narrowed to a group");
  same(variables.splitList("5m, 1h,a\\,b"), ["5m", "1h", "a,b"], "a list");
  same(variables.keyAndValue("One : 1"), { label: "One", value: "1" }, "a name for a value");
  const options = [{ label: "a", value: "a" }, { label: "b", value: "b" }];
  same(variables.valueOf({ type: "query", multi: true, includeAll: true, current: { value: "$__all" } }, options, undefined), ["$__all"], "what the dashboard says");
  same(variables.valueOf({ type: "query", multi: true, includeAll: true }, options, ["b", "gone"]), ["b"], "what is still there of a choice");
  same(variables.valueOf({ type: "query", current: { value: "optimized" } }, options, undefined), "a", "the first where nothing fits");
  same(variables.valueOf({ type: "textbox", query: "1ms", current: { value: "1ms" } }, [], "-5m"), "-5m", "a text");
};
const alignment = () => {
  const metric = (variant) => ({ variant, instance: "127.0.0.1:1" });
  const found = runs.fromMatrix([
    { metric: metric("baseline"), values: [[1000, "995.5"], [1005, "995.5"], [1100, "1090.2"]] },
    { metric: metric("optimized"), values: [[2000, "1749.6"], [2050, "1749.6"]] },
  ]);
  same(found.map(({ variant, start, end }) => [variant, start, end]), [["baseline", 995500, 1005000], ["baseline", 1090200, 1100000], ["optimized", 1749600, 2050000]], "runs by the start of the process");
  same(runs.align(found[0], found[2]), { shift: "754s", from: 1749e3, to: 2050e3 }, "the baseline ran earlier");
  same(runs.align({ start: 5e6, end: 6e6 }, { start: 4e6, end: 4.1e6 }), { shift: "-1000s", from: 4e6, to: 5e6 }, "the baseline ran later, and longer");
  same(runs.align({ start: 5e6, end: 6e6 }, { start: 5e6, end: 6e6 }).shift, "1ms", "an offset of nothing is refused by Prometheus 2");
  same(marks.stretchesOf([[10, "1"], [15, "3"], [20, "0"], [25, "2"], [45, "1"]], 5), [{ start: 10, end: 15 }, { start: 25, end: 25 }, { start: 45, end: 45 }], "marks");
};
const tables = () => {
  const one = (refId, labels, value) => ({ refId, format: "table", labels, times: [100], values: [value], raw: value, config: { custom: {} } });
  const shown = (board, list) => viewer.table.build(board, list).frames.map((frame) => frame.columns.map((column) => [column.title, column.values]));
  const organize = { id: "organize", options: { excludeByName: { Time: true }, indexByName: { Value: 2, endpoint: 1, method: 0 }, renameByName: { Value: "Requests", endpoint: "Route", method: "Method" } } };
  same(shown({ transformations: [organize] }, [one("A", { endpoint: "/a", method: "GET" }, 5), one("A", { endpoint: "/b", method: "POST" }, 3)]), [[["Method", ["GET", "POST"]], ["Route", ["/a", "/b"]], ["Requests", [5, 3]]]], "columns in their order");
  const merged = shown({ transformations: [{ id: "merge", options: {} }, { id: "filterFieldsByName", options: { exclude: { names: ["Time"] } } }, { id: "sortBy", options: { sort: [{ field: "Value #A", desc: true }] } }] }, [one("A", { v: "x" }, 1), one("A", { v: "y" }, 2), one("B", { v: "x" }, 9)]);
  same(merged, [[["v", ["y", "x"]], ["Value #A", [2, 1]], ["Value #B", [null, 9]]]], "answers of two queries side by side");
  same(viewer.table.build({ transformations: [{ id: "groupBy" }] }, [one("A", {}, 1)]).unknown, ["groupBy"], "what is not known is named");
};
const words = () => {
  const shape = (value) => (typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([key, of]) => [key, shape(of)])) : typeof value === "function" ? value.length : typeof value);
  same(shape(viewer.words["zh-TW"]), shape(viewer.words.en), "both languages have the same words");
};
const context = (length) => ({ dashboard: "t", range: { from: 0, to: length }, scrape: 5e3, signal: new AbortController().signal, variables: {} });
// A process is young for 15 seconds: whoever looks less often does not see its start.
const startsOfRunsAreMarkedInADay = async () => {
  const steps = [];
  viewer.query.ask = async (place, path, { step }) => {
    steps.push(step);
    return { data: { result: [] } };
  };
  const dashboard = { annotations: { list: [{ enable: true, name: "Start", target: { expr: "x", interval: "5s" } }] } };
  for (const hours of [1, 6, 12, 24]) await marks.load(dashboard, context(hours * 36e5));
  same(steps, [5, 5, 5, 10], "seconds between two looks for the start of a run");
};
const anExceptionInOnePanelLeavesTheOthers = async () => {
  viewer.query.ask = async (place, path, parameters) => ({ parameters, data: { resultType: "matrix", result: [{ metric: {}, values: [[parameters.start, "1"]] }] } });
  viewer.draw.broken = () => {
    throw new TypeError("planted");
  };
  const place = (x) => ({ x, y: 0, w: 12, h: 4 });
  const target = { expr: "1", refId: "A" };
  const fails = { id: 1, type: "broken", title: "Broken", gridPos: place(0), targets: [target] };
  const works = { id: 2, type: "text", title: "Words", gridPos: place(12), options: { content: "whole" } };
  const root = document.getElementById("app");
  const opened = viewer.board.open(root, { title: "t", panels: [fails, works] });
  const seen = () => [...root.querySelectorAll(".panel")].map((panel) => panel.dataset.state);
  const { errors } = await opened.refill(context(9e5));
  same([seen(), errors], [["error", "data"], []], "a panel with an exception, and another");
  same(root.querySelector("#panel-1 .body").textContent, "This panel cannot be drawnplanted", "what it says");
  opened.redraw();
  viewer.draw.broken = (body) => body.replaceChildren("mended");
  await opened.refill(context(9e5));
  same([seen(), root.querySelector("#panel-1 .body").textContent], [["data", "data"], "mended"], "it is tried anew");
  viewer.draw.broken = () => {
    throw new TypeError("planted again");
  };
  opened.redraw();
  same(seen(), ["error", "data"], "an exception while another theme is drawn");
};
(async () => {
  for (const part of [lengths, moments, intervals, substitution, queries, numbers, series, heatmaps, settings, choices, alignment, tables, words, startsOfRunsAreMarkedInADay, anExceptionInOnePanelLeavesTheOthers]) await part();
  if (checks < 150) problems.push(`only ${checks} checks were made`);
  done(problems);
})().catch((error) => done([...problems, `checker: ${error.stack}`]));
