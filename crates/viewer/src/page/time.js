"use strict";
// Lengths of time, moments and the intervals that follow from a range. All numbers are milliseconds.
viewer.time = (() => {
  const UNITS = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, M: 2592e6, y: 31536e6 };
  const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w|M|y)/g;

  // "1h30m" or "-90s" in milliseconds, null where it is no length of time. "0" needs no unit.
  const parseDuration = (text) => {
    const match = /^\s*([-+]?)((?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w|M|y))+|0)\s*$/.exec(text ?? "");
    if (!match) return null;
    const sum = [...match[2].matchAll(PART)].reduce((total, [, number, unit]) => total + Number(number) * UNITS[unit], 0);
    return match[1] === "-" ? -sum : sum;
  };

  // As PromQL reads it: "90s", "-5m", "1500ms". Whole units only, so that nothing is lost.
  const formatDuration = (length) => {
    const size = Math.round(Math.abs(length));
    const unit = ["d", "h", "m", "s"].find((unit) => size >= UNITS[unit] && size % UNITS[unit] === 0) ?? (size ? "ms" : "s");
    return `${length < 0 ? "-" : ""}${size / UNITS[unit]}${unit}`;
  };

  // For readers: two units at most, "12 min 34 s".
  const sayDuration = (length, language) => {
    const names = language === "zh-TW" ? { d: "天", h: "小時", m: "分", s: "秒" } : { d: "d", h: "h", m: "min", s: "s" };
    const parts = [];
    let rest = Math.round(Math.abs(length) / 1e3) * 1e3;
    for (const unit of ["d", "h", "m", "s"]) {
      const count = Math.floor(rest / UNITS[unit]);
      rest -= count * UNITS[unit];
      if (count) parts.push(`${count} ${names[unit]}`);
    }
    return parts.slice(0, 2).join(" ") || `0 ${names.s}`;
  };

  // "now", "now-15m", "now-1d/d", milliseconds since 1970 or what Date reads; null where it is none.
  const parseMoment = (text, now) => {
    const said = String(text ?? "").trim();
    const relative = /^now((?:[-+][0-9.]+(?:ms|[smhdwMy]))*)(?:\/([mhd]))?$/.exec(said);
    if (relative) {
      const steps = relative[1].match(/[-+][^-+]+/g) ?? [];
      const at = steps.reduce((moment, step) => moment + parseDuration(step), now);
      if (!relative[2]) return at;
      const date = new Date(at);
      if (relative[2] === "d") date.setHours(0, 0, 0, 0);
      else if (relative[2] === "h") date.setMinutes(0, 0, 0);
      else date.setSeconds(0, 0);
      return date.getTime();
    }
    if (/^\d{12,14}$/.test(said)) return Number(said);
    if (!/^\d{4}-\d{2}-\d{2}/.test(said)) return null;
    const date = Date.parse(said.replace(/^(\S+) (\S)/, "$1T$2"));
    return Number.isFinite(date) ? date : null;
  };

  // Source: Grafana, packages/grafana-data/src/datetime/rangeutil.ts, roundInterval: what is shorter than
  // the first number of a row becomes the second.
  const ROUND = [
    [10, 1], [15, 10], [35, 20], [75, 50], [150, 100], [350, 200], [750, 500], [1500, 1e3], [3500, 2e3], [7500, 5e3],
    [12500, 1e4], [17500, 15e3], [25e3, 2e4], [45e3, 3e4], [9e4, 6e4], [21e4, 12e4], [45e4, 3e5], [75e4, 6e5], [105e4, 9e5],
    [15e5, 12e5], [27e5, 18e5], [54e5, 36e5], [9e6, 72e5], [162e5, 108e5], [324e5, 216e5], [864e5, 432e5], [6048e5, 864e5],
    [18144e5, 6048e5], [36288e5, 2592e6],
  ];
  const roundInterval = (interval) => ROUND.find(([below]) => interval < below)?.[1] ?? 31536e6;

  // Prometheus answers at most 11,000 points a series.
  const POINTS_MAX = 11000;
  // The step of a query, and what $__rate_interval is with it. `least` is the scrape interval of the data
  // source, or the least step that panel or query names instead.
  const intervals = (range, points, least) => {
    const interval = Math.max(roundInterval(range / Math.max(points, 1)), least, Math.ceil(range / POINTS_MAX));
    return { interval, rate: rateInterval(interval, least) };
  };
  // Source: Grafana, data source Prometheus: max($__interval + scrape, 4 x scrape).
  const rateInterval = (interval, scrape) => Math.max(interval + scrape, 4 * scrape);

  const two = (number) => String(number).padStart(2, "0");
  const clock = (moment, withSeconds = true) => {
    const date = new Date(moment);
    return `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ""}`;
  };
  const day = (moment) => {
    const date = new Date(moment);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  };
  const stamp = (moment) => `${day(moment)} ${clock(moment)}`;

  return { parseDuration, formatDuration, sayDuration, parseMoment, roundInterval, rateInterval, intervals, POINTS_MAX, clock, day, stamp };
})();
